import { spanIdOf, traceIdOf } from '../../shared/traceparent.js';

/** The fields of a log line that lead to its trace. */
export function traceFields(traceparent: string | null | undefined): { trace_id?: string; span_id?: string } {
  return traceparent ? { trace_id: traceIdOf(traceparent), span_id: spanIdOf(traceparent) } : {};
}
