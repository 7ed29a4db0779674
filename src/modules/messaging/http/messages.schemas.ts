import { z } from 'zod';
import { twilioPageShape } from '../../../platform/http/twilio-page.js';

const parameter = z.union([z.string(), z.array(z.string())]);

/**
 * A create as it comes: every parameter is text, and the use case says what is wrong with it in Twilio's own codes and
 * order. Described for the reference; unknown parameters are ignored.
 */
export const createMessageBody = z
  .object({
    To: parameter.optional().describe('Destination in E.164'),
    From: parameter.optional().describe('A number of the account, in E.164'),
    MessagingServiceSid: parameter.optional().describe('Lets a messaging service choose the sender, or has From in it'),
    ScheduleType: parameter.optional().describe('fixed: it is sent at SendAt, through a messaging service'),
    SendAt: parameter.optional().describe('ISO 8601 instant, more than 300 s and at most 35 days ahead'),
    Body: parameter.optional().describe('The text, at most 1600 characters'),
    MediaUrl: parameter.optional(),
    StatusCallback: parameter.optional().describe('http(s) URL that is told of every change of status'),
    ValidityPeriod: parameter.optional().describe('Seconds, 1 to 36000'),
    SmartEncoded: parameter.optional().describe('true replaces typographic characters by GSM-7 ones'),
    MessageIntent: parameter.optional().describe('otp, fraud, security go first; marketing, events, polling last'),
  })
  .catchall(parameter);

export const updateMessageBody = z.object({
  Body: z.literal('', { error: "'Body' can only be emptied" }).optional(),
  Status: z.literal('canceled', { error: "'Status' can only be set to canceled" }).optional(),
});

/** Whether there is such a day: the 30th of February would be taken for one in March. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** A day (`YYYY-MM-DD`) or an instant in ISO 8601. */
export const instant = z
  .string()
  .max(40)
  .transform((text, context) => {
    const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
    const date = new Date(day ? `${text}T00:00:00Z` : text);
    if (isDay(text.slice(0, 10)) && !Number.isNaN(date.getTime())) return { date, day };
    context.addIssue('must be a date (YYYY-MM-DD) or an ISO 8601 instant');
    return z.NEVER;
  });

export const listMessagesQuery = z.object({
  ...twilioPageShape,
  To: z.string().max(40).optional(),
  From: z.string().max(40).optional(),
  DateSent: instant.optional(),
  'DateSent<': instant.optional(),
  'DateSent>': instant.optional(),
});

export const previewBody = z.strictObject({
  to: z.string().max(64),
  body: z.string().max(10_000),
  smart_encoded: z.boolean().default(false),
});
