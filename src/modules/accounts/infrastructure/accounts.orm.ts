import { Injectable } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { AccountsDatabase } from './accounts.storage.js';
import { PrismaClient } from './generated/client.js';

/** The ORM over the control-plane pool of accounts, for lists and single reads. */
@Injectable()
export class AccountsOrm extends PrismaClient {
  constructor(db: AccountsDatabase) {
    super({ adapter: new PrismaPg(db.control, { schema: db.module }) });
  }
}
