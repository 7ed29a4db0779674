import { Injectable } from '@nestjs/common';
import { Traces } from '../../../platform/telemetry/traces.js';
import { isSampled } from '../../../shared/traceparent.js';
import type { Attempted } from '../domain/delivery.js';
import { Courier } from './courier.js';
import { attemptSpan, deadSpans } from './delivery-trace.js';

/**
 * Tells the spans of attempts: those of sampled messages, and the last one of a delivery that died, whatever was decided,
 * with what is known of its message.
 */
@Injectable()
export class TraceDeliveries {
  constructor(
    private readonly traces: Traces,
    courier: Courier,
  ) {
    if (traces.isOn) courier.observers.push((attempt) => this.attempted(attempt));
  }

  private attempted({ delivery, result, state, tookMs }: Attempted): void {
    const { traceparent } = delivery;
    if (traceparent === null) return;
    const endMs = Date.now();
    const span = () => attemptSpan(traceparent, delivery, result, endMs, tookMs ?? 0);
    if (isSampled(traceparent)) {
      if (tookMs !== null) this.traces.record(span());
    } else if (state === 'dead' && this.traces.mayKeep()) {
      this.traces.record(...deadSpans(traceparent, delivery, endMs), span());
    }
  }
}
