import type { Delivery } from '../domain/delivery.js';
import { EndpointBreaker, PROBES } from '../domain/endpoint-breaker.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';

const MAX_PER_ENDPOINT = 32;
/** Half of what a process attempts at once: no account, with however many endpoints, takes all. */
const MAX_PER_ACCOUNT = 128;
const MAX_WAITING = 4_000;
/** The longest line at an endpoint: what waits longer waits better in the table. */
const MAX_WAIT_MS = 5_000;
const MAX_PACE_MS = 300_000;
/** How long an attempt takes before any was made: rather too little, see placeFor. */
const FIRST_GUESS_MS = 10;
/** Endpoints that are idle and have failed lately; more are forgotten, those idle longest first. */
const MAX_REMEMBERED = 10_000;

/** A customer's endpoint: its line, how many attempts are under way, its breaker, how long it takes. */
interface Endpoint {
  readonly account: Account;
  readonly origin: string;
  readonly waiting: Delivery[];
  readonly breaker: EndpointBreaker;
  active: number;
  averageMs: number;
  /** When the last delivery that found no room in line is to come back. */
  paceMs: number;
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
 * The endpoints of customers, each with a line, a bulkhead and a breaker of its own. An endpoint is an origin of one
 * account: two customers of the same host do not stand in each other's way. Accounts take turns, and the endpoints of
 * an account do.
 */
export class Endpoints {
  private readonly accounts = new Map<string, Account>();
  private readonly runnable = new Set<Account>();
  private readonly remembered = new Set<Endpoint>();

  constructor(private readonly schedule: RetrySchedule) {}

  /**
   * Whether one more delivery may stand in line, behind `planned` others that are about to.
   *
   * @returns null if it may; else after how many milliseconds it should come back: one after the other, twice as fast as
   * the endpoint works, so that it never runs dry; who comes too early is only sent back once more
   */
  placeFor(delivery: Delivery, planned: number, nowMs: number): number | null {
    const endpoint = this.accounts.get(delivery.accountId)?.endpoints.get(originOf(delivery.url));
    if (!endpoint) return planned < MAX_WAITING ? null : MAX_WAIT_MS;
    const each = endpoint.averageMs / MAX_PER_ENDPOINT;
    const inLine = endpoint.waiting.length + planned;
    if (inLine < MAX_WAITING && inLine * each < MAX_WAIT_MS) return null;
    const soonestMs = nowMs + (inLine * each) / 2;
    endpoint.paceMs = Math.min(Math.max(endpoint.paceMs, soonestMs) + each / 2, nowMs + MAX_PACE_MS);
    return endpoint.paceMs - nowMs;
  }

  enqueue(delivery: Delivery, nowMs: number): void {
    const endpoint = this.of(delivery);
    this.remembered.delete(endpoint);
    endpoint.waiting.push(delivery);
    this.refresh(endpoint, nowMs);
  }

  /**
   * The next delivery that may be attempted, whose place is taken until `leave`; or all that stand in line where the
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
  leave(delivery: Delivery, isWell: boolean | null, tookMs: number, nowMs: number): void {
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
  clear(): Delivery[] {
    this.runnable.clear();
    const all: Delivery[] = [];
    for (const account of this.accounts.values()) {
      account.runnable.clear();
      for (const endpoint of account.endpoints.values()) all.push(...endpoint.waiting.splice(0));
    }
    return all;
  }

  /** How many endpoints are known. */
  get size(): number {
    let size = 0;
    for (const account of this.accounts.values()) size += account.endpoints.size;
    return size;
  }

  private refresh(endpoint: Endpoint, nowMs: number): void {
    const { account, breaker } = endpoint;
    const state = breaker.state(nowMs);
    const limit = state === 'closed' ? MAX_PER_ENDPOINT : PROBES;
    const mayStart = endpoint.waiting.length > 0 && (state === 'open' || endpoint.active < limit);
    if (mayStart) account.runnable.add(endpoint);
    else account.runnable.delete(endpoint);
    if (account.runnable.size > 0 && account.active < MAX_PER_ACCOUNT) this.runnable.add(account);
    else this.runnable.delete(account);
  }

  /** After something ended: what may start now, and whether the endpoint is still worth knowing. */
  private settle(endpoint: Endpoint, nowMs: number): void {
    this.refresh(endpoint, nowMs);
    if (endpoint.active > 0 || endpoint.waiting.length > 0) return;
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
    endpoint.account.endpoints.delete(endpoint.origin);
    if (endpoint.account.endpoints.size === 0) this.accounts.delete(endpoint.account.id);
  }

  private of(delivery: Delivery): Endpoint {
    let account = this.accounts.get(delivery.accountId);
    if (!account) {
      account = { id: delivery.accountId, endpoints: new Map(), runnable: new Set(), active: 0 };
      this.accounts.set(delivery.accountId, account);
    }
    const origin = originOf(delivery.url);
    let endpoint = account.endpoints.get(origin);
    if (!endpoint) {
      const breaker = new EndpointBreaker(this.schedule);
      endpoint = { account, origin, waiting: [], breaker, active: 0, averageMs: FIRST_GUESS_MS, paceMs: 0 };
      account.endpoints.set(origin, endpoint);
    }
    return endpoint;
  }
}

/** What stands before the path: good enough to tell endpoints apart, and never an error. */
export function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0].toLowerCase() ?? '';
}

function first<T>(items: ReadonlySet<T>): T | undefined {
  return items.values().next().value;
}
