import type { ChargeRow } from '../../modules/billing/contract/billing.api.js';
import type { SubmissionRow } from '../../modules/carriers/contract/carriers.api.js';
import type { AuditedMessage } from '../../modules/messaging/contract/messaging.api.js';
import type { AuditedDelivery } from '../../modules/notifications/contract/notifications.api.js';
import { compareRows, confirmed, type Rows } from './compare.js';

const SID = `SM${'0'.repeat(32)}`;
const ACCOUNT = `AC${'0'.repeat(32)}`;
const LONG_AGO = '2026-01-01T00:00:00.000Z';
const SETTLED_BEFORE = Date.parse(LONG_AGO) + 1;

const message: AuditedMessage = {
  sid: SID,
  accountSid: ACCOUNT,
  status: 'delivered',
  charge: 'charged',
  priceMicros: 7_900,
  carried: true,
  callbackVersions: [2, 3],
  changedAt: LONG_AGO,
};
const charge: ChargeRow = {
  key: SID,
  accountSid: ACCOUNT,
  state: 'posted',
  amountMicros: 7_900,
  changedAt: LONG_AGO,
};
const submission: SubmissionRow = {
  key: SID,
  accountSid: ACCOUNT,
  carrier: 'one',
  outcome: 'accepted',
  answeredAt: LONG_AGO,
};
const delivery: AuditedDelivery = { messageSid: SID, versions: [2, 3], overdueVersions: [] };

interface Said {
  message?: Partial<AuditedMessage> | null;
  charge?: Partial<ChargeRow> | null;
  submission?: Partial<SubmissionRow> | null;
  delivery?: Partial<AuditedDelivery> | null;
}

/** What the modules say of one message that is in order, with the given differences; null: nothing. */
function compare(said: Said) {
  const one = <T extends object>(row: T, change: Partial<T> | null | undefined): Map<string, T> =>
    new Map(change === null ? [] : [[SID, { ...row, ...change }]]);
  const rows: Rows = {
    messages: one(message, said.message),
    charges: one(charge, said.charge),
    submissions: one(submission, said.submission),
    deliveries: one(delivery, said.delivery),
  };
  return compareRows(rows, SETTLED_BEFORE);
}

describe('what the modules say of the same message', () => {
  it('is in order', () => {
    expect(compare({})).toEqual({ violations: [], pending: 0 });
    expect(
      compare({ message: null, charge: { state: 'voided' }, submission: null, delivery: null }).violations,
    ).toEqual([]);
  });

  it.each<[string, number[], Said]>([
    ['no charge', [3], { charge: null }],
    ['a charge that is still pending', [3], { charge: { state: 'pending' } }],
    ['another amount', [3], { charge: { amountMicros: 1 } }],
    ['a carrier that has what was never sent', [1], { message: { carried: false } }],
    ['a sent message that no carrier has', [1], { submission: null }],
    ['a callback without a delivery', [5], { delivery: null }],
    ['an overdue delivery', [5], { delivery: { overdueVersions: [3] } }],
    ['a charge alone', [3], { message: null, submission: null, delivery: null }],
    ['a submission alone', [1], { message: null, charge: { state: 'voided' }, delivery: null }],
    ['a delivery alone', [5], { message: null, charge: null, submission: null }],
  ])('is a violation: %s', (_, invariants, said) => {
    expect(compare(said).violations.map((violation) => violation.invariant)).toEqual(invariants);
  });

  it('is work under way where it changed a moment ago', () => {
    const now = new Date(SETTLED_BEFORE + 1000).toISOString();
    expect(compare({ charge: { state: 'pending', changedAt: now } })).toEqual({ violations: [], pending: 1 });
  });

  it('is a violation only where a second reading says the same', () => {
    const first = compare({ delivery: { versions: [2] } });
    expect(confirmed(first, compare({})).violations).toEqual([]);
    expect(confirmed(first, compare({ charge: null })).violations).toEqual([]);
    expect(confirmed(first, compare({ delivery: { versions: [2] } })).violations).toEqual(first.violations);
  });
});
