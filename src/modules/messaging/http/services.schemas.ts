import { z } from 'zod';
import { twilioPageShape } from '../../../platform/http/twilio-page.js';
import { MAX_VALIDITY_SECONDS, type ServiceSettings } from '../domain/service.js';

const MAX_NAME_LENGTH = 64;

const name = z.string().trim().min(1, 'must not be empty').max(MAX_NAME_LENGTH);
/** Empty: none. Whether it may be called is for the use case to say. */
const url = z
  .string()
  .trim()
  .transform((text) => (text === '' ? null : text));
const method = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(['GET', 'POST'], { error: 'must be GET or POST' }));
const flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false'], { error: 'must be true or false' }))
  .transform((text) => text === 'true');
const seconds = z
  .string()
  .regex(/^\d{1,5}$/, `must be a whole number of seconds from 1 to ${MAX_VALIDITY_SECONDS}`)
  .transform(Number)
  .pipe(z.int().min(1).max(MAX_VALIDITY_SECONDS));

/** What may be changed of a service; unknown parameters are ignored, as Twilio does. */
export const changeServiceBody = z.object({
  FriendlyName: name.optional(),
  Usecase: name.optional(),
  InboundRequestUrl: url
    .optional()
    .describe('Asked about messages that come in to a number of the pool; empty: nobody'),
  InboundMethod: method.optional(),
  FallbackUrl: url.optional().describe('Asked where InboundRequestUrl gives no usable answer'),
  FallbackMethod: method.optional(),
  UseInboundWebhookOnNumber: flag.optional().describe("true: the number's own URL is asked instead"),
  StatusCallback: url.optional().describe('For messages that name none of their own'),
  StickySender: flag.optional().describe('true: a recipient always gets the same sender'),
  AreaCodeGeomatch: flag.optional().describe("true: a sender of the recipient's area code is preferred"),
  SmartEncoding: flag.optional().describe('true: typographic characters are replaced by GSM-7 ones'),
  ValidityPeriod: seconds.optional().describe('Seconds, 1 to 36000, for messages that say nothing about it'),
  MmsConverter: flag.optional().describe('Kept, without effect'),
  FallbackToLongCode: flag.optional().describe('Kept, without effect'),
  SynchronousValidation: flag.optional().describe('Kept; validation is always synchronous'),
  ScanMessageContent: z.enum(['inherit', 'enable', 'disable']).optional().describe('Kept, without effect'),
});

export const createServiceBody = changeServiceBody.extend({ FriendlyName: name });

export const addNumberBody = z.object({
  PhoneNumberSid: z.string().max(MAX_NAME_LENGTH).describe('PN SID of a number of the account'),
});

export const listServicesQuery = z.object(twilioPageShape);

const KEYS = {
  FriendlyName: 'friendlyName',
  Usecase: 'useCase',
  InboundRequestUrl: 'inboundRequestUrl',
  InboundMethod: 'inboundMethod',
  FallbackUrl: 'fallbackUrl',
  FallbackMethod: 'fallbackMethod',
  UseInboundWebhookOnNumber: 'useInboundWebhookOnNumber',
  StatusCallback: 'statusCallback',
  StickySender: 'stickySender',
  AreaCodeGeomatch: 'areaCodeGeomatch',
  SmartEncoding: 'smartEncoding',
  ValidityPeriod: 'validityPeriod',
  MmsConverter: 'mmsConverter',
  FallbackToLongCode: 'fallbackToLongCode',
  SynchronousValidation: 'synchronousValidation',
  ScanMessageContent: 'scanMessageContent',
} as const satisfies Record<keyof z.infer<typeof changeServiceBody>, keyof ServiceSettings>;

/** The settings that a request names; those that it leaves out are absent. */
export function settingsOf(body: z.infer<typeof changeServiceBody>): Partial<ServiceSettings> {
  const given = Object.entries(KEYS).filter(([parameter]) => body[parameter as keyof typeof KEYS] !== undefined);
  return Object.fromEntries(given.map(([parameter, key]) => [key, body[parameter as keyof typeof KEYS]]));
}
