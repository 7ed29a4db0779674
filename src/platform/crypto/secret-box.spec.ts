import fc from 'fast-check';
import { SecretBox } from './secret-box.js';

const OLD = 'an-old-key-of-at-least-32-characters';
const NEW = 'a-new-key-with-at-least-32-characters';

describe('a secret box', () => {
  it('opens what it sealed, for the place that it was sealed for', () => {
    const box = new SecretBox(NEW);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, context) => {
        const sealed = box.seal(plain, context);
        expect(box.open(sealed, context)).toBe(plain);
        expect(box.open(new Uint8Array(sealed), context)).toBe(plain);
      }),
    );
  });

  it('never seals twice alike, and shows nothing of what is in it', () => {
    const box = new SecretBox(NEW);
    const sealed = Array.from({ length: 100 }, () => box.seal('the secret', 'account/1').toString('hex'));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.some((hex) => hex.includes(Buffer.from('secret').toString('hex')))).toBe(false);
  });

  it('refuses what was sealed for another place', () => {
    const box = new SecretBox(NEW);
    const sealed = box.seal('the secret', 'account/1');
    expect(() => box.open(sealed, 'account/2')).toThrow('account/2 was changed or belongs elsewhere');
  });

  it('refuses what was changed in any bit, or cut at any length', () => {
    const box = new SecretBox(NEW);
    const sealed = box.seal('the secret', 'account/1');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => box.open(changed, 'account/1')).toThrow('account/1');
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => box.open(sealed.subarray(0, length), 'account/1')).toThrow('account/1');
    }
  });

  it('refuses a tag that was cut to fewer bytes, which would be guessed sooner', () => {
    const box = new SecretBox(NEW);
    const sealed = box.seal('', 'account/1');
    expect(box.open(sealed, 'account/1')).toBe('');
    for (const tagBytes of [4, 8, 12, 15]) {
      expect(() => box.open(sealed.subarray(0, 16 + tagBytes), 'account/1')).toThrow('account/1');
    }
  });

  it('is rotated: the first key seals, all open, and what is stale is known', () => {
    const old = new SecretBox(OLD);
    const both = new SecretBox(` ${NEW} , ${OLD},`);
    const sealed = old.seal('the secret', 'account/1');
    expect(both.open(sealed, 'account/1')).toBe('the secret');
    expect(both.isStale(sealed)).toBe(true);
    const again = both.seal('the secret', 'account/1');
    expect(both.isStale(again)).toBe(false);
    expect(new SecretBox(NEW).open(again, 'account/1')).toBe('the secret');
    expect(() => new SecretBox(NEW).open(sealed, 'account/1')).toThrow(
      'SECRETS_KEY holds no key that decrypts account/1',
    );
  });

  it('depends on the whole key, not on what is shown of it', () => {
    const sealed = new SecretBox(OLD).seal('the secret', 'account/1');
    const header = new SecretBox(NEW).seal('', '').subarray(0, 4);
    const forged = Buffer.concat([header, sealed.subarray(4)]);
    expect(() => new SecretBox(NEW).open(forged, 'account/1')).toThrow('account/1');
  });

  it.each(['', ' , ', 'short', `${NEW},short`])('is refused the key setting %j, by its name', (setting) => {
    expect(() => new SecretBox(setting)).toThrow('SECRETS_KEY');
  });
});
