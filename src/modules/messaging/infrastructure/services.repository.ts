import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { ListPosition } from '../domain/message-view.js';
import type { ListedNumber, PoolNumber, Service } from '../domain/service.js';
import { MessagingDatabase } from './messaging.storage.js';
import { SERVICE_COLUMNS, SETTINGS_COLUMNS, type ServiceRow, settingsValues, toService } from './service-row.js';

/** Where a number stands. */
export interface PooledNumber {
  readonly accountId: string;
  readonly serviceId: string;
  /** The number's id in accounts, as it was when it was added. */
  readonly id: string;
}

interface NumberRow {
  id: string;
  phone_number: string;
  created_at: Date;
}

const NUMBER_COLUMNS = 'id, phone_number, created_at';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** The rows of messaging services and their pools: one account's, never another's. */
@Injectable()
export class ServicesRepository {
  constructor(private readonly db: MessagingDatabase) {}

  async find(accountId: string, id: string): Promise<Service | null> {
    const { rows } = await this.db.query<ServiceRow>(
      `select ${SERVICE_COLUMNS} from messaging.service where account_id = $1 and id = $2`,
      [accountId, id],
    );
    return rows[0] ? toService(rows[0]) : null;
  }

  /** All numbers of a service's pool, by their ids. */
  async pool(accountId: string, serviceId: string): Promise<ListedNumber[]> {
    const { rows } = await this.db.query<NumberRow>(
      `select ${NUMBER_COLUMNS} from messaging.service_number where account_id = $1 and service_id = $2 order by id`,
      [accountId, serviceId],
    );
    return rows.map(toNumber);
  }

  /** One number of a service's pool, or null. */
  async number(accountId: string, serviceId: string, id: string): Promise<ListedNumber | null> {
    const { rows } = await this.db.control.query<NumberRow>(
      `select ${NUMBER_COLUMNS} from messaging.service_number where account_id = $1 and service_id = $2 and id = $3`,
      [accountId, serviceId, id],
    );
    return rows[0] ? toNumber(rows[0]) : null;
  }

  /** The id of the service whose pool holds the account's number (E.164, or a short code), or null. */
  async serviceOf(accountId: string, phoneNumber: string, on: Queryable = this.db): Promise<string | null> {
    const { rows } = await on.query<{ service_id: string }>(
      'select service_id from messaging.service_number where account_id = $1 and phone_number = $2',
      [accountId, phoneNumber],
    );
    return rows[0]?.service_id ?? null;
  }

  /** The pools in which these numbers stand, whoever's they are. Without an index: it is asked when a number changes hands. */
  async pooled(phoneNumbers: readonly string[]): Promise<PooledNumber[]> {
    const { rows } = await this.db.control.query<PooledNumber>(
      `select account_id as "accountId", service_id as "serviceId", id from messaging.service_number
        where phone_number = any($1::text[])`,
      [phoneNumbers],
    );
    return rows;
  }

  /** A page of the account's services; newest first, or oldest first where the position is `newerThan`. */
  async list(accountId: string, from: ListPosition, limit: number): Promise<Service[]> {
    const { rows } = await this.db.search.query<ServiceRow>(
      `select ${SERVICE_COLUMNS} from messaging.service where account_id = $1 and ${page(from, '$2', '$3', '$4')}`,
      [accountId, ...bounds(from), limit],
    );
    return rows.map(toService);
  }

  /** A page of a service's numbers, in the same order. */
  async listNumbers(accountId: string, serviceId: string, from: ListPosition, limit: number): Promise<ListedNumber[]> {
    const { rows } = await this.db.search.query<NumberRow>(
      `select ${NUMBER_COLUMNS} from messaging.service_number
        where account_id = $1 and service_id = $2 and ${page(from, '$3', '$4', '$5')}`,
      [accountId, serviceId, ...bounds(from), limit],
    );
    return rows.map(toNumber);
  }

  async count(accountId: string): Promise<number> {
    const { rows } = await this.db.control.query<{ count: number }>(
      'select count(*)::int as count from messaging.service where account_id = $1',
      [accountId],
    );
    return rows[0]!.count;
  }

  /** Reads a service and keeps it and its pool from changing until the transaction ends; null when there is none. */
  async lock(tx: Queryable, accountId: string, id: string): Promise<Service | null> {
    const { rows } = await tx.query<ServiceRow>(
      `select ${SERVICE_COLUMNS} from messaging.service where account_id = $1 and id = $2 for no key update`,
      [accountId, id],
    );
    return rows[0] ? toService(rows[0]) : null;
  }

  /** Writes a new service; null where there is one with its id already. */
  async insert(tx: Queryable, service: Service): Promise<Service | null> {
    const values = [service.accountId, service.id, service.version, ...settingsValues(service)];
    const { rows } = await tx.query<ServiceRow>(
      `insert into messaging.service (account_id, id, version, ${SETTINGS_COLUMNS.join(', ')})
        values (${values.map((_, index) => `$${index + 1}`).join(', ')})
        on conflict do nothing returning ${SERVICE_COLUMNS}`,
      values,
    );
    return rows[0] ? toService(rows[0]) : null;
  }

  /** Writes what may change of a service, in the transaction that holds its lock. */
  async save(tx: Queryable, service: Service): Promise<Service> {
    const { rows } = await tx.query<ServiceRow>(
      `update messaging.service set version = $3, updated_at = clock_timestamp(),
          ${SETTINGS_COLUMNS.map((column, index) => `${column} = $${index + 4}`).join(', ')}
        where account_id = $1 and id = $2 returning ${SERVICE_COLUMNS}`,
      [service.accountId, service.id, service.version, ...settingsValues(service)],
    );
    return toService(rows[0]!);
  }

  /** Removes a service with its pool. */
  async remove(tx: Queryable, accountId: string, id: string): Promise<void> {
    await tx.query('delete from messaging.service where account_id = $1 and id = $2', [accountId, id]);
  }

  async countNumbers(tx: Queryable, accountId: string, serviceId: string): Promise<number> {
    const { rows } = await tx.query<{ count: number }>(
      'select count(*)::int as count from messaging.service_number where account_id = $1 and service_id = $2',
      [accountId, serviceId],
    );
    return rows[0]!.count;
  }

  /** Puts a number into the pool of a service; false where it is in one of the account's pools already. */
  async insertNumber(tx: Queryable, accountId: string, serviceId: string, number: PoolNumber): Promise<boolean> {
    // The account once had the same number under another id: that one is gone.
    await tx.query('delete from messaging.service_number where account_id = $1 and phone_number = $2 and id <> $3', [
      accountId,
      number.phoneNumber,
      number.id,
    ]);
    const { rowCount } = await tx.query(
      `insert into messaging.service_number (account_id, id, service_id, phone_number) values ($1, $2, $3, $4)
        on conflict do nothing`,
      [accountId, number.id, serviceId, number.phoneNumber],
    );
    return rowCount === 1;
  }

  /** Takes a number out of the pool of a service; null where it is not in it. */
  async deleteNumber(tx: Queryable, accountId: string, serviceId: string, id: string): Promise<PoolNumber | null> {
    const { rows } = await tx.query<NumberRow>(
      `delete from messaging.service_number where account_id = $1 and service_id = $2 and id = $3
        returning ${NUMBER_COLUMNS}`,
      [accountId, serviceId, id],
    );
    return rows[0] ? toNumber(rows[0]) : null;
  }
}

function page(from: ListPosition, older: string, newer: string, limit: string): string {
  return `id < ${older} and id > ${newer} order by id ${from.newerThan ? 'asc' : 'desc'} limit ${limit}`;
}

function bounds(from: ListPosition): [string, string] {
  return [from.olderThan ?? LAST_ID, from.newerThan ?? FIRST_ID];
}

function toNumber(row: NumberRow): ListedNumber {
  return { id: row.id, phoneNumber: row.phone_number, createdAt: row.created_at };
}
