import { Injectable } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { BillingDatabase } from './billing.storage.js';
import { PrismaClient } from './generated/client.js';

/** The ORM over the control-plane pool of billing, for lists and single reads. */
@Injectable()
export class BillingOrm extends PrismaClient {
  constructor(db: BillingDatabase) {
    super({ adapter: new PrismaPg(db.control, { schema: db.module }) });
  }
}
