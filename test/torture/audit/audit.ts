import { idFloor, sidOf } from '../../../src/shared/sid.js';
import type { Order } from '../orders.js';
import type { Random } from '../random.js';
import type { Stage } from '../stage.js';
import type { Tenant } from '../tenants.js';
import { type Listed, listMessages } from './api-record.js';
import { readCarriers } from './carrier-records.js';
import { checkCallbacks, type Undelivered } from './check-callbacks.js';
import { checkConsumers, checkHistories, checkSamples, type HistoryRow } from './check-histories.js';
import { checkBalances, checkEntries, checkInside, type EntryRow, spentOn } from './check-money.js';
import { CheckOrders } from './check-orders.js';
import { Findings } from './findings.js';

export interface AuditInput {
  readonly stage: Stage;
  readonly tenants: readonly Tenant[];
  readonly orders: readonly Order[];
  /** When the first of the orders was made, in milliseconds; null: they are all that there ever were. */
  readonly sinceMs: number | null;
  /** What was spent on the orders before. */
  readonly spentBefore: ReadonlyMap<Tenant, bigint>;
  readonly random: Random;
}

export interface Audited {
  readonly findings: Findings;
  readonly spent: Map<Tenant, bigint>;
}

/**
 * Audits orders and all that came of them. Compares three records that know nothing of each other (what customers were
 * told, what the carriers wrote down, what the customers' endpoints heard) with what the product says of itself.
 */
export async function audit({ stage, tenants, orders, sinceMs, spentBefore, random }: AuditInput): Promise<Audited> {
  const findings = new Findings();
  const { url } = stage.apis[0]!;
  const from = idFloor(sinceMs ?? 0);
  const isWhole = sinceMs === null;
  const listed = new Map<Tenant, Listed[]>();
  for (const tenant of tenants) listed.set(tenant, await listMessages(url, tenant, sidOf('SM', from)));
  const check = new CheckOrders(orders, findings);
  const matched = check.match(listed);
  findings.messages = matched.size;
  check.checkCarriers(matched, await readCarriers(stage.carriers), isWhole);
  checkCallbacks(matched, stage.receivers.told, await undelivered(stage, from), findings);
  checkEntries(matched, await entries(stage, from), findings);
  const spent = spentOn(matched, spentBefore);
  await checkBalances(url, tenants, spent, findings);
  const histories = await readHistories(stage, from);
  checkHistories(matched, histories, findings);
  await checkSamples(url, tenants, matched, histories, random, findings);
  await checkConsumers(stage.operator, findings);
  await checkInside(stage.operator, findings);
  return { findings, spent };
}

function entries(stage: Stage, from: string): Promise<EntryRow[]> {
  return stage.database.read<EntryRow & Record<string, unknown>>(
    `select key, phase, kind, amount_micros from billing.entry where key_prefix = 'SM' and key >= $1 order by key, phase`,
    [from],
  );
}

function readHistories(stage: Stage, from: string): Promise<HistoryRow[]> {
  return stage.database.read<HistoryRow & Record<string, unknown>>(
    `select stream_id, array_agg(version order by version) as versions, array_agg(type order by version) as types
      from messaging.event where stream_id >= $1 group by stream_id`,
    [from],
  );
}

async function undelivered(stage: Stage, from: string): Promise<Undelivered> {
  const rows = await stage.database.read<{ message_id: string; state: string; status: string }>(
    `select message_id, state, params ->> 'status' as status from notifications.delivery
      where state in ('pending', 'dead', 'skipped') and message_id >= $1`,
    [from],
  );
  const names = (states: readonly string[]) =>
    new Set(
      rows.filter(({ state }) => states.includes(state)).map((row) => `${sidOf('SM', row.message_id)} ${row.status}`),
    );
  return { dead: names(['dead', 'skipped']), waiting: names(['pending']) };
}
