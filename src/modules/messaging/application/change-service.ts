import { Injectable } from '@nestjs/common';
import type { Service, ServiceSettings } from '../domain/service.js';
import { ServiceChanges } from './service-changes.js';
import { WebhookUrls } from './webhook-urls.js';

/** Changes what a messaging service is set to. It holds for messages that are created from now on. */
@Injectable()
export class ChangeService {
  constructor(
    private readonly changes: ServiceChanges,
    private readonly urls: WebhookUrls,
  ) {}

  /**
   * @param given what is left out stays
   * @throws Failure not_found, invalid_callback, invalid_parameter (a URL that must not be called)
   */
  async change(accountId: string, id: string, given: Partial<ServiceSettings>): Promise<Service> {
    this.urls.check(given);
    return this.changes.change(accountId, id, async (service) => {
      if (Object.keys(given).length === 0) return null;
      return { service: { ...service, ...given }, change: 'updated' };
    });
  }
}
