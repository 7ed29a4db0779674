import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KeptLog } from '../../../../../test/support/carriers.js';
import { newId, sidOf } from '../../../../shared/sid.js';
import type { HandOver, Outgoing } from '../../domain/carrier-connection.js';
import { AnswerReader } from '../../domain/http/answer-reading.js';
import type { HttpDefinition } from '../../domain/http/definition.js';
import { until } from '../smpp/test-support/until.js';
import { CarrierHttpClient } from './carrier-http-client.js';
import { HttpCall } from './http-call.js';
import { HttpConnection, type HttpConnectionOptions } from './http-connection.js';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const HOSTILE = 'a"}, "x": "&to=1\r\nX-Evil: 1 {{secrets.key}} 😀 €';
const client = new CarrierHttpClient();
const sockets = new Set<Socket>();
let server: http.Server;
let base: string;
let asked: Asked[];
let answer: (asked: Asked, request: IncomingMessage, response: ServerResponse) => void;
let connection: HttpConnection | null = null;

beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const one = { method: request.method!, url: request.url!, headers: request.headers, body };
    asked.push(one);
    answer(one, request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  asked = [];
  answer = say(201, { id: 'abc' });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await connection?.stop();
  connection = null;
});

afterAll(async () => {
  server.close();
  await client.close();
});

function say(status: number, body: unknown): typeof answer {
  return (_asked, _request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

async function open(
  over: Partial<HttpDefinition> = {},
  options: Partial<HttpConnectionOptions> = {},
): Promise<HttpConnection> {
  const definition: HttpDefinition = {
    method: 'POST',
    url: `${base}/send/{{key}}`,
    timeout_ms: 1_000,
    check_interval_ms: 60_000,
    answer: { id: '/id', code: '/code' },
    ...over,
  };
  const call = new HttpCall(definition, { key: 's3cret' });
  const all = {
    name: 'acme',
    window: 10,
    responseTimeoutMs: definition.timeout_ms,
    recheck: { baseMs: 10, maxMs: 50 },
    checkIntervalMs: definition.check_interval_ms,
    receiptUrl: () => 'https://us.example.com/r?a=1&b=2',
    random: () => 1,
    ...options,
  };
  connection = new HttpConnection(
    all,
    call,
    new AnswerReader(definition),
    client,
    { onState: () => undefined },
    new KeptLog(),
  );
  connection.start();
  return connection;
}

async function bound(over: Partial<HttpDefinition> = {}): Promise<HttpConnection> {
  const opened = await open(over);
  await until('it is bound', () => opened.state.phase === 'bound');
  asked = [];
  return opened;
}

function outgoing(over: Partial<Outgoing> = {}): Outgoing {
  const key = newId();
  const parts = over.parts ?? ['hello'];
  return {
    key,
    accountId: newId(),
    intentId: newId(),
    from: 'Acme Co',
    to: '+15555550100',
    encoding: 'GSM-7',
    parts,
    retryUnknown: false,
    weight: 1,
    hops: 1,
    validUntilMs: Date.now() + 600_000,
    candidates: [],
    carrier: 'acme',
    attempts: 0,
    exhausted: new Set(),
    messageIds: parts.map(() => null),
    ...over,
  };
}

describe('a message', () => {
  it('goes as JSON out of which no text can break', async () => {
    const json = { to: '{{to}}', sms: { text: '{{text}}', parts: ['{{segments}}', 7] }, hook: '{{receipt_url}}' };
    const message = outgoing({ parts: [HOSTILE, ' and more'] });
    const headers = { Authorization: 'Bearer {{secrets.key}}', 'X-Ref': '{{key}}' };
    expect(await (await bound({ json, headers })).handOver(message)).toEqual({ kind: 'accepted' });
    expect(message.messageIds).toEqual(['abc', 'abc']);
    expect(asked).toHaveLength(1);
    expect(JSON.parse(asked[0]!.body)).toEqual({
      to: '+15555550100',
      sms: { text: `${HOSTILE} and more`, parts: ['2', 7] },
      hook: 'https://us.example.com/r?a=1&b=2',
    });
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: `/send/${sidOf('SM', message.key)}`,
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer s3cret',
        'x-ref': sidOf('SM', message.key),
        'x-trunkline-hops': '2',
      },
    });
    expect(asked[0]!.headers).not.toHaveProperty('x-evil');
  });

  it('goes as a form, with its own validity and Basic credentials', async () => {
    const form = { To: '{{to_plain}}', From: '{{from_plain}}', Body: '{{text}}', Valid: '{{valid_seconds}}' };
    const auth = { username: 'me', password: '{{secrets.key}}' };
    await (await bound({ form, basic_auth: auth })).handOver(outgoing({ parts: [HOSTILE] }));
    expect(Object.fromEntries(new URLSearchParams(asked[0]!.body))).toEqual({
      To: '15555550100',
      From: 'Acme Co',
      Body: HOSTILE,
      Valid: '600',
    });
    expect(asked[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
  });

  it('goes in a query, and not at all where that cannot hold it', async () => {
    const opened = await bound({ method: 'GET', url: `${base}/send?to={{to}}&text={{text}}` });
    await opened.handOver(outgoing({ parts: [HOSTILE] }));
    expect(new URL(asked[0]!.url, base).searchParams.get('text')).toBe(HOSTILE);
    expect([...new URL(asked[0]!.url, base).searchParams.keys()]).toEqual(['to', 'text']);
    expect(await opened.handOver(outgoing({ parts: ['€'.repeat(1600)] }))).toEqual({
      kind: 'rejected',
      errorCode: 30008,
    });
    expect(asked).toHaveLength(1);
  });

  it('is known by its key to a carrier that gives no id', async () => {
    const message = outgoing();
    await (await bound({ answer: {} })).handOver(message);
    expect(message.messageIds).toEqual([sidOf('SM', message.key)]);
  });
});

describe('an answer', () => {
  it.each<[what: string, HandOver, status: number, body: unknown]>([
    ['refused for good', { kind: 'rejected', errorCode: 30005 }, 400, { code: 30005 }],
    ['too fast', { kind: 'throttled' }, 429, {}],
    ['not now', { kind: 'retryable' }, 503, {}],
    ['a failure in the middle', { kind: 'unknown', reason: 'answered' }, 500, {}],
    ['a good one without an id', { kind: 'unknown', reason: 'answered' }, 200, {}],
  ])('that says %s', async (_what, expected, status, body) => {
    const opened = await bound();
    answer = say(status, body);
    const message = outgoing();
    expect(await opened.handOver(message)).toEqual(expected);
    expect(message.messageIds).toEqual([null]);
    expect(opened.state.phase).toBe('bound');
  });

  it('may give an id that no number holds exactly', async () => {
    answer = (_asked, _request, response) => response.end('{"id": 1234567890123456789}');
    const message = outgoing();
    expect(await (await bound()).handOver(message)).toEqual({ kind: 'accepted' });
    expect(message.messageIds).toEqual(['1234567890123456789']);
  });

  it('that does not come leaves it unknown what became of the message', async () => {
    const opened = await bound({ timeout_ms: 100 });
    answer = () => undefined;
    expect(await opened.handOver(outgoing())).toEqual({ kind: 'unknown', reason: 'timeout' });
    answer = (_asked, request) => request.socket.destroy();
    expect(await opened.handOver(outgoing())).toEqual({ kind: 'unknown', reason: 'disconnected' });
  });
});

describe('a carrier', () => {
  it.each(['127.0.0.1', 'localhost'])('that cannot be reached at %s is down, and says why', async (host) => {
    const opened = await open({ url: `http://${host}:1/send` });
    await until('it is down', () => opened.state.error !== null);
    expect(opened.state.error).toBe(`cannot reach ${host}:1: nothing takes connections there (ECONNREFUSED)`);
    expect(opened.credit).toBe(0);
    expect(await opened.handOver(outgoing())).toEqual({ kind: 'unsent' });
  });

  it('that refuses the credentials is down, and its messages are not lost', async () => {
    let isGood = false;
    answer = (one, request, response) => say(isGood ? 201 : 401, { code: 20003, id: 'x' })(one, request, response);
    const opened = await open({ check: `${base}/account?hook={{receipt_url}}` });
    await until('it is down', () => opened.state.phase === 'down');
    expect(opened.state.error).toBe('the carrier refused the credentials (HTTP 401, code 20003)');
    expect(asked[0]).toMatchObject({
      method: 'GET',
      url: `/account?hook=${encodeURIComponent('https://us.example.com/r?a=1&b=2')}`,
    });
    isGood = true;
    await until('it is bound', () => opened.state.phase === 'bound');
    isGood = false;
    expect(await opened.handOver(outgoing())).toEqual({ kind: 'unsent' });
    expect(opened.state.phase).not.toBe('bound');
    isGood = true;
    await until('it is bound again', () => opened.state.phase === 'bound');
    expect(await opened.handOver(outgoing())).toEqual({ kind: 'accepted' });
    expect(opened.state.error).toBeNull();
  });

  it('that refuses one message as it would all takes the others, and in the end refuses that one', async () => {
    answer = (one, ...rest) => say(one.url.includes('404') ? 404 : 201, { id: 'x' })(one, ...rest);
    const opened = await bound({ url: `${base}/send/{{to_plain}}` });
    const bad = outgoing({ to: '+15555550404' });
    const kinds: string[] = [];
    const hand = async (message: Outgoing) => void kinds.push((await opened.handOver(message)).kind);
    await hand(bad);
    for (let round = 0; round < 3; round++) {
      await until('it is back', () => opened.state.phase === 'bound');
      asked = [];
      await hand(bad);
      expect(asked).toEqual([]);
      await hand(outgoing());
      await hand(bad);
    }
    const [waits, taken] = ['unsent', 'accepted'];
    expect(kinds).toEqual([waits, waits, taken, waits, waits, taken, waits, waits, taken, 'rejected']);
    expect(opened.state).toEqual({ phase: 'bound', error: null });
  });

  it('that refused the only message there is gets it again', async () => {
    answer = say(403, {});
    const opened = await bound();
    const message = outgoing();
    expect(await opened.handOver(message)).toEqual({ kind: 'unsent' });
    answer = say(201, { id: 'x' });
    await until('it is taken', async () => (await opened.handOver(message)).kind === 'accepted');
  });

  it('that proved nothing yet gets one message at a time', async () => {
    const opened = await bound();
    let finish = (): void => undefined;
    answer = (one, request, response) => {
      finish = () => say(201, { id: 'x' })(one, request, response);
    };
    const first = opened.handOver(outgoing());
    expect(opened.credit).toBe(0);
    await until('it has come', () => asked.length === 1);
    finish();
    await first;
    expect(opened.credit).toBeGreaterThan(0);
    answer = () => undefined;
    for (let count = 0; count < 9; count++) void opened.handOver(outgoing());
    expect(opened.credit).toBeGreaterThan(0);
    void opened.handOver(outgoing());
    expect(opened.credit).toBe(0);
  });

  it('waits until this process knows where it takes receipts', async () => {
    let url: string | null = null;
    const opened = await open({}, { receiptUrl: () => url });
    expect(opened.state.phase).toBe('connecting');
    url = 'http://127.0.0.1:3000/r';
    await until('it is bound', () => opened.state.phase === 'bound');
  });

  it('is found gone without a message', async () => {
    const opened = await open({ check: `${base}/account` }, { checkIntervalMs: 20 });
    await until('it is bound', () => opened.state.phase === 'bound');
    answer = say(500, {});
    await until('it is down', () => opened.state.phase === 'down');
    expect(opened.state.error).toBe('the carrier answered its check with HTTP 500');
  });
});
