import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';
import { isAlphanumericSender, isShortCode, parsePhoneNumber } from './phone-number.js';

function e164Of(input: string): string | null {
  const parsed = parsePhoneNumber(input);
  return parsed.ok ? parsed.e164 : null;
}

describe('parsePhoneNumber', () => {
  it.each([
    ['+15005550006', 'US'],
    ['+442071838750', 'GB'],
    ['+4915112345678', 'DE'],
    ['+390612345678', 'IT'],
    ['+80012345678', null],
    ['+15555530003', null],
    ['+15551234567', null],
  ])('accepts %s, country %s', (input, country) => {
    expect(parsePhoneNumber(input)).toMatchObject({ ok: true, e164: input, country });
  });

  it.each([
    ['+1 500 555 0006', '+15005550006'],
    ['+1 (500) 555-0006', '+15005550006'],
    ['+1.500.555.0006', '+15005550006'],
    ['+(1)-500--555 0006', '+15005550006'],
    ['+44 (0) 20 7183 8750', '+442071838750'],
    ['+4402071838750', '+442071838750'],
    ['+33 0 6 12 34 56 78', '+33612345678'],
    ['+39 06 1234 5678', '+390612345678'],
  ])('reads %s as %s', (input, e164) => {
    expect(e164Of(input)).toBe(e164);
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['\t\n', 'empty'],
    ['+1500555000612345', 'too_long'],
    [`+1 ${' '.repeat(40)}5005550006`, 'too_long'],
    ['+'.repeat(41), 'too_long'],
    ['15005550006', 'not_a_number'],
    [' 15005550006', 'not_a_number'],
    [' +15005550006', 'not_a_number'],
    ['+15005550006 ', 'not_a_number'],
    ['+15005550006\n', 'not_a_number'],
    ['%2B15005550006', 'not_a_number'],
    ['0015005550006', 'not_a_number'],
    ['++15005550006', 'not_a_number'],
    ['+', 'not_a_number'],
    ['+()', 'not_a_number'],
    ['hello', 'not_a_number'],
    ['+1800FLOWERS', 'not_a_number'],
    ['+15005550006x12', 'not_a_number'],
    ['+15005550006;ext=12', 'not_a_number'],
    ['tel:+15005550006', 'not_a_number'],
    ['whatsapp:+15005550006', 'not_a_number'],
    ['+1500555\u00000006', 'not_a_number'],
    ['+1500555\t0006', 'not_a_number'],
    ['+1500555\u00a00006', 'not_a_number'],
    ['+1500555\u200b0006', 'not_a_number'],
    ['\uff0b15005550006', 'not_a_number'],
    ['+1500555000６', 'not_a_number'],
    ['+1500555000٦', 'not_a_number'],
    ['+1500555000𝟔', 'not_a_number'],
    ['+1', 'not_possible'],
    ['+0123456789', 'not_possible'],
    ['+1500555', 'not_possible'],
    ['+150055500061', 'not_possible'],
    ['+999123456', 'not_possible'],
    ['+490015112345678', 'not_possible'],
  ])('refuses %j: %s', (input, reason) => {
    expect(parsePhoneNumber(input)).toEqual({ ok: false, reason });
  });

  it('gives one spelling: what it returns, it returns for itself', () => {
    const callingCode = fc.constantFrom(
      '1',
      '44',
      '49',
      '33',
      '39',
      '52',
      '54',
      '55',
      '61',
      '7',
      '81',
      '86',
      '91',
      '225',
    );
    const nationalDigits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 5, maxLength: 13 });
    fc.assert(
      fc.property(callingCode, nationalDigits, (code, national) => {
        const parsed = parsePhoneNumber(`+${code}${national}`);
        if (parsed.ok) expect(parsePhoneNumber(parsed.e164)).toEqual(parsed);
      }),
      { numRuns: 2_000 },
    );
  });

  it('says of numbers of the North American plan what the library says, of all area codes', () => {
    for (let area = 200; area <= 999; area++) {
      for (const rest of ['0000000', '5550123', '1000000', '9999999', String(1_000_000 + area * 8_999)]) {
        const e164 = `+1${area}${rest}`;
        const number = parsePhoneNumberFromString(e164, { extract: false }, metadata)!;
        const { number: spelt, countryCallingCode: callingCode, country = null } = number;
        expect([e164, parsePhoneNumber(e164)]).toEqual([
          e164,
          { ok: number.isPossible(), e164: spelt, callingCode, country },
        ]);
      }
    }
  });

  it('answers the same from its cache', () => {
    const first = parsePhoneNumber('+447975556677');
    expect(parsePhoneNumber('+44 7975 556677')).toBe(first);
    expect(parsePhoneNumber('+447975556677')).toBe(first);
  });

  it('takes any string without throwing, and lets only ASCII digits through', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'+0159 .-()x１') })),
        (input) => {
          const parsed = parsePhoneNumber(input);
          if (parsed.ok) expect(parsed.e164).toMatch(/^\+[1-9][0-9]{1,14}$/);
        },
      ),
    );
  });
});

describe('senders that are no phone numbers', () => {
  it.each(['123', '12345', '123456'])('%s is a short code', (text) => expect(isShortCode(text)).toBe(true));
  it.each(['12', '1234567', '12a', '', '+12345', '１２３', '123\n', ' 123'])('%j is no short code', (text) =>
    expect(isShortCode(text)).toBe(false),
  );
  it.each(['ACME', 'a', 'My Shop 24', '12345678 ab', 'abcdefghijk'])('%s is an alphanumeric sender', (text) =>
    expect(isAlphanumericSender(text)).toBe(true),
  );
  it.each(['', '123', '   ', 'abcdefghijkl', 'a-b', 'Grüße', 'a\n', 'ａ', 'a&b'])('%j is none', (text) =>
    expect(isAlphanumericSender(text)).toBe(false),
  );
});
