import { sidOf } from '../../../src/shared/sid.js';
import type { Order } from '../orders.js';
import type { Random } from '../random.js';
import type { Operator, Tenant } from '../tenants.js';
import { type Listed, readAs } from './api-record.js';
import type { Findings } from './findings.js';

const FINAL = ['delivered', 'undelivered', 'failed', 'canceled'];
const SAMPLE = 20;

export interface HistoryRow {
  stream_id: string;
  versions: number[];
  types: string[];
}

/** The events of every message tell how it came to its final state, step by step. */
export function checkHistories(
  matched: ReadonlyMap<Order, Listed>,
  histories: readonly HistoryRow[],
  findings: Findings,
): void {
  const bySid = new Map(histories.map((row) => [sidOf('SM', row.stream_id), row]));
  for (const message of matched.values()) {
    const steps = stepsOf(bySid.get(message.sid));
    const finals = steps.filter((step) => FINAL.includes(step));
    const isWhole = bySid.get(message.sid)?.versions.every((version, index) => version === index + 1) ?? false;
    if (!isWhole || steps[0] !== 'accepted' || finals.join() !== message.status || steps.at(-1) !== message.status) {
      findings.add(
        'final',
        'lost',
        message.sid,
        `is ${message.status}, its events say ${steps.join(', ') || 'nothing'}`,
      );
    }
  }
}

/** A few histories through the API; and what one tenant is told of another's messages. */
export async function checkSamples(
  url: string,
  tenants: readonly Tenant[],
  matched: ReadonlyMap<Order, Listed>,
  histories: readonly HistoryRow[],
  random: Random,
  findings: Findings,
): Promise<void> {
  const all = [...matched];
  const bySid = new Map(histories.map((row) => [sidOf('SM', row.stream_id), row]));
  for (let taken = 0; taken < Math.min(SAMPLE, all.length); taken++) {
    const [order, { sid }] = random.pick(all);
    const { body } = await readAs<{ data: { type: string }[] }>(url, `/v1/messages/${sid}/events`, order.tenant);
    const types = body.data.map(({ type }) => type).join();
    if (types !== bySid.get(sid)?.types.join()) findings.add('final', 'other', sid, `its history is shown as ${types}`);
    const stranger = random.pick(tenants.filter((tenant) => tenant !== order.tenant));
    await checkStranger(url, stranger, order.tenant, sid, findings);
  }
}

/** No dead event, and nobody behind. */
export async function checkConsumers(operator: Operator, findings: Findings): Promise<void> {
  const { data } = await operator<{ data: { id: string; lag: number }[] }>('GET', 'consumers');
  for (const { id, lag } of data) {
    if (lag > 0) findings.add('consumer', 'other', id, `has not seen ${lag} events`);
  }
  const letters = await operator<{ data: { id: string; kind: string; reason: string }[] }>(
    'GET',
    'dead-letters?limit=100',
  );
  for (const { id, kind, reason } of letters.data) {
    if (kind === 'event') findings.add('consumer', 'other', id, `an event was given up: ${reason}`);
  }
}

async function checkStranger(
  url: string,
  stranger: Tenant,
  owner: Tenant,
  sid: string,
  findings: Findings,
): Promise<void> {
  const paths: [string, number][] = [
    [`/v1/messages/${sid}/events`, 404],
    [`/2010-04-01/Accounts/${stranger.sid}/Messages/${sid}.json`, 404],
    [`/2010-04-01/Accounts/${owner.sid}/Messages/${sid}.json`, 401],
  ];
  for (const [path, expected] of paths) {
    const { status } = await readAs<unknown>(url, path, stranger);
    if (status !== expected) findings.add('tenant', 'other', sid, `${stranger.name} asked for ${path}: ${status}`);
  }
}

function stepsOf(row: HistoryRow | undefined): string[] {
  return (row?.types ?? []).map((type) => /^messaging\.message-([a-z]+)\.v1$/.exec(type)?.[1] ?? type);
}
