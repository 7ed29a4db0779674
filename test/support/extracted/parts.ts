import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Edge } from '../../../src/app/http/edge.js';
import { MODULES, type ModuleName, type Settings } from '../../../src/platform/settings/settings.js';
import type { Logger } from '../../../src/platform/tokens.js';
import { OPERATOR_TOKEN } from '../product.js';

/** What both processes know of each other. */
export const SECRET = 'the secret that both processes know';
/** A database that nobody has: what a process is not to reach. */
const NOWHERE = 'postgres://nobody@127.0.0.1:1/none';

/** What the test tells a process that it starts, as JSON in its first argument. */
export interface PartInput {
  readonly databaseUrl: string;
  /** Where it serves contracts to the other process. */
  readonly servePort: number;
  readonly httpPort: number;
  /** Where the other process serves. */
  readonly otherOrigin: string;
  /** Where its traces go; none are made without it. */
  readonly otlpEndpoint?: string;
}

const TRACED = { sampler: 'parentbased_always_off', ratio: 0, serviceName: 'trunkline' } as const;

export function partInput(): PartInput {
  return JSON.parse(process.argv[2] ?? '') as PartInput;
}

/** Settings of a process that keeps some of the modules and can reach the databases of no others. */
export function partSettings(input: PartInput, own: readonly ModuleName[]): Settings {
  const urls = MODULES.map((name) => [name, own.includes(name) ? input.databaseUrl : NOWHERE]);
  return {
    port: input.httpPort,
    host: '127.0.0.1',
    publicUrl: undefined,
    dataDir: '.data',
    databaseUrls: Object.fromEntries(urls) as Settings['databaseUrls'],
    redisUrl: undefined,
    operatorToken: OPERATOR_TOKEN,
    secretsKey: 'a key for the tests of 32 characters or more',
    webhookAllowedCidrs: ['127.0.0.0/8'],
    trustedProxies: [],
    roles: ['api', 'worker'],
    logLevel: 'warn',
    tracing: input.otlpEndpoint ? { ...TRACED, endpoint: input.otlpEndpoint } : null,
    dev: false,
    isAlone: false,
  };
}

/** Listens, and says so as the product does. */
export async function listen(app: NestFastifyApplication, settings: Settings, logger: Logger): Promise<void> {
  app.get(Edge).attach(app);
  await app.init();
  await app.listen(settings.port, settings.host);
  logger.warn({ url: await app.getUrl() }, 'ready');
}
