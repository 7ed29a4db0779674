import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SEED = 7;
const KILLS = 6;
const MESSAGES = 600;
const TEST_MS = 600_000;

describe('the torture, in short', () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'trunkline-torture-spec-'));
  });

  afterAll(() => rm(dir, { recursive: true, force: true }));

  it(
    'kills processes under load, and finds nothing lost, charged wrongly, sent twice or untold',
    async () => {
      const json = join(dir, 'report.json');
      const { code, output } = await torture(
        ...['--seed', String(SEED), '--kills', String(KILLS), '--messages', String(MESSAGES)],
        ...['--rounds', '1', '--without', 'webhooks', '--json', json],
      );
      expect([code, output]).toEqual([0, output]);
      const report = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>;
      expect(report).toMatchObject({ ok: true, seed: SEED, lost: 0, chargedWrongly: 0, givenTwice: 0 });
      expect(report).toMatchObject({ callbacksMissing: 0, callbacksOutOfOrder: 0, otherViolations: 0 });
      expect(report.killsTotal).toBeGreaterThanOrEqual(KILLS);
      // Some are refused for want of money, which is no loss.
      expect(report.messages).toBeGreaterThan(MESSAGES * 0.8);
      expect(report.callbacksReceived).toBeGreaterThan(MESSAGES / 2);
    },
    TEST_MS,
  );

  it('says what it cannot understand', async () => {
    const { code, output } = await torture('--kills', 'many');
    expect(code).toBe(2);
    expect(output).toContain('--kills must be a whole number, not "many"');
  });
});

async function torture(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const entry = ['--import', './scripts/lib/typescript.mjs', 'test/torture/main.ts'];
  const child = spawn(process.execPath, [...entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
