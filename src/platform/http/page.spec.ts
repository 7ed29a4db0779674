import fc from 'fast-check';
import { isFailure } from '../../shared/failure.js';
import { type CursorPart, decodeCursor, encodeCursor, nativePage, pageQuerySchema } from './page.js';

const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }).filter((text) => text.isWellFormed() && !text.includes('\0')),
  fc.maxSafeInteger(),
);

function fieldOfRefusal(text: string, arity = 2): string | undefined {
  try {
    decodeCursor(text, arity);
  } catch (error) {
    if (isFailure(error, 'invalid_parameter')) return error.field;
    throw error;
  }
  return 'accepted';
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(decodeCursor(encodeCursor(parts), parts.length)).toEqual(parts);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no base64url', 'a b='],
    ['no JSON', 'abcd'],
    ['no list', encode({ length: 2 })],
    ['too few parts', encode(['a'])],
    ['too many parts', encode(['a', 1, 2])],
    ['a part of another kind', encode(['a', null])],
    ['a list in it', encode(['a', ['b']])],
    ['a NUL', encode(['a', '\0'])],
    ['a lone surrogate', encode(['a', '\ud800'])],
    ['another spelling', Buffer.from('["a", 1]').toString('base64url')],
    ['padding', `${encodeCursor(['a', 1])}=`],
    ['a number beyond all', Buffer.from('["a",1e999]').toString('base64url')],
    ['too long a part', encode(['a', 'x'.repeat(513)])],
    ['too long a text', encode(['a', 'x'.repeat(4_000)])],
  ])('is refused with %s', (_, text) => expect(fieldOfRefusal(text)).toBe('cursor'));

  it('takes any text without another error', () => {
    fc.assert(fc.property(fc.string(), (text) => void fieldOfRefusal(text)));
  });
});

describe('a native list', () => {
  const page = (rows: number[], limit: number) =>
    nativePage(
      rows,
      limit,
      (row) => ({ row }),
      (row): CursorPart[] => [row],
    );

  it('tells of more where there was one row too many', () => {
    expect(page([1, 2, 3], 2)).toEqual({
      data: [{ row: 1 }, { row: 2 }],
      next_cursor: encodeCursor([2]),
      has_more: true,
    });
  });

  it('ends where there was none', () => {
    expect(page([1, 2], 2)).toEqual({ data: [{ row: 1 }, { row: 2 }], next_cursor: null, has_more: false });
    expect(page([], 2)).toEqual({ data: [], next_cursor: null, has_more: false });
  });

  it.each([
    [{}, 50],
    [{ limit: '1' }, 1],
    [{ limit: '1000' }, 1_000],
  ])('reads %j as a limit of %d', (query, limit) => expect(pageQuerySchema.parse(query).limit).toBe(limit));

  it.each(['0', '1001', '-1', '1.5', '', ' 5', '0x10', '1e2', 'NaN', '9'.repeat(20), ['5', '5'], ['5']])(
    'refuses the limit %j',
    (limit) => expect(pageQuerySchema.safeParse({ limit }).success).toBe(false),
  );
});
