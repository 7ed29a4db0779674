import { Inject, Injectable } from '@nestjs/common';
import { BillingApi } from '../../modules/billing/contract/billing.api.js';
import { CarriersApi } from '../../modules/carriers/contract/carriers.api.js';
import { MessagingApi } from '../../modules/messaging/contract/messaging.api.js';
import { NotificationsApi } from '../../modules/notifications/contract/notifications.api.js';
import { RETENTION_MS } from '../../platform/postgres/partition-care.js';
import { type Comparison, compareRows, confirmed, type Rows, type Violation } from './compare.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Ten days less than everything is kept: what one module still has and another has dropped is no difference. */
const BACK_MS = RETENTION_MS - 10 * 24 * HOUR_MS;
const PAGE = 1000;
const MAX_VIOLATIONS = 1000;
/** Work that changed something less than this ago may still be on its way through the other modules. */
const SETTLE_MS = 30_000;

export interface AuditReport {
  readonly ok: boolean;
  readonly checked: { readonly messages: number; readonly entries: number; readonly ranges: number };
  /** Differences that are younger than work may take. */
  readonly pending: number;
  readonly violations: readonly Violation[];
}

interface Range {
  readonly from: string;
  readonly to: string;
}

interface Line {
  readonly count: number;
  readonly hash: string;
}

/**
 * Checks the invariants on live data. Each module sums its own rows up by ranges of keys; only ranges in which the sums
 * differ are cut smaller, and then read row by row.
 */
@Injectable()
export class RunAudit {
  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    @Inject(MessagingApi) private readonly messaging: MessagingApi,
    @Inject(NotificationsApi) private readonly notifications: NotificationsApi,
  ) {}

  async run(): Promise<AuditReport> {
    const now = Date.now();
    const end = Math.ceil(now / HOUR_MS) * HOUR_MS + HOUR_MS;
    const whole = range(end - BACK_MS, end);
    const ledger = await this.billing.checkLedger();
    const histories = await this.messaging.checkHistories(whole);
    const violations: Violation[] = [
      ...ledger.violations.map((found) => ({ invariant: 2, subject: found.account, detail: found.detail })),
      ...histories.violations.map((found) => ({ invariant: 1, subject: found.sid, detail: found.detail })),
    ];
    if (ledger.sumMicros !== '0') {
      violations.push({ invariant: 2, subject: 'ledger', detail: `the balances sum to ${ledger.sumMicros}` });
    }
    let pending = 0;
    let ranges = 0;
    for (const hour of await this.differing(whole, HOUR_MS)) {
      if (violations.length >= MAX_VIOLATIONS) break;
      for (const minute of await this.differing(hour, MINUTE_MS)) {
        if (violations.length >= MAX_VIOLATIONS) break;
        ranges++;
        const compared = await this.compare(minute, now - SETTLE_MS);
        violations.push(...compared.violations);
        pending += compared.pending;
      }
    }
    return {
      ok: violations.length === 0,
      checked: { messages: histories.messages, entries: ledger.entries, ranges },
      pending,
      violations: violations.slice(0, MAX_VIOLATIONS),
    };
  }

  /** The modules are read one after the other: what two readings do not both show happened between their pages. */
  private async compare(minute: Range, settledBefore: number): Promise<Comparison> {
    const first = compareRows(await this.rows(minute), settledBefore);
    if (first.violations.length === 0) return first;
    return confirmed(first, compareRows(await this.rows(minute), settledBefore));
  }

  /** The buckets of a range in which the modules do not say the same. */
  private async differing(within: Range, bucketMs: number): Promise<Range[]> {
    const input = { ...within, bucketMs };
    const [messages, charges, submissions, deliveries] = await Promise.all([
      this.messaging.digest(input),
      this.billing.digest(input),
      this.carriers.digest(input),
      this.notifications.digest(input),
    ]);
    const starts = new Set([...messages, ...charges, ...submissions, ...deliveries].map((line) => line.from));
    const [messageAt, chargeAt, submissionAt, deliveryAt] = [
      byStart(messages),
      byStart(charges),
      byStart(submissions),
      byStart(deliveries),
    ];
    return [...starts].sort().flatMap((from) => {
      const message = messageAt.get(from);
      const charge = chargeAt.get(from);
      const agree =
        same(message?.charged, charge?.posted) &&
        (message?.charged.sumMicros ?? 0) === (charge?.posted.sumMicros ?? 0) &&
        same(message?.open, charge?.pending) &&
        same(message?.free, charge?.voided) &&
        same(message?.carried, submissionAt.get(from)?.accepted) &&
        same(message?.callbacks, deliveryAt.get(from));
      return agree ? [] : [range(Date.parse(from), Date.parse(from) + bucketMs)];
    });
  }

  private async rows(within: Range): Promise<Rows> {
    const page = { ...within, limit: PAGE };
    return {
      messages: await collect(
        (after) => this.messaging.listMessages({ ...page, after }),
        (row) => row.sid,
      ),
      charges: await collect(
        (after) => this.billing.listCharges({ ...page, after, state: 'any' }),
        (row) => row.key,
      ),
      submissions: await collect(
        (after) => this.carriers.listSubmissions({ ...page, after }),
        (row) => row.key,
      ),
      deliveries: await collect(
        (after) => this.notifications.listDeliveries({ ...page, after }),
        (row) => row.messageSid,
      ),
    };
  }
}

const NONE: Line = { count: 0, hash: '0' };

function same(a: Line = NONE, b: Line = NONE): boolean {
  return a.count === b.count && a.hash === b.hash;
}

function byStart<T extends { readonly from: string }>(lines: readonly T[]): Map<string, T> {
  return new Map(lines.map((line) => [line.from, line]));
}

function range(from: number, to: number): Range {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

async function collect<R>(
  read: (after: string | null) => Promise<readonly R[]>,
  keyOf: (row: R) => string,
): Promise<Map<string, R>> {
  const rows = new Map<string, R>();
  let after: string | null = null;
  for (;;) {
    const page: readonly R[] = await read(after);
    for (const row of page) rows.set(keyOf(row), row);
    if (page.length < PAGE) return rows;
    after = keyOf(page[page.length - 1]!);
  }
}
