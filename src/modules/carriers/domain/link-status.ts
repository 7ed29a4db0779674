import type { BreakerState } from './breaker.js';
import type { StoredCarrier } from './carrier.js';
import type { ConnectionState } from './carrier-connection.js';

const COUNTED = ['submitted', 'accepted', 'rejected', 'throttled', 'retryable', 'unknown'] as const;
type Counted = (typeof COUNTED)[number];

/** Weight of the newest answer in the moving average of how long answers take. */
const NEWEST = 0.1;

/** Hand-overs since the link was opened, by how they ended. */
export type LinkCounters = Readonly<Record<Counted, number>>;

/** What there is to see of one carrier's link. */
export interface LinkStatus extends ConnectionState {
  readonly breaker: BreakerState;
  /** How long an open breaker stays open. */
  readonly breakerOpenMs: number;
  readonly queued: number;
  readonly inFlight: number;
  /** The part of its own rate that it uses; null where it has none. */
  readonly paceShare: number | null;
  /** The calls that the breaker looks back on. */
  readonly recent: { readonly calls: number; readonly failed: number };
  readonly counters: LinkCounters;
  /** Moving average; null before the first answer. */
  readonly responseMs: number | null;
}

/** How well a carrier has served: counters, and how long its answers take. */
export class Quality {
  private readonly counters = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<Counted, number>;
  private averageMs: number | null = null;

  count(name: Counted): void {
    this.counters[name]++;
  }

  answered(tookMs: number): void {
    this.averageMs = this.averageMs === null ? tookMs : this.averageMs + NEWEST * (tookMs - this.averageMs);
  }

  read(): Pick<LinkStatus, 'counters' | 'responseMs'> {
    return { counters: { ...this.counters }, responseMs: this.averageMs === null ? null : Math.round(this.averageMs) };
  }
}

/** How a carrier fares; only why, where it has no link. */
export type CarrierStatus = LinkStatus | { readonly error: string };

/** A carrier as operators look it up, without its password. */
export interface ShownCarrier extends Omit<StoredCarrier, 'password' | 'streamId'> {
  /** As the owner of the binds last wrote it; null where none has yet, or one of another version of the product. */
  readonly status: CarrierStatus | null;
  readonly statusAt: Date | null;
  /** Whether the one who wrote it still owns the binds. */
  readonly isStatusCurrent: boolean;
  readonly orphanReceipts: number;
}
