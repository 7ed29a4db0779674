import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { RETENTION_MS } from '../../../platform/postgres/partition-care.js';

export class CarriersDatabase extends ModuleDatabase {
  /** A receipt that comes after this long is one that matches nothing. */
  override readonly retention = {
    submission: { keepMs: RETENTION_MS, live: 'false' },
    submission_segment: { keepMs: RETENTION_MS, live: 'false' },
    inbound: { keepMs: RETENTION_MS, live: 'false' },
  };
}
export class CarriersLog extends EventLog {}
export class CarriersConsumers extends ConsumerStore {}
