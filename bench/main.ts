/**
 * The benchmark: `npm run bench`, see bench/README.md. Every scenario starts what it needs, measures it together with its
 * baseline, and takes it down again.
 */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './lib/build.js';
import { Cleanup } from './lib/cleanup.js';
import { describeMachine } from './lib/machine.js';
import { hasRedis, startRedis } from './lib/redis.js';
import { lineOf, type Report, renderTable, type ScenarioReport } from './lib/report.js';
import { LeftOut, type Scenario } from './lib/scenario.js';
import { leaveTracesOut } from './lib/trace-sink.js';
import { SCENARIOS, WITH_REDIS } from './scenarios/index.js';

const HISTORY = join(import.meta.dirname, 'history');
const EXIT_ON_SIGNAL = 130;
const USAGE = `npm run bench -- [--quick] [--only a,b] [--redis | --no-redis] [--no-traces] [--json FILE] [--no-history] [--profile DIR]

  --quick       shorter: fewer rounds, smaller amounts
  --only a,b    these scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --redis       all of them with the queues in Redis
  --no-redis    none of them; by default those that queues could matter to run in both modes
  --no-traces   without traces; by default one in a hundred is made and sent to a sink
  --json FILE   the whole report
  --profile DIR profiles the product's CPU (it is then slower); one file per process
  --no-history  adds no line to bench/history`;

type Mode = ScenarioReport['mode'];
interface Step {
  readonly scenario: Scenario;
  readonly mode: Mode;
}

interface Options {
  readonly quick: boolean;
  readonly profileDir: string | null;
  readonly steps: readonly Step[];
  readonly json: string | undefined;
  readonly history: boolean;
}

let current = new Cleanup();

/** Null where only help is wanted. */
function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      redis: { type: 'boolean' },
      json: { type: 'string' },
      history: { type: 'boolean', default: true },
      traces: { type: 'boolean', default: true },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) return null;
  if (!values.traces) leaveTracesOut();
  const names = values.only?.split(',').map((name) => name.trim());
  for (const name of names ?? []) {
    if (!SCENARIOS.some((scenario) => scenario.name === name)) throw new Error(`there is no scenario ${name}`);
  }
  const scenarios = SCENARIOS.filter(({ name }) => names?.includes(name) ?? true);
  const steps = scenarios.flatMap((scenario) => modesOf(scenario, values.redis).map((mode) => ({ scenario, mode })));
  const profileDir = values.profile === undefined ? null : resolve(values.profile);
  return { quick: values.quick, profileDir, steps, json: values.json, history: values.history };
}

function modesOf(scenario: Scenario, redis: boolean | undefined): Mode[] {
  if (redis !== undefined) return [redis ? 'redis' : 'postgresql'];
  return hasRedis() && WITH_REDIS.includes(scenario.name) ? ['postgresql', 'redis'] : ['postgresql'];
}

function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
}

async function runStep({ scenario, mode }: Step, { quick, profileDir }: Options): Promise<ScenarioReport> {
  const name = mode === 'redis' ? `${scenario.name} (Redis)` : scenario.name;
  progress(`${name}: ${scenario.what}`);
  const startedMs = performance.now();
  const [lines, notes]: [ScenarioReport['lines'][number][], string[]] = [[], []];
  let [leftOut, failure]: [string | null, string | null] = [null, null];
  current = new Cleanup();
  try {
    const redisUrl = mode === 'redis' ? await startRedis(current) : null;
    const tell = (text: string) => progress(`${name}: ${text}`);
    const outcome = await scenario.run({ quick, redisUrl, profileDir, cleanup: current, progress: tell });
    lines.push(...outcome.measures.map(lineOf));
    notes.push(...outcome.notes);
  } catch (error) {
    if (error instanceof LeftOut) leftOut = error.message;
    else failure = (error as Error).stack ?? String(error);
    progress(`${name}: ${leftOut === null ? failure : `left out: ${leftOut}`}`);
  } finally {
    await current.run();
  }
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  return { scenario: scenario.name, mode, seconds, lines, notes, leftOut, failure };
}

/** One line per run, so that a regression shows; a file per kind of machine. */
async function remember(report: Report): Promise<void> {
  await mkdir(HISTORY, { recursive: true });
  const { cores, cpu } = report.machine;
  const machine = `${cores}x-${cpu}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  await appendFile(join(HISTORY, `${machine}.jsonl`), `${JSON.stringify(report)}\n`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    console.log(USAGE);
    return;
  }
  const { quick, steps, json, history } = options;
  const startedMs = performance.now();
  const machine = await describeMachine();
  progress('building the product');
  await build();
  const scenarios: ScenarioReport[] = [];
  for (const step of steps) scenarios.push(await runStep(step, options));
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const report: Report = { at: new Date().toISOString(), quick, machine, seconds, scenarios };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  if (history) await remember(report);
  console.log(`\n${renderTable(report)}`);
  if (scenarios.some(({ failure }) => failure !== null)) process.exitCode = 1;
}

/** Takes everything down, then ends: for signals, and for what no scenario caught. */
function abort(reason: string, code: number): void {
  progress(reason);
  void current.run().finally(() => process.exit(code));
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => abort('stopping what was started', EXIT_ON_SIGNAL));
}
process.on('uncaughtException', (error) => abort(error.stack ?? String(error), 1));

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 1;
}
