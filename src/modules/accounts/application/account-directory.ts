import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import { answerOf, type CoalescingCache, coalescingCache } from '../../../shared/coalescing-cache.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import type { Account } from '../contract/accounts.api.js';
import {
  keyCreated,
  keyRevoked,
  phoneNumberAssigned,
  phoneNumberChanged,
  phoneNumberReleased,
} from '../contract/accounts.events.js';
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

const MAX_ACCOUNTS = 20_000;
const MAX_KEYS = 20_000;
const MAX_NUMBERS = 100_000;
const MAX_NUMBERS_AT_ONCE = 1_000;
const NUMBER_EVENTS: readonly string[] = [phoneNumberAssigned.type, phoneNumberChanged.type, phoneNumberReleased.type];

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
  private readonly accounts: CoalescingCache<KnownAccount>;
  private readonly keys: CoalescingCache<StoredKey>;
  private readonly numbers: CoalescingCache<StoredNumber>;

  constructor(
    private readonly repository: AccountsRepository,
    private readonly secrets: SecretBox,
  ) {
    this.accounts = coalescingCache(MAX_ACCOUNTS, async (id) => this.known(await this.repository.find(id)));
    this.keys = coalescingCache(MAX_KEYS, (id) => this.repository.findKey(id));
    this.numbers = coalescingCache(
      MAX_NUMBERS,
      inOneQuery((phoneNumbers) => this.repository.findNumbers(phoneNumbers)),
    );
  }

  /** The account with this id, or null. */
  account(id: string): Promise<KnownAccount | null> {
    return answerOf(this.accounts, id);
  }

  /** The API key with this id, or null when there is none or it is revoked. */
  key(id: string): Promise<StoredKey | null> {
    return answerOf(this.keys, id);
  }

  /** The number with its owner, or null where nobody owns it. Those that are asked for at once share a query. */
  number(phoneNumber: string): Promise<StoredNumber | null> {
    return answerOf(this.numbers, phoneNumber);
  }

  /** Forgets what the events changed; loads under way are not kept either. */
  on(events: readonly Pick<StoredEvent, 'type' | 'streamId' | 'data'>[]): void {
    for (const event of events) {
      this.accounts.delete(event.streamId);
      if (NUMBER_EVENTS.includes(event.type)) {
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
