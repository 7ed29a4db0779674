import fc from 'fast-check';
import { newId } from '../../../shared/sid.js';
import { sendersFor } from './sender-pool.js';
import type { PoolNumber } from './service.js';

const STICKY = { stickySender: true, areaCodeGeomatch: true };
const LOOSE = { stickySender: false, areaCodeGeomatch: true };
const NUMBERS = 8;
const RECIPIENTS = 4_000;

const pool = (...numbers: string[]): PoolNumber[] => numbers.map((phoneNumber) => ({ id: newId(), phoneNumber }));
const ofOneArea = (count: number) => pool(...Array.from({ length: count }, (_, n) => `+1212555${1000 + n}`));
const recipient = (n: number) => `+1617${String(5_550_000 + n)}`;
const first = (to: string, numbers: readonly PoolNumber[], how = STICKY, chance = 0) =>
  sendersFor(to, numbers, how, chance)[0]?.phoneNumber;

describe('the senders of a pool', () => {
  it('stand in the order of their nearness: area code, country, the others', () => {
    const numbers = pool('+442071838750', '12345', '+13105550001', '+14165550001', '+12125550001');
    const order = (to: string, how = STICKY) => sendersFor(to, numbers, how, 0).map(({ phoneNumber }) => phoneNumber);
    expect(order('+12125550199')[0]).toBe('+12125550001');
    expect(order('+12125550199')[1]).toBe('+13105550001');
    expect(order('+442079460000')[0]).toBe('+442071838750');
    expect(new Set(order('+13105550199').slice(-3))).toEqual(new Set(['+442071838750', '12345', '+14165550001']));
    expect(order('+4930123456')).toHaveLength(5);
    const firsts = Array.from(
      { length: 60 },
      (_, n) => order(`+1212${2_000_000 + n}`, { ...STICKY, areaCodeGeomatch: false })[0],
    );
    expect(new Set(firsts)).toEqual(new Set(['+12125550001', '+13105550001']));
  });

  it('are none where there are none, and the one where there is one', () => {
    expect(sendersFor(recipient(1), [], STICKY, 0.5)).toEqual([]);
    expect(first(recipient(1), pool('12345'))).toBe('12345');
  });

  it('are all there, each once, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_999 }),
        fc.integer({ min: 0, max: 30 }),
        fc.boolean(),
        fc.double({ min: 0, max: 0.999 }),
        (n, size, stickySender, chance) => {
          const numbers = ofOneArea(size);
          const order = sendersFor(recipient(n), numbers, { stickySender, areaCodeGeomatch: true }, chance);
          expect(new Set(order)).toEqual(new Set(numbers));
          expect(order).toHaveLength(size);
        },
      ),
    );
  });

  const counts = (choose: (n: number) => string | undefined) => {
    const count = new Map<string | undefined, number>();
    for (let n = 0; n < RECIPIENTS; n++) count.set(choose(n), (count.get(choose(n)) ?? 0) + 1);
    return count;
  };

  it.each<[string, (n: number, numbers: readonly PoolNumber[]) => string | undefined]>([
    ['sticky', (n, numbers) => first(recipient(n), numbers)],
    ['not sticky', (n, numbers) => first(recipient(n), numbers, LOOSE, n / RECIPIENTS)],
  ])('share the recipients evenly (%s)', (_, choose) => {
    const numbers = ofOneArea(NUMBERS);
    const count = counts((n) => choose(n, numbers));
    expect(count.size).toBe(NUMBERS);
    for (const share of count.values()) {
      expect(share / (RECIPIENTS / NUMBERS)).toBeGreaterThan(0.8);
      expect(share / (RECIPIENTS / NUMBERS)).toBeLessThan(1.2);
    }
  });

  it('keep their recipients when a number leaves or joins, but for those that it had or gets', () => {
    const numbers = ofOneArea(NUMBERS);
    const [gone, ...rest] = numbers;
    const more = [...numbers, ...pool('+12125559999')];
    let moved = 0;
    for (let n = 0; n < RECIPIENTS; n++) {
      const before = first(recipient(n), numbers);
      if (before !== gone!.phoneNumber) expect(first(recipient(n), rest)).toBe(before);
      const after = first(recipient(n), more);
      if (after !== before) moved++;
      expect([before, '+12125559999']).toContain(after);
    }
    expect(moved / (RECIPIENTS / (NUMBERS + 1))).toBeLessThan(1.3);
    expect(first(recipient(1), [...numbers].reverse())).toBe(first(recipient(1), numbers));
  });
});
