import { Injectable } from '@nestjs/common';
import { newId } from '../../../shared/sid.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import { CarriersDatabase } from './carriers.storage.js';

/** Most receipts in one row, so that a page of them is of a bounded size. */
const MAX_IN_ROW = 500;

/** A group of receipts that wait for the owner of the binds. */
export interface ReceivedReceipts {
  readonly id: string;
  readonly receipts: readonly CarrierReceipt[];
}

/** Receipts that came to a process without the binds: durable until the owner of the binds has recorded them. */
@Injectable()
export class ReceiptInboxRepository {
  constructor(private readonly db: CarriersDatabase) {}

  /** Keeps receipts, in as many groups as they need. */
  async put(receipts: readonly CarrierReceipt[]): Promise<void> {
    const groups: string[] = [];
    for (let at = 0; at < receipts.length; at += MAX_IN_ROW) {
      groups.push(JSON.stringify(receipts.slice(at, at + MAX_IN_ROW)));
    }
    await this.db.query({
      name: 'carriers-receipts-in',
      text: `insert into carriers.receipt_inbox (id, receipts)
        select id, receipts::jsonb from unnest($1::uuid[], $2::text[]) as i(id, receipts)`,
      values: [groups.map(() => newId()), groups],
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
