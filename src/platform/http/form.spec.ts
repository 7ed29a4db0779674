import fc from 'fast-check';
import { isFailure } from '../../shared/failure.js';
import { emptyForm, MAX_NAME_LENGTH, MAX_PARAMETERS, parseFormBody, parseQuery } from './form.js';

const parse = (text: string) => ({ ...parseFormBody(Buffer.from(text)) });

function fieldAtFault(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (isFailure(error)) return error.field ?? '(none)';
    throw error;
  }
  return undefined;
}

describe('a form', () => {
  it.each<[string, Record<string, string | string[]>]>([
    ['', {}],
    ['&&', {}],
    ['To=%2B15005550006&Body=Hello+w%C3%B6rld', { To: '+15005550006', Body: 'Hello wörld' }],
    ['Body=', { Body: '' }],
    ['Body', { Body: '' }],
    ['=x', { '': 'x' }],
    ['a=1=2', { a: '1=2' }],
    ['MediaUrl=a&MediaUrl=b&MediaUrl=c', { MediaUrl: ['a', 'b', 'c'] }],
    ['DateSent%3E=2026-01-01&DateSent%3C=2026-02-01', { 'DateSent>': '2026-01-01', 'DateSent<': '2026-02-01' }],
    ['Body=%F0%9F%98%80', { Body: '😀' }],
    ['Body=Grüße 😀', { Body: 'Grüße 😀' }],
  ])('reads %j', (text, fields) => expect(parse(text)).toEqual(fields));

  it('gives back what URLSearchParams writes', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 30 })
      .filter((value) => value.isWellFormed() && !value.includes('\0'));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const expected = new Map<string, string[]>();
        for (const [name, value] of pairs) expected.set(name, [...(expected.get(name) ?? []), value]);
        const fields = parseFormBody(Buffer.from(new URLSearchParams(pairs).toString()));
        expect(new Map(Object.entries(fields).map(([name, values]) => [name, [values].flat()]))).toEqual(expected);
      }),
    );
  });

  it('gives names of inherited members no meaning', () => {
    const fields = parseFormBody(Buffer.from('__proto__=a&constructor=b&hasOwnProperty=c&__proto__=d'));
    expect(Object.keys(fields)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
    expect(Object.getOwnPropertyDescriptor(fields, '__proto__')?.value).toEqual(['a', 'd']);
    expect(({} as { a?: unknown }).a).toBeUndefined();
    const empty = emptyForm();
    expect(['constructor', 'toString', '__proto__'].map((name) => empty[name])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['Body=%', 'Body'],
    ['Body=100%25&To=%2', 'To'],
    ['Body=%zz', 'Body'],
    ['Body=%C3', 'Body'],
    ['Body=%ED%A0%80', 'Body'],
    ['Body=%C0%80', 'Body'],
    ['Bo%dy=1', 'Bo%dy'],
    ['Body=a%00b', 'Body'],
    ['a%00b=1', 'a?b'],
    [`${'n'.repeat(MAX_NAME_LENGTH + 1)}=1`, 'n'.repeat(64)],
  ])('refuses %j and names %j', (text, field) => expect(fieldAtFault(() => parse(text))).toBe(field));

  it('refuses bytes that are no UTF-8 and names their parameter', () => {
    const body = Buffer.concat([Buffer.from('To=ü&Body=x'), Buffer.from([0xff]), Buffer.from('&From=1')]);
    expect(fieldAtFault(() => parseFormBody(body))).toBe('Body');
  });

  it('reads as many parameters as it may have, and no more', () => {
    const text = (count: number) => Array.from({ length: count }, (_, i) => `p${i}=`).join('&');
    expect(Object.keys(parse(text(MAX_PARAMETERS)))).toHaveLength(MAX_PARAMETERS);
    expect(() => parse(text(MAX_PARAMETERS + 1))).toThrow('more than 1000 parameters');
  });

  it('takes any bytes without another error than a failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        fieldAtFault(() => parseFormBody(Buffer.from(bytes)));
      }),
    );
  });
});

describe('a query', () => {
  it('is read as a form is, unencoded bytes included', () => {
    const raw = Buffer.from('q=ü&a=%20').toString('latin1');
    expect({ ...parseQuery(raw) }).toEqual({ q: 'ü', a: ' ' });
    expect(fieldAtFault(() => parseQuery('q=\xff'))).toBe('q');
  });
});
