import { ConsumerStore } from '../../../platform/event-log/consumer-store.js';
import { EventLog } from '../../../platform/event-log/event-log.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';

export class CarriersDatabase extends ModuleDatabase {}
export class CarriersLog extends EventLog {}
export class CarriersConsumers extends ConsumerStore {}
