/**
 * Runs every test: builds what the end-to-end suites start, says aloud which suites must be left out on this machine and
 * why, then runs Jest. Arguments go to Jest. The last line counts the tests.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What some suites need besides Node: without it they are left out, and that is said. */
const SERVERS = [
  { name: 'redis-server', suites: 'queues and limits on Redis', has: () => onPath('redis-server') },
  {
    name: "drive_smpp (Debian's kannel-extras)",
    suites: 'SMPP against an SMSC that is not ours',
    has: () => existsSync('/usr/lib/kannel/test/drive_smpp'),
  },
];

function onPath(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function sayWhatIsLeftOut() {
  for (const { name, suites, has } of SERVERS) {
    if (!has()) console.log(`left out: ${suites}, because ${name} is not installed`);
  }
}

function build() {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { stdio: 'inherit', cwd: ROOT });
  if (status !== 0) process.exit(status ?? 1);
}

function runJest(resultFile, templates) {
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--experimental-vm-modules', '--no-warnings', jest, '--json', `--outputFile=${resultFile}`];
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], {
    stdio: ['inherit', 'ignore', 'inherit'],
    cwd: ROOT,
    env: { ...process.env, TRUNKLINE_TEST_TEMPLATES: templates },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}

sayWhatIsLeftOut();
build();
const dir = mkdtempSync(join(tmpdir(), 'trunkline-jest-'));
const resultFile = join(dir, 'results.json');
const code = await runJest(resultFile, join(dir, 'templates'));
let failed = code !== 0;
if (existsSync(resultFile)) {
  const results = JSON.parse(readFileSync(resultFile, 'utf8'));
  const broken = results.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  );
  failed ||= broken.length > 0 || results.numTotalTests === 0;
  const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
  console.log(`${results.numPassedTests} passed, ${results.numFailedTests + broken.length} failed${skipped}`);
}
rmSync(dir, { recursive: true, force: true });
process.exit(failed ? code || 1 : 0);
