import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';

export class AccountsDatabase extends ModuleDatabase {}
export class AccountsLog extends EventLog {}
export class AccountsConsumers extends ConsumerStore {}
