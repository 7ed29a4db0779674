import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Step } from '../../platform/http/decorators.js';
import { callerSpanId } from '../../platform/http/trace-context.js';
import { Allowance } from '../../platform/telemetry/allowance.js';
import { Traces } from '../../platform/telemetry/traces.js';
import { isSampled, type SpanRecord, spanIdOf, stageSpan, traceIdOf } from '../../shared/traceparent.js';
import { SLOW_MS } from './request-log.js';

/** What machines ask over and over: nobody looks for its traces. */
const UNTRACED = /^\/(health\/|metrics$)/;
const REFUSED = 503;
/** An overloaded process refuses thousands a second: a few of them tell as much. */
const REFUSALS_PER_SECOND = 5;

/**
 * Makes the spans of a request when it has ended: its own, in the caller's trace where it has one, and one for each step of
 * its handling. Those that were sampled, and those that failed (5xx) or were slow, whatever was decided.
 */
@Injectable()
export class RequestTraces {
  private readonly refusals = new Allowance(REFUSALS_PER_SECOND);

  constructor(private readonly traces: Traces) {}

  /**
   * @param route pattern of the path
   * @param status of the answer; 499 where the client left before
   * @returns whether its trace is to be seen
   */
  ended(request: FastifyRequest, route: string, status: number, durationMs: number): boolean {
    const { traceparent } = request.context;
    if (!this.traces.isOn || traceparent === null || UNTRACED.test(route)) return false;
    if (!isSampled(traceparent) && !this.isKept(status, durationMs)) return false;
    const endMs = Date.now();
    this.traces.record(spanOf(request, route, status, endMs - durationMs, endMs), ...stepsOf(request.context, endMs));
    return true;
  }

  private isKept(status: number, durationMs: number): boolean {
    if (status < 500 && durationMs <= SLOW_MS) return false;
    return (status !== REFUSED || this.refusals.take()) && this.traces.mayKeep();
  }
}

function spanOf(request: FastifyRequest, route: string, status: number, startMs: number, endMs: number): SpanRecord {
  const { traceparent, principal, messageSid } = request.context;
  const header = request.headers.traceparent;
  const caller = isSampled(traceparent) && typeof header === 'string' ? callerSpanId(header, traceparent) : null;
  return {
    traceId: traceIdOf(traceparent!),
    spanId: spanIdOf(traceparent!),
    parentSpanId: caller,
    name: `${request.method} ${route}`,
    kind: 'server',
    startMs,
    endMs,
    attributes: {
      'http.request.method': request.method,
      'http.route': route,
      'http.response.status_code': status,
      ...(principal ? { 'trunkline.account.sid': principal.accountSid } : {}),
      ...(messageSid ? { 'trunkline.message.sid': messageSid } : {}),
    },
    error: status >= 500 ? String(status) : null,
  };
}

function stepsOf({ traceparent, steps = [] }: { traceparent: string | null; steps?: Step[] }, endMs: number) {
  const offsetMs = endMs - performance.now();
  return steps.map(({ name, startedAtMs, endedAtMs }) =>
    stageSpan(traceparent!, name, null, {
      name,
      kind: 'internal',
      startMs: startedAtMs + offsetMs,
      endMs: endedAtMs + offsetMs,
      attributes: {},
      error: null,
    }),
  );
}
