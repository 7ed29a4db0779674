import type { ChargeRow } from '../../modules/billing/contract/billing.api.js';
import type { SubmissionRow } from '../../modules/carriers/contract/carriers.api.js';
import type { AuditedMessage } from '../../modules/messaging/contract/messaging.api.js';
import type { AuditedDelivery } from '../../modules/notifications/contract/notifications.api.js';

export interface Violation {
  /** The invariant that does not hold, 1 to 5. */
  readonly invariant: number;
  /** What it is about: a message's SID, or an account of the ledger. */
  readonly subject: string;
  readonly detail: string;
}

/** What the modules say of the keys of one range. */
export interface Rows {
  readonly messages: ReadonlyMap<string, AuditedMessage>;
  readonly charges: ReadonlyMap<string, ChargeRow>;
  readonly submissions: ReadonlyMap<string, SubmissionRow>;
  readonly deliveries: ReadonlyMap<string, AuditedDelivery>;
}

export interface Comparison {
  readonly violations: Violation[];
  /** Differences that are younger than work may take. */
  readonly pending: number;
}

const EXPECTED = { open: 'pending', charged: 'posted', free: 'voided' } as const;

/**
 * Compares row by row what the modules say of the same messages.
 *
 * @param settledBefore instant in milliseconds: a difference in something that changed later is work under way
 */
export function compareRows(rows: Rows, settledBefore: number): Comparison {
  const violations: Violation[] = [];
  let pending = 0;
  const keys = new Set([
    ...rows.messages.keys(),
    ...rows.charges.keys(),
    ...rows.submissions.keys(),
    ...rows.deliveries.keys(),
  ]);
  for (const key of keys) {
    const found = compareOne(key, rows);
    if (found.length === 0) continue;
    if (changedAt(key, rows) > settledBefore) pending++;
    else violations.push(...found);
  }
  return { violations, pending };
}

/** What a second reading says too; the rest was work under way. */
export function confirmed(first: Comparison, second: Comparison): Comparison {
  const again = new Set(second.violations.map(nameOf));
  const violations = first.violations.filter((violation) => again.has(nameOf(violation)));
  return { violations, pending: second.pending };
}

function nameOf({ invariant, subject, detail }: Violation): string {
  return `${invariant} ${subject} ${detail}`;
}

function compareOne(key: string, rows: Rows): Violation[] {
  const message = rows.messages.get(key);
  const charge = rows.charges.get(key);
  const submission = rows.submissions.get(key);
  const delivery = rows.deliveries.get(key);
  const violation = (invariant: number, detail: string): Violation => ({ invariant, subject: key, detail });
  const found: Violation[] = [];
  if (!message) {
    if (charge && charge.state !== 'voided') found.push(violation(3, `${charge.state} without a message`));
    if (submission) found.push(violation(1, `a carrier's answer is ${submission.outcome}, but there is no message`));
    if (delivery) found.push(violation(5, 'deliveries exist for it, but there is no message'));
    return found;
  }
  const expected = EXPECTED[message.charge];
  if (charge?.state !== expected) {
    found.push(violation(3, `it is ${message.status}, but its charge is ${charge?.state ?? 'missing'}`));
  } else if (charge.amountMicros !== message.priceMicros) {
    found.push(violation(3, `it costs ${message.priceMicros}, but ${charge.amountMicros} is ${charge.state}`));
  }
  const isAccepted = submission?.outcome === 'accepted';
  if (isAccepted !== message.carried) {
    found.push(
      violation(1, isAccepted ? 'a carrier has it, but it was never sent' : 'it was sent, but no carrier has it'),
    );
  }
  const versions = delivery?.versions ?? [];
  if (versions.join() !== message.callbackVersions.join()) {
    const owed = `versions ${message.callbackVersions.join(', ') || 'none'}`;
    found.push(violation(5, `callbacks are owed for ${owed}, deliveries exist for ${versions.join(', ') || 'none'}`));
  }
  if (delivery && delivery.overdueVersions.length > 0) {
    found.push(violation(5, `deliveries of versions ${delivery.overdueVersions.join(', ')} are overdue`));
  }
  return found;
}

function changedAt(key: string, rows: Rows): number {
  return Math.max(
    Date.parse(rows.messages.get(key)?.changedAt ?? '') || 0,
    Date.parse(rows.charges.get(key)?.changedAt ?? '') || 0,
    Date.parse(rows.submissions.get(key)?.answeredAt ?? '') || 0,
  );
}
