import request from 'supertest';
import { OtlpReceiver } from '../../../test/support/otlp-receiver.js';
import type { Tracing } from '../../platform/settings/settings.js';
import { ACCOUNT, type EdgeUnderTest, SECRET, startEdge } from './edge.test-support.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let receiver: OtlpReceiver;
let edge: EdgeUnderTest;

/** An edge whose spans have all been sent when the requests are over. */
async function spansOf(sampler: Tracing['sampler'], work: () => Promise<unknown>) {
  const tracing = { endpoint: receiver.endpoint, sampler, ratio: 0.5, serviceName: 'edge' };
  edge = await startEdge({ tracing });
  try {
    await work();
  } finally {
    await edge.app.close();
  }
  return receiver.spans;
}

const get = (path: string) => request(edge.app.getHttpServer()).get(path);

beforeEach(async () => {
  receiver = await OtlpReceiver.start();
});
afterEach(() => receiver.stop());

describe('the trace of a request', () => {
  it('is a span with its route, its status and its account, below the caller’s', async () => {
    let own = '';
    const spans = await spansOf('parentbased_always_off', async () => {
      const answer = await get('/v1/notes/x?q=%2B15551234567')
        .auth(ACCOUNT, SECRET)
        .set('traceparent', `00-${TRACE}-${SPAN}-01`);
      own = answer.headers.traceparent!;
      await get('/v1/notes').set('traceparent', `00-${TRACE}-${SPAN}-00`);
      await get('/v1/notes');
    });
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, spanId: own.slice(36, 52), kind: 'server' });
    expect(spans[0]!.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': expect.any(Number),
    });
    expect(JSON.stringify(spans)).not.toContain('15551234567');
  });

  it('begins here where there is no caller, and not for what machines ask', async () => {
    const spans = await spansOf('always_on', async () => {
      await get('/health/live');
      await get('/health/ready');
      await get('/metrics');
      await get('/v1/notes');
    });
    expect(spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['GET /v1/notes', null]]);
    expect(spans[0]!.isError).toBe(false);
  });

  it('is kept where the request fails, whatever was decided, and stands alone then', async () => {
    const spans = await spansOf('parentbased_always_on', async () => {
      await get('/v1/fail').auth(ACCOUNT, SECRET).set('traceparent', `00-${TRACE}-${SPAN}-00`);
    });
    const failed = spans.filter(({ isError }) => isError);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ traceId: TRACE, parentSpanId: null, attributes: { 'error.type': '500' } });
  });
});
