import { Controller, Get, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { twilioPage, twilioPageShape, twilioPosition } from '../../../platform/http/twilio-page.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { ReadUsage, type UsagePosition } from '../application/read-usage.js';
import { dayOf, dayText, parseDay, USAGE_VIEWS, type UsageView } from '../domain/usage.js';
import { presentUsage } from './usage.presenter.js';

const MAX_TEXT = 64;
const FILTERS = ['Category', 'StartDate', 'EndDate', 'IncludeSubaccounts'];
const PATHS = USAGE_VIEWS.map((view) => `Usage/Records${view === '' ? '' : `/${view}`}.json`);

const usageQuery = z.object({
  ...twilioPageShape,
  Category: z.string().max(MAX_TEXT).optional().describe('sms, sms-outbound or totalprice; there is none of any other'),
  StartDate: z.string().max(MAX_TEXT).optional().describe('YYYY-MM-DD (UTC), or an offset from today such as -30days'),
  EndDate: z.string().max(MAX_TEXT).optional().describe('The last day, in the same form'),
  IncludeSubaccounts: z.enum(['true', 'false']).default('true'),
});
type UsageQuery = z.infer<typeof usageQuery>;

/** What an account was charged for, as Twilio's API has it: by day, month or year, or in total. */
@Controller('2010-04-01/Accounts/:AccountSid')
export class UsageController {
  constructor(private readonly readUsage: ReadUsage) {}

  /** Figures of the account, and of its subaccounts unless these are left out. Days are those of UTC. */
  @Get(PATHS)
  async list(
    @CurrentPrincipal() { accountSid }: Principal,
    @Query({ schema: usageQuery }) query: UsageQuery,
    @Req() request: FastifyRequest,
  ) {
    const nowMs = Date.now();
    const asked = new URL(request.url, 'http://trunkline');
    const view = viewOf(asked.pathname);
    const question = {
      accountSid,
      view,
      category: query.Category ?? null,
      from: dayAsked('StartDate', query.StartDate, dayOf(nowMs)),
      to: dayAsked('EndDate', query.EndDate, dayOf(nowMs)),
      withSubaccounts: query.IncludeSubaccounts === 'true',
    };
    const rows = await this.readUsage.page(question, positionOf(query, dayOf(nowMs)), query.PageSize + 1, nowMs);
    const page = twilioPage({
      path: asked.pathname,
      filters: Object.fromEntries(FILTERS.map((name) => [name, asked.searchParams.get(name) ?? undefined])),
      query,
      rows,
      position: (line) => [dayText(line.span.from), line.category.name],
    });
    return presentUsage(accountSid, view, page, nowMs);
  }
}

function viewOf(path: string): UsageView {
  const name = /\/Usage\/Records\/(\w+)\.json$/.exec(path)?.[1];
  return USAGE_VIEWS.find((view) => view === name) ?? '';
}

function dayAsked(field: string, text: string | undefined, today: number): number | undefined {
  if (text === undefined) return undefined;
  const day = parseDay(text, today);
  if (day !== null) return day;
  const detail = `'${field}' must be a date (YYYY-MM-DD), or an offset from today such as -30days`;
  throw new Failure('invalid_parameter', { field, detail });
}

function positionOf(query: UsageQuery, today: number): UsagePosition {
  const position = twilioPosition(query, 2);
  if (position.direction === 'first') return { direction: 'first' };
  const [text, category] = position.parts.map(String);
  const day = parseDay(text ?? '', today);
  return { direction: position.direction, ...(day === null ? {} : { day }), ...(category ? { category } : {}) };
}
