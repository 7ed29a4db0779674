import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Counter } from 'prom-client';
import type { SpanRecord } from '../../shared/traceparent.js';
import { joinTrace, type SamplingDecision } from '../http/trace-context.js';
import { Allowance } from './allowance.js';
import type { Metrics } from './metrics.js';

/** Traces a second that are kept because they went wrong, though they were not sampled. */
const KEPT_PER_SECOND = 50;

/** What takes spans on; see SpanExport. */
export interface SpanSink {
  /** False where there is no room. */
  record(span: SpanRecord): boolean;
  stop(): Promise<void>;
}

export type DropReason = 'queue' | 'export' | 'allowance';

/** Spans that were not exported, by reason. */
export function droppedSpans(metrics: Metrics): Counter<'reason'> {
  const dropped = metrics.counter({
    name: 'trunkline_trace_spans_dropped_total',
    help: 'Spans lost: for lack of room (queue), by the receiver (export), or, in traces, as too many went wrong (allowance)',
    labelNames: ['reason'],
  });
  for (const reason of ['queue', 'export', 'allowance'] satisfies DropReason[]) dropped.inc({ reason }, 0);
  return dropped;
}

/**
 * Where the spans of this process go. A span is told once, when its work is over, from times that were taken anyway: there
 * are no spans under way, no context that follows the code, and nothing at all for what is not sampled. Without a place
 * to send them to, nothing is made.
 */
@Injectable()
export class Traces implements OnApplicationShutdown {
  /** Whether spans are made in this process. */
  readonly isOn: boolean;
  private readonly kept = new Allowance(KEPT_PER_SECOND);

  constructor(
    private readonly sink: SpanSink | null,
    private readonly decide: SamplingDecision | undefined,
    private readonly dropped: Counter<'reason'>,
  ) {
    this.isOn = sink !== null;
  }

  /** The traceparent of a request, sampled or not; see joinTrace. */
  join(header: string | undefined): string {
    return joinTrace(header, this.decide);
  }

  /** Whether there is room for a trace that was not sampled and is to be seen all the same; one that has none is counted. */
  mayKeep(): boolean {
    if (!this.isOn) return false;
    if (this.kept.take()) return true;
    this.dropped.inc({ reason: 'allowance' });
    return false;
  }

  /** Counts traces that were to be told and cannot be. */
  drop(count: number): void {
    this.dropped.inc({ reason: 'allowance' }, count);
  }

  /** Takes spans whose work is over. */
  record(...spans: readonly SpanRecord[]): void {
    if (!this.sink) return;
    for (const span of spans) if (!this.sink.record(span)) this.dropped.inc({ reason: 'queue' });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sink?.stop();
  }
}
