import { Injectable } from '@nestjs/common';
import { AdaptiveLimit } from '../../platform/resilience/adaptive-limit.js';
import { Turns } from '../../platform/resilience/turns.js';
import { Metrics } from '../../platform/telemetry/metrics.js';

/**
 * What a request is worth when there is not room for all: lists and searches go first, then fetches, then what
 * changes something. What the operator and the machines around need, to see and to mend, is always let in.
 */
export type Importance = 'search' | 'fetch' | 'change' | 'always';

/** The part of the limit up to which each may enter. */
const SHARES = { search: 0.5, fetch: 0.8, change: 1 } as const;
/** Half of a send's budget: what is slower than that is about to be late. */
const LIMIT = { targetMs: 250, initial: 1_000, least: 64, most: 10_000 };
/** About as many as the pools for them answer at once, and a short line: a search that nobody waits for is not begun. */
const SEARCHES = { running: 4, waiting: 64, maxWaitMs: 2_000 };

const ALWAYS = /^\/(health|metrics|openapi\.json|docs|console|v1\/operator)([/?]|$)/;
/** A read of one thing: a path that ends with what it is called by, or one of these. */
const ONE = /(\/:\w+(\.json)?|\/Balance\.json|\/balance|\/events)$/;

/** How important a route is, by its method and its pattern. */
export function importanceOf(method: string, pattern: string): Importance {
  if (ALWAYS.test(pattern)) return 'always';
  if (method !== 'GET' && method !== 'HEAD') return 'change';
  return ONE.test(pattern) ? 'fetch' : 'search';
}

/** A request that was let in: to be ended once. */
export interface Admitted {
  end(): void;
}

const FREE: Admitted = { end: () => undefined };

/** Lets requests in as far as the machine carries them, found by trying, and refuses the others before they cost anything. */
@Injectable()
export class Admission {
  private readonly limit = new AdaptiveLimit(LIMIT);
  private readonly searches = new Turns(SEARCHES);
  private readonly refused = { search: 0, fetch: 0, change: 0 };

  constructor(metrics: Metrics) {
    const places = metrics.gauge({
      name: 'trunkline_admission_requests',
      help: 'Requests under way, searches that wait for their turn, and the limit found for all',
      labelNames: ['state'],
    });
    const refusals = metrics.gauge({
      name: 'trunkline_admission_refused_total',
      help: 'Requests refused with 503 because the process is over its capacity, by importance',
      labelNames: ['importance'],
    });
    metrics.onScrape('admission', () => {
      places.set({ state: 'under_way' }, this.limit.inFlight);
      places.set({ state: 'waiting' }, this.searches.waiting);
      places.set({ state: 'limit' }, this.limit.limit);
      for (const [importance, count] of Object.entries(this.refused)) refusals.set({ importance }, count);
    });
  }

  /**
   * Asks to let a request in: `start` is called when it may begin, at once or when its turn comes; `refuse` when it may
   * not.
   *
   * @param isGone whether its client has given up
   */
  enter(importance: Importance, isGone: () => boolean, start: (admitted: Admitted) => void, refuse: () => void): void {
    if (importance === 'always') start(FREE);
    else if (!this.limit.tryEnter(SHARES[importance])) this.refuse(importance, refuse);
    else if (importance !== 'search') start(this.admitted(true));
    else {
      this.searches.enter(
        isGone,
        () => start(this.admittedSearch()),
        () => {
          this.limit.leave(null, performance.now());
          this.refuse(importance, refuse);
        },
      );
    }
  }

  /**
   * Whether a request is refused before anything else is done for it, because there is no room even for the most
   * important. Which route it is for is not known yet.
   */
  sheds(method: string, url: string): boolean {
    if (!this.limit.isFull || ALWAYS.test(url)) return false;
    this.refused[method === 'GET' || method === 'HEAD' ? 'fetch' : 'change']++;
    return true;
  }

  private refuse(importance: keyof typeof SHARES, refuse: () => void): void {
    this.refused[importance]++;
    refuse();
  }

  private admitted(isTelling: boolean): Admitted {
    const startedMs = performance.now();
    return {
      end: () => {
        const now = performance.now();
        this.limit.leave(isTelling ? now - startedMs : null, now);
      },
    };
  }

  /** How long a search takes says nothing of the send path. */
  private admittedSearch(): Admitted {
    const { end } = this.admitted(false);
    return {
      end: () => {
        end();
        this.searches.end();
      },
    };
  }
}
