import { Failure } from '../../shared/failure.js';
import { type TwilioEnvelope, type TwilioPageQuery, twilioPage, twilioPosition } from './twilio-page.js';

/** Where a list goes on whose order is that of ids, newest first; neither: at its start. */
export interface IdPosition {
  readonly olderThan?: string;
  /** Rows are read oldest first then: those next to the id. */
  readonly newerThan?: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where the asked page of a list of ids begins. @throws Failure invalid_parameter for a forged token */
export function idPosition(query: TwilioPageQuery): IdPosition {
  const position = twilioPosition(query, 1);
  if (position.direction === 'first') return {};
  const id = position.parts[0];
  if (typeof id !== 'string' || !UUID.test(id)) {
    throw new Failure('invalid_parameter', {
      field: 'PageToken',
      detail: "'PageToken' is not one that an earlier page gave",
    });
  }
  return position.direction === 'after' ? { olderThan: id } : { newerThan: id };
}

/**
 * The page of a list of ids that a request asked for; the filters of the request stay in its links.
 *
 * @param url of the request, with its query
 * @param filters names of the list's own parameters
 * @param read rows from the asked position on, one more than the page holds
 */
export function idPage<R extends { readonly id: string }>(
  url: string,
  filters: readonly string[],
  query: TwilioPageQuery,
  read: readonly R[],
): { rows: R[]; envelope: TwilioEnvelope } {
  const asked = new URL(url, 'http://trunkline');
  return twilioPage({
    path: asked.pathname,
    filters: Object.fromEntries(filters.map((name) => [name, asked.searchParams.get(name) ?? undefined])),
    query,
    rows: read,
    position: (row) => [row.id],
  });
}
