import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertNoHalfRestore } from '../platform/backup/restore.js';
import { lockDataDir } from '../platform/embedded-postgres/data-dir-lock.js';
import { startEmbeddedPostgres } from '../platform/embedded-postgres/embedded-postgres.js';
import { isTransientDatabaseError } from '../platform/postgres/database.js';
import { migrate } from '../platform/postgres/migrate.js';
import { ensurePartitions } from '../platform/postgres/partitions.js';
import {
  databaseSetting,
  databaseUrls,
  type Environment,
  MODULES,
  type Settings,
  SettingsError,
  tracingOf,
} from '../platform/settings/settings.js';
import type { Logger } from '../platform/tokens.js';
import { assertFree } from './assert-free.js';
import { makeSecrets, readSecrets, type Secrets, secretsFile } from './kept-secrets.js';

/** What the process stands on, ready, with the way to take it down again, in the reverse order. */
export interface Prepared {
  readonly settings: Settings;
  /** Ends what was started here; the application has stopped by then. */
  release(): Promise<void>;
}

const MIGRATIONS = fileURLToPath(new URL('../../prisma/', import.meta.url));
/** PostgreSQL's codes for a login that it refuses (28) and a database that is not there (3D). */
const NO_ENTRY = /^(28|3D)/;
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * Brings up what the application needs: the data directory and its lock, the embedded PostgreSQL where no database is
 * named, secrets, migrations and partitions.
 *
 * @param onWait called when what a start most often fails for is behind, and other programs are waited for
 * @throws Error in plain words when the data directory is in use or cannot be used, or the database cannot be reached;
 *   EADDRINUSE where the port is taken
 */
export async function prepare(
  environment: Environment,
  dev: boolean,
  logger: Logger,
  onWait: () => void,
): Promise<Prepared> {
  const release: (() => Promise<void>)[] = [];
  const undo = async () => {
    for (const step of release.splice(0).reverse()) await step();
  };
  try {
    const dataDir = resolve(environment.DATA_DIR);
    let common = environment.DATABASE_URL;
    if (!common || dev) {
      const lock = await lockDataDir(dataDir);
      release.push(() => lock.release());
    }
    if (!common) await assertNoHalfRestore(dataDir);
    if (environment.ROLES.includes('api')) await assertFree(environment.PORT, environment.HOST);
    onWait();
    if (!common) {
      const postgres = await startEmbeddedPostgres({ dataDir, log: plain(logger) });
      release.push(() => postgres.stop());
      common = postgres.url;
    }
    const secrets = await secretsOf(environment, dataDir, dev);
    const settings = complete(environment, common, dataDir, secrets, dev);
    await migrateAll(environment, settings, logger);
    return { settings, release: undo };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Makes the partitions that the near future needs, in the modules that are kept here. */
export async function keepPartitions(settings: Settings, here: ReadonlySet<string>): Promise<void> {
  const kept = MODULES.filter((name) => here.has(name));
  await all(kept.map((module) => ensurePartitions(settings.databaseUrls[module], module, Date.now())));
}

/** Each module has a schema of its own, so none waits for another. */
async function migrateAll(environment: Environment, settings: Settings, logger: Logger): Promise<void> {
  const migrateOne = async (module: (typeof MODULES)[number]) => {
    const dir = join(MIGRATIONS, module, 'migrations');
    try {
      await migrate({ connectionString: settings.databaseUrls[module], module, dir, log: plain(logger) });
    } catch (error) {
      throw unreachable(error, databaseSetting(environment, module)) ?? error;
    }
  };
  await all(MODULES.map(migrateOne));
  await keepPartitions(settings, new Set(MODULES));
}

/** Waits for all, then fails as the first that failed: nothing is left running in a database that is to be stopped. */
async function all(works: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** What a failed connection means, in plain words that name the setting; null where the database was reached. */
function unreachable(error: unknown, setting: string): SettingsError | null {
  const { code, message, errors = [] } = error as { code?: string; message: string; errors?: Error[] };
  if (!isTransientDatabaseError(error) && !NO_ENTRY.test(code ?? '')) return null;
  // A host with several addresses gives one error for each of them.
  const reason = message || errors.map((each) => each.message).join('; ');
  return new SettingsError(`${setting}: the database cannot be used: ${reason}`);
}

function complete(environment: Environment, common: string, dataDir: string, secrets: Secrets, dev: boolean): Settings {
  return {
    port: environment.PORT,
    host: environment.HOST,
    publicUrl: environment.PUBLIC_URL,
    dataDir,
    databaseUrls: databaseUrls(environment, common),
    redisUrl: environment.REDIS_URL,
    operatorToken: secrets.operatorToken,
    secretsKey: secrets.secretsKey,
    webhookAllowedCidrs: environment.WEBHOOK_ALLOWED_CIDRS ?? (dev ? LOOPBACK : []),
    trustedProxies: environment.TRUSTED_PROXIES ?? [],
    roles: environment.ROLES,
    logLevel: environment.LOG_LEVEL,
    tracing: tracingOf(environment),
    dev,
    isAlone:
      !environment.DATABASE_URL && MODULES.every((name) => databaseSetting(environment, name) === 'DATABASE_URL'),
  };
}

function plain(logger: Logger) {
  return {
    info: (message: string) => logger.info({}, message),
    warn: (message: string) => logger.warn({}, message),
  };
}

/** The secrets that were given; in embedded mode the others are made once and kept for their owner alone. */
async function secretsOf(environment: Environment, dataDir: string, dev: boolean): Promise<Secrets> {
  const { OPERATOR_TOKEN: operatorToken, SECRETS_KEY: secretsKey } = environment;
  if (operatorToken && secretsKey) return { operatorToken, secretsKey };
  const path = secretsFile(dataDir);
  const kept = await readSecrets(path);
  const secrets = kept ?? (await makeSecrets(path));
  // Not into the log: that is kept, and read by others. Development shows the token at every start.
  if (!kept && !operatorToken && !dev) console.error(`  operator token  ${secrets.operatorToken}  (kept in ${path})`);
  return { operatorToken: operatorToken ?? secrets.operatorToken, secretsKey: secretsKey ?? secrets.secretsKey };
}
