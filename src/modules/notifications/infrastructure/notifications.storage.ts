import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';

export class NotificationsDatabase extends ModuleDatabase {}
export class NotificationsLog extends EventLog {}
export class NotificationsConsumers extends ConsumerStore {}
