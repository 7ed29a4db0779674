import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';

export class BillingDatabase extends ModuleDatabase {}
export class BillingLog extends EventLog {}
export class BillingConsumers extends ConsumerStore {}
