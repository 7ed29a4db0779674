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
import { PlatformModule } from './platform.module.js';
import { keepPartitions } from './prepare.js';

const PARTITIONS_EVERY_MS = 3_600_000;

/** The composition root: the only place that knows every module. */
@Module({})
export class AppModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private partitions: NodeJS.Timeout | null = null;

  constructor(
    private readonly bus: EventBus,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

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
    if (!this.settings.roles.includes('worker')) return;
    await this.bus.startConsumers();
    this.partitions = setInterval(() => {
      keepPartitions(this.settings).catch((error) =>
        this.logger.error({ err: error }, 'partitions for the future could not be made'),
      );
    }, PARTITIONS_EVERY_MS);
  }

  /** Everything that produces events has stopped by now. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.partitions) clearInterval(this.partitions);
    await this.bus.stop();
  }
}
