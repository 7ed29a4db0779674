import { Global, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { provideStorage } from '../../platform/module-storage.js';
import type { Settings } from '../../platform/settings/settings.js';
import { SETTINGS } from '../../platform/tokens.js';
import { Connections } from './application/binds.js';
import { BindsOwner } from './application/binds-owner.js';
import { CarriersFacade } from './application/carriers.facade.js';
import { CapacitySignal, CarriersApi } from './contract/carriers.api.js';
import { CARRIERS_EVENTS } from './contract/carriers.events.js';
import { BindsLeaseRepository } from './infrastructure/binds-lease.repository.js';
import { CarrierDirectory } from './infrastructure/carrier-directory.js';
import { CarriersConsumers, CarriersDatabase, CarriersLog } from './infrastructure/carriers.storage.js';
import { SmppConnections } from './infrastructure/smpp-connections.js';
import { SubmissionAuditRepository } from './infrastructure/submission-audit.repository.js';
import { SubmissionsRepository } from './infrastructure/submissions.repository.js';

const STORAGE = { database: CarriersDatabase, log: CarriersLog, consumers: CarriersConsumers };

/** The way to the world's phones: carriers, routes, binds, submissions and their receipts. */
@Global()
@Module({
  providers: [
    ...provideStorage('carriers', STORAGE, CARRIERS_EVENTS),
    BindsLeaseRepository,
    CarrierDirectory,
    SubmissionsRepository,
    SubmissionAuditRepository,
    { provide: Connections, useClass: SmppConnections },
    BindsOwner,
    CarriersFacade,
    { provide: CarriersApi, useExisting: CarriersFacade },
    { provide: CapacitySignal, useExisting: BindsOwner },
  ],
  exports: [CarriersApi, CapacitySignal],
})
export class CarriersModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    bus: EventBus,
    directory: CarrierDirectory,
    private readonly owner: BindsOwner,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    bus.tail(directory);
  }

  onApplicationBootstrap(): void {
    if (this.settings.roles.includes('worker')) this.owner.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.owner.stop();
  }
}
