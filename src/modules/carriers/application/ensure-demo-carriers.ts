import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { newId } from '../../../shared/sid.js';
import type { CarriersDemo } from '../contract/carriers.demo.js';
import { amend, type CarrierPatch, sealContext } from '../domain/carrier.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { CarrierChanges, carrierEvent, routeEvent } from './carrier-changes.js';

const HOST = '127.0.0.1';
const WINDOW_SIZE = 50;

/** Makes the demo's carriers and routes, once; points the carriers to their simulators at every start. */
@Injectable()
export class EnsureDemoCarriers implements CarriersDemo {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
    private readonly secrets: SecretBox,
  ) {}

  /** See CarriersDemo. */
  async ensureDemoCarriers(ports: Readonly<Record<string, number>>, password: string): Promise<void> {
    await this.changes.make(async (tx) => {
      const events: NewEvent[] = [];
      for (const [index, [name, port]] of Object.entries(ports).entries()) {
        const target = { host: HOST, port, systemId: name, password: this.secrets.seal(password, sealContext(name)) };
        events.push(...((await this.update(tx, name, target)) ?? (await this.create(tx, name, target, index + 1))));
      }
      return { result: undefined, events };
    });
  }

  /** Null where there is no such carrier yet. What the operator changed otherwise is left alone. */
  private async update(tx: Queryable, name: string, target: CarrierPatch): Promise<NewEvent[] | null> {
    const current = await this.repository.lock(tx, name);
    return current && [carrierEvent(await this.repository.save(tx, amend(current, target)))];
  }

  private async create(
    tx: Queryable,
    name: string,
    target: { host: string; port: number; systemId: string; password: Uint8Array },
    priority: number,
  ): Promise<NewEvent[]> {
    const definition = { name, type: 'smpp', bind: 'transceiver', windowSize: WINDOW_SIZE, tps: null } as const;
    const carrier = await this.repository.insert(
      tx,
      { ...definition, ...target, state: 'active', version: 1 },
      newId(),
    );
    const route = await this.repository.insertRoute(tx, {
      id: newId(),
      prefix: '',
      carrier: name,
      priority,
      weight: 1,
    });
    return [...(carrier ? [carrierEvent(carrier)] : []), ...(route ? [routeEvent(route, 1)] : [])];
  }
}
