import { chargeKeyText, parseChargeKey } from './charge-key.js';

describe('the key of a charge', () => {
  it('is taken apart and put together again', () => {
    const text = 'SM019a0000abcd7000800000000000ffff';
    expect(parseChargeKey(text)).toEqual({ prefix: 'SM', id: '019a0000-abcd-7000-8000-00000000ffff' });
    expect(chargeKeyText(parseChargeKey(text)!)).toBe(text);
  });

  it('has one id, however its digits are written', () => {
    expect(parseChargeKey('MM019A0000ABCD7000800000000000FFFF')).toEqual({
      prefix: 'MM',
      id: '019a0000-abcd-7000-8000-00000000ffff',
    });
  });

  it.each(['', 'SM', 'sm019a0000abcd7000800000000000ffff', 'SM019a0000abcd7000800000000000fff', `SM${'g'.repeat(32)}`])(
    'is not %j',
    (text) => expect(parseChargeKey(text)).toBeNull(),
  );
});
