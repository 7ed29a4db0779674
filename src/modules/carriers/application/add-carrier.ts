import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import { newId } from '../../../shared/sid.js';
import { type CarrierDefinition, sealContext } from '../domain/carrier.js';
import type { HttpCarrier, HttpSecrets } from '../domain/http/definition.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { sealSecrets } from '../infrastructure/http-carrier/http-carrier-secrets.js';
import { CarrierChanges, carrierEvent } from './carrier-changes.js';
import { addressOf, NO_SESSION, refuseUnusable } from './http-definitions.js';

const MAX_CARRIERS = 1_000;

export interface NewCarrier extends Omit<CarrierDefinition, 'password' | 'state' | 'version' | 'http'> {
  /** In plain text. */
  readonly password: string;
}

/** A carrier over HTTP. */
export interface NewHttpCarrier extends Pick<CarrierDefinition, 'name' | 'windowSize' | 'tps'> {
  readonly http: HttpCarrier;
  /** In plain text. */
  readonly secrets: HttpSecrets;
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
    await this.insert({ ...input, password: this.secrets.seal(input.password, sealContext(input.name)) });
  }

  /** @throws Failure as add; `invalid_parameter` naming whatever of the definition cannot be used */
  async addHttp({ http, secrets, ...input }: NewHttpCarrier): Promise<void> {
    refuseUnusable(http, secrets);
    const password = sealSecrets(this.secrets, input.name, secrets);
    await this.insert({ ...input, type: 'http', ...addressOf(http), ...NO_SESSION, password, http });
  }

  private async insert(given: Omit<CarrierDefinition, 'state' | 'version'>): Promise<void> {
    await this.changes.make(async (tx) => {
      if ((await this.repository.count(tx, 'carrier')) >= MAX_CARRIERS) {
        throw new Failure('conflict', { detail: `there are ${MAX_CARRIERS} carriers, which is the most` });
      }
      const definition = { ...given, state: 'active', version: 1 } as const;
      const added = await this.repository.insert(tx, definition, newId());
      if (!added) throw new Failure('conflict', { field: 'name', detail: `there is a carrier ${given.name} already` });
      return { result: undefined, events: [carrierEvent(added)] };
    });
  }
}
