import { sidOf } from '../../../src/shared/sid.js';
import type { Order } from '../orders.js';
import { microsOf, type Operator, type Tenant } from '../tenants.js';
import { type Listed, readAs } from './api-record.js';
import type { Findings } from './findings.js';

const CHARGED = ['delivered', 'undelivered'];

export interface EntryRow {
  key: string;
  phase: number;
  kind: string;
  amount_micros: string;
}

/** Every message's entries in the ledger: reserved once, and posted or given back once, to the micro-unit. */
export function checkEntries(
  matched: ReadonlyMap<Order, Listed>,
  entries: readonly EntryRow[],
  findings: Findings,
): void {
  const byKey = new Map<string, EntryRow[]>();
  for (const entry of entries) {
    const sid = sidOf('SM', entry.key);
    byKey.set(sid, [...(byKey.get(sid) ?? []), entry]);
  }
  const known = new Set<string>();
  for (const [order, message] of matched) {
    known.add(message.sid);
    const found = byKey.get(message.sid) ?? [];
    const expected = `pending ${order.priceMicros}, ${CHARGED.includes(message.status) ? 'post' : 'void'} ${order.priceMicros}`;
    const told = found.sort((a, b) => a.phase - b.phase).map(({ kind, amount_micros: micros }) => `${kind} ${micros}`);
    if (told.join(', ') !== expected) {
      findings.add('charge', 'charged wrongly', message.sid, `is ${message.status}; ${told} instead of ${expected}`);
    }
  }
  for (const [sid, found] of byKey) {
    if (known.has(sid) || found.some(({ kind }) => kind === 'void')) continue;
    findings.add('charge', 'charged wrongly', sid, `${found.map(({ kind }) => kind)}, but there is no message`);
  }
}

/** What each customer would say that it spent, these orders included. */
export function spentOn(matched: ReadonlyMap<Order, Listed>, before: ReadonlyMap<Tenant, bigint>): Map<Tenant, bigint> {
  const spent = new Map(before);
  for (const [{ tenant, priceMicros }, { status }] of matched) {
    if (CHARGED.includes(status)) spent.set(tenant, (spent.get(tenant) ?? 0n) + priceMicros);
  }
  return spent;
}

/** Balances as the customers would work them out. */
export async function checkBalances(
  url: string,
  tenants: readonly Tenant[],
  spent: ReadonlyMap<Tenant, bigint>,
  findings: Findings,
): Promise<void> {
  for (const tenant of tenants) {
    const { body } = await readAs<{ balance: string; reserved: string }>(url, '/v1/balance', tenant);
    const expected = tenant.creditedMicros - (spent.get(tenant) ?? 0n);
    const balance = microsOf(body.balance);
    if (balance !== expected || balance < 0n) {
      findings.add('ledger', 'charged wrongly', tenant.sid, `${tenant.name} has ${balance} micros, not ${expected}`);
    }
    if (microsOf(body.reserved) !== 0n) {
      findings.add('ledger', 'charged wrongly', tenant.sid, `${tenant.name} still has ${body.reserved} reserved`);
    }
  }
}

interface AuditReport {
  readonly ok: boolean;
  readonly violations: readonly { readonly invariant: number; readonly subject: string; readonly detail: string }[];
}

/** The product's own audit of its invariants. */
export async function checkInside(operator: Operator, findings: Findings): Promise<void> {
  const report = await operator<AuditReport>('GET', 'audit');
  for (const { invariant, subject, detail } of report.violations) {
    findings.add('consumer', 'other', subject, `the product's audit of invariant ${invariant}: ${detail}`);
  }
}
