import type { FactoryProvider } from '@nestjs/common';
import type { Settings } from '../settings/settings.js';
import { Logger, SETTINGS } from '../tokens.js';
import { Queues } from './queues.js';

/** One Queues for the process, beside the tables of the module that uses it most. */
export const queuesProvider: FactoryProvider<Queues> = {
  provide: Queues,
  inject: [SETTINGS, Logger],
  useFactory: (settings: Settings, log: Logger) =>
    new Queues({ connectionString: settings.databaseUrls.notifications, redisUrl: settings.redisUrl, log }),
};
