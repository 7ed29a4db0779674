import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AccountsModule } from '../modules/accounts/accounts.module.js';
import { BillingModule } from '../modules/billing/billing.module.js';
import { CarriersModule } from '../modules/carriers/carriers.module.js';
import { MessagingModule } from '../modules/messaging/messaging.module.js';
import { NotificationsModule } from '../modules/notifications/notifications.module.js';
import { EventBus } from '../platform/event-log/event-bus.js';
import type { Settings } from '../platform/settings/settings.js';
import { TelemetryModule } from '../platform/telemetry/telemetry.module.js';
import { Logger, SETTINGS } from '../platform/tokens.js';
import { AuditModule } from './audit/audit.module.js';
import { EdgeModule } from './http/edge.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { PartitionKeeper } from './partition-keeper.js';
import { ANALYSE_EVERY_MS, analysePartitions, DROP_EVERY_MS, dropOldPartitions } from './partition-upkeep.js';
import { PlatformModule } from './platform.module.js';
import { keepPartitions } from './prepare.js';

/** The composition root: the only place that knows every module. */
@Module({})
export class AppModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly partitions: PartitionKeeper;
  private readonly care: readonly PartitionKeeper[];

  constructor(
    private readonly bus: EventBus,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Logger) logger: Logger,
  ) {
    const kept = () => new Set(bus.kept().map((log) => log.module));
    this.partitions = new PartitionKeeper(() => keepPartitions(settings, kept()), logger);
    this.care = [
      new PartitionKeeper(() => analysePartitions(bus), logger, ANALYSE_EVERY_MS),
      new PartitionKeeper(() => dropOldPartitions(bus, logger), logger, DROP_EVERY_MS),
    ];
  }

  static for(settings: Settings, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.for(settings, logger),
        TelemetryModule,
        AccountsModule,
        CarriersModule,
        BillingModule,
        MessagingModule,
        NotificationsModule,
        AuditModule,
        OperationsModule,
        EdgeModule,
      ],
    };
  }

  /** Every module has declared its consumers by now. */
  async onApplicationBootstrap(): Promise<void> {
    await this.bus.startTails();
    // Whoever writes to the logs keeps room in them: requests are accepted while no worker runs.
    this.partitions.start();
    if (!this.settings.roles.includes('worker')) return;
    await this.bus.startConsumers(this.settings);
    for (const keeper of this.care) keeper.start();
  }

  /** The modules' own work has stopped by now; the last requests end after this, and their events are heard later. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.partitions, ...this.care, this.bus].map((each) => each.stop()));
  }
}
