import type { TwilioPageQuery } from '../../../platform/http/twilio-page.js';
import { parsePhoneNumber } from '../../../shared/phone-number.js';
import type { ListFilter } from '../domain/message-view.js';

interface SentBound {
  readonly date: Date;
  readonly day: boolean;
}

export interface ListRequest extends TwilioPageQuery {
  readonly To?: string | undefined;
  readonly From?: string | undefined;
  readonly DateSent?: SentBound | undefined;
  readonly 'DateSent<'?: SentBound | undefined;
  readonly 'DateSent>'?: SentBound | undefined;
}

const DAY_MS = 86_400_000;

/** What the list is narrowed to. `DateSent` is a day; `DateSent>` includes its instant or day, `DateSent<` ends before the instant, or with the day. */
export function filterOf(request: ListRequest): ListFilter {
  const on = request.DateSent;
  const from = on ? startOfDay(on.date) : request['DateSent>']?.date;
  const before = on ? startOfDay(on.date, 1) : endOf(request['DateSent<']);
  return {
    ...(request.To ? { to: address(request.To) } : {}),
    ...(request.From ? { from: address(request.From) } : {}),
    ...(from ? { sentFrom: from } : {}),
    ...(before ? { sentBefore: before } : {}),
  };
}

function address(text: string): string {
  const parsed = parsePhoneNumber(text);
  return parsed.ok ? parsed.e164 : text;
}

function startOfDay(date: Date, plusDays = 0): Date {
  return new Date(Math.floor(date.getTime() / DAY_MS) * DAY_MS + plusDays * DAY_MS);
}

function endOf(bound: SentBound | undefined): Date | undefined {
  return bound?.day ? startOfDay(bound.date, 1) : bound?.date;
}
