import request from 'supertest';
import { Readiness } from '../../platform/telemetry/readiness.js';
import { ACCOUNT, type EdgeUnderTest, NativeTestController, SECRET, startEdge } from './edge.test-support.js';

const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let edge: EdgeUnderTest;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.app.close());

const get = (path: string, from = edge) => request(from.app.getHttpServer()).get(path);

describe('every answer', () => {
  const paths = ['/health/live', '/v1/notes', '/nope', '/%', '/v1/fail', MESSAGES];

  it.each(paths)('to %s carries the client’s request id and takes part in its trace', async (path) => {
    const answer = await get(path).set('x-request-id', 'mine:1').set('traceparent', `00-${TRACE}-00f067aa0ba902b7-01`);
    expect(answer.headers['x-request-id']).toBe('mine:1');
    expect(answer.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  });

  it.each(paths)('to %s carries ids of its own where the client’s are none', async (path) => {
    const answer = await get(path).set('x-request-id', 'not one').set('traceparent', 'nonsense');
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it.each(paths)('to %s is to be taken for what it says and kept by nobody', async (path) => {
    const { headers } = await get(path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'strict-transport-security': 'max-age=31536000',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('hands the trace on to the handler', async () => {
    const answer = await get('/v1/notes').auth(ACCOUNT, SECRET).expect(200);
    expect(answer.body.traceparent).toBe(answer.headers.traceparent);
  });
});

describe('the log', () => {
  it('has one line of a hundred successful requests, with what names it', async () => {
    const own = await startEdge();
    const send = () =>
      request(own.app.getHttpServer()).post(MESSAGES).auth(ACCOUNT, SECRET).type('form').send('To=1&Body=hunter2');
    await send().set('x-request-id', 'first').expect(201);
    for (let i = 0; i < 100; i++) await send().expect(201);
    await own.app.close();
    expect(own.lines).toHaveLength(2);
    expect(own.lines[0]).toMatchObject({
      level: 30,
      msg: 'request',
      request_id: 'first',
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      account_sid: ACCOUNT,
      method: 'POST',
      route: '/2010-04-01/Accounts/:AccountSid/Messages.json',
      status: 201,
      duration_ms: expect.any(Number),
      message_sid: `SM${'1'.repeat(32)}`,
    });
    expect(JSON.stringify(own.lines)).not.toMatch(/hunter2|Authorization|0123456789abcdef/);
  });

  it('has them all at level debug', async () => {
    const own = await startEdge({ logLevel: 'debug' });
    for (let i = 0; i < 5; i++) await get('/health/live', own);
    await own.app.close();
    expect(own.lines.filter(({ msg }) => msg === 'request')).toHaveLength(5);
  });

  it('has every failure of the service', async () => {
    NativeTestController.error = new Error('broken');
    const ids = ['f1', 'f2', 'f3'];
    for (const id of ids) await get('/v1/fail').set('x-request-id', id).expect(500);
    const lines = edge.lines.filter(({ msg, status }) => msg === 'request failed' && status === 500);
    expect(lines.map(({ request_id }) => request_id)).toEqual(expect.arrayContaining(ids));
  });
});

describe('metrics', () => {
  it('are counted by route pattern and status class, what matched nothing together', async () => {
    const own = await startEdge();
    await get(MESSAGES, own).expect(401);
    await get(`${MESSAGES}?x=1`, own).auth(ACCOUNT, SECRET).expect(200);
    await get('/some/secret/path', own).expect(404);
    await get('/%', own).expect(400);
    const answer = await get('/metrics', own).expect(200);
    await own.app.close();
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = answer.text.split('\n');
    const route = 'method="GET",route="/2010-04-01/Accounts/:AccountSid/Messages.json"';
    expect(lines).toContain(`trunkline_http_requests_total{${route},status="2xx"} 1`);
    expect(lines).toContain(`trunkline_http_requests_total{${route},status="4xx"} 1`);
    expect(lines).toContain(`trunkline_http_request_duration_seconds_count{${route}} 2`);
    expect(lines).toContain('trunkline_http_requests_total{method="*",route="unmatched",status="4xx"} 2');
    expect(answer.text).not.toContain('secret');
  });
});

describe('health', () => {
  it('is live as long as it answers', async () => {
    expect((await get('/health/live').expect(200)).body).toEqual({ status: 'ok' });
  });

  it('is ready while all that it needs is, and names what is not', async () => {
    const own = await startEdge();
    const readiness = own.app.get(Readiness);
    readiness.register({ name: 'database', check: async () => {} });
    expect((await get('/health/ready', own).expect(200)).body).toEqual({ status: 'ok', checks: { database: 'ok' } });
    readiness.register({ name: 'queue', check: () => Promise.reject(new Error('redis://:password@host')) });
    const answer = await get('/health/ready', own).expect(503);
    expect(answer.body).toEqual({ status: 'unavailable', checks: { database: 'ok', queue: 'failed' } });
    await own.app.close();
  });
});
