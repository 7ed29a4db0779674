import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import type { ListPosition } from '../domain/message-view.js';
import type { ListedNumber, Service } from '../domain/service.js';
import { ServicesRepository } from '../infrastructure/services.repository.js';

/** Reads an account's messaging services and their pools: one, or a page, newest first. */
@Injectable()
export class ListServices {
  constructor(private readonly repository: ServicesRepository) {}

  /** @throws Failure not_found, for another account's service too */
  async one(accountId: string, id: string): Promise<Service> {
    const service = await this.repository.find(accountId, id);
    if (!service) throw new Failure('not_found');
    return service;
  }

  /** At most `limit` services from a position on; newest first, or oldest first where the position is `newerThan`. */
  page(accountId: string, from: ListPosition, limit: number): Promise<Service[]> {
    return this.repository.list(accountId, from, limit);
  }

  /** A number of a service's pool. @throws Failure not_found */
  async number(accountId: string, serviceId: string, id: string): Promise<ListedNumber> {
    const number = await this.repository.number(accountId, serviceId, id);
    if (!number) throw new Failure('not_found');
    return number;
  }

  /** A page of a service's pool, as `page`. @throws Failure not_found, where there is no such service */
  async numbers(accountId: string, serviceId: string, from: ListPosition, limit: number): Promise<ListedNumber[]> {
    await this.one(accountId, serviceId);
    return this.repository.listNumbers(accountId, serviceId, from, limit);
  }
}
