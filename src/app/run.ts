import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Environment, readEnvironment, SettingsError } from '../platform/settings/settings.js';
import { PinoLogger } from '../platform/telemetry/logger.js';
import type { Prepared } from './prepare.js';

/** A shutdown that hangs is ended after this: what it leaves behind is found at the next start. */
const STOP_TIMEOUT_MS = 30_000;
/** One Ctrl-C may come twice: from the terminal, and handed on by npm. */
const SAME_SIGNAL_MS = 1_000;
/** As shells have it: ended by SIGINT. */
const ENDED_BY_SIGINT = 130;

/**
 * The process from its start to its end: settings, what it stands on, the application, and all of it down again, in
 * order, on SIGINT or SIGTERM; a second one, later, ends it at once with exit code 130, and the next start recovers. Ends
 * with exit code 1 and a message in plain words where it cannot start.
 *
 * @param env the environment, see readEnvironment
 * @param args `--dev` for demo data, simulated carriers and readable logs
 */
export async function run(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const dev = args.includes('--dev');
  const stop = stopSignal();
  let environment: Environment;
  try {
    environment = readEnvironment(env);
  } catch (error) {
    return fail(error);
  }
  const logger = PinoLogger.create({ level: environment.LOG_LEVEL, dev });
  let prepared: Prepared | undefined;
  let app: NestFastifyApplication | undefined;
  try {
    // What cannot start says so at once: the application is loaded only then, while the database is waited for.
    const { prepare } = await import('./prepare.js');
    let loading: Promise<typeof import('./start-application.js')> | undefined;
    prepared = await prepare(environment, dev, logger, () => {
      loading = import('./start-application.js');
      loading.catch(() => undefined);
    });
    const { startApplication } = await loading!;
    if (!stop.signal.aborted) app = await startApplication(prepared, environment, dev, logger);
  } catch (error) {
    await app?.close().catch(() => undefined);
    await prepared?.release();
    // Ctrl-C reaches what is being started too, such as the program that makes the database: its end is no failure.
    if (stop.signal.aborted) return logger.info({}, 'stopped before it was ready');
    return fail(error);
  }
  await stop.requested;
  const watchdog = setTimeout(() => {
    logger.error({}, 'the shutdown took too long');
    process.exit(1);
  }, STOP_TIMEOUT_MS);
  logger.info({}, 'stopping: what is under way is finished first');
  await app?.close();
  await prepared.release();
  clearTimeout(watchdog);
  logger.info({}, 'stopped');
}

function stopSignal(): { signal: AbortSignal; requested: Promise<void> } {
  const controller = new AbortController();
  let firstAtMs: number | null = null;
  const requested = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        firstAtMs ??= performance.now();
        if (performance.now() - firstAtMs > SAME_SIGNAL_MS) endAtOnce();
        controller.abort();
        resolve();
      });
    }
  });
  return { signal: controller.signal, requested };
}

/** Nothing is put in order: it is as if the process had been killed, which the next start knows how to deal with. */
function endAtOnce(): never {
  console.error('Trunkline was ended before it had stopped: the next start recovers what it leaves behind.');
  process.exit(ENDED_BY_SIGINT);
}

function fail(error: unknown): void {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  const isOurs = error instanceof SettingsError;
  if (code === 'EADDRINUSE') console.error(`Trunkline cannot start: port ${port} is taken; set PORT to another one.`);
  else if (isOurs) console.error(`Trunkline cannot start, these settings are missing or bad:\n${message}`);
  else console.error(`Trunkline cannot start: ${message}`);
  if (process.env.LOG_LEVEL === 'debug') console.error(error);
  process.exitCode = 1;
}
