import { Injectable } from '@nestjs/common';
import type { IdPosition } from '../../../platform/http/twilio-list.js';
import { sidOf } from '../../../shared/sid.js';
import { type Account, accountSchema } from '../contract/accounts.api.js';
import type { AccountStatus } from '../domain/account.js';
import { AccountsOrm } from './accounts.orm.js';

export interface PhoneNumber {
  readonly id: string;
  readonly phoneNumber: string;
  readonly accountId: string;
  readonly friendlyName: string | null;
  readonly smsUrl: string | null;
  readonly smsMethod: string;
  readonly smsFallbackUrl: string | null;
  readonly smsFallbackMethod: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ApiKey {
  readonly id: string;
  readonly friendlyName: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly revokedAt: Date | null;
}

/** An account and those it owns, or one of them, with the sealed auth token. */
export interface OwnAccount {
  readonly id: string;
  readonly account: Account;
  readonly sealedToken: Uint8Array;
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

  /** An account with its sealed auth token. */
  async ownAccount(id: string): Promise<OwnAccount | null> {
    const row = await this.orm.account.findUnique({ where: { id } });
    return row && toOwnAccount(row);
  }

  /** An account and those that it owns, narrowed to a name and to statuses. */
  async ownAccounts(
    ownerId: string,
    filter: { friendlyName?: string; statuses?: readonly AccountStatus[] },
    from: IdPosition,
    limit: number,
  ): Promise<OwnAccount[]> {
    const rows = await this.orm.account.findMany({
      where: {
        OR: [{ id: ownerId }, { ownerId }],
        AND: [range(from)],
        ...(filter.friendlyName === undefined ? {} : { friendlyName: filter.friendlyName }),
        ...(filter.statuses === undefined ? {} : { status: { in: [...filter.statuses] } }),
      },
      orderBy: orderOf(from),
      take: limit,
    });
    return rows.map(toOwnAccount);
  }

  /** The SIDs of the accounts that an account owns: as many as may be opened under one. */
  async subaccountsOf(ownerId: string): Promise<string[]> {
    const rows = await this.orm.account.findMany({ where: { ownerId }, select: { id: true } });
    return rows.map(({ id }) => sidOf('AC', id));
  }

  /**
   * The numbers of an account, narrowed to a name and to those that hold a text.
   *
   * @param filter.like digits and plus signs, with `_` for any one character
   */
  async ownNumbers(
    accountId: string,
    filter: { friendlyName?: string; like?: string },
    from: IdPosition,
    limit: number,
  ): Promise<PhoneNumber[]> {
    const { friendlyName, like } = filter;
    return this.orm.phoneNumber.findMany({
      where: {
        accountId,
        ...range(from),
        // A number without a name of its own goes by itself.
        ...(friendlyName === undefined
          ? {}
          : { OR: [{ friendlyName }, { friendlyName: null, phoneNumber: friendlyName }] }),
        // The ORM hands the text to LIKE as it stands.
        ...(like === undefined ? {} : { phoneNumber: { contains: like } }),
      },
      orderBy: orderOf(from),
      take: limit,
    });
  }

  /** A key of an account, unless it is revoked. */
  async ownKey(accountId: string, id: string): Promise<ApiKey | null> {
    return this.orm.apiKey.findUnique({ where: { id, accountId, revokedAt: null }, omit: { secretHash: true } });
  }

  /** The keys of an account that are not revoked. */
  async ownKeys(accountId: string, from: IdPosition, limit: number): Promise<ApiKey[]> {
    return this.orm.apiKey.findMany({
      where: { accountId, revokedAt: null, ...range(from) },
      orderBy: orderOf(from),
      take: limit,
      omit: { secretHash: true },
    });
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

/** The order of a page: towards older rows, or from its end back. */
function orderOf({ newerThan }: IdPosition): { id: 'asc' | 'desc' } {
  return { id: newerThan === undefined ? 'desc' : 'asc' };
}

function range({ olderThan, newerThan }: IdPosition): { id?: { lt: string } | { gt: string } } {
  if (olderThan !== undefined) return { id: { lt: olderThan } };
  return newerThan === undefined ? {} : { id: { gt: newerThan } };
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

function toOwnAccount({ authToken, ...row }: AccountRow & { authToken: Uint8Array }): OwnAccount {
  return { id: row.id, account: toAccount(row), sealedToken: authToken };
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
