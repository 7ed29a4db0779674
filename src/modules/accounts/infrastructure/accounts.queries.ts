import { Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import { type Account, accountSchema } from '../contract/accounts.api.js';
import { AccountsOrm } from './accounts.orm.js';

export interface PhoneNumber {
  readonly id: string;
  readonly phoneNumber: string;
  readonly createdAt: Date;
}

export interface ApiKey {
  readonly id: string;
  readonly friendlyName: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** What operators look up. Lists are newest first, from after an id, and hold at most `limit` rows. */
@Injectable()
export class AccountsQueries {
  constructor(private readonly orm: AccountsOrm) {}

  async account(id: string): Promise<Account | null> {
    const row = await this.orm.account.findUnique({ where: { id }, omit: { authToken: true } });
    return row && toAccount(row);
  }

  async accounts(afterId: string | null, limit: number): Promise<Account[]> {
    const rows = await this.orm.account.findMany({
      where: before(afterId),
      orderBy: { id: 'desc' },
      take: limit,
      omit: { authToken: true },
    });
    return rows.map(toAccount);
  }

  async phoneNumber(phoneNumber: string): Promise<PhoneNumber | null> {
    return this.orm.phoneNumber.findUnique({ where: { phoneNumber } });
  }

  /** The number with this id, where the account owns it. */
  async phoneNumberById(accountId: string, id: string): Promise<PhoneNumber | null> {
    return this.orm.phoneNumber.findFirst({ where: { accountId, id } });
  }

  async phoneNumbers(accountId: string, afterId: string | null, limit: number): Promise<PhoneNumber[]> {
    return this.orm.phoneNumber.findMany({
      where: { accountId, ...before(afterId) },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /** The API keys of an account, those that are revoked too. */
  async apiKeys(accountId: string, afterId: string | null, limit: number): Promise<ApiKey[]> {
    return this.orm.apiKey.findMany({
      where: { accountId, ...before(afterId) },
      orderBy: { id: 'desc' },
      take: limit,
      omit: { secretHash: true },
    });
  }
}

interface AccountRow {
  id: string;
  friendlyName: string;
  tier: string;
  status: string;
  closeReason: string | null;
  ownerId: string | null;
  messagesPerMinute: number | null;
  messagesPerSecond: number | null;
  messagesPerDay: number | null;
  unknownOutcome: string;
  createdAt: Date;
  updatedAt: Date;
}

function before(id: string | null): { id?: { lt: string } } {
  return id === null ? {} : { id: { lt: id } };
}

/** The ORM knows the columns with a check as text: parsing gives them their types. */
function toAccount({ id, ownerId, createdAt, updatedAt, ...row }: AccountRow): Account {
  return accountSchema.parse({
    ...row,
    sid: sidOf('AC', id),
    ownerAccountSid: ownerId && sidOf('AC', ownerId),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  });
}
