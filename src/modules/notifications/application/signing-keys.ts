import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { accountClosed, tokenRotated } from '../../accounts/contract/accounts.events.js';

const MAX_KEYS = 10_000;
const FRESH_MS = 30_000;
/** At most how many accounts one call asks for. */
const MAX_ASKED = 1_000;

/** After these a key is another one, or none. */
const CHANGES = [tokenRotated.type, accountClosed.type];

interface Waiting {
  readonly resolve: (key: string | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The auth tokens that sign callbacks. Kept briefly, forgotten when an account changes; those that are missing at the
 * same time are asked for together.
 */
@Injectable()
export class SigningKeys implements LocalTail {
  readonly id = 'notifications.signing-keys';
  readonly source = 'accounts';
  private readonly keys = new LRUCache<string, string>({ max: MAX_KEYS, ttl: FRESH_MS });
  private missing = new Map<string, Waiting[]>();
  /** How often something was forgotten: an answer that was on its way meanwhile may be the old key. */
  private forgotten = 0;

  constructor(@Inject(AccountsApi) private readonly accounts: AccountsApi) {}

  /** The key of an account; null when there is no such account. @throws what accounts throw */
  async keyOf(accountSid: string): Promise<string | null> {
    return this.keys.get(accountSid) ?? this.ask(accountSid);
  }

  on(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (!CHANGES.includes(event.type)) continue;
      this.forgotten++;
      this.keys.delete(sidOf('AC', event.streamId));
    }
  }

  lost(): void {
    this.forgotten++;
    this.keys.clear();
  }

  private ask(accountSid: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      if (this.missing.size === 0) setImmediate(() => this.fetch());
      const waiting = this.missing.get(accountSid);
      if (waiting) waiting.push({ resolve, reject });
      else this.missing.set(accountSid, [{ resolve, reject }]);
      if (this.missing.size === MAX_ASKED) this.fetch();
    });
  }

  private fetch(): void {
    const asked = this.missing;
    this.missing = new Map();
    if (asked.size > 0) void this.answer(asked);
  }

  private async answer(asked: ReadonlyMap<string, Waiting[]>): Promise<void> {
    const { forgotten } = this;
    try {
      const keys = await this.accounts.signingKeys([...asked.keys()]);
      for (const [accountSid, waiting] of asked) {
        const key = keys[accountSid];
        if (key !== undefined && forgotten === this.forgotten) this.keys.set(accountSid, key);
        for (const { resolve } of waiting) resolve(key ?? null);
      }
    } catch (error) {
      for (const waiting of asked.values()) for (const { reject } of waiting) reject(error);
    }
  }
}
