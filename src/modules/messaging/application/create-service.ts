import { Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { Failure } from '../../../shared/failure.js';
import { newId } from '../../../shared/sid.js';
import { MAX_SERVICES, SERVICE_DEFAULTS, type Service, type ServiceSettings } from '../domain/service.js';
import { ServicesRepository } from '../infrastructure/services.repository.js';
import { ServiceChanges } from './service-changes.js';
import { WebhookUrls } from './webhook-urls.js';

/** Makes a messaging service, with an empty pool. */
@Injectable()
export class CreateService {
  constructor(
    private readonly changes: ServiceChanges,
    private readonly repository: ServicesRepository,
    private readonly urls: WebhookUrls,
    private readonly clock: DatabaseClock,
  ) {}

  /**
   * @param given what is left out is Twilio's default
   * @throws Failure invalid_callback, invalid_parameter (a URL that must not be called); conflict: too many services
   */
  async create(accountId: string, given: Partial<ServiceSettings> & { friendlyName: string }): Promise<Service> {
    this.urls.check(given);
    if ((await this.repository.count(accountId)) >= MAX_SERVICES) {
      throw new Failure('conflict', {
        detail: `The account has ${MAX_SERVICES} messaging services, as many as it may`,
      });
    }
    const now = this.clock.now();
    const at = new Date(now);
    const born = { accountId, id: newId(now), version: 1, createdAt: at, updatedAt: at };
    return this.changes.create({ ...SERVICE_DEFAULTS, ...given, ...born });
  }
}
