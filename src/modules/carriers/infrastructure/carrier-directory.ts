import { Injectable } from '@nestjs/common';
import type { LocalTail } from '../../../platform/event-log/consumer.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { carrierChanged, routeChanged } from '../contract/carriers.events.js';
import type { CarrierDefinition } from '../domain/carrier.js';
import { RouteTable } from '../domain/route-table.js';
import { CarriersDatabase } from './carriers.storage.js';
import { storedSmpp } from './stored-smpp.js';

interface CarrierRow {
  name: string;
  type: CarrierDefinition['type'];
  host: string;
  port: number;
  system_id: string;
  password: Buffer;
  bind: CarrierDefinition['bind'];
  window_size: number;
  tps: number | null;
  state: CarrierDefinition['state'];
  smpp: unknown;
  version: number;
  http: CarrierDefinition['http'];
}

/**
 * Carriers and routes in memory, read again whenever one changes anywhere: looked at for every message.
 * Until the first successful read, asking waits for it.
 */
@Injectable()
export class CarrierDirectory implements LocalTail {
  readonly id = 'carriers.directory';
  readonly source = 'carriers';
  private current: Promise<{ carriers: Map<string, CarrierDefinition>; routes: RouteTable }> | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly db: CarriersDatabase) {}

  on(events: readonly StoredEvent[]): void {
    if (events.some((event) => event.type === carrierChanged.type || event.type === routeChanged.type)) this.lost();
  }

  lost(): void {
    this.current = null;
    for (const listener of this.listeners) listener();
  }

  /** Calls back when carriers or routes may have changed. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async routes(): Promise<RouteTable> {
    return (await this.read()).routes;
  }

  async carriers(): Promise<Map<string, CarrierDefinition>> {
    return (await this.read()).carriers;
  }

  private read() {
    if (!this.current) {
      const reading = this.load();
      this.current = reading;
      reading.catch(() => {
        if (this.current === reading) this.current = null;
      });
    }
    return this.current;
  }

  private async load() {
    const carriers = await this.db.control.query<CarrierRow>(
      `select name, type, host, port, system_id, password, bind, window_size, tps, state, smpp, http,
        version
        from carriers.carrier`,
    );
    const routes = await this.db.control.query<{ prefix: string; carrier: string; priority: number; weight: number }>(
      `select r.prefix, r.carrier, r.priority, r.weight from carriers.route r
        join carriers.carrier c on c.name = r.carrier where c.state <> 'disabled' order by r.id`,
    );
    return {
      carriers: new Map(carriers.rows.map((row) => [row.name, toDefinition(row)])),
      routes: new RouteTable(routes.rows),
    };
  }
}

function toDefinition(row: CarrierRow): CarrierDefinition {
  return {
    name: row.name,
    type: row.type,
    host: row.host,
    port: row.port,
    systemId: row.system_id,
    password: row.password,
    bind: row.bind,
    windowSize: row.window_size,
    tps: row.tps,
    state: row.state,
    smpp: storedSmpp.parse(row.smpp),
    version: row.version,
    http: row.http,
  };
}
