import fc from 'fast-check';
import {
  candidateIds,
  formatReceipt,
  normalizeMessageId,
  parseReceipt,
  parseReceiptDate,
  type ReceiptState,
} from './receipt.js';
import { NO_TLVS, type Tlvs, TlvTag } from './tlv.js';

const submittedAt = new Date('2026-11-20T12:34:00Z');
const doneAt = new Date('2026-12-31T23:59:00Z');

/** A deliver_sm with that text, marked as a receipt unless told otherwise. */
function deliver(text: string, tlvs: Tlvs = NO_TLVS, esmClass = 0x04) {
  return { esmClass, shortMessage: Buffer.from(text, 'latin1'), tlvs };
}

const STANDARD =
  'id:0a1b2c sub:001 dlvrd:001 submit date:2611201234 done date:2612312359 stat:DELIVRD err:000 text:Hello';

describe('reading', () => {
  test('the text of Appendix B', () => {
    expect(parseReceipt(deliver(STANDARD))).toEqual({
      messageId: '0a1b2c',
      state: 'delivered',
      error: '000',
      submitDate: '2611201234',
      doneDate: '2612312359',
    });
  });

  test('an error longer than three characters, capitals, spaces and seconds', () => {
    const text = 'ID: 77 Submit Date:261120123456 Done Date:261120123457 Stat:undeliv Err:30003 Text:';
    expect(parseReceipt(deliver(text))).toEqual({
      messageId: '77',
      state: 'undelivered',
      error: '30003',
      submitDate: '261120123456',
      doneDate: '261120123457',
    });
  });

  test.each<[string, ReceiptState]>([
    ['DELIVRD', 'delivered'],
    ['DELIVERED', 'delivered'],
    ['UNDELIV', 'undelivered'],
    ['UNDELIVERABLE', 'undelivered'],
    ['EXPIRED', 'expired'],
    ['REJECTD', 'rejected'],
    ['REJECTED', 'rejected'],
    ['DELETED', 'deleted'],
    ['ACCEPTD', 'accepted'],
    ['ENROUTE', 'enroute'],
    ['UNKNOWN', 'unknown'],
    ['SOMETHING', 'unknown'],
  ])('stat:%s is %s', (stat, state) => {
    expect(parseReceipt(deliver(`id:1 stat:${stat} err:000`))?.state).toBe(state);
  });

  test('the optional parameters are believed before the text', () => {
    const tlvs = new Map([
      [TlvTag.receipted_message_id as number, Buffer.from('FF00\0')],
      [TlvTag.message_state, Buffer.of(5)],
    ]);
    const receipt = parseReceipt(deliver(STANDARD, tlvs));
    expect(receipt).toMatchObject({ messageId: 'FF00', state: 'undelivered', error: '000' });
    const bare = { messageId: 'FF00', state: 'undelivered', error: null, submitDate: null, doneDate: null };
    expect(parseReceipt(deliver('', tlvs, 0))).toEqual(bare);
  });

  test('a text in the message_payload', () => {
    const tlvs = new Map([[TlvTag.message_payload as number, Buffer.from(STANDARD)]]);
    expect(parseReceipt(deliver('', tlvs))).toMatchObject({ messageId: '0a1b2c', state: 'delivered' });
  });

  test('what the sender wrote is not taken for what the carrier says', () => {
    const text = 'id:1 stat:UNDELIV err:001 text:id:2 stat:DELIVRD err:000';
    expect(parseReceipt(deliver(text))).toMatchObject({ messageId: '1', state: 'undelivered', error: '001' });
    expect(parseReceipt(deliver('text:id:2 stat:DELIVRD'))).toBeNull();
  });

  test('a message that only looks like a receipt is none, and neither is one without an id', () => {
    expect(parseReceipt(deliver(STANDARD, NO_TLVS, 0x00))).toBeNull();
    expect(parseReceipt(deliver(STANDARD, NO_TLVS, 0x40))).toBeNull();
    const idOnly = new Map([[TlvTag.receipted_message_id as number, Buffer.from('1\0')]]);
    expect(parseReceipt(deliver('hello', idOnly, 0x00))).toBeNull();
    expect(parseReceipt(deliver('stat:DELIVRD err:000'))).toBeNull();
    expect(parseReceipt(deliver(''))).toBeNull();
  });

  test('an id or a state that is nonsense falls back to the text', () => {
    const tlvs = new Map([
      [TlvTag.receipted_message_id as number, Buffer.of(1, 2, 3)],
      [TlvTag.message_state, Buffer.of(99)],
    ]);
    expect(parseReceipt(deliver(STANDARD, tlvs))).toMatchObject({ messageId: '0a1b2c', state: 'delivered' });
  });

  test('any octets are read or refused, and the id is printable', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 254 }), fc.uint8Array({ maxLength: 40 }), (text, id) => {
        const tlvs = new Map([[TlvTag.receipted_message_id as number, Buffer.from(id)]]);
        const receipt = parseReceipt({ esmClass: 0x04, shortMessage: text, tlvs });
        if (receipt !== null) expect(receipt.messageId).toMatch(/^[!-~]{1,64}$/);
      }),
    );
  });
});

test('what is written is read back', () => {
  const states = [
    'enroute',
    'delivered',
    'expired',
    'deleted',
    'undelivered',
    'accepted',
    'unknown',
    'rejected',
  ] as const;
  for (const state of states) {
    const report = { messageId: '19f00d', state, error: '30003', submittedAt, doneAt };
    const written = formatReceipt(report);
    const dates = { submitDate: '2611201234', doneDate: '2612312359' };
    const read = { messageId: '19f00d', state, error: '30003', ...dates };
    expect(parseReceipt(written)).toEqual(read);
    expect(parseReceipt({ ...written, tlvs: NO_TLVS })).toEqual(read);
  }
});

test('dates are read as UTC, or not at all', () => {
  expect(parseReceiptDate('2611201234')).toEqual(submittedAt);
  expect(parseReceiptDate('261120123400')).toEqual(submittedAt);
  expect(parseReceiptDate('20261120123400')).toEqual(submittedAt);
  for (const wrong of ['', '26112012', '2613201234', '2602301234', '2611202534', '26112012345', 'now']) {
    expect(parseReceiptDate(wrong)).toBeNull();
  }
});

describe('ids', () => {
  test('the normal form ignores case, leading zeros and blanks', () => {
    expect(['00AB', ' 0ab ', 'aB'].map(normalizeMessageId)).toEqual(['ab', 'ab', 'ab']);
    expect([normalizeMessageId('000'), normalizeMessageId('')]).toEqual(['0', '']);
  });

  test('the other base is tried after the id as it stands', () => {
    expect(candidateIds('0001FF')).toEqual(['1ff', '511']);
    expect(candidateIds('511')).toEqual(['511', '1297', '1ff']);
    expect(candidateIds('0')).toEqual(['0']);
    expect(candidateIds('ABC-7')).toEqual(['abc-7']);
    expect(candidateIds('')).toEqual(['']);
  });

  test('huge ids are read exactly, absurd ones only as they stand', () => {
    expect(candidateIds('ffffffffffffffffffffffff')).toContain('79228162514264337593543950335');
    expect(candidateIds('79228162514264337593543950335')).toContain('ffffffffffffffffffffffff');
    expect(candidateIds('9'.repeat(100_000))).toHaveLength(1);
  });

  test('an id is found whichever base and spelling it comes back in', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 96n }), fc.nat({ max: 6 }), (value, zeros) => {
        const spellings = [value.toString(10), value.toString(16), value.toString(16).toUpperCase()];
        for (const answered of spellings) {
          for (const reported of spellings) {
            const candidates = candidateIds('0'.repeat(zeros) + reported);
            expect(candidates).toContain(normalizeMessageId(answered));
          }
        }
      }),
    );
  });
});
