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

export const messageAccepted = defineEvent(
  'messaging.message-accepted.v1',
  message.extend({
    status: z.enum(['queued', 'accepted']),
    queue: z.string(),
    lane: z.enum(['realtime', 'normal', 'bulk']),
    segments: z.int(),
  }),
);
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
  messageSent,
  messageDelivered,
  messageUndelivered,
  messageFailed,
  messageCanceled,
  messageRedacted,
  messageDeleted,
  serviceChanged,
];
