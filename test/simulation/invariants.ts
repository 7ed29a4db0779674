import { CHARGED, FINAL, type MessageStatus } from '../../src/modules/messaging/domain/message.js';
import type { Customer } from './customer.js';
import type { TakenPart } from './fake-carrier.js';
import { CREDIT_MICROS, type Shared } from './shared.js';
import type { LogTable } from './twins/event-log.twin.js';

const EXPIRED = 30036;
const HALTED = 30002;

/** What holds after every step, and what holds when everything has come to rest. Each check names what does not hold. */
export class Invariants {
  private readonly finals = new Map<string, string>();
  private readonly versions = new Map<string, number>();
  private readonly seen = new Map<LogTable, number>();
  /** How far each carrier's record was looked at, how often it was given each part, and each message at most. */
  private readonly looked = new Map<readonly TakenPart[], number>();
  private readonly times = new Map<string, number>();
  private readonly given = new Map<string, number>();

  constructor(
    private readonly shared: Shared,
    private readonly customers: readonly Customer[],
  ) {}

  /** The first thing that does not hold; null where everything does. */
  check(): string | null {
    const { violation } = this.shared;
    return (
      violation ??
      this.ledger() ??
      this.messages() ??
      this.customersTold() ??
      this.streams() ??
      this.carriers() ??
      this.keys()
    );
  }

  /** As `check`, for a world in which nothing is left to do. */
  checkAtRest(): string | null {
    return this.check() ?? this.allFinal() ?? this.receipts();
  }

  /** Whether nothing is left to do. */
  get isAtRest(): boolean {
    const { messaging, ledger, carriers } = this.shared;
    if (this.customers.some((customer) => !customer.isDone)) return false;
    for (const { resolution } of ledger.entries.values()) if (!resolution) return false;
    for (const { message } of messaging.messages.values()) if (!isFinal(message.status)) return false;
    if (carriers.intents.size > 0) return false;
    return ![...this.shared.networks.values()].some((carrier) => carrier.receiptsUnderWay > 0);
  }

  private ledger(): string | null {
    const { ledger } = this.shared;
    let sum = ledger.revenue - CREDIT_MICROS * ledger.accounts.size;
    for (const [id, account] of ledger.accounts) {
      let [balance, reserved, open] = [CREDIT_MICROS, 0, 0];
      for (const entry of ledger.entries.values()) {
        if (entry.accountId !== id) continue;
        if (entry.resolution === null) {
          reserved += entry.amount;
          open++;
        } else if (entry.resolution === 'post') balance -= entry.amount;
      }
      if (balance !== account.balance) return `a balance is ${account.balance}, its entries say ${balance}`;
      if (reserved !== account.reserved) return `${account.reserved} is reserved, the entries say ${reserved}`;
      if (open !== account.open) return `${account.open} reservations are open, the entries say ${open}`;
      if (balance - reserved < account.limit) return 'an account is below its limit';
      sum += account.balance;
    }
    return sum === 0 ? null : `the ledger sums to ${sum}`;
  }

  private messages(): string | null {
    const { messaging, ledger } = this.shared;
    for (const [id, { message, priceMicros }] of messaging.messages) {
      const { status } = message;
      const before = this.finals.get(id);
      if (before !== undefined && before !== status) return `a message that was ${before} became ${status}`;
      if (isFinal(status)) this.finals.set(id, status);
      const entry = ledger.entries.get(id);
      if (status === 'abandoned') {
        if (entry?.resolution === 'post') return 'a saga that was given up is charged';
        continue;
      }
      if (!entry) return 'a message has no charge';
      if (entry.amount !== priceMicros) return 'a message has another price than its charge';
      if (entry.resolution === null) continue;
      const isCharged = CHARGED.includes(status as MessageStatus);
      if (!isFinal(status) || isCharged !== (entry.resolution === 'post')) {
        return `a message that is ${status} has its charge resolved: ${entry.resolution}`;
      }
    }
    for (const [id, { resolution }] of ledger.entries) {
      if (resolution === 'post' && !messaging.messages.has(id)) return 'a charge without a message is posted';
    }
    return null;
  }

  private customersTold(): string | null {
    const { messaging } = this.shared;
    const count = new Map<string, number>();
    for (const { message } of messaging.messages.values()) count.set(message.to, (count.get(message.to) ?? 0) + 1);
    for (const { wish, messageId, isDeceived } of this.customers) {
      if (isDeceived) return `${wish.to}: one key was answered with two messages`;
      if (messageId !== null && !messaging.find(messageId))
        return `${wish.to}: a message that was answered with 201 is lost`;
      if ((count.get(wish.to) ?? 0) > 1) return `${wish.to}: one request made several messages`;
    }
    return null;
  }

  private streams(): string | null {
    const { messaging, carriers } = this.shared;
    for (const event of messaging.log.events.slice(this.seen.get(messaging.log) ?? 0)) {
      const version = (this.versions.get(event.streamId) ?? 0) + 1;
      if (event.version !== version) return `version ${event.version} of a message follows ${version - 1}`;
      this.versions.set(event.streamId, version);
    }
    this.seen.set(messaging.log, messaging.log.events.length);
    for (const event of carriers.log.events.slice(this.seen.get(carriers.log) ?? 0)) {
      if (event.version > 1 && !carriers.submissions.has(event.streamId)) return 'a receipt precedes its answer';
    }
    this.seen.set(carriers.log, carriers.log.events.length);
    return null;
  }

  private carriers(): string | null {
    const { messaging, networks, carriers } = this.shared;
    if (carriers.isOvertaken) return 'an owner of the binds wrote after another had begun';
    for (const { taken } of networks.values()) {
      for (let at = this.looked.get(taken) ?? 0; at < taken.length; at++) this.count(taken[at]!);
      this.looked.set(taken, taken.length);
    }
    for (const [id, most] of this.given) {
      const row = messaging.messages.get(id);
      if (!row) return 'a carrier has what is no message';
      const { message, retryUnknown } = row;
      if (message.status === 'abandoned') return 'a carrier has what was given up';
      if (message.status === 'scheduled') return `${message.to} is scheduled, and a carrier has it`;
      // Whose unknown outcomes are tried again may have a message sent, or sent twice, that nobody knows of.
      if (retryUnknown) continue;
      if (most > 1) return `${message.to} was given to a carrier twice`;
      if (message.status === 'canceled') return `${message.to} is canceled, and a carrier has it`;
      if (message.errorCode === HALTED) return `${message.to} was halted unsent, and a carrier has it`;
      const isExpired = message.segments === 1 && message.errorCode === EXPIRED;
      if (isExpired) return `${message.to} expired unsent, and a carrier has it`;
    }
    return null;
  }

  private count({ key, part }: TakenPart): void {
    const name = `${key}/${part}`;
    const times = (this.times.get(name) ?? 0) + 1;
    this.times.set(name, times);
    this.given.set(key, Math.max(times, this.given.get(key) ?? 0));
  }

  private keys(): string | null {
    const { keys, messages } = this.shared.messaging;
    for (const { isDone, messageId } of keys.values()) {
      if (isDone && !messages.has(messageId)) return 'an Idempotency-Key is done and its message is missing';
    }
    return null;
  }

  private allFinal(): string | null {
    if (!this.isAtRest) return 'it does not come to rest';
    const { messaging } = this.shared;
    for (const [id, { message }] of messaging.messages) {
      if (message.status === 'abandoned') continue;
      if (this.versions.get(id) !== message.version) return 'a message has another version than its events';
      const statuses = messaging.log.events.filter((event) => event.streamId === id).map((event) => event.type);
      if (!statuses.at(-1)!.includes(message.status))
        return `${statuses.at(-1)} ends a message that is ${message.status}`;
    }
    return null;
  }

  /** What a carrier reported, and was confirmed, of a segment that was answered by it, stands in the log. */
  private receipts(): string | null {
    const { carriers, networks } = this.shared;
    for (const { taken } of networks.values()) {
      for (const { carrier, key, part, messageId, confirmed } of taken) {
        const answer = carriers.submissions.get(key);
        if (answer?.carrier !== carrier || answer.messageIds[part - 1] !== messageId) continue;
        for (const { state } of confirmed) {
          const version = 2 * part + (state === 'enroute' ? 0 : 1);
          if (!carriers.log.has(key, version)) return `a receipt that was confirmed is lost: ${messageId} ${state}`;
        }
      }
    }
    return null;
  }
}

function isFinal(status: string): boolean {
  return status === 'abandoned' || FINAL.includes(status as MessageStatus);
}
