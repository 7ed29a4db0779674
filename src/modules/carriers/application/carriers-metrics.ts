import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import type { BreakerState } from '../domain/breaker.js';
import type { CarrierStatus } from '../domain/link-status.js';
import { CarriersQueries } from '../infrastructure/carriers.queries.js';

const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

export type CountedOutcome = 'accepted' | 'rejected' | 'unknown' | 'returned';

/** `incomplete`: a part never came; `repeated`: the carrier brought again what was there. */
export type CountedInbound = 'whole' | 'incomplete' | 'repeated';

/** What an operator watches of carriers. All but the orphans is known in the process that owns the binds only. */
@Injectable()
export class CarriersMetrics {
  private readonly submissions;
  private readonly inbound;
  private readonly forgotten;
  private statuses: () => ReadonlyMap<string, CarrierStatus> = () => new Map();

  constructor(metrics: Metrics, queries: CarriersQueries) {
    const gauge = (name: string, help: string) => metrics.gauge({ name, help, labelNames: ['carrier'] });
    this.submissions = metrics.counter({
      name: 'trunkline_carrier_submissions_total',
      help: 'Submissions by what became of them',
      labelNames: ['carrier', 'outcome'],
    });
    this.inbound = metrics.counter({
      name: 'trunkline_carrier_inbound_total',
      help: 'Messages from phones by how they came: whole, incomplete, or repeated by the carrier',
      labelNames: ['carrier', 'kind'],
    });
    this.forgotten = metrics.counter({
      name: 'trunkline_orphan_receipts_forgotten_total',
      help: 'Receipts that matched no submission until they were removed for their age',
    });
    const session = gauge('trunkline_carrier_session', 'Whether the carrier is bound: 1 or 0');
    const breaker = gauge('trunkline_carrier_breaker', 'State of the breaker: 0 closed, 1 half open, 2 open');
    const inFlight = gauge('trunkline_carrier_in_flight', 'Submissions that wait for the answer of the carrier');
    const queued = gauge('trunkline_carrier_queued', 'Submissions that wait for the window or the pace of the carrier');
    const orphans = metrics.gauge({
      name: 'trunkline_orphan_receipts',
      help: 'Receipts that match no submission (counted up to a bound)',
    });
    metrics.onScrape('carriers', async () => {
      for (const each of [session, breaker, inFlight, queued]) each.reset();
      for (const [carrier, status] of this.statuses()) {
        session.set({ carrier }, 'phase' in status && status.phase === 'bound' ? 1 : 0);
        if (!('phase' in status)) continue;
        breaker.set({ carrier }, BREAKER_VALUES[status.breaker]);
        inFlight.set({ carrier }, status.inFlight);
        queued.set({ carrier }, status.queued);
      }
      orphans.set(await queries.countOrphans());
    });
  }

  /** Where to look up how the carriers fare. */
  watch(statuses: () => ReadonlyMap<string, CarrierStatus>): void {
    this.statuses = statuses;
  }

  countForgotten(receipts: number): void {
    this.forgotten.inc(receipts);
  }

  countInbound(carrier: string, kind: CountedInbound): void {
    this.inbound.inc({ carrier, kind });
  }

  count(carrier: string, outcome: CountedOutcome): void {
    this.submissions.inc({ carrier, outcome });
  }
}
