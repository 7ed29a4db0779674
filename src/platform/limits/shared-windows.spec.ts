import { Redis } from 'ioredis';
import { eventually } from '../../../test/support/eventually.js';
import { hasRedisServer, RedisServer } from '../queues/redis-server.test-support.js';
import type { Limit } from './limiter.js';
import { SharedWindows } from './shared-windows.js';
import { SlidingWindows } from './sliding-windows.js';

const SECOND: Limit = { windowMs: 1_000, buckets: 100, max: 1_000_000 };
const MINUTE: Limit = { windowMs: 60_000, buckets: 120, max: 100 };
const LIMITS = [SECOND, MINUTE];

const describeWithRedis = hasRedisServer() ? describe : describe.skip;

describeWithRedis('windows shared through Redis', () => {
  let redis: RedisServer;
  const open: SharedWindows[] = [];
  const lines: string[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterEach(() => {
    for (const windows of open.splice(0)) windows.close();
  });

  afterAll(() => redis?.stop());

  /** The limiter of one process, once Redis counts for it; patient, as the machine may be busy. */
  async function processOf(patienceMs = 10_000): Promise<SharedWindows> {
    const log = (_: object, message: string) => void lines.push(message);
    const windows = new SharedWindows(
      redis.url,
      new SlidingWindows(() => performance.now()),
      { info: log, warn: log },
      patienceMs,
    );
    open.push(windows);
    await eventually(() => windows.figures.shared);
    return windows;
  }

  it('grant the limit once, however many processes ask', async () => {
    const processes = [await processOf(), await processOf()];
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, index) => processes[index % 2]!.take('once', LIMITS, 1)),
    );
    expect(answers.filter(({ granted }) => granted)).toHaveLength(100);
    const refused = await processes[0]!.take('once', LIMITS, 1);
    expect(refused).toMatchObject({ granted: false, limit: 100, remaining: 0 });
    expect(refused.resetMs).toBeGreaterThan(50_000);
    expect(refused.resetMs).toBeLessThanOrEqual(60_500);
    expect(await processes[1]!.take('other', LIMITS, 3)).toMatchObject({ granted: true, remaining: 97 });
  });

  it('gather what comes close together in few calls', async () => {
    const windows = await processOf();
    const limits = [SECOND, { ...MINUTE, max: 1_000_000 }];
    const before = windows.figures.calls;
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => windows.take(`gathered-${n % 3}`, limits, 1)));
    expect(windows.figures.calls - before).toBeLessThanOrEqual(2);
    expect(await windows.take('gathered-0', limits, 1)).toMatchObject({ granted: true, remaining: 1_000_000 - 668 });
  });

  it('slide: what is over a second old is free again, and nothing sooner', async () => {
    const windows = await processOf();
    const limits = [{ windowMs: 1_000, buckets: 100, max: 10 }];
    const granted: number[] = [];
    const endsMs = performance.now() + 2_500;
    while (performance.now() < endsMs) {
      const before = performance.now();
      if ((await windows.take('sliding', limits, 1)).granted) granted.push(before);
    }
    expect(granted.length).toBeGreaterThan(10);
    // Redis decides between the question and its answer, so a gap may seem shorter by the time that the first took.
    granted.slice(10).forEach((at, index) => {
      expect(at - granted[index]!).toBeGreaterThan(950);
    });
  });

  it('leave no key behind', async () => {
    const windows = await processOf();
    await windows.take('expiring', LIMITS, 1);
    const client = new Redis(redis.url);
    try {
      const ttl = await client.pttl('trunkline:limit:expiring');
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(60_500);
    } finally {
      client.disconnect();
    }
  });

  it('are each process’s own while Redis is gone, with what it had taken, and shared again when it is back', async () => {
    const windows = await processOf();
    await windows.take('lost', LIMITS, 60);
    const asked = Array.from({ length: 50 }, () => windows.take('lost', LIMITS, 1));
    await redis.kill();
    const answers = await Promise.all(asked);
    expect(answers).toHaveLength(50);
    await eventually(() => !windows.figures.shared);
    const own = Array.from({ length: 50 }, () => windows.take('lost', LIMITS, 1));
    for (const answer of own) expect(answer).not.toBeInstanceOf(Promise);
    expect((await windows.take('lost', LIMITS, 1)).granted).toBe(false);
    expect(lines).toContain('each process counts the limits by itself: Redis does not answer');
    await redis.resume();
    await eventually(() => windows.figures.shared);
    expect(lines.at(-1)).toBe('the limits are counted in Redis, for all processes');
    expect(windows.figures.lost).toBe(1);
  });

  it('do not wait for a Redis that has stopped answering', async () => {
    const windows = await processOf(50);
    const client = new Redis(redis.url);
    try {
      await client.call('client', 'pause', '60000', 'ALL');
      expect(await windows.take('paused', LIMITS, 1)).toMatchObject({ granted: true, remaining: 99 });
      expect(windows.figures.shared).toBe(false);
    } finally {
      client.disconnect();
      await redis.kill();
      await redis.resume();
    }
  });
});
