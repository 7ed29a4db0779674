import { Inject, Injectable } from '@nestjs/common';
import { BillingApi } from '../../modules/billing/contract/billing.api.js';
import { CarriersApi } from '../../modules/carriers/contract/carriers.api.js';
import { MessagingApi } from '../../modules/messaging/contract/messaging.api.js';
import { NotificationsApi } from '../../modules/notifications/contract/notifications.api.js';
import { RETENTION_MS } from '../../platform/postgres/partition-care.js';
import { type Comparison, compareRows, confirmed, type Rows, type Violation } from './compare.js';
import { cutBucket, nextSlice, type Slice, type TimeRange, wholeMinutes } from './slices.js';

const HOUR_MS = 3_600_000;
/** Ten days less than everything is kept: what one module still has and another has dropped is no difference. */
const BACK_MS = RETENTION_MS - 10 * 24 * HOUR_MS;
const AHEAD_MS = 2 * HOUR_MS;
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

/** What an audit is bounded to: messages made from one instant, inclusive, to another, exclusive. */
export interface AuditBounds {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

interface Range {
  readonly from: string;
  readonly to: string;
}

interface Line {
  readonly count: number;
  readonly hash: string;
}

/** What has been found so far. */
interface Findings {
  readonly violations: Violation[];
  readonly settledBefore: number;
  messages: number;
  ranges: number;
  pending: number;
}

/**
 * Checks the invariants on live data. Each module sums its own rows up, slice by slice of time, from now back; only
 * parts of a slice in which the sums differ are cut smaller, and then read row by row. The ledger is checked as a whole,
 * whatever the bounds.
 *
 * No snapshot outlives a slice, but that of the ledger's balances, and one statement runs at a time: an audit takes one
 * core at most, and the tables that change most can be rid of their dead rows meanwhile.
 */
@Injectable()
export class RunAudit {
  constructor(
    @Inject(BillingApi) private readonly billing: BillingApi,
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    @Inject(MessagingApi) private readonly messaging: MessagingApi,
    @Inject(NotificationsApi) private readonly notifications: NotificationsApi,
  ) {}

  async run(bounds: AuditBounds = {}): Promise<AuditReport> {
    const now = Date.now();
    const ledger = await this.billing.checkLedger();
    const violations: Violation[] = ledger.violations.map((found) => ({
      invariant: 2,
      subject: found.account,
      detail: found.detail,
    }));
    if (ledger.sumMicros !== '0') {
      violations.push({ invariant: 2, subject: 'ledger', detail: `the balances sum to ${ledger.sumMicros}` });
    }
    const findings: Findings = { violations, settledBefore: now - SETTLE_MS, messages: 0, ranges: 0, pending: 0 };
    const fromMs = Math.max(bounds.from?.getTime() ?? 0, now - BACK_MS);
    const toMs = Math.min(bounds.to?.getTime() ?? Number.POSITIVE_INFINITY, now + AHEAD_MS);
    const whole = wholeMinutes({ fromMs: Math.min(fromMs, toMs), toMs });
    for (let slice = nextSlice(whole, null); slice && violations.length < MAX_VIOLATIONS; ) {
      const held = await this.checkSlice(slice, findings);
      slice = nextSlice(whole, { slice, held });
    }
    return {
      ok: violations.length === 0,
      checked: { messages: findings.messages, entries: ledger.entries, ranges: findings.ranges },
      pending: findings.pending,
      violations: violations.slice(0, MAX_VIOLATIONS),
    };
  }

  /** Returns how many messages the slice held. */
  private async checkSlice(slice: Slice, findings: Findings): Promise<number> {
    const histories = await this.messaging.checkHistories(isoRange(slice));
    findings.messages += histories.messages;
    findings.violations.push(
      ...histories.violations.map((found) => ({ invariant: 1, subject: found.sid, detail: found.detail })),
    );
    await this.compareSlice(slice, findings);
    return histories.messages;
  }

  private async compareSlice(slice: Slice, findings: Findings): Promise<void> {
    for (const fromMs of await this.differing(slice)) {
      if (findings.violations.length >= MAX_VIOLATIONS) return;
      const cut = cutBucket(fromMs, slice.bucketMs);
      if (cut) {
        await this.compareSlice(cut, findings);
        continue;
      }
      findings.ranges++;
      const compared = await this.compare(isoRange({ fromMs, toMs: fromMs + slice.bucketMs }), findings.settledBefore);
      findings.violations.push(...compared.violations);
      findings.pending += compared.pending;
    }
  }

  /** The modules are read one after the other: what two readings do not both show happened between their pages. */
  private async compare(part: Range, settledBefore: number): Promise<Comparison> {
    const first = compareRows(await this.rows(part), settledBefore);
    if (first.violations.length === 0) return first;
    return confirmed(first, compareRows(await this.rows(part), settledBefore));
  }

  /** The beginnings of a slice's buckets in which the modules do not say the same. */
  private async differing(slice: Slice): Promise<number[]> {
    const input = { ...isoRange(slice), bucketMs: slice.bucketMs };
    const messages = await this.messaging.digest(input);
    const charges = await this.billing.digest(input);
    const submissions = await this.carriers.digest(input);
    const deliveries = await this.notifications.digest(input);
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
        same(message?.callbacks, deliveryAt.get(from)) &&
        (deliveryAt.get(from)?.overdue ?? 0) === 0;
      return agree ? [] : [Date.parse(from)];
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

function isoRange({ fromMs, toMs }: TimeRange): Range {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
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
