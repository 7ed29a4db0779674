import type { NewEvent } from '../../../shared/define-event.js';
import { isShortCode, parsePhoneNumber } from '../../../shared/phone-number.js';
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

const DIGITS = /^\d{7,15}$/;
const MAX_ADDRESS_LENGTH = 40;

/**
 * A number as a carrier typed it, in the spelling in which numbers are compared: E.164 with or without its plus; short codes
 * and names as they are.
 */
export function addressOf(typed: string): string {
  const text = typed.trim();
  const parsed = parsePhoneNumber(text);
  if (parsed.ok) return parsed.e164;
  const international = DIGITS.test(text) && !isShortCode(text) ? parsePhoneNumber(`+${text}`) : parsed;
  if (international.ok) return international.e164;
  return storable(text).slice(0, MAX_ADDRESS_LENGTH);
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
