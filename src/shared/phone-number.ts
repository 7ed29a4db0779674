import { type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';
import { LRUCache } from 'lru-cache';

/** E.164 allows 15 digits, country calling code included. */
const MAX_DIGITS = 15;
/** Room for 15 digits with separators; anything longer is refused unread. */
const MAX_INPUT_LENGTH = 40;
/** About 4 MB when full. */
const MAX_CACHED_NUMBERS = 20_000;

const PLAIN_E164 = /^\+\d+$/;
const WITH_SEPARATORS = /^\+[\d .()-]*\d$/;
const NATIONAL = /^[\d(][\d .()-]*\d$/;
const SEPARATORS = /[^\d]/g;
/** A number of the North American plan: no part begins with 0 or 1, and no prefix can be dropped from it. */
const NORTH_AMERICAN = /^1[2-9]\d{9}$/;

export type PhoneNumberRefusal = 'empty' | 'too_long' | 'not_a_number' | 'not_possible';

export type ParsedPhoneNumber =
  | {
      readonly ok: true;
      /** The one spelling of this number, `+` and at most 15 digits: what is compared, stored and sent. */
      readonly e164: string;
      /** Country calling code, digits only; some are shared by several countries. */
      readonly callingCode: string;
      /** ISO 3166-1 alpha-2; null where the number does not tell, as in the fictional +1 555 ones. */
      readonly country: string | null;
    }
  | { readonly ok: false; readonly reason: PhoneNumberRefusal };

const EMPTY = refusal('empty');
const TOO_LONG = refusal('too_long');
const NOT_A_NUMBER = refusal('not_a_number');
const NOT_POSSIBLE = refusal('not_possible');

/** Keyed by the digits as a number, so that an entry never keeps a caller's string (and what it was cut from) alive. */
const parsedByDigits = new LRUCache<number, ParsedPhoneNumber>({ max: MAX_CACHED_NUMBERS });

/**
 * Reads an international phone number: `+`, then digits, with spaces, dots, dashes and parentheses between them.
 * Letters, extensions, control characters and digits or signs outside ASCII are refused, so that a number has one
 * spelling and an opt-out cannot be slipped past. The number must be possible by the numbering plan's lengths (not
 * necessarily assigned: the fictional +1 555 numbers pass). A national prefix, as in `+44 (0)20…`, is dropped.
 */
export function parsePhoneNumber(input: string): ParsedPhoneNumber {
  if (input.length > MAX_INPUT_LENGTH) return TOO_LONG;
  if (PLAIN_E164.test(input)) return parseDigits(input.slice(1));
  if (input.trim() === '') return EMPTY;
  return WITH_SEPARATORS.test(input) ? parseDigits(input.replace(SEPARATORS, '')) : NOT_A_NUMBER;
}

/**
 * Reads a number that is written without its country as one of the country of another: digits, with separators or a
 * national prefix. Where nothing but its digits says that it is national, it must fit the numbering plan and not only its
 * lengths, so that a service's own short number is not taken for somebody's.
 *
 * @param near E.164
 */
export function parseNationalNumber(input: string, near: string, isCertain: boolean): ParsedPhoneNumber {
  const neighbour = parsePhoneNumber(near);
  if (!neighbour.ok || input.length > MAX_INPUT_LENGTH || !NATIONAL.test(input)) return NOT_A_NUMBER;
  const options = { defaultCallingCode: neighbour.callingCode, extract: false };
  const number = parsePhoneNumberFromString(input, options, metadata);
  const fits = isCertain ? number?.isPossible() : number?.isValid();
  return number && fits ? parsePhoneNumber(number.number) : NOT_POSSIBLE;
}

/** Whether the text is a short code: 3 to 6 ASCII digits and nothing else. */
export function isShortCode(text: string): boolean {
  return /^\d{3,6}$/.test(text);
}

/** Whether the text can be an alphanumeric sender: 1 to 11 of A-Z, a-z, 0-9 and space, with at least one letter. */
export function isAlphanumericSender(text: string): boolean {
  return /^[A-Za-z0-9 ]{1,11}$/.test(text) && /[A-Za-z]/.test(text);
}

function parseDigits(digits: string): ParsedPhoneNumber {
  if (digits.length > MAX_DIGITS) return TOO_LONG;
  // No country calling code begins with 0; past this check the digits are the number that they spell.
  if (digits.startsWith('0')) return NOT_POSSIBLE;
  return NORTH_AMERICAN.test(digits) ? northAmerican(`+${digits}`) : remembered(Number(digits));
}

/**
 * Such a number is possible by its length alone, which costs about what remembering it would. Which of the plan's twenty-five
 * countries it belongs to takes as long to find as all the rest of a check, so that is looked up for those who ask.
 */
function northAmerican(e164: string): ParsedPhoneNumber {
  return {
    ok: true,
    e164,
    callingCode: '1',
    get country() {
      const parsed = remembered(Number(e164));
      return parsed.ok ? parsed.country : null;
    },
  };
}

function remembered(key: number): ParsedPhoneNumber {
  const cached = parsedByDigits.get(key);
  if (cached !== undefined) return cached;
  const parsed = checkPossible(`+${key}`);
  parsedByDigits.set(key, parsed);
  return parsed;
}

function checkPossible(e164: string): ParsedPhoneNumber {
  const number = read(e164);
  if (!number?.isPossible()) return NOT_POSSIBLE;
  // Dropping a national prefix can uncover another one; such a number has no single spelling.
  if (number.number !== e164 && read(number.number)?.number !== number.number) return NOT_POSSIBLE;
  const { number: spelt, countryCallingCode: callingCode, country } = number;
  return Object.freeze({ ok: true, e164: spelt, callingCode, country: country ?? null });
}

function read(e164: string): PhoneNumber | undefined {
  return parsePhoneNumberFromString(e164, { extract: false }, metadata);
}

function refusal(reason: PhoneNumberRefusal): ParsedPhoneNumber {
  return Object.freeze({ ok: false, reason });
}
