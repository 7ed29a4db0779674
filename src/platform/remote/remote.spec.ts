import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { z } from 'zod';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { Failure } from '../../shared/failure.js';
import { type SpanRecord, spanIdOf, stageSpanId } from '../../shared/traceparent.js';
import { Unavailable } from '../event-log/effect.js';
import { EventBus } from '../event-log/event-bus.js';
import {
  appendAll,
  counted,
  disordered,
  effectsOf,
  MODULE,
  makeEffectTables,
  openHouse,
  QUICK,
  quiet,
  recorder,
  Streams,
  type TestHouse,
} from '../event-log/event-log.test-support.js';
import { leftMs, withBudget, withTraces } from './call-budget.js';
import { RemoteClient } from './remote-client.js';
import { RemoteServer } from './remote-server.js';

const SECRET = 'a secret of 32 characters or more';

abstract class CountingApi {
  abstract add(input: { by: number }): Promise<number>;
  abstract reset(): Promise<void>;
  abstract budget(): Promise<number>;
}
const countingContract = {
  add: { input: z.object({ by: z.int() }), output: z.int() },
  reset: { input: z.void(), output: z.void() },
  budget: { input: z.void(), output: z.number() },
};

class Counting extends CountingApi {
  error: Error | null = null;
  calls = 0;
  private count = 0;

  async add({ by }: { by: number }): Promise<number> {
    this.calls += 1;
    if (this.error) throw this.error;
    this.count += by;
    return this.count;
  }

  async reset(): Promise<void> {
    this.count = 0;
  }

  async budget(): Promise<number> {
    return leftMs();
  }
}

let server: RemoteServer;
let counting: Counting;
let origin: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  counting = new Counting();
  server = new RemoteServer(SECRET, quiet);
  server.expose<CountingApi>('counting', counting, countingContract);
  origin = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`;
  closing.push(() => server.close());
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function client(options: { origin?: string; secret?: string; callTimeoutMs?: number; maxQueued?: number } = {}) {
  const own = new RemoteClient({ origin, secret: SECRET, ...options });
  closing.push(() => own.close());
  return own.contract(CountingApi, 'counting', countingContract);
}

async function listening(own: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  own.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => own.close(resolve));
  });
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
}

describe('a contract that is served by another process', () => {
  it('is an instance of its class, and answers as it would here', async () => {
    const remote = client();
    expect(remote).toBeInstanceOf(CountingApi);
    expect(await remote.add({ by: 2 })).toBe(2);
    expect(await remote.reset()).toBeUndefined();
    expect(await remote.add({ by: 3 })).toBe(3);
  });

  it('fails with the same failure, its name and fields', async () => {
    const options = { field: 'by', detail: 'is odd', retryAfterSeconds: 7, errors: [{ field: 'by', message: 'odd' }] };
    counting.error = new Failure('invalid_parameter', options);
    const error = await client()
      .add({ by: 1 })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ failure: 'invalid_parameter', options, code: 20001, message: 'is odd' });
    expect(counting.calls).toBe(1);
  });

  it.each([
    ['a database that is gone', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })],
    ['a dependency that is gone', new Unavailable('gone')],
  ])('answers %s as unavailable', async (_, error) => {
    counting.error = error;
    await expect(client().add({ by: 1 })).rejects.toMatchObject({ failure: 'unavailable' });
  });

  it('tells nothing of a bug but that there is one, and it is no Failure', async () => {
    counting.error = new Error('the password is secret01');
    const error = await client()
      .add({ by: 1 })
      .catch((thrown: Error) => thrown);
    expect(error).not.toBeInstanceOf(Failure);
    expect(String(error)).toBe('Error: /counting/add failed where it is served, with 500');
  });

  it('refuses arguments that the contract does not know', async () => {
    await expect(client().add({ by: 'x' as never })).rejects.toThrow('with 400');
    expect(counting.calls).toBe(0);
  });

  it('has a span in each trace that it is called for, and none otherwise', async () => {
    const spans: SpanRecord[] = [];
    const traced = new RemoteServer(SECRET, quiet, { isOn: true, record: (...more) => void spans.push(...more) });
    traced.expose<CountingApi>('counting', counting, countingContract);
    const port = await traced.listen(0, '127.0.0.1');
    closing.push(() => traced.close());
    const remote = client({ origin: `http://127.0.0.1:${port}` });
    const [first, second, unsampled] = ['a1', 'b1', 'c0'].map(
      (end) => `00-${end[0]!.repeat(32)}-00f067aa0ba902b7-0${end[1]}`,
    ) as [string, string, string];
    await remote.add({ by: 1 });
    await withTraces([], () => remote.add({ by: 1 }));
    expect(spans).toEqual([]);
    await withTraces([first, 'nonsense', second, unsampled], () => remote.add({ by: 1 }));
    expect(spans).toMatchObject(
      [first, second].map((traceparent) => ({
        name: 'counting.add',
        kind: 'server',
        traceId: traceparent.slice(3, 35),
        spanId: stageSpanId(traceparent, 'serve'),
        parentSpanId: spanIdOf(traceparent),
        error: null,
      })),
    );
    counting.error = new Error('broken');
    await expect(withBudget(1_000, () => remote.add({ by: 1 }), [first])).rejects.toThrow('500');
    expect(spans.at(-1)).toMatchObject({ name: 'counting.add', error: 'Error' });
  });

  it('is unavailable to who does not know the secret, and where it is not served', async () => {
    await expect(client({ secret: 'another' }).add({ by: 1 })).rejects.toMatchObject({ failure: 'unavailable' });
    const own = new RemoteClient({ origin, secret: SECRET });
    closing.push(() => own.close());
    const unknown = own.contract(CountingApi, 'unknown', countingContract);
    await expect(unknown.add({ by: 1 })).rejects.toMatchObject({ failure: 'unavailable' });
    expect(counting.calls).toBe(0);
  });

  it('is unavailable within its time where nobody listens, and where nobody answers', async () => {
    const silent = await listening(createTcpServer());
    for (const nowhere of ['http://127.0.0.1:1', silent]) {
      const remote = client({ origin: nowhere, callTimeoutMs: 200 });
      await expect(remote.add({ by: 1 })).rejects.toMatchObject({ failure: 'unavailable' });
    }
  });

  it('is asked again where the answer was lost', async () => {
    let losses = 2;
    const port = Number(new URL(origin).port);
    const proxy = createTcpServer((socket) => {
      if (losses-- > 0) return socket.once('data', () => socket.destroy());
      const upstream = connect(port, '127.0.0.1');
      for (const end of [socket, upstream]) end.on('error', () => undefined);
      return socket.pipe(upstream).pipe(socket);
    });
    expect(await client({ origin: await listening(proxy) }).add({ by: 5 })).toBe(5);
  });

  it('has no more time there than its caller has left, and is not begun without any', async () => {
    const remote = client();
    expect(await withBudget(1_000, () => remote.budget())).toBeLessThanOrEqual(1_000);
    expect(await withBudget(60_000, () => withBudget(500, () => remote.budget()))).toBeLessThanOrEqual(500);
    await expect(withBudget(0, () => remote.add({ by: 1 }))).rejects.toMatchObject({ failure: 'unavailable' });
    expect(counting.calls).toBe(0);
  });

  it('is refused at once where too many calls wait already', async () => {
    const silent = await listening(createTcpServer());
    const own = new RemoteClient({
      origin: silent,
      secret: SECRET,
      connections: 1,
      maxQueued: 1,
      callTimeoutMs: 5_000,
    });
    closing.push(() => own.close());
    const remote = own.contract(CountingApi, 'counting', countingContract);
    const waiting = [remote.add({ by: 1 }), remote.add({ by: 1 })].map((call) => call.catch(() => undefined));
    await expect(remote.add({ by: 1 })).rejects.toThrow('too many calls wait for it');
    await own.close();
    await Promise.all(waiting);
  });

  it('is not confused by an answer of something else', async () => {
    const other = createServer((_, response) => response.writeHead(200).end('<html>'));
    const remote = client({ origin: await listening(other), callTimeoutMs: 300 });
    await expect(remote.add({ by: 1 })).rejects.toMatchObject({ failure: 'unavailable' });
  });
});

describe('an event log that is kept by another process', () => {
  let database: TestDatabase;
  let house: TestHouse;

  beforeAll(async () => {
    database = await startTestDatabase(['messaging']);
    await makeEffectTables(database.url);
    house = openHouse(database.url);
  });

  afterAll(async () => {
    await house?.db.close();
    await database?.stop();
  });

  function remoteLog() {
    server.exposeLog(house.log);
    const own = new RemoteClient({ origin, secret: SECRET });
    closing.push(() => own.close());
    return own.log(MODULE);
  }

  it('reads the same', async () => {
    const log = remoteLog();
    await appendAll(house, new Streams(3).next(12));
    const local = await house.log.read(0, 10);
    const remote = await log.read(0, 10);
    expect(remote).toEqual(local);
    expect(Object.isFrozen(remote[0]) && Object.isFrozen(remote[0]!.data)).toBe(true);
    expect(await log.readAt([2, 5])).toEqual(await house.log.readAt([2, 5]));
    expect(await log.head()).toBe(await house.log.head());
    expect(await log.around(4)).toEqual(await house.log.around(4));
    expect(await log.read(await log.head())).toEqual([]);
  });

  it('feeds a durable consumer in order and once, across a time without a connection', async () => {
    const log = remoteLog();
    const bus = new EventBus(quiet, { ...QUICK, pollMs: 600_000 });
    bus.publish(log);
    const id = `${MODULE}.from-elsewhere`;
    bus.consume(house.store, recorder(id, { types: [counted.type] }));
    await bus.startConsumers();
    closing.push(() => bus.stop());
    const before = await house.log.head();
    await appendAll(house, new Streams(4).next(40));
    // Nobody looks by himself in this test: what arrives was woken by the long poll.
    await eventually(async () => (await effectsOf(house.db, id)).length === before + 40);
    const { port } = new URL(origin);
    await server.close();
    await appendAll(house, new Streams(4).next(40));
    server = new RemoteServer(SECRET, quiet);
    server.exposeLog(house.log);
    await server.listen(Number(port), '127.0.0.1');
    await eventually(async () => (await effectsOf(house.db, id)).length === before + 80);
    expect(disordered(await effectsOf(house.db, id))).toEqual([]);
  });
});
