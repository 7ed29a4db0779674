import { z } from 'zod';
import { defineEvent } from '../../../shared/define-event.js';

/** What every message event carries: enough for a webhook, and nothing of the text. */
const message = z.object({
  messageSid: z.string(),
  accountSid: z.string(),
  from: z.string(),
  to: z.string(),
  serviceSid: z.string().nullable(),
  callbackUrl: z.string().nullable(),
});

/** What is handed to carriers, and where it waits. */
const waiting = {
  queue: z.string(),
  lane: z.enum(['realtime', 'normal', 'bulk']),
  segments: z.int(),
};

export const messageAccepted = defineEvent(
  'messaging.message-accepted.v1',
  message.extend({
    status: z.enum(['queued', 'accepted']),
    ...waiting,
  }),
);
/** It was accepted to be sent later; queue and sender are chosen again then. */
export const messageScheduled = defineEvent(
  'messaging.message-scheduled.v1',
  message.extend({ sendAt: z.iso.datetime(), ...waiting }),
);
/** The time of a scheduled message has come: it waits for a carrier. */
export const messageQueued = defineEvent('messaging.message-queued.v1', message.extend(waiting));
export const messageSent = defineEvent('messaging.message-sent.v1', message.extend({ carrier: z.string() }));
export const messageDelivered = defineEvent(
  'messaging.message-delivered.v1',
  message.extend({ carrier: z.string().nullable(), doneDate: z.string().nullable() }),
);
export const messageUndelivered = defineEvent(
  'messaging.message-undelivered.v1',
  message.extend({ carrier: z.string().nullable(), errorCode: z.int(), doneDate: z.string().nullable() }),
);
export const messageFailed = defineEvent('messaging.message-failed.v1', message.extend({ errorCode: z.int() }));
export const messageCanceled = defineEvent('messaging.message-canceled.v1', message);
export const messageRedacted = defineEvent('messaging.message-redacted.v1', message);
export const messageDeleted = defineEvent('messaging.message-deleted.v1', message);

/** The URLs that are asked what to do with an incoming message; as the customer set them when it came. */
export const inboundWebhook = z.object({
  url: z.string(),
  method: z.enum(['GET', 'POST']),
  fallbackUrl: z.string().nullable(),
  fallbackMethod: z.enum(['GET', 'POST']),
});

/** A message came in from a phone: `from` is the phone, `to` a number of the account. Its text is asked for. */
export const messageReceived = defineEvent(
  'messaging.message-received.v1',
  message.extend({
    carrier: z.string(),
    segments: z.int(),
    /** What it asked for with a keyword, and has got by now. */
    optOutType: z.enum(['STOP', 'START', 'HELP']).nullable(),
    /** Whether messaging answers the keyword itself. */
    isAnswered: z.boolean(),
    /** Null: nobody is to be asked. */
    webhook: inboundWebhook.nullable(),
  }),
);

/** Something of a messaging service changed; what it is now is asked, not told. */
export const serviceChanged = defineEvent(
  'messaging.service-changed.v1',
  z.object({
    accountSid: z.string(),
    serviceSid: z.string(),
    change: z.enum(['created', 'updated', 'deleted', 'number_added', 'number_removed']),
    /** The number that came or went, E.164 or a short code. */
    phoneNumber: z.string().nullable(),
  }),
);

export const MESSAGING_EVENTS = [
  messageAccepted,
  messageScheduled,
  messageQueued,
  messageSent,
  messageDelivered,
  messageUndelivered,
  messageFailed,
  messageCanceled,
  messageRedacted,
  messageDeleted,
  messageReceived,
  serviceChanged,
];
