import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { newId } from '../../../shared/sid.js';
import type { CarriersDemo, DemoCarrier } from '../contract/carriers.demo.js';
import { amend, type CarrierDefinition, type CarrierPatch, sealContext } from '../domain/carrier.js';
import { CarriersRepository } from '../infrastructure/carriers.repository.js';
import { sealSecrets } from '../infrastructure/http-carrier/http-carrier-secrets.js';
import { CarrierChanges, carrierEvent, routeEvent } from './carrier-changes.js';
import { addressOf } from './http-definitions.js';
import { SIMULATED_KEY, simulatedHttp } from './simulated-http.js';

const HOST = '127.0.0.1';
const WINDOW_SIZE = 50;

type Target = Pick<CarrierDefinition, 'host' | 'port' | 'systemId' | 'password' | 'http'>;

/** Makes the demo's carriers and routes, once; points the carriers to their simulators at every start. */
@Injectable()
export class EnsureDemoCarriers implements CarriersDemo {
  constructor(
    private readonly changes: CarrierChanges,
    private readonly repository: CarriersRepository,
    private readonly secrets: SecretBox,
  ) {}

  /** See CarriersDemo. */
  async ensureDemoCarriers(carriers: readonly DemoCarrier[]): Promise<void> {
    await this.changes.make(async (tx) => {
      const events: NewEvent[] = [];
      for (const [index, carrier] of carriers.entries()) {
        const target = this.target(carrier);
        const made = await this.update(tx, carrier.name, target);
        events.push(...(made ?? (await this.create(tx, carrier, target, index + 1))));
      }
      return { result: undefined, events };
    });
  }

  /** Where a carrier is now, and what proves us to it. */
  private target({ name, type, port, password }: DemoCarrier): Target {
    if (type === 'smpp') {
      return { host: HOST, port, systemId: name, password: this.secrets.seal(password, sealContext(name)) };
    }
    const http = simulatedHttp(port);
    return {
      ...addressOf(http),
      systemId: '',
      http,
      password: sealSecrets(this.secrets, name, { [SIMULATED_KEY]: password }),
    };
  }

  /** Null where there is no such carrier yet. What the operator changed otherwise is left alone. */
  private async update(tx: Queryable, name: string, target: CarrierPatch): Promise<NewEvent[] | null> {
    const current = await this.repository.lock(tx, name);
    return current && [carrierEvent(await this.repository.save(tx, amend(current, target)))];
  }

  private async create(
    tx: Queryable,
    { name, type }: DemoCarrier,
    target: Target,
    priority: number,
  ): Promise<NewEvent[]> {
    const definition = { name, type, bind: 'transceiver', windowSize: WINDOW_SIZE, tps: null } as const;
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
