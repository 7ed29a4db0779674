import { type DynamicModule, Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { SecretBox } from '../platform/crypto/secret-box.js';
import { CONSUMER_DEFAULTS } from '../platform/event-log/consumer-runner.js';
import { EventBus } from '../platform/event-log/event-bus.js';
import { OutboundHttpClient } from '../platform/http-client/outbound-http-client.js';
import { queuesProvider } from '../platform/queues/queues.provider.js';
import { LoopLoad } from '../platform/resilience/loop-load.js';
import type { Settings } from '../platform/settings/settings.js';
import { Logger, SETTINGS } from '../platform/tokens.js';

const WEBHOOK_TIMEOUT_MS = 15_000;
const WEBHOOK_RESPONSE_BYTES = 64 * 1024;
const WEBHOOK_HEADER_BYTES = 16 * 1024;
const WEBHOOK_CONNECTIONS_PER_ORIGIN = 32;
/** More than there are attempts under way: one more endpoint must not find all of them in use. */
const WEBHOOK_ORIGINS = 3_000;

/** How long events gather between two effects of a consumer, in a process that is never idle. */
const GATHER_MS = 50;

/** What the modules share: settings, log, bus, secrets, outgoing HTTP, queues. */
@Global()
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(private readonly http: OutboundHttpClient) {}

  static for(settings: Settings, logger: Logger): DynamicModule {
    return {
      module: PlatformModule,
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: Logger, useValue: logger },
        { provide: EventBus, useFactory: () => eventBus(logger) },
        { provide: SecretBox, useFactory: () => new SecretBox(settings.secretsKey) },
        {
          provide: OutboundHttpClient,
          useFactory: () =>
            new OutboundHttpClient({
              allowedCidrs: settings.webhookAllowedCidrs,
              timeoutMs: WEBHOOK_TIMEOUT_MS,
              maxResponseBytes: WEBHOOK_RESPONSE_BYTES,
              maxHeaderBytes: WEBHOOK_HEADER_BYTES,
              connectionsPerOrigin: WEBHOOK_CONNECTIONS_PER_ORIGIN,
              maxOrigins: WEBHOOK_ORIGINS,
              userAgent: 'Trunkline/0.1',
            }),
        },
        queuesProvider,
      ],
      exports: [SETTINGS, Logger, EventBus, SecretBox, OutboundHttpClient, queuesProvider],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.http.close();
  }
}

function eventBus(logger: Logger): EventBus {
  const load = new LoopLoad();
  return new EventBus(logger, { ...CONSUMER_DEFAULTS, gatherMs: () => load.gatherMs(GATHER_MS) });
}
