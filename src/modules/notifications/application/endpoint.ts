import { type Delivery, type EndpointKey, originOf } from '../domain/delivery.js';
import { type BreakerState, type EndpointBreaker, PROBES } from '../domain/endpoint-breaker.js';
import type { Share } from './places.js';

const MAX_PER_ENDPOINT = 32;
/** What an endpoint may have under way until it has answered. */
const TRIALS = 4;
export const MAX_WAITING = 2_000;
/** The longest line at an endpoint: what waits longer waits better in the table. */
const MAX_WAIT_MS = 5_000;
const FIRST_GUESS_MS = 50;

/** How an endpoint answers, as far as is known; `new`: not at all, lately. */
export type Pace = 'new' | 'quick' | 'slow';

/** A customer's endpoint: its line, how many attempts are under way, its breaker, how long it takes. */
export interface Endpoint extends EndpointKey {
  readonly account: Account;
  readonly waiting: Delivery[];
  readonly breaker: EndpointBreaker;
  active: number;
  pace: Pace;
  /** Whether it has answered, lately. */
  readonly isTried: boolean;
  /** How many of the attempts under way are slow already. */
  lingering: number;
  averageMs: number;
  /** When the last delivery that found no room in line is to come back by itself. */
  paceMs: number;
  /** Whether some may have been left in the table for lack of room. */
  hasLeft: boolean;
}

/** A customer, with what it takes of either pool. */
export interface Account {
  readonly id: string;
  readonly endpoints: Map<string, Endpoint>;
  readonly quick: Share<Endpoint>;
  readonly shared: Share<Endpoint>;
  active: number;
}

/** How many attempts an endpoint may have under way, as far as it is up to the endpoint itself. */
export function limitOf({ pace }: Endpoint, breaker: BreakerState): number {
  if (breaker !== 'closed') return PROBES;
  return pace === 'new' ? TRIALS : MAX_PER_ENDPOINT;
}

export function newAccount(id: string): Account {
  const owner = { active: 0 };
  const shares = {
    quick: { used: 0, runnable: new Set<Endpoint>(), owner },
    shared: { used: 0, runnable: new Set<Endpoint>(), owner },
  };
  return Object.assign(owner, { id, endpoints: new Map<string, Endpoint>(), ...shares });
}

export function newEndpoint(account: Account, origin: string, breaker: EndpointBreaker): Endpoint {
  return {
    account,
    accountId: account.id,
    origin,
    waiting: [],
    breaker,
    active: 0,
    pace: 'new',
    get isTried() {
      return this.pace !== 'new';
    },
    lingering: 0,
    averageMs: FIRST_GUESS_MS,
    paceMs: 0,
    hasLeft: false,
  };
}

export function keyOf({ accountId, url }: Delivery): EndpointKey {
  return { accountId, origin: originOf(url) };
}

/** How long the endpoint takes for each of those that stand in line, as far as is known. */
export function paceOf(endpoint: Endpoint): number {
  const isHanging = endpoint.pace === 'new' && endpoint.lingering > 0;
  return endpoint.averageMs / (isHanging ? TRIALS : MAX_PER_ENDPOINT);
}

/** How many may stand in line; one at least. */
export function capacityOf(endpoint: Endpoint): number {
  return Math.min(MAX_WAITING, Math.ceil(MAX_WAIT_MS / paceOf(endpoint)));
}
