import { hash } from 'node:crypto';

/** What this product writes of W3C Trace Context: version 00, trace id, span id, flags of which only `sampled` is set. */
const WRITTEN = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;
const TRACE_AT = 3;
const SPAN_AT = 36;
const FLAGS_AT = 53;
const SPAN_DIGITS = 16;
const SAMPLED = '-01';

/** Whether a text is a traceparent as this product writes it; for what comes from elsewhere, see joinTrace. */
export function isTraceparent(text: string): boolean {
  return WRITTEN.test(text);
}

/** The trace id in a traceparent: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(TRACE_AT, SPAN_AT - 1);
}

/** The span id in a traceparent: 16 hexadecimal digits. */
export function spanIdOf(traceparent: string): string {
  return traceparent.slice(SPAN_AT, FLAGS_AT - 1);
}

/** Whether spans are made of it as a matter of course. Cheap enough to be asked for every event. */
export function isSampled(traceparent: string | null | undefined): traceparent is string {
  return traceparent?.endsWith(SAMPLED) ?? false;
}

/**
 * The span id of a stage of the work that a traceparent stands for. It follows from the two, so that every process knows
 * it without having been told, and a stage that is repeated after a crash has the id that it had before.
 */
export function stageSpanId(traceparent: string, stage: string): string {
  return hash('sha256', `${traceparent.slice(0, FLAGS_AT)}${stage}`, 'hex').slice(0, SPAN_DIGITS);
}

/** The traceparent of a stage: what is passed on to whatever the stage calls. */
export function stageTraceparent(traceparent: string, stage: string): string {
  return traceparent.slice(0, SPAN_AT) + stageSpanId(traceparent, stage) + traceparent.slice(FLAGS_AT - 1);
}

/** One stretch of work in a trace, told when it is over. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Milliseconds since 1970, with fractions where they are known. */
  readonly startMs: number;
  readonly endMs: number;
  /** Ids, numbers and codes only: never the text of a message, a phone number or a URL's path. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What kind of error ended it (OpenTelemetry's `error.type`); null where it went well. */
  readonly error: string | null;
}

/** A stage of the work that a traceparent stands for, as its span; its parent is another stage or, for null, that work itself. */
export function stageSpan(
  traceparent: string,
  stage: string,
  parent: string | null,
  rest: Omit<SpanRecord, 'traceId' | 'spanId' | 'parentSpanId'>,
): SpanRecord {
  return {
    traceId: traceIdOf(traceparent),
    spanId: stageSpanId(traceparent, stage),
    parentSpanId: parent === null ? spanIdOf(traceparent) : stageSpanId(traceparent, parent),
    ...rest,
  };
}
