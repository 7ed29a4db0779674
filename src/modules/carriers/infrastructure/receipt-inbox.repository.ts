import { Injectable } from '@nestjs/common';
import { newId } from '../../../shared/sid.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import { CarriersDatabase } from './carriers.storage.js';

/** A group of receipts that wait for the owner of the binds. */
export interface ReceivedReceipts {
  readonly id: string;
  readonly receipts: readonly CarrierReceipt[];
}

/** Receipts that came to a process without the binds: durable until the owner of the binds has recorded them. */
@Injectable()
export class ReceiptInboxRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /** Keeps a group of receipts. */
  async put(receipts: readonly CarrierReceipt[]): Promise<void> {
    await this.db.query({
      name: 'carriers-receipts-in',
      text: 'insert into carriers.receipt_inbox (id, receipts) values ($1, $2)',
      values: [newId(), JSON.stringify(receipts)],
    });
  }

  /** The oldest groups, in the order in which they came. */
  async oldest(limit: number): Promise<ReceivedReceipts[]> {
    const { rows } = await this.db.query<ReceivedReceipts>({
      name: 'carriers-receipts-waiting',
      text: 'select id, receipts from carriers.receipt_inbox order by id limit $1',
      values: [limit],
    });
    return rows;
  }

  /** Removes groups that are recorded. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.db.query('delete from carriers.receipt_inbox where id = any($1::uuid[])', [ids]);
  }
}
