import { gsm7Length, gsm7UnitCost } from '../../../shared/gsm7.js';
import { smartEncode } from './smart-encoding.js';

/** What a short message holds, alone and as part of a concatenated one: septets in GSM-7, UTF-16 units in UCS-2. */
const GSM7_SINGLE_SEPTETS = 160;
const GSM7_PART_SEPTETS = 153;
const UCS2_SINGLE_UNITS = 70;
const UCS2_PART_UNITS = 67;

export type SegmentEncoding = 'GSM-7' | 'UCS-2';

export interface SegmentOptions {
  /** Replace typographic characters by GSM-7 equivalents first. Default: false. */
  readonly smartEncoded?: boolean;
}

export interface SegmentCount {
  readonly encoding: SegmentEncoding;
  /** Number of short messages, at least 1. */
  readonly segments: number;
  /** Length of the text without concatenation headers: septets in GSM-7, UTF-16 code units in UCS-2. */
  readonly units: number;
}

export interface SegmentedText {
  readonly encoding: SegmentEncoding;
  /** The text of each short message, in order; together they are the text that is sent. An empty body is one part. */
  readonly parts: string[];
  /** As in SegmentCount. */
  readonly units: number;
}

/** A text with what is needed to split it. */
interface MeasuredText {
  readonly text: string;
  readonly encoding: SegmentEncoding;
  readonly units: number;
  readonly fitsAlone: boolean;
}

/**
 * How many short messages a body needs: the same figures as segmentText without building the parts, for the price at the
 * moment a message is accepted.
 */
export function countSegments(body: string, options: SegmentOptions = {}): SegmentCount {
  const { text, encoding, units, fitsAlone } = measure(body, options);
  let segments = 1;
  if (!fitsAlone) {
    for (let at = partEnd(text, 0, encoding); at < text.length; at = partEnd(text, at, encoding)) segments += 1;
  }
  return { encoding, segments, units };
}

/**
 * Splits a body into short messages: in GSM-7 160 septets alone or 153 each, in UCS-2 70 UTF-16 units alone or 67 each,
 * extension characters at 2 septets (3GPP TS 23.038, and TS 23.040 with a 6-octet concatenation header). Neither an
 * escape pair nor a surrogate pair is cut. GSM-7 is used whenever the whole text fits its alphabet. Any string is
 * accepted, lone surrogates included; the time is linear in its length, which the caller bounds.
 */
export function segmentText(body: string, options: SegmentOptions = {}): SegmentedText {
  const { text, encoding, units, fitsAlone } = measure(body, options);
  if (fitsAlone) return { encoding, parts: [text], units };
  const parts: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = partEnd(text, start, encoding);
    parts.push(text.slice(start, end));
    start = end;
  }
  return { encoding, parts, units };
}

function measure(body: string, options: SegmentOptions): MeasuredText {
  const text = options.smartEncoded ? smartEncode(body) : body;
  const septets = gsm7Length(text);
  if (septets === null) {
    return { text, encoding: 'UCS-2', units: text.length, fitsAlone: text.length <= UCS2_SINGLE_UNITS };
  }
  return { text, encoding: 'GSM-7', units: septets, fitsAlone: septets <= GSM7_SINGLE_SEPTETS };
}

/** Where the part of a concatenated message that begins at the UTF-16 offset `start` ends; always beyond `start`. */
function partEnd(text: string, start: number, encoding: SegmentEncoding): number {
  return encoding === 'GSM-7' ? gsm7PartEnd(text, start) : ucs2PartEnd(text, start);
}

function gsm7PartEnd(text: string, start: number): number {
  let septets = 0;
  for (let i = start; i < text.length; i += 1) {
    septets += gsm7UnitCost(text.charCodeAt(i));
    if (septets > GSM7_PART_SEPTETS) return i;
  }
  return text.length;
}

function ucs2PartEnd(text: string, start: number): number {
  const end = start + UCS2_PART_UNITS;
  if (end >= text.length) return text.length;
  const cutsPair = isHighSurrogate(text.charCodeAt(end - 1)) && isLowSurrogate(text.charCodeAt(end));
  return cutsPair ? end - 1 : end;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLowSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}
