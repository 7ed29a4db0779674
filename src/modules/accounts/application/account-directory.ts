import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import { keyCreated, keyRevoked, phoneNumberAssigned, phoneNumberChanged } from '../contract/accounts.events.js';
import {
  AccountsRepository,
  type StoredAccount,
  type StoredKey,
  type StoredNumber,
} from '../infrastructure/accounts.repository.js';
import { accountView } from './account-view.js';
import { digestOf, sealContext } from './credentials.js';

/** An account with what authentication and signing need, computed once. */
export interface KnownAccount {
  readonly account: Account;
  readonly authToken: string;
  readonly tokenDigest: Buffer;
  readonly byToken: Principal;
  readonly byKey: Principal;
}

/** A cached answer; null: there is none, which is forgotten sooner. */
interface Answer<V> {
  readonly value: V | null;
}

const MAX_ACCOUNTS = 20_000;
const MAX_KEYS = 20_000;
const MAX_NUMBERS = 100_000;
const MAX_NUMBERS_AT_ONCE = 1_000;
const FRESH_MS = 60_000;
const NEGATIVE_MS = 2_000;

/**
 * What this process knows of accounts, keys and numbers, so that neither a request nor a message costs a query or a
 * decryption. Concurrent misses share one load; an answer past its time is served while it is loaded again; answers
 * are evicted by the events of accounts, and all of them on any doubt. Secrets of callers are never kept: entries are
 * found by SID or number.
 */
@Injectable()
export class AccountDirectory implements LocalTail {
  readonly id = 'accounts.directory';
  readonly source = 'accounts';
  private readonly accounts: LRUCache<string, Answer<KnownAccount>>;
  private readonly keys: LRUCache<string, Answer<StoredKey>>;
  private readonly numbers: LRUCache<string, Answer<StoredNumber>>;

  constructor(
    private readonly repository: AccountsRepository,
    private readonly secrets: SecretBox,
  ) {
    this.accounts = coalescing(MAX_ACCOUNTS, async (id) => this.known(await this.repository.find(id)));
    this.keys = coalescing(MAX_KEYS, (id) => this.repository.findKey(id));
    this.numbers = coalescing(
      MAX_NUMBERS,
      inOneQuery((phoneNumbers) => this.repository.findNumbers(phoneNumbers)),
    );
  }

  /** The account with this id, or null. */
  async account(id: string): Promise<KnownAccount | null> {
    return (await this.accounts.forceFetch(id)).value;
  }

  /** The API key with this id, or null when there is none or it is revoked. */
  async key(id: string): Promise<StoredKey | null> {
    return (await this.keys.forceFetch(id)).value;
  }

  /** The number with its owner, or null where nobody owns it. Those that are asked for at once share a query. */
  async number(phoneNumber: string): Promise<StoredNumber | null> {
    return (await this.numbers.forceFetch(phoneNumber)).value;
  }

  /** Forgets what the events changed; loads under way are not kept either. */
  on(events: readonly Pick<StoredEvent, 'type' | 'streamId' | 'data'>[]): void {
    for (const event of events) {
      this.accounts.delete(event.streamId);
      if (event.type === phoneNumberAssigned.type || event.type === phoneNumberChanged.type) {
        this.numbers.delete((event.data as EventData<typeof phoneNumberAssigned>).phoneNumber);
      } else if (event.type === keyRevoked.type || event.type === keyCreated.type) {
        const id = parseSid('SK', (event.data as EventData<typeof keyRevoked>).keySid);
        if (id) this.keys.delete(id);
      }
    }
  }

  /** Forgets everything. */
  lost(): void {
    this.accounts.clear();
    this.keys.clear();
    this.numbers.clear();
  }

  private known(stored: StoredAccount | null): KnownAccount | null {
    if (!stored) return null;
    const sid = sidOf('AC', stored.account.id);
    const authToken = this.secrets.open(stored.sealedToken, sealContext(sid));
    const account = Object.freeze(accountView(stored.account));
    return {
      account,
      authToken,
      tokenDigest: digestOf(authToken),
      byToken: principalOf(account, 'auth_token'),
      byKey: principalOf(account, 'api_key'),
    };
  }
}

function principalOf(account: Account, credential: Principal['credential']): Principal {
  return Object.freeze({
    accountSid: account.sid,
    status: account.status,
    tier: account.tier,
    credential,
    messagesPerMinute: account.messagesPerMinute,
    messagesPerSecond: account.messagesPerSecond,
    messagesPerDay: account.messagesPerDay,
    unknownOutcome: account.unknownOutcome,
  });
}

/** Gathers the numbers that are asked for in one turn of the process into one query. */
function inOneQuery(find: (phoneNumbers: readonly string[]) => Promise<StoredNumber[]>) {
  let gathering: { phoneNumbers: string[]; found: Promise<Map<string, StoredNumber>> } | null = null;
  return async (phoneNumber: string): Promise<StoredNumber | null> => {
    if (!gathering || gathering.phoneNumbers.length >= MAX_NUMBERS_AT_ONCE) {
      const phoneNumbers: string[] = [];
      const found = Promise.resolve().then(async () => {
        if (gathering?.phoneNumbers === phoneNumbers) gathering = null;
        return new Map((await find(phoneNumbers)).map((number) => [number.phoneNumber, number]));
      });
      gathering = { phoneNumbers, found };
    }
    gathering.phoneNumbers.push(phoneNumber);
    return (await gathering.found).get(phoneNumber) ?? null;
  };
}

function coalescing<V>(max: number, load: (key: string) => Promise<V | null>): LRUCache<string, Answer<V>> {
  return new LRUCache<string, Answer<V>>({
    max,
    ttl: FRESH_MS,
    allowStale: true,
    // Where the database is gone, what is known stays known; what is not is an error, never an answer.
    noDeleteOnFetchRejection: true,
    // An answer that was evicted while it was loaded goes to whoever waits for it, and is not kept.
    ignoreFetchAbort: true,
    fetchMethod: async (key, _stale, { options }) => {
      const value = await load(key);
      if (value === null) options.ttl = NEGATIVE_MS;
      return { value };
    },
  });
}
