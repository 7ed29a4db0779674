import {
  type BeforeApplicationShutdown,
  Global,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { publicUrlProvider } from '../../platform/http/public-url.provider.js';
import { OutboundHttpClient } from '../../platform/http-client/outbound-http-client.js';
import { provideStorage } from '../../platform/module-storage.js';
import { DatabaseClock } from '../../platform/postgres/database-clock.js';
import type { Settings } from '../../platform/settings/settings.js';
import { SETTINGS } from '../../platform/tokens.js';
import { AnswerKeywords } from './application/answer-keywords.js';
import { AssignArrival } from './application/assign-arrival.js';
import { ChangeMessage } from './application/change-message.js';
import { ChangePool } from './application/change-pool.js';
import { ChangeService } from './application/change-service.js';
import { ChooseSender } from './application/choose-sender.js';
import { CreateService } from './application/create-service.js';
import { DeleteService } from './application/delete-service.js';
import { carriersFeed, messagingFeed } from './application/dispatch-feed.js';
import { Dispatcher } from './application/dispatcher.js';
import { EndHaltedMessages } from './application/end-halted-messages.js';
import { EndWaiting } from './application/end-waiting.js';
import { EnsureDemoService } from './application/ensure-demo-service.js';
import { ExpireMessages } from './application/expire-messages.js';
import { FindSender } from './application/find-sender.js';
import { FollowAccounts } from './application/follow-accounts.js';
import { FollowNumbers } from './application/follow-numbers.js';
import { GiveFeedback } from './application/give-feedback.js';
import { GiveUpSagas } from './application/give-up-sagas.js';
import { IdentifyArrivals } from './application/identify-arrivals.js';
import { KnownOptOuts } from './application/known-opt-outs.js';
import { ListMessages } from './application/list-messages.js';
import { ListServices } from './application/list-services.js';
import { ManageOptOuts } from './application/manage-opt-outs.js';
import { MessagingFacade } from './application/messaging.facade.js';
import { MessagingMetrics } from './application/messaging-metrics.js';
import { OptOutSettingsOf } from './application/opt-out-settings-of.js';
import { PreviewMessage } from './application/preview-message.js';
import { ReadHistory } from './application/read-history.js';
import { ReceiveMessages } from './application/receive-messages.js';
import { RecordCarrierOutcomes } from './application/record-carrier-outcomes.js';
import { ReleaseDue } from './application/release-due.js';
import { ReplyToReceived } from './application/reply-to-received.js';
import { SagaOutcomes } from './application/saga-outcomes.js';
import { SendMessage } from './application/send-message.js';
import { SendReply } from './application/send-reply.js';
import { SendSaga } from './application/send-saga.js';
import { ServiceChanges } from './application/service-changes.js';
import { ServiceDirectory } from './application/service-directory.js';
import { SettleFinalMessages } from './application/settle-final-messages.js';
import { SweepReservations } from './application/sweep-reservations.js';
import { Sweeper } from './application/sweeper.js';
import { TraceMessages } from './application/trace-messages.js';
import { TEST_NUMBERS, ValidateSend } from './application/validate-send.js';
import { WebhookUrls } from './application/webhook-urls.js';
import { MessagingApi } from './contract/messaging.api.js';
import { MessagingDemo } from './contract/messaging.demo.js';
import { MESSAGING_EVENTS } from './contract/messaging.events.js';
import { CallbackUrlPolicy } from './domain/callback-url-policy.js';
import { InboundController } from './http/inbound.controller.js';
import { MessagePartsController } from './http/message-parts.controller.js';
import { MessagesController } from './http/messages.controller.js';
import { NativeMessagesController } from './http/native-messages.controller.js';
import { OptOutSettingsController, OptOutsController } from './http/opt-outs.controller.js';
import { ServiceNumbersController } from './http/service-numbers.controller.js';
import { ServicesController } from './http/services.controller.js';
import { AccountStatusesRepository } from './infrastructure/account-statuses.repository.js';
import { DispatchRepository } from './infrastructure/dispatch.repository.js';
import { EndingsRepository } from './infrastructure/endings.repository.js';
import { FeedbackRepository } from './infrastructure/feedback.repository.js';
import { IdempotencyRepository } from './infrastructure/idempotency.repository.js';
import { InboundRepository } from './infrastructure/inbound.repository.js';
import { MessageAuditRepository } from './infrastructure/message-audit.repository.js';
import { MessageCounts } from './infrastructure/message-counts.js';
import { MessageViews } from './infrastructure/message-views.js';
import { MessagesRepository } from './infrastructure/messages.repository.js';
import { MessagingConsumers, MessagingDatabase, MessagingLog } from './infrastructure/messaging.storage.js';
import { OptOutSettingsRepository } from './infrastructure/opt-out-settings.repository.js';
import { OptOutsRepository } from './infrastructure/opt-outs.repository.js';
import { OutboundCallbackUrls } from './infrastructure/outbound-callback-urls.js';
import { RepliesRepository } from './infrastructure/replies.repository.js';
import { ScheduledRepository } from './infrastructure/scheduled.repository.js';
import { ServicesRepository } from './infrastructure/services.repository.js';
import { SweepRepository } from './infrastructure/sweep.repository.js';

const STORAGE = { database: MessagingDatabase, log: MessagingLog, consumers: MessagingConsumers };

/** Messages: their sagas, their states, their way to the carriers. The core domain, which drives the others. */
@Global()
@Module({
  controllers: [
    MessagesController,
    MessagePartsController,
    NativeMessagesController,
    ServicesController,
    ServiceNumbersController,
    OptOutsController,
    OptOutSettingsController,
    InboundController,
  ],
  providers: [
    ...provideStorage('messaging', STORAGE, MESSAGING_EVENTS),
    {
      provide: DatabaseClock,
      inject: [MessagingDatabase],
      useFactory: (db: MessagingDatabase) => new DatabaseClock(db),
    },
    { provide: TEST_NUMBERS, inject: [SETTINGS], useFactory: (settings: Settings) => settings.dev },
    publicUrlProvider,
    {
      provide: CallbackUrlPolicy,
      inject: [OutboundHttpClient],
      useFactory: (client: OutboundHttpClient) => new OutboundCallbackUrls(client),
    },
    MessageCounts,
    MessagesRepository,
    MessageViews,
    MessageAuditRepository,
    IdempotencyRepository,
    DispatchRepository,
    SweepRepository,
    EndingsRepository,
    AccountStatusesRepository,
    OptOutsRepository,
    OptOutSettingsRepository,
    InboundRepository,
    RepliesRepository,
    KnownOptOuts,
    FindSender,
    ManageOptOuts,
    OptOutSettingsOf,
    ServicesRepository,
    ScheduledRepository,
    ServiceDirectory,
    ServiceChanges,
    WebhookUrls,
    CreateService,
    ChangeService,
    DeleteService,
    ListServices,
    ChangePool,
    SagaOutcomes,
    GiveUpSagas,
    SendSaga,
    ChooseSender,
    ValidateSend,
    SendMessage,
    FeedbackRepository,
    GiveFeedback,
    ListMessages,
    ChangeMessage,
    PreviewMessage,
    ReadHistory,
    RecordCarrierOutcomes,
    SettleFinalMessages,
    IdentifyArrivals,
    ReceiveMessages,
    AssignArrival,
    SendReply,
    AnswerKeywords,
    ReplyToReceived,
    Dispatcher,
    ExpireMessages,
    EndWaiting,
    EndHaltedMessages,
    FollowAccounts,
    FollowNumbers,
    SweepReservations,
    ReleaseDue,
    Sweeper,
    MessagingMetrics,
    TraceMessages,
    MessagingFacade,
    { provide: MessagingApi, useExisting: MessagingFacade },
    EnsureDemoService,
    { provide: MessagingDemo, useExisting: EnsureDemoService },
  ],
  exports: [MessagingApi, MessagingDemo],
})
export class MessagingModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  constructor(
    bus: EventBus,
    consumers: MessagingConsumers,
    outcomes: RecordCarrierOutcomes,
    settle: SettleFinalMessages,
    accounts: FollowAccounts,
    numbers: FollowNumbers,
    services: ServiceDirectory,
    inbound: ReceiveMessages,
    keywords: AnswerKeywords,
    private readonly dispatcher: Dispatcher,
    private readonly sweeper: Sweeper,
    private readonly saga: SendSaga,
    private readonly clock: DatabaseClock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    bus.consume(consumers, outcomes);
    bus.consume(consumers, settle);
    bus.consume(consumers, accounts);
    bus.consume(consumers, numbers);
    bus.consume(consumers, inbound);
    bus.consume(consumers, keywords);
    bus.tail(services);
    if (!settings.roles.includes('worker')) return;
    bus.tail(messagingFeed(dispatcher));
    bus.tail(carriersFeed(dispatcher));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.clock.refresh();
    if (!this.settings.roles.includes('worker')) return;
    this.dispatcher.start();
    this.sweeper.start(this.settings);
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.dispatcher.stop(), this.sweeper.stop()]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.saga.drain();
  }
}
