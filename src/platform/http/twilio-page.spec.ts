import { isFailure } from '../../shared/failure.js';
import { twilioPage, twilioPageQuerySchema, twilioPosition } from './twilio-page.js';

const PATH = '/2010-04-01/Accounts/AC1/Messages.json';
const ROWS = Array.from({ length: 7 }, (_, i) => i + 1);

/** A list of seven rows as a repository would read it, behind the URI that a client follows. */
function follow(uri: string) {
  const url = new URL(uri, 'http://x');
  const query = twilioPageQuerySchema.parse(Object.fromEntries(url.searchParams));
  const position = twilioPosition(query, 1);
  const from = position.direction === 'first' ? 0 : Number(position.parts[0]);
  const read =
    position.direction === 'before' ? ROWS.filter((row) => row < from).reverse() : ROWS.filter((row) => row > from);
  const filters = { To: url.searchParams.get('To') ?? undefined, From: undefined };
  return twilioPage({
    path: url.pathname,
    filters,
    query,
    rows: read.slice(0, query.PageSize + 1),
    position: (row) => [row],
  });
}

describe('a Twilio list', () => {
  it('is walked to its end and back by the URIs it gives', () => {
    const first = follow(`${PATH}?PageSize=3&To=%2B1500`);
    const second = follow(first.envelope.next_page_uri ?? '');
    const third = follow(second.envelope.next_page_uri ?? '');
    const back = follow(third.envelope.previous_page_uri ?? '');
    const start = follow(back.envelope.previous_page_uri ?? '');
    expect([first, second, third, back, start].map(({ rows }) => rows)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7],
      [4, 5, 6],
      [1, 2, 3],
    ]);
    expect([first, second, third, back, start].map(({ envelope }) => envelope.page)).toEqual([0, 1, 2, 1, 0]);
    expect(third.envelope).toMatchObject({ next_page_uri: null, start: 6, end: 6, page_size: 3 });
    expect(start.envelope.previous_page_uri).toBeNull();
    expect(back.envelope.next_page_uri).not.toBeNull();
  });

  it('keeps the filters in every URI, host-relative', () => {
    const { envelope } = follow(`${PATH}?PageSize=3&To=%2B1500`);
    expect(envelope.first_page_uri).toBe(`${PATH}?To=%2B1500&PageSize=3&Page=0`);
    expect(envelope.uri).toBe(envelope.first_page_uri);
    expect(envelope.next_page_uri).toMatch(
      /^\/2010-04-01\/Accounts\/AC1\/Messages\.json\?To=%2B1500&PageSize=3&Page=1&PageToken=PA[\w-]+$/,
    );
    expect(envelope).toMatchObject({ previous_page_uri: null, page: 0, start: 0, end: 2 });
  });

  it('may be empty', () => {
    const query = twilioPageQuerySchema.parse({});
    const { rows, envelope } = twilioPage({ path: PATH, filters: {}, query, rows: [], position: () => [] });
    expect(rows).toEqual([]);
    expect(envelope).toEqual({
      first_page_uri: `${PATH}?PageSize=50&Page=0`,
      next_page_uri: null,
      previous_page_uri: null,
      page: 0,
      page_size: 50,
      start: 0,
      end: 0,
      uri: `${PATH}?PageSize=50&Page=0`,
    });
  });

  it.each([
    ['1', 1],
    ['1000', 1_000],
    ['1001', 1_000],
    ['999999999', 1_000],
  ])('takes a PageSize of %s for %d', (PageSize, size) => {
    expect(twilioPageQuerySchema.parse({ PageSize }).PageSize).toBe(size);
  });

  it.each(['0', '-1', 'NaN', '', '1.5', '1e3', ['1', '2']])('refuses a PageSize of %j', (PageSize) => {
    expect(twilioPageQuerySchema.safeParse({ PageSize }).success).toBe(false);
  });

  it.each([
    ['a page without its token', { Page: '1' }],
    ['a forged token', { Page: '1', PageToken: 'PAxx' }],
    ['a token of another kind', { Page: '1', PageToken: 'XXWzFd' }],
    ['a token with another number of parts', { Page: '1', PageToken: 'PAWzEsMl0' }],
    ['no token at all', { Page: '1', PageToken: '' }],
  ])('refuses %s', (_, query) => {
    try {
      twilioPosition(twilioPageQuerySchema.parse(query), 1);
      throw new Error('it was accepted');
    } catch (error) {
      expect(isFailure(error, 'invalid_parameter') && error.field).toBe('PageToken');
    }
  });
});
