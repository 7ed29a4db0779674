import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import { newId } from '../../../shared/sid.js';
import { type CarrierDefinition, sealContext } from '../domain/carrier.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { CarrierChanges, carrierEvent } from './carrier-changes.js';

const MAX_CARRIERS = 1_000;

export interface NewCarrier extends Omit<CarrierDefinition, 'password' | 'state' | 'version'> {
  /** In plain text. */
  readonly password: string;
}

/** Adds a carrier. It is bound at once, and used as soon as there is a route to it. */
@Injectable()
export class AddCarrier {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
    private readonly secrets: SecretBox,
  ) {}

  /** @throws Failure `conflict` when the name is taken (field `name`) or there are too many carriers */
  async add(input: NewCarrier): Promise<void> {
    const password = this.secrets.seal(input.password, sealContext(input.name));
    await this.changes.make(async (tx) => {
      if ((await this.repository.count(tx, 'carrier')) >= MAX_CARRIERS) {
        throw new Failure('conflict', { detail: `there are ${MAX_CARRIERS} carriers, which is the most` });
      }
      const definition = { ...input, password, state: 'active', version: 1 } as const;
      const added = await this.repository.insert(tx, definition, newId());
      if (!added) throw new Failure('conflict', { field: 'name', detail: `there is a carrier ${input.name} already` });
      return { result: undefined, events: [carrierEvent(added)] };
    });
  }
}
