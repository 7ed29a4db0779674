import { z } from 'zod';
import { CONCATENATIONS, RESULT_CLASSES } from '../domain/smpp-options.js';

/** What a row holds of how a carrier wants SMPP: only what differs from the usual. */
export const storedSmpp = z
  .object({
    binds: z.int(),
    alternates: z.array(z.object({ host: z.string(), port: z.int() })),
    concatenation: z.enum(CONCATENATIONS),
    resultOverrides: z.record(z.string(), z.object({ class: z.enum(RESULT_CLASSES), errorCode: z.int().nullable() })),
  })
  .partial()
  .nullable();
