import { Global, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { provideStorage } from '../../platform/module-storage.js';
import type { Settings } from '../../platform/settings/settings.js';
import { SETTINGS } from '../../platform/tokens.js';
import { AddCarrier } from './application/add-carrier.js';
import { AddRoute } from './application/add-route.js';
import { BindsOwner } from './application/binds-owner.js';
import { CarrierChanges } from './application/carrier-changes.js';
import { CarriersFacade } from './application/carriers.facade.js';
import { CarriersMetrics } from './application/carriers-metrics.js';
import { ChangeCarrier } from './application/change-carrier.js';
import { EnsureDemoCarriers } from './application/ensure-demo-carriers.js';
import { ForgetOrphans } from './application/forget-orphans.js';
import { HandInReceipts } from './application/hand-in-receipts.js';
import { HttpReceiptMetrics } from './application/http-receipt-metrics.js';
import { ListRoutes } from './application/list-routes.js';
import { LookUpCarriers } from './application/look-up-carriers.js';
import { RemoveRoute } from './application/remove-route.js';
import { ReportStatus } from './application/report-status.js';
import { RunSimulator } from './application/run-simulator.js';
import { SimulatorControl } from './application/simulator-control.js';
import { TakeReceipts } from './application/take-receipts.js';
import { WithdrawSubmissions } from './application/withdraw-submissions.js';
import { CapacitySignal, CarriersApi } from './contract/carriers.api.js';
import { CarriersDemo } from './contract/carriers.demo.js';
import { CARRIERS_EVENTS } from './contract/carriers.events.js';
import { Connections } from './domain/carrier-connection.js';
import { CarriersController } from './http/carriers.controller.js';
import { ReceiptsController } from './http/receipts.controller.js';
import { RoutesController } from './http/routes.controller.js';
import { SimulatorController } from './http/simulator.controller.js';
import { BindsLeaseRepository } from './infrastructure/binds-lease.repository.js';
import { CarrierDirectory } from './infrastructure/carrier-directory.js';
import { CarrierStatusRepository } from './infrastructure/carrier-status.repository.js';
import { CarriersOrm } from './infrastructure/carriers.orm.js';
import { CarriersQueries } from './infrastructure/carriers.queries.js';
import { CarriersRepository } from './infrastructure/carriers.repository.js';
import { CarriersConsumers, CarriersDatabase, CarriersLog } from './infrastructure/carriers.storage.js';
import { ConnectionsByType } from './infrastructure/connections-by-type.js';
import { CarrierHttpClient } from './infrastructure/http-carrier/carrier-http-client.js';
import { HttpConnections } from './infrastructure/http-carrier/http-connections.js';
import { InboundRepository } from './infrastructure/inbound.repository.js';
import { IntentsRepository } from './infrastructure/intents.repository.js';
import { OrphansRepository } from './infrastructure/orphans.repository.js';
import { OutcomesRepository } from './infrastructure/outcomes.repository.js';
import { ReceiptInboxRepository } from './infrastructure/receipt-inbox.repository.js';
import { SmppConnections } from './infrastructure/smpp-connections.js';
import { SubmissionAuditRepository } from './infrastructure/submission-audit.repository.js';
import { WithdrawalsRepository } from './infrastructure/withdrawals.repository.js';

const STORAGE = { database: CarriersDatabase, log: CarriersLog, consumers: CarriersConsumers };

/** The way to the world's phones: carriers, routes, binds, submissions and their receipts. */
@Global()
@Module({
  providers: [
    ...provideStorage('carriers', STORAGE, CARRIERS_EVENTS),
    BindsLeaseRepository,
    CarrierDirectory,
    CarriersOrm,
    CarriersQueries,
    CarriersRepository,
    CarrierStatusRepository,
    IntentsRepository,
    WithdrawalsRepository,
    WithdrawSubmissions,
    OutcomesRepository,
    OrphansRepository,
    InboundRepository,
    SubmissionAuditRepository,
    CarrierHttpClient,
    SmppConnections,
    HttpConnections,
    { provide: Connections, useClass: ConnectionsByType },
    ReceiptInboxRepository,
    HandInReceipts,
    HttpReceiptMetrics,
    TakeReceipts,
    CarriersMetrics,
    ForgetOrphans,
    ReportStatus,
    BindsOwner,
    CarrierChanges,
    AddCarrier,
    ChangeCarrier,
    LookUpCarriers,
    AddRoute,
    RemoveRoute,
    ListRoutes,
    EnsureDemoCarriers,
    RunSimulator,
    CarriersFacade,
    { provide: SimulatorControl, useExisting: RunSimulator },
    { provide: CarriersApi, useExisting: CarriersFacade },
    { provide: CarriersDemo, useExisting: EnsureDemoCarriers },
    { provide: CapacitySignal, useExisting: BindsOwner },
  ],
  controllers: [CarriersController, ReceiptsController, RoutesController, SimulatorController],
  exports: [CarriersApi, CarriersDemo, CapacitySignal],
})
export class CarriersModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    bus: EventBus,
    directory: CarrierDirectory,
    private readonly owner: BindsOwner,
    private readonly receipts: HandInReceipts,
    private readonly simulator: RunSimulator,
    private readonly demo: EnsureDemoCarriers,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    bus.tail(directory);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.settings.roles.includes('worker')) return;
    if (this.settings.dev) {
      await this.demo.ensureDemoCarriers(await this.simulator.start());
    }
    await this.owner.start(this.settings);
    this.receipts.start();
  }

  /** Modules end in the reverse order of their import, one after another: whoever submits has stopped by now. */
  async onModuleDestroy(): Promise<void> {
    await this.receipts.stop();
    await this.owner.stop();
    await this.simulator.stop();
  }
}
