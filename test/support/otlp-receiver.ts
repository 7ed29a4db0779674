import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span as it arrived, with the service and the process that sent it. */
export interface ReceivedSpan {
  readonly service: string;
  readonly roles: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly isError: boolean;
}

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean };
}

interface SpanJson {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  status?: { code?: number };
}

interface RequestJson {
  resourceSpans?: { resource?: { attributes?: KeyValue[] }; scopeSpans?: { spans?: SpanJson[] }[] }[];
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const ERROR_STATUS = 2;

/** What traces are sent to: takes OTLP over HTTP in its JSON encoding, and keeps the spans. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Everything that came, as text. */
  raw = '';
  requests = 0;
  /** The status of each answer; null hangs. */
  answer: () => number | null = () => 200;

  private constructor(
    private readonly server: Server,
    /** What OTEL_EXPORTER_OTLP_ENDPOINT is set to. */
    readonly endpoint: string,
  ) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new OtlpReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', async (request, response) => {
      const body = await json(request);
      receiver.requests += 1;
      const status = receiver.answer();
      if (status === 200 && request.url === '/v1/traces') receiver.take(body as RequestJson);
      if (status !== null) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
    return receiver;
  }

  /** The spans of a trace, each once: what was told again has its earlier id. */
  trace(traceId: string): ReceivedSpan[] {
    const own = this.spans.filter((span) => span.traceId === traceId);
    return [...new Map(own.map((span) => [span.spanId, span])).values()].sort((a, b) => a.startMs - b.startMs);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(body: RequestJson): void {
    this.raw += JSON.stringify(body);
    for (const { resource, scopeSpans = [] } of body.resourceSpans ?? []) {
      const from = valuesOf(resource?.attributes);
      for (const span of scopeSpans.flatMap(({ spans = [] }) => spans)) {
        this.spans.push(received(span, String(from['service.name']), String(from['trunkline.roles'])));
      }
    }
  }
}

function received(span: SpanJson, service: string, roles: string): ReceivedSpan {
  return {
    service,
    roles,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || null,
    name: span.name,
    kind: KINDS[span.kind] ?? 'unknown',
    startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
    attributes: valuesOf(span.attributes),
    isError: span.status?.code === ERROR_STATUS,
  };
}

function valuesOf(attributes: readonly KeyValue[] = []): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? Number(value.intValue ?? value.doubleValue),
    ]),
  );
}
