import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';

export class MessagingDatabase extends ModuleDatabase {}
export class MessagingLog extends EventLog {}
export class MessagingConsumers extends ConsumerStore {}
