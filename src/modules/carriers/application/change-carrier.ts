import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import { amend, type CarrierPatch, sealContext } from '../domain/carrier.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { CarrierChanges, carrierEvent } from './carrier-changes.js';

export interface CarrierChange extends Omit<CarrierPatch, 'password'> {
  /** In plain text. */
  readonly password?: string | undefined;
}

/**
 * Changes a carrier. Its session is closed in good order and opened anew with the change; what has not left for it goes
 * another way or back meanwhile. The state `draining` keeps it bound for receipts while it takes nothing more.
 */
@Injectable()
export class ChangeCarrier {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
    private readonly secrets: SecretBox,
  ) {}

  /** @throws Failure `not_found` */
  async change(name: string, { password, ...patch }: CarrierChange): Promise<void> {
    const sealed = password === undefined ? {} : { password: this.secrets.seal(password, sealContext(name)) };
    await this.changes.make(async (tx) => {
      const current = await this.repository.lock(tx, name);
      if (!current) throw new Failure('not_found', { detail: `there is no carrier ${name}` });
      const changed = amend(current, { ...patch, ...sealed });
      if (changed === current) return { result: undefined, events: [] };
      return { result: undefined, events: [carrierEvent(await this.repository.save(tx, changed))] };
    });
  }
}
