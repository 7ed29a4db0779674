import { connect, type Socket } from 'node:net';
import request from 'supertest';
import { eventually } from '../../../test/support/eventually.js';
import { Metrics } from '../../platform/telemetry/metrics.js';
import { Admission, type Admitted, importanceOf } from './admission.js';
import { ACCOUNT, type EdgeUnderTest, NativeTestController, SECRET, startEdge } from './edge.test-support.js';

const here = () => false;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

/** Lets in as many as may enter; returns them. */
function fill(admission: Admission, importance: 'search' | 'fetch' | 'change'): Admitted[] {
  const admitted: Admitted[] = [];
  for (let isFull = false; !isFull; ) {
    admission.enter(
      importance,
      here,
      (one) => admitted.push(one),
      () => {
        isFull = true;
      },
    );
  }
  return admitted;
}

describe('what is let in', () => {
  it.each([
    ['GET', '/2010-04-01/Accounts/:AccountSid/Messages.json', 'search'],
    ['GET', '/v1/webhook-deliveries', 'search'],
    ['GET', '/2010-04-01/Accounts/:AccountSid/Messages/:Sid.json', 'fetch'],
    ['GET', '/2010-04-01/Accounts/:AccountSid/Balance.json', 'fetch'],
    ['GET', '/v1/balance', 'fetch'],
    ['GET', '/v1/messages/:sid/events', 'fetch'],
    ['POST', '/2010-04-01/Accounts/:AccountSid/Messages.json', 'change'],
    ['DELETE', '/2010-04-01/Accounts/:AccountSid/Messages/:Sid.json', 'change'],
    ['GET', '/v1/operator/audit', 'always'],
    ['GET', '/health/ready', 'always'],
    ['GET', '/metrics', 'always'],
  ] as const)('counts %s %s as %s', (method, pattern, importance) => {
    expect(importanceOf(method, pattern)).toBe(importance);
  });

  it('is refused in the order of importance: searches, fetches, changes', () => {
    const admission = new Admission(new Metrics(quiet as never));
    const searches = fill(admission, 'search');
    // Four run; the others wait for their turn, and hold their place meanwhile.
    expect(searches).toHaveLength(4);
    const fetches = fill(admission, 'fetch');
    expect(fetches.length).toBeGreaterThan(50);
    const changes = fill(admission, 'change');
    expect(changes.length).toBeGreaterThan(20);
    expect(fill(admission, 'fetch')).toEqual([]);
    changes[0]!.end();
    expect(fill(admission, 'search')).toEqual([]);
    expect(fill(admission, 'change')).toHaveLength(1);
    const always: Admitted[] = [];
    admission.enter('always', here, (one) => always.push(one), fail);
    expect(always).toHaveLength(1);
  });

  it('gives every place back', () => {
    const admission = new Admission(new Metrics(quiet as never));
    const all = fill(admission, 'change');
    for (const one of all) one.end();
    expect(fill(admission, 'change')).toHaveLength(all.length);
  });
});

function fail(): never {
  throw new Error('it was refused');
}

describe('the edge', () => {
  let edge: EdgeUnderTest;
  beforeEach(async () => {
    edge = await startEdge();
  });
  afterEach(() => edge.app.close());

  const askRaw = (path: string): Socket => {
    const { port } = edge.app.getHttpServer().address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    const authorization = Buffer.from(`${ACCOUNT}:${SECRET}`).toString('base64');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${authorization}\r\n\r\n`);
    return socket;
  };

  it('refuses beyond its capacity with 503 in the dialect of the path, and lets the operator in', async () => {
    const admission = edge.app.get(Admission);
    const all = fill(admission, 'change');
    const server = edge.app.getHttpServer();
    const twilio = await request(server)
      .get(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`)
      .auth(ACCOUNT, SECRET)
      .expect(503);
    expect(twilio.headers['retry-after']).toBe('1');
    expect(Object.keys(twilio.body).sort()).toEqual(['code', 'message', 'more_info', 'status']);
    const native = await request(server).get('/v1/notes').auth(ACCOUNT, SECRET).expect(503);
    expect(native.headers['content-type']).toContain('application/problem+json');
    await request(server).get('/health/live').expect(200);
    for (const one of all) one.end();
    await request(server).get('/v1/notes').auth(ACCOUNT, SECRET).expect(200);
    expect(edge.lines.filter(({ msg }) => msg === 'request failed')).toEqual([]);
  });

  it('refuses from the head alone, and goes on with the connection', async () => {
    const admission = edge.app.get(Admission);
    const all = fill(admission, 'change');
    const { port } = edge.app.getHttpServer().address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
    });
    const post = (length: number) =>
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-${length}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
    socket.write(post(10) + post(20));
    await eventually(() => heard.split('HTTP/1.1 503').length === 3, { what: 'both are refused' });
    expect(heard).toMatch(/x-request-id: mine-10\r\n/);
    expect(heard).toMatch(/x-request-id: mine-20\r\n/);
    expect(heard).not.toMatch(/connection: close/i);
    socket.write(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
    await eventually(() => socket.readableEnded || socket.destroyed, { what: 'a long body is not waited for' });
    for (const one of all) one.end();
  });

  it('gives the place of a client that left back', async () => {
    let open = () => {};
    NativeTestController.gate = new Promise((resolve) => {
      open = resolve;
    });
    const socket = askRaw('/v1/wait');
    await eventually(() => NativeTestController.waiting, { what: 'the request is under way' });
    const admission = edge.app.get(Admission);
    const before = fill(admission, 'change');
    for (const one of before) one.end();
    socket.destroy();
    open();
    await eventually(
      () => {
        const all = fill(admission, 'change');
        for (const one of all) one.end();
        return all.length === before.length + 1;
      },
      { what: 'its place is free' },
    );
  });
});
