import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { send } from '../support/api.js';
import { fillWithDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { expectKept } from '../support/lives.js';
import { processesUsing } from '../support/processes.js';
import { type DataDir, makeDataDir, readyUrl, spawnProduct, startProduct } from '../support/product.js';

const TEST_MS = 180_000;

let dir: DataDir;

beforeEach(async () => {
  dir = await makeDataDir();
});

afterEach(() => dir.remove());

/** Starts the product and presses Ctrl-C at a point of its start: it ends in good order, and leaves nothing running. */
async function interrupt(reached: (output: string) => boolean): Promise<void> {
  const { child, output, exited } = spawnProduct({ dataDir: dir.path, ownGroup: true });
  try {
    await eventually(() => reached(output()), { timeoutMs: 60_000, everyMs: 1, what: output });
  } finally {
    process.kill(-child.pid!, 'SIGINT');
  }
  expect([await exited, output()]).toEqual([0, expect.any(String)]);
  expect(output()).not.toContain('    at ');
  expect(await processesUsing(dir.path)).toEqual([]);
}

async function expectRecovery(reached: (output: string) => boolean): Promise<void> {
  await interrupt(reached);
  const product = await startProduct({ dataDir: dir.path });
  try {
    const { sid } = await send(product.url, { To: '+15555550140', Body: 'at last' });
    await expectKept(product, [sid], ['delivered']);
  } finally {
    expect(await product.stop()).toBe(0);
  }
}

const hasStage = () => readdirSync(dir.path).some((name) => name.startsWith('postgres.new-'));
const hasPostmaster = () => existsSync(join(dir.path, 'postgres', 'data', 'postmaster.pid'));

describe('Ctrl-C during the first start', () => {
  it.each<[string, (output: string) => boolean]>([
    ['when the data directory is taken', () => existsSync(join(dir.path, 'lock'))],
    ['while the database is made', hasStage],
  ])('%s: nothing is left, and the next start works', (_when, reached) => expectRecovery(reached), TEST_MS);

  it.each<[string, (output: string) => boolean]>([
    ['when PostgreSQL starts', hasPostmaster],
    ['while the schemas are made', (output) => output.includes('applied migration')],
    ['at the last migration', (output) => output.includes('notifications: applied')],
    ['as soon as it is ready', (output) => readyUrl(output) !== null],
  ])(
    '%s: nothing is left, and the next start works',
    async (_when, reached) => {
      await fillWithDatabase(dir.path, []);
      await expectRecovery(reached);
    },
    TEST_MS,
  );
});
