import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import {
  type DaySpan,
  dayOf,
  dayText,
  periodAt,
  periodOf,
  periodsIn,
  spanOf,
  startOfPeriod,
  type UsageUnit,
  type UsageView,
  unitOf,
} from '../domain/usage.js';
import { type UsageCategory, usageCategories } from '../domain/usage-categories.js';
import { LedgerAccountsRepository } from '../infrastructure/ledger-accounts.repository.js';
import { type Usage, UsageRepository } from '../infrastructure/usage.repository.js';

/** One line of a list of usage. */
export interface UsageLine {
  readonly category: UsageCategory;
  readonly span: DaySpan;
  readonly charges: bigint;
  readonly amountMicros: bigint;
}

export interface UsageQuestion {
  readonly accountSid: string;
  readonly view: UsageView;
  /** Null: all of them. */
  readonly category: string | null;
  /** Days, as in DaySpan; undefined: those of the view. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly withSubaccounts: boolean;
}

/** Where a page of the list begins: at its start, or next to the line of this day and category. */
export interface UsagePosition {
  readonly direction: 'first' | 'after' | 'before';
  readonly day?: number;
  readonly category?: string;
}

/** Reads what an account, and those it owns, were charged for. */
@Injectable()
export class ReadUsage {
  constructor(
    private readonly accounts: AccountsApi,
    private readonly ledger: LedgerAccountsRepository,
    private readonly usage: UsageRepository,
  ) {}

  /**
   * Lines by period, the newest first, then by category; those without usage too. Towards the start of the list they
   * come in the reverse order.
   *
   * @throws Failure `not_found` when the account's ledger is not open
   */
  async page(question: UsageQuestion, position: UsagePosition, limit: number, nowMs: number): Promise<UsageLine[]> {
    const id = parseSid('AC', question.accountSid);
    const opened = id && (await this.ledger.openedAt(id));
    if (!opened) throw new Failure('not_found', { detail: `the account ${question.accountSid} has no ledger` });
    const categories = usageCategories(question.category);
    const unit = unitOf(question.view);
    const span = spanOf(question.view, question, dayOf(nowMs), dayOf(opened.getTime()));
    const indexes = pageOf(periodsIn(unit, span) * categories.length, startOf(position, unit, span, categories), limit);
    if (indexes.length === 0) return [];
    const lines = indexes.map((index) => ({
      category: categories[index % categories.length]!,
      span: periodAt(unit, span, Math.floor(index / categories.length)),
    }));
    const needed = {
      from: Math.min(...lines.map((line) => line.span.from)),
      to: Math.max(...lines.map((line) => line.span.to)),
    };
    const read = await this.usage.read(await this.accountIds(id, question), needed, unit);
    return lines.map((line) => ({ ...line, ...sumOf(read, unit, line.span, line.category) }));
  }

  private async accountIds(id: string, { accountSid, withSubaccounts }: UsageQuestion): Promise<string[]> {
    const owned = withSubaccounts ? await this.accounts.subaccountsOf({ accountSid }) : [];
    return [id, ...owned.map((sid) => parseSid('AC', sid)!)];
  }
}

interface Start {
  readonly index: number;
  readonly step: 1 | -1;
}

function startOf(
  { direction, day, category }: UsagePosition,
  unit: UsageUnit,
  span: DaySpan,
  categories: readonly UsageCategory[],
): Start {
  if (direction === 'first') return { index: 0, step: 1 };
  const at = categories.findIndex(({ name }) => name === category);
  if (day === undefined || at === -1) {
    throw new Failure('invalid_parameter', { field: 'PageToken', detail: "'PageToken' is of another list" });
  }
  const index = periodOf(unit, span, day) * categories.length + at;
  return direction === 'after' ? { index: index + 1, step: 1 } : { index: index - 1, step: -1 };
}

/** The numbers of the lines on a page. */
function pageOf(count: number, { index, step }: Start, limit: number): number[] {
  const indexes = Array.from({ length: Math.min(limit, count) }, (_, nth) => index + nth * step);
  return indexes.filter((each) => each >= 0 && each < count);
}

function sumOf(read: readonly Usage[], unit: UsageUnit, span: DaySpan, category: UsageCategory) {
  const period = unit === 'total' ? null : dayText(startOfPeriod(unit, span.from));
  const rows = read.filter((row) => row.period === period && category.covers(row.keyPrefix));
  return {
    charges: rows.reduce((sum, row) => sum + row.charges, 0n),
    amountMicros: rows.reduce((sum, row) => sum + row.amountMicros, 0n),
  };
}
