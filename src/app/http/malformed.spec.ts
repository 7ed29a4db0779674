import { type AddressInfo, connect } from 'node:net';
import { BODY_LIMIT_BYTES } from './adapter.js';
import { ACCOUNT, type EdgeUnderTest, NativeTestController, SECRET, startEdge } from './edge.test-support.js';

let edge: EdgeUnderTest;
let port: number;

beforeAll(async () => {
  edge = await startEdge({ logLevel: 'debug' });
  port = (edge.app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => edge.app.close());

const DEADLINE_MS = 10_000;
const AUTHORIZATION = `Authorization: Basic ${Buffer.from(`${ACCOUNT}:${SECRET}`).toString('base64')}`;
const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;

/** Sends bytes as they are and gives what comes back until the server closes the connection. */
function exchange(sent: string | Buffer, to = port): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(to, '127.0.0.1', () => socket.write(sent));
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('the server kept the connection open')));
    socket.on('data', (chunk) => received.push(chunk));
    // A server that closes with bytes unread resets the connection: what it said before that counts.
    socket.on('error', (error) => received.length === 0 && reject(error));
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
  });
}

/** Sends the beginning of a request and goes away as soon as the server has taken it. */
function abandon(sent: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(sent, () => socket.resetAndDestroy()));
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;

describe('what is not HTTP', () => {
  it.each([
    ['nothing of a request', 'hello\r\n\r\n'],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n'],
    ['two lengths', 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
    ],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5])],
  ])('(%s) is answered 400', async (_, sent) => {
    const answer = await exchange(sent);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json; charset=utf-8\r\n/);
    expect(bodyOf(answer)).toMatchObject({ status: 400, code: 20001, detail: 'The request is not valid HTTP' });
    expect(answer).toContain(`\r\nx-request-id: ${bodyOf(answer).request_id}\r\n`);
  });

  it('is answered in the words of its path, with the id that it brought', async () => {
    const answer = await exchange(`GET ${MESSAGES} HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nbad header\r\n\r\n`);
    expect(answer).toContain('\r\nx-request-id: mine\r\n');
    expect(bodyOf(answer)).toEqual({
      code: 20001,
      message: 'The request is not valid HTTP',
      more_info: 'https://api.example.test/docs/errors/20001',
      status: 400,
    });
  });

  it('is answered 431 where its headers have no end', async () => {
    const answer = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(bodyOf(answer)).toMatchObject({ status: 431, code: 20001 });
  });

  it('is answered 400 where its chunks are none', async () => {
    const head = `POST ${MESSAGES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n`;
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
    expect(await exchange(head + form)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe('a request without a Host header', () => {
  it('is refused in the words of its path', async () => {
    const native = await exchange('GET /open HTTP/1.1\r\nConnection: close\r\nX-Request-Id: mine\r\n\r\n');
    expect(native).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(native).toContain('\r\nx-request-id: mine\r\n');
    const detail = 'The request has no Host header';
    expect(bodyOf(native)).toMatchObject({ status: 400, code: 20001, detail, request_id: 'mine' });
    const twilio = await exchange(`GET ${MESSAGES} HTTP/1.1\r\nConnection: close\r\n${AUTHORIZATION}\r\n\r\n`);
    expect(bodyOf(twilio)).toMatchObject({ status: 400, code: 20001, message: detail });
  });

  it('is served where its HTTP is older than that header', async () => {
    expect(await exchange('GET /health/live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 (200|404) /);
  });
});

describe('a body', () => {
  const head = (rest: string) =>
    `POST ${MESSAGES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\nContent-Type: application/x-www-form-urlencoded\r\n${rest}\r\n\r\n`;

  it('may come in chunks', async () => {
    const answer = await exchange(
      `${head('Connection: close\r\nTransfer-Encoding: chunked')}3\r\nTo=\r\n2\r\n42\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('is read no further than its bound, whatever length it claims', async () => {
    const claimed = await exchange(head(`Content-Length: ${10 * BODY_LIMIT_BYTES}`));
    expect(claimed).toMatch(/^HTTP\/1\.1 413 /);
    expect(bodyOf(claimed)).toMatchObject({ status: 413, code: 20413 });
  });

  it('of nobody’s type is refused', async () => {
    const answer = await exchange('POST /open HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx');
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  });

  it('that is broken off by its client is no error of the service', async () => {
    const before = edge.lines.length;
    await abandon(`${head('X-Request-Id: abandoned\r\nContent-Length: 100')}To=`);
    await until(() => edge.lines.some(({ request_id, status }) => request_id === 'abandoned' && status === 499));
    expect(edge.lines.slice(before).filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });
});

describe('an answer that takes its time', () => {
  const WAIT = 'GET /v1/wait HTTP/1.1\r\nHost: x\r\nX-Request-Id: waiting\r\n\r\n';

  function closeGate(): () => void {
    let open = () => {};
    NativeTestController.gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  it('and that its client does not wait for is counted all the same', async () => {
    const open = closeGate();
    const socket = connect(port, '127.0.0.1', () => socket.write(WAIT));
    await until(() => NativeTestController.waiting);
    socket.destroy();
    await until(() => edge.lines.some(({ request_id, status }) => request_id === 'waiting' && status === 499));
    open();
    await until(() => !NativeTestController.waiting);
  });

  it('is given while the service stops, and the connection then closed', async () => {
    const own = await startEdge();
    const open = closeGate();
    const answer = exchange(WAIT, (own.app.getHttpServer().address() as AddressInfo).port);
    await until(() => NativeTestController.waiting);
    const closed = own.app.close();
    open();
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(bodyOf(await answer)).toEqual({ waited: true });
    await closed;
  });
});

it('a target that is no path is not there', async () => {
  const answer = await exchange('OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).toMatch(/\r\nx-request-id: /);
});
