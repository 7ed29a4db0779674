import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { RETENTION_MS } from '../../../platform/postgres/partition-care.js';

export class NotificationsDatabase extends ModuleDatabase {
  /** Dead deliveries go with their messages; one that is replayed is pending again. */
  override readonly retention = { delivery: { keepMs: RETENTION_MS, live: "state = 'pending'" } };
}
export class NotificationsLog extends EventLog {}
export class NotificationsConsumers extends ConsumerStore {}
