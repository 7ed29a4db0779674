import { z } from 'zod';
import { defineEvent } from '../../../shared/define-event.js';

/** A webhook was given up: it stands in the dead-letter list until somebody replays it. */
export const deliveryDead = defineEvent(
  'notifications.delivery-dead.v1',
  z.object({ deliveryId: z.string(), accountSid: z.string(), messageSid: z.string(), reason: z.string() }),
);

export const NOTIFICATIONS_EVENTS = [deliveryDead];
