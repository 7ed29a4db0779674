import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { SecretBox } from '../../src/platform/crypto/secret-box.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { PublicUrl } from '../../src/platform/http/public-url.js';
import { OutboundHttpClient } from '../../src/platform/http-client/outbound-http-client.js';
import { MODULES, type Settings } from '../../src/platform/settings/settings.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import { Logger, SETTINGS } from '../../src/platform/tokens.js';

export const TEST_OPERATOR_TOKEN = 'operator-token-of-the-tests';
const TEST_SECRETS_KEY = 'a key for the tests of 32 characters or more';

export interface RunningModules {
  readonly module: TestingModule;
  readonly bus: EventBus;
  /** Lets go of everything: consumers, tails, connections. */
  close(): Promise<void>;
}

@Global()
@Module({})
class Surroundings {}

/** A client that may reach nothing but the public internet, which tests do not. */
function noHttp(): OutboundHttpClient {
  return new OutboundHttpClient({
    allowedCidrs: [],
    timeoutMs: 1000,
    maxResponseBytes: 1024,
    maxHeaderBytes: 8192,
    connectionsPerOrigin: 1,
    userAgent: 'tests',
  });
}

/** Settings of a process whose modules all live in one database. */
export function testSettings(databaseUrl: string): Settings {
  return {
    port: 0,
    host: '127.0.0.1',
    publicUrl: undefined,
    dataDir: '.data',
    databaseUrls: Object.fromEntries(MODULES.map((name) => [name, databaseUrl])) as Settings['databaseUrls'],
    redisUrl: undefined,
    operatorToken: TEST_OPERATOR_TOKEN,
    secretsKey: TEST_SECRETS_KEY,
    webhookAllowedCidrs: [],
    trustedProxies: [],
    roles: ['api', 'worker'],
    logLevel: 'silent',
    tracing: null,
    dev: false,
    isAlone: false,
  };
}

/** What the platform gives to every module, without a log to look at. */
export function surroundings(settings: Settings, http: () => OutboundHttpClient = noHttp): DynamicModule {
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const providers = [
    { provide: SETTINGS, useValue: settings },
    { provide: Logger, useValue: logger },
    { provide: SecretBox, useValue: new SecretBox(settings.secretsKey) },
    { provide: EventBus, useFactory: () => new EventBus(logger) },
    { provide: OutboundHttpClient, useFactory: http },
  ];
  return { module: Surroundings, providers, exports: providers.map(({ provide }) => provide) };
}

/** A process that listens nowhere, and so hands out no address of its own. */
@Global()
@Module({
  providers: [
    {
      provide: PublicUrl,
      useFactory: () => new PublicUrl({ publicUrl: undefined, host: '127.0.0.1', port: 0 }, () => null),
    },
  ],
  exports: [PublicUrl],
})
class Unaddressed {}

/**
 * One process of the product, with the given modules and what they need of the platform; without HTTP.
 *
 * @param options.consumers whether it runs the durable consumers; local tails run in every process
 */
export async function startModules(
  databaseUrl: string,
  modules: readonly Type[],
  options: { consumers: boolean; http?: () => OutboundHttpClient },
): Promise<RunningModules> {
  const module = await Test.createTestingModule({
    imports: [surroundings(testSettings(databaseUrl), options.http), TelemetryModule, Unaddressed, ...modules],
  }).compile();
  await module.init();
  const bus = module.get(EventBus);
  await bus.startTails();
  if (options.consumers) await bus.startConsumers();
  const close = async () => {
    await bus.stop();
    await module.close();
    await module.get(OutboundHttpClient).close();
  };
  return { module, bus, close };
}
