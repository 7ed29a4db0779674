import { z } from 'zod';
import { queryInteger } from '../../../platform/http/page.js';
import { twilioPageShape } from '../../../platform/http/twilio-page.js';
import { SMS_METHODS } from '../contract/accounts.api.js';

const MAX_NAME_LENGTH = 64;
const friendlyName = z.string().trim().max(MAX_NAME_LENGTH);
const status = z.enum(['active', 'suspended', 'closed']);

export const createAccountBody = z.object({ FriendlyName: friendlyName.optional() });
export const updateAccountBody = z.object({ FriendlyName: friendlyName.min(1).optional(), Status: status.optional() });
export const listAccountsQuery = z.object({
  ...twilioPageShape,
  FriendlyName: z.string().max(MAX_NAME_LENGTH).optional(),
  Status: status.optional(),
});

export const keyBody = z.object({ FriendlyName: friendlyName.optional() });

/** Sets a URL, or takes it away where it is empty. */
const url = z
  .string()
  .transform((text) => (text === '' ? null : text))
  .optional();
const method = z.enum(SMS_METHODS).optional();

export const updateNumberBody = z.object({
  FriendlyName: friendlyName.optional().describe('Empty: the number itself'),
  SmsUrl: url.describe('http(s) URL that is asked what to do with an incoming message; empty: nobody is'),
  SmsMethod: method,
  SmsFallbackUrl: url.describe('Asked where SmsUrl cannot be reached or gives no usable answer'),
  SmsFallbackMethod: method,
  AccountSid: z.string().optional().describe("Must be the account's own: the operator moves numbers between accounts"),
});

export const createNumberBody = z.object({
  PhoneNumber: z.string().max(MAX_NAME_LENGTH).optional(),
  AreaCode: queryInteger(0, 999).optional(),
});

export const listNumbersQuery = z.object({
  ...twilioPageShape,
  Beta: z.enum(['true', 'false']).optional(),
  FriendlyName: z.string().max(MAX_NAME_LENGTH).optional(),
  PhoneNumber: z
    .string()
    .regex(/^[+0-9*]{1,20}$/, 'must be digits of a number, with * for any one of them')
    .optional()
    .describe('A number or a part of one; * stands for any one digit'),
  Origin: z.enum(['twilio', 'hosted']).optional(),
});
