import { type Delivery, type EndpointKey, originOf } from '../domain/delivery.js';
import { EndpointBreaker, PROBES } from '../domain/endpoint-breaker.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';

const MAX_PER_ENDPOINT = 32;
/** Half of what a process attempts at once: no account, with however many endpoints, takes all. */
const MAX_PER_ACCOUNT = 128;
const MAX_WAITING = 2_000;
/** The longest line at an endpoint: what waits longer waits better in the table. */
const MAX_WAIT_MS = 5_000;
/** The least time after which what was left comes back by itself. */
const SOONEST_MS = 5_000;
const MAX_PACE_MS = 300_000;
const FIRST_GUESS_MS = 50;
/** Endpoints that are idle and have failed lately; more are forgotten, those idle longest first. */
const MAX_REMEMBERED = 10_000;
/** Endpoints for which something may be left; what more endpoints leave comes back by itself. */
const MAX_LEFT = 10_000;

/** A customer's endpoint: its line, how many attempts are under way, its breaker, how long it takes. */
interface Endpoint extends EndpointKey {
  readonly account: Account;
  readonly waiting: Delivery[];
  readonly breaker: EndpointBreaker;
  active: number;
  averageMs: number;
  /** When the last delivery that found no room in line is to come back by itself. */
  paceMs: number;
  /** Whether some may have been left in the table for lack of room. */
  hasLeft: boolean;
}

interface Account {
  readonly id: string;
  readonly endpoints: Map<string, Endpoint>;
  /** Its endpoints that could start something now, in turn. */
  readonly runnable: Set<Endpoint>;
  active: number;
}

export type Next = { readonly delivery: Delivery } | { readonly refused: readonly Delivery[] };

/**
 * The endpoints of customers, each with a line, a bulkhead and a breaker of its own. Accounts take turns, and the
 * endpoints of an account do.
 */
export class Endpoints {
  private readonly accounts = new Map<string, Account>();
  private readonly runnable = new Set<Account>();
  private readonly remembered = new Set<Endpoint>();
  private readonly hungry = new Set<Endpoint>();
  private count = 0;

  constructor(private readonly schedule: RetrySchedule) {}

  /** Whether one more delivery may stand in line, behind `planned` others that are about to. */
  hasPlaceFor(delivery: Delivery, planned: number): boolean {
    const endpoint = this.find(keyOf(delivery));
    return endpoint ? endpoint.waiting.length + planned < capacityOf(endpoint) : planned < MAX_WAITING;
  }

  /**
   * Notes that a delivery is left in the table for lack of room: it is asked for by `nextHungry` when there is some.
   *
   * @returns after how many milliseconds it should come back by itself, whatever becomes of this process: one after the
   * other, as fast as the endpoint works, so that those that have to wait for long are not looked at over and over
   */
  leave(delivery: Delivery, nowMs: number): number {
    const known = this.find(keyOf(delivery));
    if (!known && this.count >= MAX_LEFT) return SOONEST_MS * (1 + Math.random());
    const endpoint = known ?? this.of(delivery);
    endpoint.hasLeft = true;
    const each = paceOf(endpoint);
    const soonestMs = nowMs + SOONEST_MS + endpoint.waiting.length * each;
    endpoint.paceMs = Math.min(Math.max(endpoint.paceMs, soonestMs) + each, nowMs + MAX_PACE_MS);
    this.settle(endpoint, nowMs);
    return endpoint.paceMs - nowMs;
  }

  /**
   * An endpoint that has room for what was left, and how much; it is not named again before it is `fed`.
   *
   * @param mayHold whether the account may hold more in memory
   */
  nextHungry(
    mayHold: (accountId: string) => boolean,
  ): { readonly endpoint: EndpointKey; readonly room: number } | null {
    const endpoint = first(this.hungry, (hungry) => mayHold(hungry.accountId));
    if (!endpoint) return null;
    this.hungry.delete(endpoint);
    endpoint.hasLeft = false;
    const { accountId, origin } = endpoint;
    return { endpoint: { accountId, origin }, room: capacityOf(endpoint) - endpoint.waiting.length };
  }

  /** Tells whether all that had been left for a hungry endpoint was found. */
  fed(key: EndpointKey, isAll: boolean, nowMs: number): void {
    const endpoint = this.find(key);
    if (!endpoint) return;
    if (!isAll) endpoint.hasLeft = true;
    this.settle(endpoint, nowMs);
  }

  enqueue(delivery: Delivery, nowMs: number): void {
    const endpoint = this.of(delivery);
    this.remembered.delete(endpoint);
    endpoint.waiting.push(delivery);
    this.refresh(endpoint, nowMs);
  }

  /**
   * The next delivery that may be attempted, whose place is taken until `finish`; or all that stand in line where the
   * breaker is open. Null when nothing can start.
   */
  take(nowMs: number): Next | null {
    const account = first(this.runnable);
    const endpoint = account && first(account.runnable);
    if (!account || !endpoint) return null;
    this.runnable.delete(account);
    account.runnable.delete(endpoint);
    if (endpoint.breaker.state(nowMs) === 'open') {
      const refused = endpoint.waiting.splice(0);
      this.settle(endpoint, nowMs);
      return { refused };
    }
    const delivery = endpoint.waiting.shift()!;
    endpoint.active++;
    account.active++;
    this.refresh(endpoint, nowMs);
    return { delivery };
  }

  /**
   * Gives a place back.
   *
   * @param isWell what the attempt said of the endpoint; null: nothing
   */
  finish(delivery: Delivery, isWell: boolean | null, tookMs: number, nowMs: number): void {
    const endpoint = this.of(delivery);
    endpoint.active--;
    endpoint.account.active--;
    if (isWell !== null) {
      endpoint.averageMs += (tookMs - endpoint.averageMs) / 8;
      endpoint.breaker.record(isWell, nowMs, Math.random());
    }
    this.settle(endpoint, nowMs);
  }

  /** Lets go of everything that stands in line. */
  clear(): void {
    this.runnable.clear();
    this.hungry.clear();
    for (const account of this.accounts.values()) {
      account.runnable.clear();
      for (const endpoint of account.endpoints.values()) endpoint.waiting.length = 0;
    }
  }

  /** How many endpoints are known. */
  get size(): number {
    return this.count;
  }

  private refresh(endpoint: Endpoint, nowMs: number): void {
    const { account, breaker } = endpoint;
    const state = breaker.state(nowMs);
    const limit = state === 'closed' ? MAX_PER_ENDPOINT : PROBES;
    const mayStart = endpoint.waiting.length > 0 && (state === 'open' || endpoint.active < limit);
    if (mayStart) account.runnable.add(endpoint);
    else account.runnable.delete(endpoint);
    if (endpoint.hasLeft && endpoint.waiting.length < capacityOf(endpoint) / 4) this.hungry.add(endpoint);
    if (account.runnable.size > 0 && account.active < MAX_PER_ACCOUNT) this.runnable.add(account);
    else this.runnable.delete(account);
  }

  /** After something ended: what may start now, and whether the endpoint is still worth knowing. */
  private settle(endpoint: Endpoint, nowMs: number): void {
    this.refresh(endpoint, nowMs);
    if (endpoint.active > 0 || endpoint.waiting.length > 0 || endpoint.hasLeft) return;
    if (endpoint.breaker.isClean) {
      this.forget(endpoint);
      return;
    }
    this.remembered.delete(endpoint);
    this.remembered.add(endpoint);
    if (this.remembered.size > MAX_REMEMBERED) this.forget(first(this.remembered)!);
  }

  private forget(endpoint: Endpoint): void {
    this.remembered.delete(endpoint);
    this.hungry.delete(endpoint);
    if (endpoint.account.endpoints.delete(endpoint.origin)) this.count--;
    if (endpoint.account.endpoints.size === 0) this.accounts.delete(endpoint.account.id);
  }

  private find({ accountId, origin }: EndpointKey): Endpoint | undefined {
    return this.accounts.get(accountId)?.endpoints.get(origin);
  }

  private of(delivery: Delivery): Endpoint {
    const { accountId, origin } = keyOf(delivery);
    let account = this.accounts.get(accountId);
    if (!account) {
      account = { id: accountId, endpoints: new Map(), runnable: new Set(), active: 0 };
      this.accounts.set(accountId, account);
    }
    let endpoint = account.endpoints.get(origin);
    if (!endpoint) {
      const figures = { active: 0, averageMs: FIRST_GUESS_MS, paceMs: 0, hasLeft: false };
      endpoint = { account, accountId, origin, waiting: [], breaker: new EndpointBreaker(this.schedule), ...figures };
      account.endpoints.set(origin, endpoint);
      this.count++;
    }
    return endpoint;
  }
}

function keyOf({ accountId, url }: Delivery): EndpointKey {
  return { accountId, origin: originOf(url) };
}

/** How long the endpoint takes for each of those that stand in line, as far as is known. */
function paceOf(endpoint: Endpoint): number {
  return endpoint.averageMs / MAX_PER_ENDPOINT;
}

/** How many may stand in line; 10 or more, for no attempt takes longer than 15 s. */
function capacityOf(endpoint: Endpoint): number {
  return Math.min(MAX_WAITING, Math.ceil(MAX_WAIT_MS / paceOf(endpoint)));
}

function first<T>(items: ReadonlySet<T>, wanted: (item: T) => boolean = () => true): T | undefined {
  for (const item of items) if (wanted(item)) return item;
  return undefined;
}
