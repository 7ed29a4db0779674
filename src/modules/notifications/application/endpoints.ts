import type { Delivery, EndpointKey } from '../domain/delivery.js';
import { EndpointBreaker } from '../domain/endpoint-breaker.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import {
  type Account,
  capacityOf,
  type Endpoint,
  keyOf,
  limitOf,
  MAX_WAITING,
  newAccount,
  newEndpoint,
  type Pace,
  paceOf,
} from './endpoint.js';
import { PlacePool, type Share } from './places.js';

/** An attempt that takes longer is slow. */
const SLOW_MS = 1_000;
/** Attempts at endpoints that are slow, or that have not answered yet. */
const SHARED_PLACES = 2_048;
const SHARED_PART = 32;
/** Attempts at endpoints that answer quickly: nobody else takes these places, and they are soon free again. */
const QUICK_PLACES = 512;
const QUICK_PART = 4;
/** The least time after which what was left comes back by itself. */
const SOONEST_MS = 5_000;
const MAX_PACE_MS = 300_000;
/** Endpoints that are idle and have failed lately; more are forgotten, those idle longest first. */
const MAX_REMEMBERED = 10_000;
/** Endpoints for which something may be left; what more endpoints leave comes back by itself. */
const MAX_LEFT = 10_000;

/** An attempt under way that is not slow so far. */
interface Young {
  readonly endpoint: Endpoint;
  readonly startedMs: number;
}

export type Next =
  | { readonly delivery: Delivery }
  | { readonly refused: readonly Delivery[] }
  /** They stood in a line that has become too long; `leave` tells when each should come back. */
  | { readonly left: readonly Delivery[] };

/**
 * The endpoints of customers, each with a line, a bulkhead and a breaker of its own. Accounts take turns, and the
 * endpoints of an account do. Those that answer quickly have places of their own, so that those that hang cannot take
 * them; one that begins to hang loses its right to them after a second, and what it has under way counts elsewhere.
 */
export class Endpoints {
  private readonly accounts = new Map<string, Account>();
  private readonly quick = new PlacePool<Endpoint>(QUICK_PLACES, QUICK_PART);
  private readonly shared = new PlacePool<Endpoint>(SHARED_PLACES, SHARED_PART);
  /** In the order in which they started. */
  private readonly young = new Map<Delivery, Young>();
  private readonly remembered = new Set<Endpoint>();
  private readonly hungry = new Set<Endpoint>();
  private surplus: Delivery[] = [];
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
    // One that has slowed down since it asked may have no room any more.
    const hasRoom = (hungry: Endpoint) => hungry.waiting.length < capacityOf(hungry);
    const endpoint = first(this.hungry, (hungry) => mayHold(hungry.accountId) && hasRoom(hungry));
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
   * breaker is open; or those for which the line is too long by now. Null when nothing can start.
   */
  take(nowMs: number): Next | null {
    this.age(nowMs);
    if (this.surplus.length > 0) return { left: this.surplus.splice(0) };
    const endpoint = this.quick.next() ?? this.shared.next();
    if (!endpoint) return null;
    if (endpoint.breaker.state(nowMs) === 'open') {
      const refused = endpoint.waiting.splice(0);
      this.settle(endpoint, nowMs);
      return { refused };
    }
    const delivery = endpoint.waiting.shift()!;
    this.young.set(delivery, { endpoint, startedMs: nowMs });
    this.shareOf(endpoint).runnable.delete(endpoint);
    this.occupy(endpoint, 1);
    this.refresh(endpoint, nowMs);
    return { delivery };
  }

  /**
   * Gives a place back.
   *
   * @param isWell what the attempt said of the endpoint; null: nothing
   */
  finish(delivery: Delivery, isWell: boolean | null, tookMs: number, nowMs: number): void {
    this.age(nowMs);
    const endpoint = this.of(delivery);
    if (!this.young.delete(delivery)) endpoint.lingering--;
    this.occupy(endpoint, -1);
    if (isWell !== null) {
      endpoint.averageMs += (tookMs - endpoint.averageMs) / 8;
      endpoint.breaker.record(isWell, nowMs, Math.random());
      if (tookMs >= SLOW_MS) this.judge(endpoint, isWell ? 'slow' : 'new');
      else if (endpoint.lingering === 0) this.judge(endpoint, 'quick');
    }
    this.settle(endpoint, nowMs);
  }

  /** Lets go of everything that stands in line. */
  clear(): void {
    this.quick.clear();
    this.shared.clear();
    this.hungry.clear();
    this.surplus = [];
    for (const account of this.accounts.values()) {
      account.quick.runnable.clear();
      account.shared.runnable.clear();
      for (const endpoint of account.endpoints.values()) endpoint.waiting.length = 0;
    }
  }

  /** How many endpoints are known. */
  get size(): number {
    return this.count;
  }

  private refresh(endpoint: Endpoint, nowMs: number): void {
    const state = endpoint.breaker.state(nowMs);
    const mayStart = endpoint.waiting.length > 0 && (state === 'open' || endpoint.active < limitOf(endpoint, state));
    const share = this.shareOf(endpoint);
    if (mayStart) share.runnable.add(endpoint);
    else share.runnable.delete(endpoint);
    this.poolOf(endpoint).look(share);
    if (endpoint.hasLeft && endpoint.waiting.length < capacityOf(endpoint) / 4) this.hungry.add(endpoint);
  }

  /** Finds what has become slow among what is under way. */
  private age(nowMs: number): void {
    for (const [delivery, { endpoint, startedMs }] of this.young) {
      if (nowMs - startedMs < SLOW_MS) break;
      this.young.delete(delivery);
      endpoint.lingering++;
      endpoint.averageMs = Math.max(endpoint.averageMs, SLOW_MS);
      if (endpoint.pace === 'quick') this.judge(endpoint, 'slow');
      // Many came while it was thought to be quick; the memory is for others.
      for (const one of endpoint.waiting.splice(capacityOf(endpoint))) this.surplus.push(one);
      this.refresh(endpoint, nowMs);
    }
  }

  /** Notes how an endpoint answers; what it has under way counts where that belongs from now on. */
  private judge(endpoint: Endpoint, pace: Pace): void {
    const { active } = endpoint;
    this.occupy(endpoint, -active);
    const share = this.shareOf(endpoint);
    share.runnable.delete(endpoint);
    this.poolOf(endpoint).look(share);
    endpoint.pace = pace;
    this.occupy(endpoint, active);
  }

  private occupy(endpoint: Endpoint, places: number): void {
    endpoint.active += places;
    endpoint.account.active += places;
    this.poolOf(endpoint).take(this.shareOf(endpoint), places);
  }

  private poolOf(endpoint: Endpoint): PlacePool<Endpoint> {
    return endpoint.pace === 'quick' ? this.quick : this.shared;
  }

  private shareOf({ account, pace }: Endpoint): Share<Endpoint> {
    return pace === 'quick' ? account.quick : account.shared;
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
      account = newAccount(accountId);
      this.accounts.set(accountId, account);
    }
    let endpoint = account.endpoints.get(origin);
    if (!endpoint) {
      endpoint = newEndpoint(account, origin, new EndpointBreaker(this.schedule));
      account.endpoints.set(origin, endpoint);
      this.count++;
    }
    return endpoint;
  }
}

function first<T>(items: ReadonlySet<T>, wanted: (item: T) => boolean = () => true): T | undefined {
  for (const item of items) if (wanted(item)) return item;
  return undefined;
}
