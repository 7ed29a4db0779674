import { Injectable } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { CarriersDatabase } from './carriers.storage.js';
import { PrismaClient } from './generated/client.js';

/** The ORM over the control-plane pool of carriers, for lists and single reads. */
@Injectable()
export class CarriersOrm extends PrismaClient {
  constructor(db: CarriersDatabase) {
    super({ adapter: new PrismaPg(db.control, { schema: db.module }) });
  }
}
