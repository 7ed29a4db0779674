import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { RETENTION_MS } from '../../../platform/postgres/partition-care.js';

export class MessagingDatabase extends ModuleDatabase {
  override readonly retention = {
    message: {
      keepMs: RETENTION_MS,
      // All that can still change; what became final stays, as does the row of a saga that was given up.
      live: "status in ('queued', 'accepted', 'scheduled', 'sent')",
    },
    // Their messages are kept as long.
    inbound: { keepMs: RETENTION_MS, live: 'false' },
    reply: { keepMs: RETENTION_MS, live: 'false' },
  };
}
export class MessagingLog extends EventLog {}
export class MessagingConsumers extends ConsumerStore {}
