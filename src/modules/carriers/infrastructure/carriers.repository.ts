import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { CarrierDefinition, StoredCarrier } from '../domain/carrier.js';
import type { StoredRoute } from '../domain/route-table.js';
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
  stream_id: string;
  created_at: Date;
  updated_at: Date;
}

interface RouteRow {
  id: string;
  prefix: string;
  carrier: string;
  priority: number;
  weight: number;
  created_at: Date;
}

const CARRIER = `name, type, host, port, system_id, password, bind, window_size, tps, state, smpp, http, version,
  stream_id, created_at, updated_at`;
const ROUTE = 'id, prefix, carrier, priority, weight, created_at';

/** Carriers and routes, as they are changed: in transactions that append the event of the change. */
@Injectable()
export class CarriersRepository {
  /** Writes a new carrier; null when there is one of its name already. */
  async insert(tx: Queryable, carrier: CarrierDefinition, streamId: string): Promise<StoredCarrier | null> {
    const { rows } = await tx.query<CarrierRow>(
      `insert into carriers.carrier (name, type, host, port, system_id, password, bind, window_size, tps, state, smpp,
          http, version, stream_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (name) do nothing returning ${CARRIER}`,
      [carrier.name, carrier.type, ...changeable(carrier), carrier.version, streamId],
    );
    return rows[0] ? toCarrier(rows[0]) : null;
  }

  /** Reads a carrier and keeps it from changing until the transaction ends; null when there is none. */
  async lock(tx: Queryable, name: string): Promise<StoredCarrier | null> {
    const { rows } = await tx.query<CarrierRow>(
      `select ${CARRIER} from carriers.carrier where name = $1 for no key update`,
      [name],
    );
    return rows[0] ? toCarrier(rows[0]) : null;
  }

  /** Writes what may change of a carrier, in the transaction that holds its lock. */
  async save(tx: Queryable, carrier: StoredCarrier): Promise<StoredCarrier> {
    const { rows } = await tx.query<CarrierRow>(
      `update carriers.carrier set host = $2, port = $3, system_id = $4, password = $5, bind = $6, window_size = $7,
          tps = $8, state = $9, smpp = $10, http = $11, version = $12,
          updated_at = clock_timestamp()
        where name = $1 returning ${CARRIER}`,
      [carrier.name, ...changeable(carrier), carrier.version],
    );
    return toCarrier(rows[0]!);
  }

  async count(tx: Queryable, table: 'carrier' | 'route'): Promise<number> {
    const { rows } = await tx.query<{ count: number }>(`select count(*)::int as count from carriers.${table}`);
    return rows[0]!.count;
  }

  /** Writes a route; null when its prefix leads to its carrier already. */
  async insertRoute(tx: Queryable, route: Omit<StoredRoute, 'createdAt'>): Promise<StoredRoute | null> {
    const { rows } = await tx.query<RouteRow>(
      `insert into carriers.route (id, prefix, carrier, priority, weight) values ($1, $2, $3, $4, $5)
        on conflict (prefix, carrier) do nothing returning ${ROUTE}`,
      [route.id, route.prefix, route.carrier, route.priority, route.weight],
    );
    return rows[0] ? toRoute(rows[0]) : null;
  }

  /** Removes a route; null when there is none. */
  async deleteRoute(tx: Queryable, id: string): Promise<StoredRoute | null> {
    const { rows } = await tx.query<RouteRow>(`delete from carriers.route where id = $1 returning ${ROUTE}`, [id]);
    return rows[0] ? toRoute(rows[0]) : null;
  }
}

function changeable(carrier: CarrierDefinition): unknown[] {
  const { host, port, systemId, password, bind, windowSize, tps, state, smpp, http } = carrier;
  const [smppText, httpText] = [smpp, http].map((part) => (part ? JSON.stringify(part) : null));
  return [host, port, systemId, password, bind, windowSize, tps, state, smppText, httpText];
}

function toCarrier(row: CarrierRow): StoredCarrier {
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
    streamId: row.stream_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toRoute(row: RouteRow): StoredRoute {
  const { id, prefix, carrier, priority, weight } = row;
  return { id, prefix, carrier, priority, weight, createdAt: row.created_at };
}
