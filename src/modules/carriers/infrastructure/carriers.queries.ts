import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { BIND_KINDS, CARRIER_STATES, CARRIER_TYPES } from '../domain/carrier.js';
import type { HttpCarrier } from '../domain/http/definition.js';
import type { ShownInbound } from '../domain/inbound.js';
import type { ShownCarrier } from '../domain/link-status.js';
import type { StoredRoute } from '../domain/route-table.js';
import type { OrphanReceipt } from '../domain/submission.js';
import { CarriersOrm } from './carriers.orm.js';
import { CarriersDatabase } from './carriers.storage.js';
import { storedSmpp } from './stored-smpp.js';

const MAX_COUNTED = 100_000;

const carrierSchema = z.object({
  type: z.enum(CARRIER_TYPES),
  bind: z.enum(BIND_KINDS),
  state: z.enum(CARRIER_STATES),
  smpp: storedSmpp,
});
const receiptState = z.enum(['enroute', 'delivered', 'undelivered']);
const count = z.int();
const statusSchema = z.union([
  z.object({
    phase: z.enum(['connecting', 'bound', 'down']),
    error: z.string().nullable(),
    binds: count.optional(),
    bound: count.optional(),
    breaker: z.enum(['closed', 'open', 'half_open']),
    breakerOpenMs: z.number(),
    queued: count,
    inFlight: count,
    paceShare: z.number().nullable(),
    recent: z.object({ calls: count, failed: count }),
    counters: z.object({
      submitted: count,
      accepted: count,
      rejected: count,
      throttled: count,
      retryable: count,
      unknown: count,
    }),
    responseMs: z.number().nullable(),
  }),
  z.strictObject({ error: z.string() }),
]);

/** What operators look up. Each list goes on after the last row of the page before, and holds at most `limit` rows. */
@Injectable()
export class CarriersQueries {
  constructor(
    private readonly orm: CarriersOrm,
    private readonly db: CarriersDatabase,
  ) {}

  /** Carriers by name. */
  async carriers(after: string | null, limit: number): Promise<ShownCarrier[]> {
    return this.shown({ where: { name: { gt: after ?? '' } }, orderBy: { name: 'asc' }, take: limit });
  }

  async carrier(name: string): Promise<ShownCarrier | null> {
    const [found] = await this.shown({ where: { name }, take: 1 });
    return found ?? null;
  }

  /** Routes, newest first. */
  async routes(after: string | null, limit: number): Promise<StoredRoute[]> {
    return this.orm.route.findMany({
      where: after === null ? {} : { id: { lt: after } },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /** Receipts of a carrier that match no submission, newest first. */
  async orphans(carrier: string, after: string | null, limit: number): Promise<OrphanReceipt[]> {
    const rows = await this.orm.orphanReceipt.findMany({
      where: { carrier, ...(after === null ? {} : { id: { lt: after } }) },
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map(({ receivedAt, state, ...row }) => ({
      ...row,
      state: receiptState.parse(state),
      receivedAtMs: receivedAt.getTime(),
    }));
  }

  /** Messages that a carrier brought in, newest first. */
  async inbound(carrier: string, after: string | null, limit: number): Promise<ShownInbound[]> {
    const rows = await this.orm.inbound.findMany({
      where: { carrier, ...(after === null ? {} : { id: { lt: after } }) },
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map(({ id, sender: from, recipient: to, text, encoding, segments, missing, receivedAt }) => ({
      ...{ id, from, to, text, segments, missing, receivedAt },
      encoding: encoding === 'UCS-2' ? 'UCS-2' : 'GSM-7',
    }));
  }

  /** Receipts of all carriers that match no submission, counted up to 100,000. */
  async countOrphans(): Promise<number> {
    return this.orm.orphanReceipt.count({ take: MAX_COUNTED });
  }

  private async shown(query: {
    where: { name: string | { gt: string } };
    orderBy?: { name: 'asc' };
    take: number;
  }): Promise<ShownCarrier[]> {
    const rows = await this.orm.carrier.findMany({ ...query, omit: { password: true }, include: { status: true } });
    const orphans = await this.orphanCounts(rows.map((row) => row.name));
    const epoch = await this.currentEpoch();
    return rows.map(({ status, streamId: _, ...row }) => ({
      ...row,
      http: row.http as unknown as HttpCarrier | null,
      ...carrierSchema.parse(row),
      status: statusSchema.safeParse(status?.status).data ?? null,
      statusAt: status?.updatedAt ?? null,
      isStatusCurrent: status !== null && status.epoch === epoch,
      orphanReceipts: orphans.get(row.name) ?? 0,
    }));
  }

  private async orphanCounts(names: string[]): Promise<Map<string, number>> {
    const groups = await this.orm.orphanReceipt.groupBy({
      by: ['carrier'],
      where: { carrier: { in: names } },
      _count: true,
    });
    return new Map(groups.map((group) => [group.carrier, group._count]));
  }

  /** The epoch of the lease of the binds, by the database's clock; null while nobody has it. */
  private async currentEpoch(): Promise<bigint | null> {
    const { rows } = await this.db.control.query<{ epoch: string }>(
      `select epoch from carriers.lease where name = 'binds' and owner is not null and expires_at > clock_timestamp()`,
    );
    return rows[0] ? BigInt(rows[0].epoch) : null;
  }
}
