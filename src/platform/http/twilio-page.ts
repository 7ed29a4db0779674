import { z } from 'zod';
import { Failure } from '../../shared/failure.js';
import { type CursorPart, decodeCursor, encodeCursor, queryInteger } from './page.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1_000;
const MAX_PAGE = 1_000_000_000;
const MAX_TOKEN_LENGTH = 2_048;
/** First letters of a PageToken: what follows it, or what precedes it. */
const AFTER = 'PA';
const BEFORE = 'PB';

/** Where a page of a Twilio list begins: at the list's start, after a row, or before one. */
export type TwilioPosition =
  | { readonly direction: 'first' }
  | { readonly direction: 'after' | 'before'; readonly parts: CursorPart[] };

/** Query parameters of a 2010-04-01 list; spread them into the list's own schema. */
export const twilioPageShape = {
  Page: queryInteger(0, MAX_PAGE).default(0),
  /** Twilio gives at most 1000 and takes any larger figure for that. */
  PageSize: queryInteger(1, 1_000_000_000)
    .transform((size) => Math.min(size, MAX_PAGE_SIZE))
    .default(DEFAULT_PAGE_SIZE),
  PageToken: z.string().max(MAX_TOKEN_LENGTH).optional(),
};

export const twilioPageQuerySchema = z.object(twilioPageShape);
export type TwilioPageQuery = z.infer<typeof twilioPageQuerySchema>;

/** The envelope of a 2010-04-01 list, without the list itself; URIs are host-relative. */
export interface TwilioEnvelope {
  readonly first_page_uri: string;
  readonly next_page_uri: string | null;
  readonly previous_page_uri: string | null;
  readonly page: number;
  readonly page_size: number;
  readonly start: number;
  readonly end: number;
  readonly uri: string;
}

interface ListAddress {
  /** Path of the list, as the client asked for it: `/2010-04-01/Accounts/AC…/Messages.json`. */
  readonly path: string;
  /** The request's filters as they were sent, without Page, PageSize and PageToken; undefined ones are left out. */
  readonly filters: Readonly<Record<string, string | undefined>>;
  readonly query: TwilioPageQuery;
}

export interface TwilioListing<R> extends ListAddress {
  /**
   * Rows read with `PageSize + 1` from the position on: in the list's order for `first` and `after`, in the reverse
   * order for `before`.
   */
  readonly rows: readonly R[];
  /** The parts that stand for a row in a PageToken. */
  readonly position: (row: R) => readonly CursorPart[];
}

/**
 * Where the asked page begins.
 *
 * @param arity how many parts the list's positions have
 * @throws Failure invalid_parameter naming PageToken where it is forged, or missing for a page above 0
 */
export function twilioPosition(query: TwilioPageQuery, arity: number): TwilioPosition {
  const token = query.PageToken;
  if (token === undefined) {
    if (query.Page === 0) return { direction: 'first' };
    throw new Failure('invalid_parameter', {
      field: 'PageToken',
      detail: "'PageToken' is required with a 'Page' above 0: follow next_page_uri",
    });
  }
  const prefix = token.slice(0, 2);
  const direction = prefix === AFTER ? 'after' : 'before';
  const opaque = prefix === AFTER || prefix === BEFORE ? token.slice(2) : '';
  return { direction, parts: decodeCursor(opaque, arity, 'PageToken') };
}

/** The rows that the page shows, in the list's order, and the envelope around them. */
export function twilioPage<R>(listing: TwilioListing<R>): { rows: R[]; envelope: TwilioEnvelope } {
  const { Page, PageSize, PageToken } = listing.query;
  const backwards = PageToken?.startsWith(BEFORE) ?? false;
  const rows = listing.rows.slice(0, PageSize);
  if (backwards) rows.reverse();
  const more = listing.rows.length > PageSize;
  const uri = (page: number, token?: string) => listUri(listing, page, token);
  const last = rows.at(-1);
  const first = rows[0];
  const hasNext = last !== undefined && (backwards || more);
  const hasPrevious = first !== undefined && (backwards ? more : PageToken !== undefined);
  const start = Page * PageSize;
  return {
    rows,
    envelope: {
      first_page_uri: uri(0),
      next_page_uri: hasNext ? uri(Page + 1, AFTER + encodeCursor(listing.position(last))) : null,
      previous_page_uri: hasPrevious ? previousUri(uri, Page, encodeCursor(listing.position(first))) : null,
      page: Page,
      page_size: PageSize,
      start,
      end: Math.max(start, start + rows.length - 1),
      uri: uri(Page, PageToken),
    },
  };
}

/** The envelope of a v1 list, which stands beside the list as `meta`; URLs are absolute. */
export interface TwilioMeta {
  readonly first_page_url: string;
  readonly key: string;
  readonly next_page_url: string | null;
  readonly page: number;
  readonly page_size: number;
  readonly previous_page_url: string | null;
  readonly url: string;
}

/**
 * The same page as a v1 list has it.
 *
 * @param key name of the member that holds the list
 * @param base of absolute URLs, without a slash at the end
 */
export function twilioMetaPage<R>(
  listing: TwilioListing<R>,
  key: string,
  base: string,
): { rows: R[]; meta: TwilioMeta } {
  const { rows, envelope } = twilioPage(listing);
  const absolute = (uri: string | null) => uri && base + uri;
  const meta = {
    first_page_url: base + envelope.first_page_uri,
    key,
    next_page_url: absolute(envelope.next_page_uri),
    page: envelope.page,
    page_size: envelope.page_size,
    previous_page_url: absolute(envelope.previous_page_uri),
    url: base + envelope.uri,
  };
  return { rows, meta };
}

/** The page before the second is the first, which needs no token and shows what came since. */
function previousUri(uri: (page: number, token?: string) => string, page: number, position: string): string {
  return page <= 1 ? uri(0) : uri(page - 1, BEFORE + position);
}

function listUri({ path, filters, query }: ListAddress, page: number, token?: string): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value !== undefined) parameters.append(name, value);
  }
  parameters.append('PageSize', String(query.PageSize));
  parameters.append('Page', String(page));
  if (token !== undefined) parameters.append('PageToken', token);
  return `${path}?${parameters}`;
}
