import type { FactoryProvider, OnApplicationShutdown, Provider } from '@nestjs/common';
import type { EventDefinition } from '../shared/define-event.js';
import { ConsumerStore } from './event-log/consumer-store.js';
import { EventBus } from './event-log/event-bus.js';
import { EventLog } from './event-log/event-log.js';
import { ModuleDatabase, type ModuleDatabaseOptions } from './postgres/database.js';
import type { ModuleName, Settings } from './settings/settings.js';
import { Readiness } from './telemetry/readiness.js';
import { Logger, SETTINGS } from './tokens.js';

type ConnectionBudget = Required<Pick<ModuleDatabaseOptions, `${'data' | 'control' | 'search'}Connections`>>;

interface StorageClasses<D extends ModuleDatabase> {
  readonly database: new (...args: ConstructorParameters<typeof ModuleDatabase>) => D;
  readonly log: new (...args: ConstructorParameters<typeof EventLog>) => EventLog;
  readonly consumers: new (...args: ConstructorParameters<typeof ConsumerStore>) => ConsumerStore;
}

/**
 * What one process opens at most: 39 connections, beside the six of queues on PostgreSQL and the one that hears of other
 * processes' events, so that two processes fit into the 97 that PostgreSQL gives to ordinary logins by default. Those of the data plane are for what runs at once: groups
 * of the send saga, consumers, reads of single messages.
 */
export const MODULE_CONNECTIONS: Readonly<Record<ModuleName, ConnectionBudget>> = {
  accounts: { dataConnections: 3, controlConnections: 2, searchConnections: 1 },
  billing: { dataConnections: 5, controlConnections: 2, searchConnections: 1 },
  carriers: { dataConnections: 4, controlConnections: 2, searchConnections: 1 },
  messaging: { dataConnections: 6, controlConnections: 2, searchConnections: 2 },
  notifications: { dataConnections: 5, controlConnections: 2, searchConnections: 1 },
};

/**
 * The providers of what each module keeps: its database, its event log (published on the bus) and its consumers'
 * rows. Each module names classes of its own for them, so that none can be injected into another by mistake.
 */
export function provideStorage<D extends ModuleDatabase>(
  module: ModuleName,
  classes: StorageClasses<D>,
  events: readonly EventDefinition[],
): Provider[] {
  const database: FactoryProvider = {
    provide: classes.database,
    inject: [SETTINGS, Logger, Readiness],
    useFactory: (settings: Settings, logger: Logger, readiness: Readiness) => {
      const db = new classes.database({
        module,
        connectionString: settings.databaseUrls[module],
        ...MODULE_CONNECTIONS[module],
        isOwnServer: settings.isAlone,
        onError: (error) => logger.warn({ module, err: error }, 'a database connection broke'),
      });
      readiness.register({
        name: `${module} database`,
        check: async () => {
          await db.control.query('select 1');
        },
      });
      return closing(db);
    },
  };
  const log: FactoryProvider = {
    provide: classes.log,
    inject: [classes.database, EventBus],
    useFactory: (db: D, bus: EventBus) => {
      const own = new classes.log(db, events);
      bus.publish(own);
      return own;
    },
  };
  const consumers: FactoryProvider = {
    provide: classes.consumers,
    inject: [classes.database],
    useFactory: (db: D) => new classes.consumers(db),
  };
  return [database, log, consumers];
}

/** Lets the framework close the pools, after everything that uses them has stopped. */
function closing<D extends ModuleDatabase>(db: D): D & OnApplicationShutdown {
  return Object.assign(db, { onApplicationShutdown: () => db.close() });
}
