import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Failure } from '../../../shared/failure.js';
import { amend, type CarrierPatch, type StoredCarrier, sealContext } from '../domain/carrier.js';
import type { HttpCarrier } from '../domain/http/definition.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { openSecrets, sealSecrets } from '../infrastructure/http-carrier/http-carrier-secrets.js';
import { CarrierChanges, carrierEvent } from './carrier-changes.js';
import { addressOf, amendHttp, type HttpChange, refuseUnusable } from './http-definitions.js';

export interface CarrierChange extends Omit<CarrierPatch, 'password' | 'http'> {
  /** In plain text. */
  readonly password?: string | undefined;
  /** Of a carrier over HTTP; each part that is given takes the place of the one there was. */
  readonly http?: HttpChange | undefined;
}

/** What belongs to a session of SMPP, by its public name: a carrier over HTTP has none of it. */
const SMPP_FIELDS = [
  ['host', ({ host }: CarrierChange) => host],
  ['port', ({ port }: CarrierChange) => port],
  ['system_id', ({ systemId }: CarrierChange) => systemId],
  ['password', ({ password }: CarrierChange) => password],
  ['bind', ({ bind }: CarrierChange) => bind],
  ['binds', ({ smpp }: CarrierChange) => smpp?.binds],
  ['alternates', ({ smpp }: CarrierChange) => smpp?.alternates],
  ['concatenation', ({ smpp }: CarrierChange) => smpp?.concatenation],
  ['result_overrides', ({ smpp }: CarrierChange) => smpp?.resultOverrides],
] as const;

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

  /** @throws Failure `not_found`; `invalid_parameter` naming what a carrier of its type has not, or cannot use */
  async change(name: string, change: CarrierChange): Promise<void> {
    await this.changes.make(async (tx) => {
      const current = await this.repository.lock(tx, name);
      if (!current) throw new Failure('not_found', { detail: `there is no carrier ${name}` });
      const changed = amend(current, this.patch(current, change));
      if (changed === current) return { result: undefined, events: [] };
      return { result: undefined, events: [carrierEvent(await this.repository.save(tx, changed))] };
    });
  }

  private patch(current: StoredCarrier, change: CarrierChange): CarrierPatch {
    const { password, http, ...patch } = change;
    if (current.http) {
      const foreign = SMPP_FIELDS.find(([, read]) => read(change) !== undefined);
      if (foreign) throw foreignField(foreign[0], 'http');
      return http ? { ...patch, ...this.patchHttp(current, current.http, http) } : patch;
    }
    const foreign = Object.keys(http ?? {})[0];
    if (foreign) throw foreignField(foreign, 'smpp');
    if (password === undefined) return patch;
    return { ...patch, password: this.secrets.seal(password, sealContext(current.name)) };
  }

  private patchHttp(current: StoredCarrier, before: HttpCarrier, change: HttpChange): CarrierPatch {
    const old = openSecrets(this.secrets, current);
    const secrets = { ...old, ...change.secrets };
    const http = amendHttp(before, change);
    refuseUnusable(http, secrets);
    if (isDeepStrictEqual([http, secrets], [before, old])) return {};
    return { http, password: sealSecrets(this.secrets, current.name, secrets), ...addressOf(http) };
  }
}

function foreignField(field: string, type: string): Failure {
  return new Failure('invalid_parameter', { field, detail: `'${field}': a carrier of the type ${type} has none` });
}
