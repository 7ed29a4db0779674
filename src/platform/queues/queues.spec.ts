import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { Queues } from './queues.js';
import { hasRedisServer, RedisServer } from './redis-server.test-support.js';

const quiet = { info: () => undefined, warn: () => undefined };
const DEADLINE_MS = 20_000;

let postgres: TestDatabase;
let redis: RedisServer | null = null;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  postgres = await startTestDatabase([]);
  if (hasRedisServer()) redis = await RedisServer.start();
  else console.warn('redis-server is not installed: the queues are tested on PostgreSQL alone');
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(async () => {
  await redis?.stop();
  await postgres.stop();
});

async function open(kind: 'postgres' | 'redis', lines: string[] = []): Promise<Queues> {
  const queues = new Queues({
    connectionString: postgres.url,
    redisUrl: kind === 'redis' ? redis!.url : undefined,
    log: { info: () => undefined, warn: (_fields, message) => lines.push(message) },
  });
  closers.push(() => queues.close());
  await queues.prepare();
  return queues;
}

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await check())) {
    if (performance.now() > end) throw new Error('the condition did not come true in time');
    await delay(20);
  }
}

/** Cuts every connection but its own, once none of them is in the middle of a statement. */
async function cutConnections(): Promise<void> {
  const others = `pid <> pg_backend_pid() and backend_type = 'client backend'`;
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await eventually(async () => {
    const { rows } = await admin.query(`select 1 from pg_stat_activity where ${others} and state <> 'idle'`);
    return rows.length === 0;
  });
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`);
  await admin.end();
}

let names = 0;
const newName = () => `test-${++names}-${process.pid}`;

/** Starts a worker that keeps what it is given. */
function collect(queues: Queues, name: string): string[] {
  const seen: string[] = [];
  const worker = queues.worker<string>(name, async (data) => void seen.push(data), { concurrency: 4 });
  worker.start();
  return seen;
}

if (hasRedisServer())
  describe('queues on a redis that goes away', () => {
    it('refuses jobs while it is gone, and goes on when it is back', async () => {
      const queues = await open('redis');
      const queue = queues.queue<string>(newName());
      const seen = collect(queues, queue.name);
      await eventually(() => queue.add([{ id: 'a-1', data: 'before', delayMs: 0 }]));
      await eventually(() => seen.length === 1);
      await redis!.kill();
      await eventually(async () => !(await queue.add([{ id: 'a-2', data: 'during', delayMs: 0 }])));
      expect(await queue.depth()).toBeNull();
      await redis!.resume();
      await eventually(() => queue.add([{ id: 'a-3', data: 'after', delayMs: 0 }]));
      await eventually(() => seen.includes('after'));
    });

    it('may be gone at start, and closes without it', async () => {
      const gone = await RedisServer.start();
      await gone.kill();
      const queues = new Queues({ connectionString: postgres.url, redisUrl: gone.url, log: quiet });
      await queues.prepare();
      const queue = queues.queue<string>(newName());
      const seen = collect(queues, queue.name);
      expect(await queue.add([{ id: 'a-1', data: 'x', delayMs: 0 }])).toBe(false);
      await gone.resume();
      await eventually(() => queue.add([{ id: 'a-1', data: 'x', delayMs: 0 }]));
      await eventually(() => seen.length === 1);
      await gone.kill();
      await queues.close();
      await gone.stop();
    });
  });

const kinds = ['postgres', ...(hasRedisServer() ? ['redis'] : [])] as ('postgres' | 'redis')[];

describe.each(kinds)('queues on %s', (kind) => {
  it('runs each job once, under its own id, after its delay', async () => {
    const queues = await open(kind);
    const queue = queues.queue<string>(newName());
    const jobs = [
      { id: 'late-1', data: 'late', delayMs: 300 },
      { id: 'soon-1', data: 'soon', delayMs: 0 },
      { id: 'tomorrow-1', data: 'tomorrow', delayMs: 86_400_000 },
    ];
    await eventually(() => queue.add(jobs));
    expect(await queue.add(jobs)).toBe(true);
    const depth = await queue.depth();
    expect(depth!.waiting + depth!.delayed).toBe(3);
    const seen = collect(queues, queue.name);
    await eventually(() => seen.length === 2);
    expect(new Set(seen)).toEqual(new Set(['soon', 'late']));
    await eventually(async () => (await queue.depth())?.active === 0);
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 1, active: 0 });
  });

  it('keeps jobs beyond the life of who added them', async () => {
    const name = newName();
    const first = await open(kind);
    const queue = first.queue<string>(name);
    await eventually(() =>
      queue.add(Array.from({ length: 1200 }, (_, i) => ({ id: `j-${i}`, data: `${i}`, delayMs: 1 }))),
    );
    await first.close();
    expect(await queue.add([{ id: 'x-1', data: 'x', delayMs: 0 }])).toBe(false);
    const seen = collect(await open(kind), name);
    await eventually(() => seen.length === 1200);
    expect(new Set(seen).size).toBe(1200);
  });

  it('drops a job whose handler fails, says so, and goes on', async () => {
    const lines: string[] = [];
    const queues = await open(kind, lines);
    const queue = queues.queue<string>(newName());
    const seen: string[] = [];
    const handler = async (data: string) => {
      seen.push(data);
      if (data === 'bad') throw new Error('no');
    };
    queues.worker<string>(queue.name, handler, { concurrency: 1 }).start();
    await eventually(() =>
      queue.add([
        { id: 'a-1', data: 'bad', delayMs: 0 },
        { id: 'a-2', data: 'good', delayMs: 0 },
      ]),
    );
    await eventually(() => seen.length === 2);
    await eventually(async () => (await queue.depth())?.active === 0);
    expect(lines).toContain('a job failed');
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 0, active: 0 });
  });
});

describe('queues on postgres', () => {
  it('makes its schema from several processes at once, and keeps its role from changing it', async () => {
    const database = `queues_${process.pid}`;
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query(`create database ${database}`);
    await admin.end();
    const url = new URL(postgres.url);
    url.pathname = `/${database}`;
    const many = Array.from(
      { length: 4 },
      () => new Queues({ connectionString: url.href, redisUrl: undefined, log: quiet }),
    );
    await Promise.all(many.map((queues) => queues.prepare()));
    await Promise.all(many.map((queues) => queues.close()));
    const client = new pg.Client({ connectionString: url.href, options: '-c role=trunkline_queues' });
    await client.connect();
    await expect(client.query('alter table bullmq.job add column mine int')).rejects.toMatchObject({ code: '42501' });
    await expect(client.query('drop table bullmq.job')).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });

  it('goes on after its connections were cut', async () => {
    const queues = await open('postgres');
    const queue = queues.queue<string>(newName());
    const seen = collect(queues, queue.name);
    await eventually(() => queue.add([{ id: 'a-1', data: 'before', delayMs: 0 }]));
    await eventually(() => seen.length === 1);
    await cutConnections();
    await eventually(() => queue.add([{ id: 'a-2', data: 'after', delayMs: 0 }]));
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['before', 'after']);
  });

  it('refuses more workers than its connections can bear', async () => {
    const lines: string[] = [];
    const queues = await open('postgres', lines);
    for (let i = 0; i < 4; i++) collect(queues, newName());
    await eventually(() => lines.includes('a queue has no worker for the moment'));
  });

  it('says what is wrong when its schema cannot be made', async () => {
    const queues = new Queues({ connectionString: 'postgres://x@127.0.0.1:1/x', redisUrl: undefined, log: quiet });
    await expect(queues.prepare()).rejects.toThrow("the queues' schema cannot be made: connect ECONNREFUSED");
    await queues.close();
  });
});
