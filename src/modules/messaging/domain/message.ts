import type { NewEvent } from '../../../shared/define-event.js';
import { sidOf } from '../../../shared/sid.js';
import {
  messageAccepted,
  messageCanceled,
  messageDeleted,
  messageDelivered,
  messageFailed,
  messageQueued,
  messageRedacted,
  messageScheduled,
  messageSent,
  messageUndelivered,
} from '../contract/messaging.events.js';
import type { Lane } from './lane.js';
import type { Schedule } from './schedule.js';

/** Twilio's error codes of messages that this product gives by itself. */
export const OPTED_OUT = 21610;
export const ACCOUNT_SUSPENDED = 30002;
export const UNKNOWN_ERROR = 30008;
export const VALIDITY_EXPIRED = 30036;

export type MessageStatus =
  /** Its time has not come yet. */
  | 'scheduled'
  | 'queued'
  | 'accepted'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'failed'
  | 'canceled'
  /** It came in from a phone. */
  | 'received'
  /** A saga that was given up before its message was written: it can never be written any more. */
  | 'abandoned';

/**
 * How a message came to be: by the API, as an answer to an incoming one, or from a phone. `outbound-keyword` answers a
 * keyword: it goes to those who have opted out too, and customers see it as `outbound-reply`.
 */
export type Direction = 'outbound-api' | 'outbound-reply' | 'outbound-keyword' | 'inbound';

export const WAITING: readonly MessageStatus[] = ['queued', 'accepted'];
/** What no carrier has yet: a customer may take it back. */
export const CANCELABLE: readonly MessageStatus[] = [...WAITING, 'scheduled'];
export const FINAL: readonly MessageStatus[] = ['delivered', 'undelivered', 'failed', 'canceled', 'received'];
/** Final states whose reservation is charged; the other final ones give it back. */
export const CHARGED: readonly MessageStatus[] = ['delivered', 'undelivered'];

export interface Message {
  readonly id: string;
  readonly accountId: string;
  readonly version: number;
  readonly status: MessageStatus;
  readonly lane: Lane;
  readonly queue: string;
  readonly from: string;
  readonly to: string;
  readonly segments: number;
  readonly serviceId: string | null;
  readonly callbackUrl: string | null;
  readonly carrier: string | null;
  /** Bit n - 1 stands for a delivered segment n. */
  readonly receipts: bigint;
  readonly errorCode: number | null;
  readonly sentAt: Date | null;
  readonly validUntil: Date;
  readonly traceparent: string | null;
}

/** What a decision changes, and the fact it states; null where the message stays as it is. */
export interface Decision {
  readonly message: Message;
  readonly event: NewEvent | null;
}

export interface Answer {
  readonly outcome: 'accepted' | 'rejected' | 'unknown';
  readonly carrier: string;
  readonly errorCode: number | null;
}

export interface Receipt {
  readonly segment: number;
  /** In how many pieces the carrier took it: the message's segments, or 1 where one receipt tells of all. */
  readonly segments: number;
  readonly state: 'enroute' | 'delivered' | 'undelivered';
  readonly errorCode: number | null;
  readonly carrier: string;
  readonly doneDate: string | null;
}

/** The status that a message begins with (Twilio's rule): for a later time, through a messaging service, or neither. */
export function firstStatus(serviceId: string | null, isScheduled: boolean): MessageStatus {
  if (isScheduled) return 'scheduled';
  return serviceId ? 'accepted' : 'queued';
}

/** The first event of a message; nobody is called back for it. @param schedule null: it is sent at once */
export function begun(message: Message, schedule: Schedule | null): NewEvent {
  if (!schedule) return accepted(message);
  const { queue, lane, segments } = message;
  return eventOf(message, messageScheduled.type, { sendAt: schedule.sendAt.toISOString(), queue, lane, segments });
}

/** The first event of a message that is to be sent at once. */
export function accepted(message: Message): NewEvent {
  return eventOf(message, messageAccepted.type, {
    status: message.serviceId ? 'accepted' : 'queued',
    queue: message.queue,
    lane: message.lane,
    segments: message.segments,
  });
}

/** A carrier answered. Only a message that still waits can be answered; anything else is a repetition. */
export function answered(message: Message, answer: Answer, at: Date): Decision | null {
  if (!WAITING.includes(message.status)) return null;
  if (answer.outcome === 'accepted') {
    const next = change(message, { status: 'sent', carrier: answer.carrier, sentAt: at });
    return { message: next, event: eventOf(next, messageSent.type, { carrier: answer.carrier }) };
  }
  const errorCode = answer.errorCode ?? UNKNOWN_ERROR;
  const next = change(message, { status: 'failed', carrier: answer.carrier, errorCode });
  return { message: next, event: eventOf(next, messageFailed.type, { errorCode }) };
}

/**
 * A carrier reported on a segment. The message is delivered when every segment is; undelivered with the first that is
 * not. The carriers tell of a receipt after the answer that it belongs to, whichever came first.
 */
export function receipted(message: Message, receipt: Receipt): Decision | null {
  if (message.status !== 'sent' || receipt.state === 'enroute') return null;
  if (receipt.state === 'undelivered') {
    const errorCode = receipt.errorCode ?? UNKNOWN_ERROR;
    const next = change(message, { status: 'undelivered', errorCode });
    const data = { carrier: message.carrier, errorCode, doneDate: receipt.doneDate };
    return { message: next, event: eventOf(next, messageUndelivered.type, data) };
  }
  const all = (1n << BigInt(message.segments)) - 1n;
  const told = receipt.segments === 1 ? all : 1n << BigInt(receipt.segment - 1);
  const receipts = message.receipts | told;
  if (receipts === message.receipts) return null;
  if (receipts !== all) return { message: { ...message, receipts }, event: null };
  const next = change(message, { status: 'delivered', receipts });
  const data = { carrier: message.carrier, doneDate: receipt.doneDate };
  return { message: next, event: eventOf(next, messageDelivered.type, data) };
}

/**
 * The validity has ended: what was never sent failed, what was sent without a receipt counts as undelivered.
 * The caller has made sure that no carrier holds a waiting message.
 */
export function expired(message: Message): Decision | null {
  if (WAITING.includes(message.status)) return failed(message, VALIDITY_EXPIRED);
  if (message.status !== 'sent') return null;
  const next = change(message, { status: 'undelivered', errorCode: UNKNOWN_ERROR });
  const data = { carrier: message.carrier, errorCode: UNKNOWN_ERROR, doneDate: null };
  return { message: next, event: eventOf(next, messageUndelivered.type, data) };
}

/** How a scheduled message goes on when its time has come: by a sender and a queue, or not at all. */
export type Departure = { readonly from: string; readonly queue: string } | { readonly errorCode: number };

/** The time of a scheduled message has come: it waits for a carrier now, or it failed. */
export function departed(message: Message, departure: Departure): Decision | null {
  if (message.status !== 'scheduled') return null;
  if ('errorCode' in departure) return failed(message, departure.errorCode);
  const next = change(message, { status: 'queued', ...departure });
  const { queue, lane, segments } = next;
  return { message: next, event: eventOf(next, messageQueued.type, { queue, lane, segments }) };
}

/** Its account was suspended or closed while it waited. The caller has made sure that no carrier has it. */
export function halted(message: Message): Decision | null {
  return WAITING.includes(message.status) ? failed(message, ACCOUNT_SUSPENDED) : null;
}

/** Its recipient opted out while it waited. The caller has made sure that no carrier has it. */
export function optedOut(message: Message): Decision | null {
  return WAITING.includes(message.status) ? failed(message, OPTED_OUT) : null;
}

/** The customer took it back while it waited. The caller has made sure that no carrier has it. */
export function canceled(message: Message): Decision | null {
  if (!CANCELABLE.includes(message.status)) return null;
  const next = change(message, { status: 'canceled' });
  return { message: next, event: eventOf(next, messageCanceled.type, {}) };
}

/** Its text was erased. */
export function redacted(message: Message): Decision {
  const next = change(message, {});
  return { message: next, event: eventOf(next, messageRedacted.type, {}) };
}

/** It was deleted; a tombstone without text stays for the audit. */
export function deleted(message: Message): Decision {
  const next = change(message, {});
  return { message: next, event: eventOf(next, messageDeleted.type, {}) };
}

function failed(message: Message, errorCode: number): Decision {
  const next = change(message, { status: 'failed', errorCode });
  return { message: next, event: eventOf(next, messageFailed.type, { errorCode }) };
}

function change(message: Message, fields: Partial<Message>): Message {
  return { ...message, ...fields, version: message.version + 1 };
}

function eventOf(message: Message, type: string, data: Record<string, unknown>): NewEvent {
  return {
    type,
    streamId: message.id,
    version: message.version,
    tenantId: message.accountId,
    traceparent: message.traceparent,
    data: {
      messageSid: sidOf('SM', message.id),
      accountSid: sidOf('AC', message.accountId),
      from: message.from,
      to: message.to,
      serviceSid: message.serviceId ? sidOf('MG', message.serviceId) : null,
      callbackUrl: message.callbackUrl,
      ...data,
    },
  };
}
