import { withExactIds } from './exact-json.js';

const read = (json: string): unknown => JSON.parse(withExactIds(json));

it.each<[json: string, value: unknown]>([
  ['{"id":1234567890123456789}', { id: '1234567890123456789' }],
  ['{"ids":[ -9007199254740993,\n18446744073709551615 ]}', { ids: ['-9007199254740993', '18446744073709551615'] }],
  ['1234567890123456789', '1234567890123456789'],
  ['{"a":17,"b":"1234567890123456789"}', { a: 17, b: '1234567890123456789' }],
  ['{"a":"x\\"1234567890123456789","b":1}', { a: 'x"1234567890123456789', b: 1 }],
  ['{"1234567890123456789":"\\\\","b":2}', { '1234567890123456789': '\\', b: 2 }],
  ['{"a":3.14159265358979323846,"b":1234567890123456789e2,"c":0.1234567890123456}', expect.anything()],
])('reads %s as it is written', (json, value) => {
  expect(read(json)).toEqual(value);
});

it('leaves other numbers numbers, and what is no JSON alone', () => {
  expect(read('[3.14159265358979323846,1e16,0.12345678901234567]')).toEqual([
    Number('3.14159265358979323846'),
    1e16,
    Number('0.12345678901234567'),
  ]);
  for (const text of ['"1234567890123456789', '1234567890123456789x', '12345678901234567890 "', '', '{']) {
    expect(() => read(text)).toThrow(SyntaxError);
  }
});

it('takes no longer for hostile text', () => {
  const digits = '1'.repeat(16);
  const startedAt = performance.now();
  for (const text of ['"\\', '"\\"', '1', `${digits}.`, '"', `"${digits}`, '1e']) {
    withExactIds(`${digits}${text.repeat(60_000)}`);
  }
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
