import { z } from 'zod';
import { pageQuerySchema } from '../../../platform/http/page.js';
import { MAX_BODY_LENGTH } from '../application/validate-send.js';
import {
  DEFAULT_OPT_OUT_SETTINGS,
  MAX_KEYWORD_LENGTH,
  MAX_KEYWORDS,
  type OptOutSettings,
  type OptOutType,
} from '../domain/opt-out-keywords.js';

const number = z.string().max(64);

/** One sender, or one messaging service: nothing comes from it any more. */
export const addOptOutBody = z
  .strictObject({
    phone_number: number.describe('Recipient, E.164'),
    from: number.optional().describe('A number of the account'),
    messaging_service_sid: number.optional(),
  })
  .refine((body) => (body.from === undefined) !== (body.messaging_service_sid === undefined), {
    message: 'must name either from or messaging_service_sid',
    path: ['from'],
  });

export const removeOptOutQuery = z
  .object({ from: number.optional(), messaging_service_sid: number.optional() })
  .refine((query) => query.from === undefined || query.messaging_service_sid === undefined, {
    message: 'cannot be given together with messaging_service_sid',
    path: ['from'],
  });

export const listOptOutsQuery = pageQuerySchema.extend({
  phone_number: number.optional(),
  from: number.optional(),
  messaging_service_sid: number.optional(),
});

const rule = z.strictObject({
  keywords: z
    .array(z.string().trim().min(1).max(MAX_KEYWORD_LENGTH))
    .max(MAX_KEYWORDS)
    .optional()
    .describe('In place of the usual ones; the word STOP, START or HELP itself always counts'),
  reply: z.string().min(1).max(MAX_BODY_LENGTH).nullable().optional().describe('null: nothing is answered'),
});

/** What is left out is as it is by default. */
export const optOutSettingsBody = z.strictObject({
  stop: rule.optional(),
  start: rule.optional(),
  help: rule.optional(),
});

export function settingsOf(body: z.infer<typeof optOutSettingsBody>): OptOutSettings {
  const of = (type: OptOutType, given: z.infer<typeof rule> | undefined) => {
    const usual = DEFAULT_OPT_OUT_SETTINGS[type];
    return {
      keywords: given?.keywords ?? usual.keywords,
      reply: given?.reply === undefined ? usual.reply : given.reply,
    };
  };
  return { STOP: of('STOP', body.stop), START: of('START', body.start), HELP: of('HELP', body.help) };
}
