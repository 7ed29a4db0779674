import { eventually } from '../support/eventually.js';
import { errorsOf, expectKept, expectNothingLeft, Lives, LOST, processesOf, underLoad } from '../support/lives.js';
import { type DataDir, descendants, isAlive, makeReadyDataDir, postgresOf } from '../support/product.js';

const TEST_MS = 180_000;
const MORE = 100;

let dir: DataDir;
let lives: Lives;

beforeAll(async () => {
  dir = await makeReadyDataDir();
  lives = new Lives(dir);
});

afterEach(() => lives.tidy(), TEST_MS);

afterAll(async () => {
  await lives.end();
  await dir.remove();
}, TEST_MS);

describe('kill -9', () => {
  it(
    'of PostgreSQL alone: it comes back, and every promise is kept',
    async () => {
      const product = await lives.begin();
      const load = await underLoad(product);
      const [postmaster] = await postgresOf(dir.path);
      process.kill(postmaster!, 'SIGKILL');
      const before = load.accepted.length;
      await eventually(() => product.output().includes('PostgreSQL is back'), { timeoutMs: 60_000 });
      await eventually(() => load.accepted.length >= before + MORE, { timeoutMs: 60_000 });
      await load.stop();
      expect(errorsOf(load)).toEqual([]);
      await expectKept(product, load.accepted, ['delivered']);
      lives.leave();
    },
    TEST_MS,
  );

  it(
    'of the app alone: the next start takes over what survived, and every promise is kept',
    async () => {
      const product = await lives.begin();
      const simulator = await descendants(product.pid);
      const postgres = await postgresOf(dir.path);
      const load = await underLoad(product);
      await product.kill();
      await load.stop();
      expect(errorsOf(load)).toEqual([]);
      expect(isAlive(postgres[0]!)).toBe(true);
      await eventually(() => !simulator.filter((pid) => !postgres.includes(pid)).some(isAlive), {
        what: 'the simulated carriers end with their parent',
      });
      const next = await lives.start();
      expect(next.output()).toContain(`took over PostgreSQL (pid ${postgres[0]}`);
      await expectKept(next, load.accepted, ['delivered', LOST]);
      const pids = await processesOf(next);
      expect(await next.stop()).toBe(0);
      await expectNothingLeft(dir, [...pids, ...postgres]);
    },
    TEST_MS,
  );

  it(
    'of everything: the next start recovers by itself, and every promise is kept',
    async () => {
      const product = await lives.begin();
      const pids = await processesOf(product);
      const load = await underLoad(product);
      await product.killEverything();
      await load.stop();
      expect(errorsOf(load)).toEqual([]);
      const next = await lives.start();
      await expectKept(next, load.accepted, ['delivered', LOST]);
      expect(await next.stop()).toBe(0);
      await expectNothingLeft(dir, pids);
    },
    TEST_MS,
  );
});
