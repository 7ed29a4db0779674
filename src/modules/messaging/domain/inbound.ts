import type { NewEvent } from '../../../shared/define-event.js';
import { isShortCode, parseNationalNumber, parsePhoneNumber } from '../../../shared/phone-number.js';
import { sidOf } from '../../../shared/sid.js';
import { messageReceived } from '../contract/messaging.events.js';
import type { OptOutType } from './opt-out-keywords.js';

/** The URLs that are asked what to do with an incoming message. */
export interface InboundWebhook {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly fallbackUrl: string | null;
  readonly fallbackMethod: 'GET' | 'POST';
}

/** What a carrier brought in. */
export interface Arrival {
  /** The carriers' id for it, a UUIDv7: the message's id too, so that it becomes a message once. */
  readonly id: string;
  readonly carrier: string;
  readonly from: string;
  readonly to: string;
  readonly segments: number;
  readonly receivedAt: Date;
}

/** Whose an incoming message is, and what it says. */
export interface Owned {
  /** Another number that its sender may be by what the carrier typed; an opt-out holds for both. Null where there is none. */
  readonly alsoFrom: string | null;
  readonly accountId: string;
  readonly serviceId: string | null;
  readonly webhook: InboundWebhook | null;
  readonly body: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly optOutType: OptOutType | null;
  /** Whether something is answered to such a keyword. */
  readonly hasReply: boolean;
}

/** A message that came in, as it is written. */
export interface ReceivedMessage extends Arrival, Owned {}

const SPELT = /^\+?[\d(][\d .()-]*\d$/;
const BARE = /^[1-9]\d{6,14}$/;
const MIN_DIGITS = 7;
const MAX_ADDRESS_LENGTH = 40;
/** How Mexico's mobile numbers were dialled from abroad until 2019, and are still written by some carriers. */
const FORMER_MEXICAN_MOBILE = /^\+521(?=\d{10}$)/;

/**
 * A number as a carrier typed it, in the spelling in which numbers are compared, so that whoever says STOP is found under
 * the number that is written to: E.164 with or without its plus, behind a prefix for calls abroad, or, where it is none
 * of these, as a number of the country of the other end. Short codes and names are as they are.
 *
 * @param near the other end of the message, as this returned it; null where that is not known
 */
export function addressOf(typed: string, near: string | null = null): string {
  const text = typed.trim().replace(/^tel:/i, '');
  for (const reading of [text, ...internationalReadings(text, near)]) {
    const parsed = parsePhoneNumber(reading.replace(FORMER_MEXICAN_MOBILE, '+52'));
    if (parsed.ok) return parsed.e164;
  }
  const national = near !== null && isSpelt(text) ? parseNationalNumber(text, near, false) : null;
  return national?.ok ? national.e164 : storable(typed.trim()).slice(0, MAX_ADDRESS_LENGTH);
}

/**
 * The number of the other end's country that a sender may be as well, where a carrier types it in digits alone and
 * addressOf took these for another country's; null where they can be one thing only.
 *
 * @param near the number that it wrote to, E.164
 */
export function otherReadingOf(typed: string, near: string): string | null {
  const text = typed.trim();
  if (!BARE.test(text)) return null;
  const national = parseNationalNumber(text, near, false);
  return national.ok && national.e164 !== addressOf(text, near) ? national.e164 : null;
}

/** What a number says where it is written with a prefix for calls abroad, or with nothing, in place of its plus. */
function internationalReadings(text: string, near: string | null): string[] {
  if (!isSpelt(text)) return [];
  const digits = text.replace(/\D/g, '');
  if (digits.startsWith('00')) return [`+${digits.slice(2)}`];
  // In no country of +1 does a number begin with 0.
  if (digits.startsWith('011') && near?.startsWith('+1')) return [`+${digits.slice(3)}`];
  return [`+${digits}`];
}

function isSpelt(text: string): boolean {
  const isBounded = text.length <= MAX_ADDRESS_LENGTH && SPELT.test(text) && !isShortCode(text);
  return isBounded && text.replace(/\D/g, '').length >= MIN_DIGITS;
}

/** A text as PostgreSQL can hold it: without NUL and lone surrogates, which no message has a use for. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** The one event that tells of an incoming message. `isAnswered`: its keyword is answered by the product itself. */
export function received(message: ReceivedMessage, isAnswered: boolean): NewEvent {
  return {
    type: messageReceived.type,
    streamId: message.id,
    version: 1,
    tenantId: message.accountId,
    data: {
      messageSid: sidOf('SM', message.id),
      accountSid: sidOf('AC', message.accountId),
      from: message.from,
      to: message.to,
      serviceSid: message.serviceId === null ? null : sidOf('MG', message.serviceId),
      callbackUrl: null,
      carrier: message.carrier,
      segments: message.segments,
      optOutType: message.optOutType,
      isAnswered,
      webhook: message.webhook,
    },
  };
}
