import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SpanRecord } from '../../shared/traceparent.js';
import type { Tracing } from '../settings/settings.js';
import { within } from './within.js';

/** Spans that wait for their export, those under way included; one more is dropped before it is made. */
export const MAX_PENDING = 4_096;
const MAX_BATCH = 512;
const EXPORT_EVERY_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
const STOP_MS = 2_000;
/** No attribute of ours is longer; a bound all the same, as some come from settings of customers. */
const MAX_ATTRIBUTE_LENGTH = 256;

const KINDS: Readonly<Record<SpanRecord['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Gives out the ids that the next span is to have: they are known before it is made. */
class GivenIds implements IdGenerator {
  traceId = '';
  spanId = '';
  generateTraceId = () => this.traceId;
  generateSpanId = () => this.spanId;
}

/** Told of spans that were lost on their way, and why. */
export type OnLost = (count: number, error: Error | null) => void;

/**
 * Makes OpenTelemetry spans of what is told and sends them, in batches and in the background, to an OTLP/HTTP receiver.
 * Nothing here is waited for, and nothing throws; where the receiver is slow or gone, spans are dropped.
 */
export class SpanExport {
  private readonly ids = new GivenIds();
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private pending = 0;

  constructor({ endpoint, serviceName }: Tracing, attributes: Record<string, string>, onLost: OnLost) {
    const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
    const exporter = this.counted(new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }), onLost);
    this.provider = new TracerProvider({
      // What comes here has been sampled, or is kept for another reason.
      sampler: new AlwaysOnSampler(),
      idGenerator: this.ids,
      resource: resourceFromAttributes({ 'service.name': serviceName, ...attributes }),
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          maxQueueSize: MAX_PENDING,
          maxExportBatchSize: MAX_BATCH,
          scheduledDelayMillis: EXPORT_EVERY_MS,
          exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        }),
      ],
    });
    this.tracer = this.provider.getTracer('trunkline');
  }

  /** False where there is no room: then nothing was made. */
  record(span: SpanRecord): boolean {
    if (this.pending >= MAX_PENDING) return false;
    this.pending += 1;
    this.ids.traceId = span.traceId;
    this.ids.spanId = span.spanId;
    const made = this.tracer.startSpan(
      span.name,
      { kind: KINDS[span.kind], startTime: span.startMs, attributes: span.attributes },
      parentOf(span),
    );
    if (span.error !== null) {
      made.setAttribute('error.type', span.error);
      made.setStatus({ code: SpanStatusCode.ERROR });
    }
    // A clock that was set back between the two would make a span of negative length.
    made.end(Math.max(span.startMs, span.endMs));
    return true;
  }

  /** Sends what waits, for as long as a stop may take. */
  async stop(): Promise<void> {
    await within(STOP_MS, () => this.provider.shutdown()).catch(() => undefined);
  }

  /** An exporter that tells what became of each batch. */
  private counted(exporter: SpanExporter, onLost: OnLost): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.pending -= spans.length;
          if (result.code !== 0) onLost(spans.length, result.error ?? null);
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
      ...(exporter.forceFlush ? { forceFlush: () => exporter.forceFlush!() } : {}),
    };
  }
}

function parentOf({ traceId, parentSpanId }: SpanRecord) {
  if (parentSpanId === null) return ROOT_CONTEXT;
  const parent = { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
