import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { callerSpanId } from '../../src/platform/http/trace-context.js';
import { spanIdOf, traceIdOf } from '../../src/shared/traceparent.js';
import { basic, call, FORM, type Sender } from '../support/api.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { makeDataDir, type Product, startProduct } from '../support/product.js';
import { timedLine, traceTree } from '../support/trace-tree.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const TEST_MS = 120_000;
const PASSWORD = 'secret01';
const NUMBER = '+15550003333';
const TEXT = 'the code is xylograph';
const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
/** Where the tree of a real trace is shown; UPDATE_DOCS=1 writes it anew. */
const PAGE = join(import.meta.dirname, '../../docs/tracing.md');
const SHOWN = /(<!-- trace:begin -->\n```text\n)([\s\S]*?)(\n```\n<!-- trace:end -->)/;

let dir: Awaited<ReturnType<typeof makeDataDir>>;
let database: TestDatabase;
let smsc: SimulatedSmsc;
let receiver: WebhookReceiver;
let otlp: OtlpReceiver;
let api: Product;
let worker: Product;
let sender: Sender;

const start = (role: string) =>
  startProduct({
    dataDir: join(dir.path, role),
    env: {
      DATABASE_URL: database.url,
      ROLES: role,
      WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint,
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      OTEL_SERVICE_NAME: 'trunkline-under-test',
    },
    args: [],
  });

beforeAll(async () => {
  [dir, database, otlp] = await Promise.all([makeDataDir(), startTestDatabase(), OtlpReceiver.start()]);
  smsc = await SimulatedSmsc.start({ name: 'field', dir: join(dir.path, 'smsc'), password: PASSWORD });
  [api, worker] = await Promise.all([start('api'), start('worker')]);
  const opened = await api.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
    friendly_name: 'A customer',
    tier: 'pro',
  });
  sender = { sid: opened.sid, token: opened.auth_token };
  await api.operator('POST', `accounts/${sender.sid}/credits`, {
    amount: '5.00',
    key: 'first',
    reason: 'to begin with',
  });
  await api.operator('POST', `accounts/${sender.sid}/phone-numbers`, { phone_number: NUMBER });
  await api.operator('POST', 'rates', { prefix: '', price: '0.01' });
  const carrier = { name: 'field', type: 'smpp', host: '127.0.0.1', port: smsc.port, system_id: 'field', window: 10 };
  await api.operator('POST', 'carriers', { ...carrier, password: PASSWORD, bind: 'transceiver' });
  await api.operator('POST', 'routes', { prefix: '+1', carrier: 'field', priority: 10, weight: 1 });
  receiver = await WebhookReceiver.start(sender.token);
}, TEST_MS);

afterAll(async () => {
  await Promise.all([api?.stop(), worker?.stop()]);
  await Promise.all([smsc?.stop(), receiver?.stop(), otlp?.stop(), database?.stop()]);
  await dir?.remove();
}, TEST_MS);

/** Sends a message; returns its SID and the traceparent of its request. */
async function send(to: string, flags: string): Promise<{ sid: string; traceparent: string }> {
  const answer = await call(api.url, `/2010-04-01/Accounts/${sender.sid}/Messages.json`, {
    method: 'POST',
    headers: {
      authorization: basic(sender.sid, sender.token),
      'content-type': FORM,
      traceparent: `00-${CALLER.trace.slice(0, -2)}${flags === '01' ? '36' : '37'}-${CALLER.span}-${flags}`,
    },
    body: new URLSearchParams({
      To: to,
      From: NUMBER,
      Body: TEXT,
      StatusCallback: `${receiver.url}/status?of=${encodeURIComponent(to)}`,
    }).toString(),
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return { sid: JSON.parse(answer.text).sid, traceparent: answer.headers.get('traceparent')! };
}

const callbacksOf = (sid: string) => receiver.received.filter(({ params }) => params.MessageSid === sid);

async function traceOf(traceparent: string, count: number): Promise<ReceivedSpan[]> {
  const traceId = traceIdOf(traceparent);
  return eventually(
    () => {
      const spans = otlp.trace(traceId);
      return spans.length >= count && spans;
    },
    {
      timeoutMs: 60_000,
      what: () => `${count} spans came:\n${traceTree(otlp.trace(traceId), (s) => s.name).join('\n')}`,
    },
  );
}

/** Each span below its parent, with its process, its kind and a mark where it failed. */
function edgesOf(spans: readonly ReceivedSpan[]): string[] {
  const lineOf = ({ name, roles, kind, isError }: ReceivedSpan) => `${name} (${roles}, ${kind})${isError ? '!' : ''}`;
  const lines = new Map(spans.map((span) => [span.spanId, lineOf(span)]));
  const parentOf = (id: string | null) => (id === null ? 'nobody' : id === CALLER.span ? 'the caller' : lines.get(id));
  return sorted(spans.map((span) => `${parentOf(span.parentSpanId)} > ${lineOf(span)}`));
}

function sorted(lines: readonly string[]): string[] {
  return [...lines].sort();
}

describe('one message is one trace, over an api process and a worker process', () => {
  it(
    'from its request to its callbacks, in the trace of the client',
    async () => {
      const { sid, traceparent } = await send('+15557000000', '01');
      expect(callerSpanId(`00-${CALLER.trace}-${CALLER.span}-01`, traceparent)).toBe(CALLER.span);
      const spans = await traceOf(traceparent, 11);
      const message = 'messaging.message (worker, internal)';
      const request = 'POST /2010-04-01/Accounts/:AccountSid/Messages.json (api, server)';
      expect(edgesOf(spans)).toEqual(
        sorted([
          `${message} > carriers.receipt (worker, consumer)`,
          `${message} > carriers.submit (worker, client)`,
          `${message} > messaging.queue (worker, internal)`,
          `${message} > messaging.settle (worker, internal)`,
          `${message} > notifications.callback delivered (worker, client)`,
          `${message} > notifications.callback sent (worker, client)`,
          `${request} > messaging.append (api, internal)`,
          `${request} > messaging.message (worker, internal)`,
          `${request} > messaging.reserve (api, internal)`,
          `${request} > messaging.validate (api, internal)`,
          `the caller > ${request}`,
        ]),
      );
      const root = spans.find(({ kind }) => kind === 'server')!;
      expect(root).toMatchObject({ spanId: spanIdOf(traceparent), parentSpanId: CALLER.span });
      expect(root.attributes).toMatchObject({ 'http.response.status_code': 201, 'trunkline.message.sid': sid });
      expect(spans.every(({ service, isError }) => service === 'trunkline-under-test' && !isError)).toBe(true);
      for (const { params, traceparent: told } of callbacksOf(sid)) {
        const own = spans.find(({ name }) => name === `notifications.callback ${params.MessageStatus}`);
        expect([traceIdOf(told!), spanIdOf(told!)]).toEqual([traceIdOf(traceparent), own!.spanId]);
      }
      show(spans);
    },
    TEST_MS,
  );

  it(
    'is kept where the message fails, though nobody sampled it, and not where it does not',
    async () => {
      const well = await send('+15557000001', '00');
      await eventually(() => callbacksOf(well.sid).length === 2, { what: 'the other is delivered' });
      const { traceparent } = await send('+15557030003', '00');
      const spans = await traceOf(traceparent, 6);
      const message = 'messaging.message (worker, internal)!';
      const request = 'messaging.accept (worker, server)';
      expect(edgesOf(spans)).toEqual(
        sorted([
          `${message} > carriers.receipt (worker, consumer)!`,
          `${message} > carriers.submit (worker, client)`,
          `${message} > messaging.queue (worker, internal)`,
          `${message} > messaging.settle (worker, internal)`,
          `${request} > ${message}`,
          `nobody > ${request}`,
        ]),
      );
      expect(spans.find(({ name }) => name === 'messaging.message')!.attributes).toMatchObject({
        'trunkline.message.status': 'undelivered',
        'trunkline.error_code': 30003,
        'error.type': '30003',
      });
      expect(spans.map((span) => span.attributes['trunkline.message.sid'])).not.toContain(well.sid);
    },
    TEST_MS,
  );

  it('tells no text, no number and no path of a customer', () => {
    expect(otlp.spans.length).toBeGreaterThan(15);
    const told = JSON.stringify(otlp.spans) + otlp.raw;
    for (const secret of [TEXT, 'xylograph', '5557000000', '5557030003', NUMBER.slice(1), '/status', sender.token]) {
      expect([secret, told.includes(secret)]).toEqual([secret, false]);
    }
  });

  it('leads from the metrics of the api process to the trace', async () => {
    const open = await call(api.url, '/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0' } });
    expect(open.headers.get('content-type')).toMatch('application/openmetrics-text');
    expect(open.text).toContain(` # {trace_id="${CALLER.trace}",span_id="`);
    expect(open.text).toContain('trunkline_trace_spans_dropped_total{reason="export"} 0');
    const text = await call(api.url, '/metrics', {});
    expect(text.headers.get('content-type')).toMatch('text/plain');
    expect(text.text).not.toContain(' # {');
  });
});

/** Metrics of the product's process, as expressions name them. */
const NAMED = /\b(?:trunkline|process|nodejs)_[a-z_]+\b/g;

/** The expressions in a dashboard or a file of alerts. */
function expressionsIn(text: string): string[] {
  const json = [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, expr]) => JSON.parse(expr!) as string);
  const yaml = [...text.matchAll(/^ +expr: (?:>-\n((?: {10,}.*\n)+)|(.+))$/gm)].map(
    ([, folded, plain]) => folded ?? plain!,
  );
  return [...json, ...yaml];
}

/** What of these expressions names a metric, or a label of one, that a scrape does not know. */
function unknownIn(expressions: readonly string[], scrape: string): string[] {
  const types = new Map([...scrape.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]));
  const isKnown = (name: string) =>
    types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram';
  return expressions.flatMap((expression) => expression.match(NAMED) ?? []).filter((name) => !isKnown(name));
}

describe('what watches the product', () => {
  const ops = join(import.meta.dirname, '../../ops');
  const read = (path: string) => readFileSync(join(ops, path), 'utf8');
  const dashboards = readdirSync(join(ops, 'grafana/dashboards')).map((name) => `grafana/dashboards/${name}`);

  it.each([...dashboards, 'prometheus/alerts.yml'])('asks in %s only for what the product tells', async (path) => {
    const { text } = await call(api.url, '/metrics', {});
    const expressions = expressionsIn(read(path));
    expect(expressions.length).toBeGreaterThan(10);
    expect(unknownIn(expressions, text)).toEqual([]);
    expect(unknownIn(['rate(trunkline_nothing_total[1m]) / trunkline_messages_total_count'], text)).toHaveLength(2);
  });

  it('has an expression in every panel and every alert that it reads', () => {
    expect(read('prometheus/alerts.yml').match(/- alert:/g)).toHaveLength(
      expressionsIn(read('prometheus/alerts.yml')).length,
    );
    for (const path of dashboards) {
      const { panels } = JSON.parse(read(path)) as { panels: { targets: { expr?: string; query?: string }[] }[] };
      for (const { targets } of panels) for (const { expr, query } of targets) expect(expr ?? query).toBeTruthy();
    }
  });

  it('runs images of pinned versions, and only where it is asked for', () => {
    const compose = read('docker-compose.observability.yml');
    const images = [...compose.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image);
    expect(images.length).toBeGreaterThan(3);
    for (const image of images) expect(image).toMatch(/^[a-z/-]+:v?\d+\.\d+\.\d+$/);
    expect(compose.match(/profiles: \[observability\]/g)).toHaveLength(images.length);
  });
});

/** The page shows a trace of this structure: its times are those of the run that wrote it. */
function show(spans: readonly ReceivedSpan[]): void {
  const tree = traceTree(spans, timedLine(Math.min(...spans.map(({ startMs }) => startMs))));
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS === '1') {
    writeFileSync(
      PAGE,
      page.replace(SHOWN, (_, begin, _old, end) => `${begin}${tree.join('\n')}${end}`),
    );
    return;
  }
  const namesOf = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/^[^a-zA-Z]+/, '').split('  ')[0]).sort();
  expect(namesOf(SHOWN.exec(page)?.[2]?.split('\n') ?? [])).toEqual(namesOf(tree));
}
