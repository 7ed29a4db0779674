import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { encodeGsm7, gsm7Length } from '../../../shared/gsm7.js';
import { countSegments, segmentText } from './segments.js';

const basic = fc.constantFrom(...'abc XYZ019@£Ç\n!', '\r');
const extended = fc.constantFrom(...'^{}\\[~]|€', '\f');
/** Characters that are one grapheme each: the reference keeps graphemes whole, which no phone asks for. */
const wide = fc.constantFrom(...'ё中ğ’—😀🚀𝒜');
/** The reference needs quadratic time, hence the cap. */
const MAX_LENGTH = 500;

const gsm7Body = fc.string({ unit: fc.oneof({ weight: 6, arbitrary: basic }, extended), maxLength: MAX_LENGTH });
const mixedBody = fc.string({ unit: fc.oneof(basic, extended, wide), maxLength: MAX_LENGTH });
const anyBody = fc.oneof(gsm7Body, mixedBody, fc.string({ unit: 'binary', maxLength: MAX_LENGTH }), loneSurrogates());

function loneSurrogates() {
  const unit = fc.integer({ min: 0xd700, max: 0xe0ff }).map((code) => String.fromCharCode(code));
  return fc.string({ unit, maxLength: MAX_LENGTH });
}

function partLengths(body: string): number[] {
  return segmentText(body).parts.map((part) => part.length);
}

describe('segmentText', () => {
  it('agrees with the reference calculator', () => {
    fc.assert(
      fc.property(fc.oneof(gsm7Body, mixedBody), (body) => {
        const reference = new SegmentedMessage(body);
        const ours = segmentText(body);
        expect(ours.encoding).toBe(reference.encodingName);
        expect(ours.parts).toHaveLength(reference.segmentsCount);
        expect(countSegments(body).segments).toBe(reference.segmentsCount);
      }),
    );
  });

  it('loses nothing, fits every part, and counts what it splits', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const { encoding, parts, units } = segmentText(body);
        const sizes = parts.map((part) => (encoding === 'GSM-7' ? gsm7Length(part) : part.length) ?? Number.NaN);
        const [single, each] = encoding === 'GSM-7' ? [160, 153] : [70, 67];
        expect(parts.join('')).toBe(body);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(units);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(parts.length === 1 ? single : each);
        expect(countSegments(body)).toEqual({ encoding, segments: parts.length, units });
      }),
    );
  });

  it('uses no more parts than a greedy split needs: only the last may have room for the next character', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const { encoding, parts } = segmentText(body);
        const slack = encoding === 'GSM-7' ? 153 - 1 : 67 - 1;
        for (const part of parts.slice(0, -1)) {
          expect((encoding === 'GSM-7' ? gsm7Length(part) : part.length) ?? 0).toBeGreaterThanOrEqual(slack);
        }
      }),
    );
  });

  it('gives one empty part for an empty body', () => {
    expect(segmentText('')).toEqual({ encoding: 'GSM-7', parts: [''], units: 0 });
    expect(countSegments('')).toEqual({ encoding: 'GSM-7', segments: 1, units: 0 });
  });

  it.each([
    [1, [1]],
    [159, [159]],
    [160, [160]],
    [161, [153, 8]],
    [306, [153, 153]],
    [307, [153, 153, 1]],
  ])('splits %i septets into %j', (length, lengths) => {
    expect(partLengths('a'.repeat(length))).toEqual(lengths);
  });

  it.each([
    [69, [69]],
    [70, [70]],
    [71, [67, 4]],
    [134, [67, 67]],
    [135, [67, 67, 1]],
  ])('splits %i UCS-2 units into %j', (length, lengths) => {
    expect(partLengths('ё'.repeat(length))).toEqual(lengths);
  });

  it('counts an extension character as 2 septets', () => {
    expect(partLengths(`${'a'.repeat(158)}€`)).toEqual([159]);
    expect(partLengths(`${'a'.repeat(159)}€`)).toEqual([153, 7]);
    expect(segmentText('€'.repeat(80))).toMatchObject({ parts: ['€'.repeat(80)], units: 160 });
    expect(partLengths('€'.repeat(81))).toEqual([76, 5]);
  });

  it('moves an escape pair that would be cut to the next part', () => {
    expect(partLengths(`${'a'.repeat(151)}€${'b'.repeat(10)}`)).toEqual([152, 10]);
    const { parts } = segmentText(`${'a'.repeat(152)}€${'b'.repeat(10)}`);
    expect(parts).toEqual(['a'.repeat(152), `€${'b'.repeat(10)}`]);
    expect(parts.map((part) => encodeGsm7(part)?.length)).toEqual([152, 12]);
  });

  it('moves a surrogate pair that would be cut to the next part', () => {
    expect(partLengths(`${'ё'.repeat(65)}😀${'b'.repeat(10)}`)).toEqual([67, 10]);
    expect(segmentText(`${'ё'.repeat(66)}😀${'b'.repeat(10)}`).parts).toEqual(['ё'.repeat(66), `😀${'b'.repeat(10)}`]);
  });

  it('fits a text into one part where only the single limit holds a pair', () => {
    expect(partLengths('😀'.repeat(35))).toEqual([70]);
    expect(partLengths('😀'.repeat(36))).toEqual([66, 6]);
  });

  it('takes lone surrogates as one unit each', () => {
    expect(segmentText('\ud83d')).toEqual({ encoding: 'UCS-2', parts: ['\ud83d'], units: 1 });
    expect(partLengths('\ud83d'.repeat(71))).toEqual([67, 4]);
    expect(partLengths('\ude00'.repeat(71))).toEqual([67, 4]);
    expect(partLengths(`${'ё'.repeat(66)}\ude00\ud83d${'ё'.repeat(5)}`)).toEqual([67, 6]);
  });
});

describe('smartEncoded', () => {
  it('replaces typographic characters by GSM-7 equivalents before the split', () => {
    expect(segmentText('“Don’t wait” — it’s 50\u00a0% off…', { smartEncoded: true })).toEqual({
      encoding: 'GSM-7',
      parts: ['"Don\'t wait" - it\'s 50 % off...'],
      units: 31,
    });
    expect(countSegments(`${'a'.repeat(159)}…`, { smartEncoded: true })).toEqual({
      encoding: 'GSM-7',
      segments: 2,
      units: 162,
    });
  });

  it('is off by default', () => {
    expect(segmentText('it’s').encoding).toBe('UCS-2');
    expect(segmentText('it’s', { smartEncoded: false }).encoding).toBe('UCS-2');
  });

  it('replaces fullwidth forms and drops what is invisible', () => {
    expect(segmentText('\ufeffＡＢＣ１２３～\u200b', { smartEncoded: true }).parts).toEqual(['ABC123~']);
  });

  it('keeps what has no equivalent', () => {
    expect(segmentText('“中😀”\ud800', { smartEncoded: true })).toMatchObject({
      encoding: 'UCS-2',
      parts: ['"中😀"\ud800'],
    });
  });

  it('changes no GSM-7 text, and counts what it splits', () => {
    fc.assert(
      fc.property(gsm7Body, (body) => {
        expect(segmentText(body, { smartEncoded: true })).toEqual(segmentText(body));
      }),
    );
    fc.assert(
      fc.property(anyBody, (body) => {
        const { encoding, parts, units } = segmentText(body, { smartEncoded: true });
        expect(countSegments(body, { smartEncoded: true })).toEqual({ encoding, segments: parts.length, units });
      }),
    );
  });

  it('finds a GSM-7 text wherever the reference calculator does, for the characters that editors put in', () => {
    const editorCharacters = fc.string({
      unit: fc.constantFrom(...'ab “”‘’„‚«»‹›–—―…‐\u00a0\u2009\u202f\u200b'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(editorCharacters, (body) => {
        expect(new SegmentedMessage(body, 'auto', true).encodingName).toBe('GSM-7');
        expect(segmentText(body, { smartEncoded: true }).encoding).toBe('GSM-7');
      }),
    );
  });
});
