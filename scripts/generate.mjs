/**
 * Generates the Prisma client of every module that has a schema, without network: queries need no engine, but the
 * generator looks for one and would download it, so it is shown any program that exists.
 *
 * Runs after every install, on whatever Node.js that install has. A client whose schema and generator are unchanged
 * is left alone. Where Prisma is not installed (a production install) there is nothing to do.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const CONCURRENCY = 2;
const TIMEOUT_MS = 120_000;

const run = promisify(execFile);

/** Where Prisma's command line is, and which version; undefined when it is not installed. */
function findPrisma() {
  try {
    const path = createRequire(import.meta.url).resolve('prisma/package.json');
    const { bin, version } = JSON.parse(readFileSync(path, 'utf8'));
    return { cli: join(dirname(path), bin.prisma), version };
  } catch {
    return undefined;
  }
}

function findModules() {
  const folder = join(ROOT, 'prisma');
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names
    .map((name) => ({
      name,
      schema: join(folder, name, 'schema.prisma'),
      output: join(ROOT, 'src', 'modules', name, 'infrastructure', 'generated'),
    }))
    .filter(({ schema }) => existsSync(schema));
}

/** What a generated client was made from; written beside it once it is whole. */
function stampOf({ schema }, prisma) {
  return createHash('sha256').update(prisma.version).update(readFileSync(schema)).digest('hex');
}

function isFresh(module, prisma) {
  const stamp = join(module.output, '.stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(module, prisma);
}

async function generate(module, prisma) {
  const stamp = stampOf(module, prisma);
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
  };
  try {
    const args = [prisma.cli, 'generate', '--schema', module.schema, '--no-hints'];
    await run(process.execPath, args, { cwd: ROOT, env, timeout: TIMEOUT_MS });
  } catch (error) {
    throw new Error(`${module.schema}: ${(error.stderr || error.stdout || error.message).trim()}`);
  }
  writeFileSync(join(module.output, '.stamp'), stamp);
}

async function main() {
  const modules = findModules();
  const prisma = findPrisma();
  if (!prisma) {
    const missing = modules.filter(({ output }) => !existsSync(output)).map(({ name }) => name);
    if (missing.length > 0) console.log(`Prisma is not installed; no client for ${missing.join(', ')}`);
    return;
  }
  const stale = modules.filter((module) => !isFresh(module, prisma));
  const waiting = [...stale];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await generate(next, prisma);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const names = stale.map(({ name }) => name).join(', ');
  console.log(names ? `Prisma clients generated: ${names}` : `Prisma clients are up to date (${modules.length})`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
