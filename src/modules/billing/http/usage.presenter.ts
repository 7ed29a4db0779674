import type { TwilioEnvelope } from '../../../platform/http/twilio-page.js';
import { formatAmount } from '../../../shared/money.js';
import type { UsageLine } from '../application/read-usage.js';
import { CURRENCY } from '../domain/ledger.js';
import { dayText, USAGE_VIEWS, type UsageView } from '../domain/usage.js';

const API = '2010-04-01';
const UNIT = CURRENCY.toLowerCase();

/** The address of a list of usage. */
export function usagePath(accountSid: string, view: UsageView): string {
  return `/${API}/Accounts/${accountSid}/Usage/Records${view === '' ? '' : `/${view}`}.json`;
}

/** A page of usage as Twilio's API writes it. `as_of` is now: what is charged counts at once. */
export function presentUsage(
  accountSid: string,
  view: UsageView,
  { rows, envelope }: { rows: readonly UsageLine[]; envelope: TwilioEnvelope },
  nowMs: number,
) {
  const asOf = `${new Date(nowMs).toISOString().slice(0, 19)}+00:00`;
  return { ...envelope, usage_records: rows.map((line) => presentLine(accountSid, view, line, asOf)) };
}

function presentLine(
  accountSid: string,
  view: UsageView,
  { category, span, charges, amountMicros }: UsageLine,
  asOf: string,
) {
  const [start, end] = [dayText(span.from), dayText(span.to)];
  const amount = formatAmount(amountMicros);
  const query = new URLSearchParams({ Category: category.name, StartDate: start, EndDate: end });
  return {
    account_sid: accountSid,
    api_version: API,
    as_of: asOf,
    category: category.name,
    count: category.unit && String(charges),
    count_unit: category.unit,
    description: category.description,
    end_date: end,
    price: Number(amount),
    price_unit: UNIT,
    start_date: start,
    subresource_uris: subresources(accountSid, category.name),
    uri: `${usagePath(accountSid, view)}?${query}`,
    usage: category.unit ? String(charges) : amount,
    usage_unit: category.unit ?? UNIT,
  };
}

function subresources(accountSid: string, category: string): Record<string, string> {
  const named = USAGE_VIEWS.filter((view) => view !== '').map((view) => [
    view.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase(),
    `${usagePath(accountSid, view)}?${new URLSearchParams({ Category: category })}`,
  ]);
  return Object.fromEntries(named);
}
