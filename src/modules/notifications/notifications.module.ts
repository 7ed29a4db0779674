import { Global, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { provideStorage } from '../../platform/module-storage.js';
import type { Settings } from '../../platform/settings/settings.js';
import { SETTINGS } from '../../platform/tokens.js';
import { AskWebhook } from './application/ask-webhook.js';
import { CallWebhook } from './application/call-webhook.js';
import { Courier, OWN_MS } from './application/courier.js';
import { DeliveryMetrics } from './application/delivery-metrics.js';
import { DueDeliveries } from './application/due-deliveries.js';
import { ListDeliveries } from './application/list-deliveries.js';
import { NotificationsFacade } from './application/notifications.facade.js';
import { RecordOutcomes } from './application/record-outcomes.js';
import { ReplayDeliveries } from './application/replay-deliveries.js';
import { ScheduleAsks } from './application/schedule-asks.js';
import { ScheduleCallbacks } from './application/schedule-callbacks.js';
import { SignedRequest } from './application/signed-request.js';
import { SigningKeys } from './application/signing-keys.js';
import { TraceDeliveries } from './application/trace-deliveries.js';
import { NotificationsApi } from './contract/notifications.api.js';
import { NOTIFICATIONS_EVENTS } from './contract/notifications.events.js';
import { RetrySchedule } from './domain/retry-schedule.js';
import { WebhookDeliveriesController } from './http/webhook-deliveries.controller.js';
import { DeliveriesRepository } from './infrastructure/deliveries.repository.js';
import { DeliveryQueries } from './infrastructure/delivery-queries.js';
import { LeftDeliveriesRepository } from './infrastructure/left-deliveries.repository.js';
import {
  NotificationsConsumers,
  NotificationsDatabase,
  NotificationsLog,
} from './infrastructure/notifications.storage.js';

const STORAGE = { database: NotificationsDatabase, log: NotificationsLog, consumers: NotificationsConsumers };

/** Telling customers: webhooks with retries and dead letters. */
@Global()
@Module({
  controllers: [WebhookDeliveriesController],
  providers: [
    ...provideStorage('notifications', STORAGE, NOTIFICATIONS_EVENTS),
    { provide: RetrySchedule, useFactory: () => new RetrySchedule() },
    DeliveriesRepository,
    DeliveryQueries,
    SigningKeys,
    SignedRequest,
    AskWebhook,
    CallWebhook,
    RecordOutcomes,
    Courier,
    ScheduleCallbacks,
    ScheduleAsks,
    DueDeliveries,
    LeftDeliveriesRepository,
    ListDeliveries,
    ReplayDeliveries,
    DeliveryMetrics,
    TraceDeliveries,
    NotificationsFacade,
    { provide: NotificationsApi, useExisting: NotificationsFacade },
  ],
  exports: [NotificationsApi],
})
export class NotificationsModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    bus: EventBus,
    consumers: NotificationsConsumers,
    callbacks: ScheduleCallbacks,
    asks: ScheduleAsks,
    keys: SigningKeys,
    private readonly courier: Courier,
    private readonly due: DueDeliveries,
    private readonly left: LeftDeliveriesRepository,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    bus.consume(consumers, callbacks);
    bus.consume(consumers, asks);
    bus.tail(keys);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.settings.roles.includes('worker')) return;
    if (this.settings.isAlone) await this.left.release(OWN_MS);
    this.due.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.due.stop();
    await this.courier.stop();
  }
}
