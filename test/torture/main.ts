import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasRedisServer } from '../../src/platform/queues/redis-server.test-support.js';
import { Disk } from './disk.js';
import { type Options, readOptions, USAGE } from './options.js';
import { show } from './report.js';
import { Run } from './run.js';
import { Stage } from './stage.js';

/** `npm run torture`: load, kills at random instants, an audit. Exit code 1 where anything does not hold. */

// A connection that a fault left behind must not keep the command, its report given and its processes ended.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  if (spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' }).status !== 0) return 2;
  const dir = options.dir === null ? mkdtempSync(join(tmpdir(), 'trunkline-torture-')) : resolve(options.dir);
  for (const name of ['logs', 'carriers']) mkdirSync(join(dir, name), { recursive: true });
  return torture(options, dir);
}

async function torture(options: Options, dir: string): Promise<number> {
  const disk = await Disk.make(join(dir, 'data'));
  const withRedis = hasRedisServer();
  const leftOut = [
    ...(withRedis ? [] : ['Redis: no redis-server is installed']),
    ...(disk.canBeFull ? [] : [`a full disk: ${disk.whyNot}`]),
    ...options.without,
  ];
  const logFile = join(dir, 'logs', 'torture.log');
  const log = (line: string) => appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
  const say = (line: string) => {
    console.log(line);
    log(line);
  };
  say(`seed ${options.seed}; logs in ${join(dir, 'logs')}`);
  const stage = await Stage.set(dir, disk, withRedis, log);
  const stopOnSignal = () => {
    say('stopping');
    void stage.stop().finally(() => process.exit(130));
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stopOnSignal);
  let isSound = false;
  try {
    const report = await new Run({ ...options, stage, leftOut, say, log }).run();
    isSound = report.ok;
    say(show(report));
    if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    say(`the run could not be finished: ${(error as Error).stack}`);
  } finally {
    await stage.stop();
  }
  if (!isSound) say(`not sound: seed ${options.seed}; data and logs are left in ${dir}`);
  if (isSound && options.dir === null) {
    await disk.remove();
    await rm(dir, { recursive: true, force: true });
  }
  return isSound ? 0 : 1;
}
