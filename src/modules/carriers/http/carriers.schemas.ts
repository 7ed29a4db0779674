import { z } from 'zod';
import { BIND_KINDS, CARRIER_STATES, CARRIER_TYPES } from '../domain/carrier.js';
import { httpChangeShape, httpShape, twilioShape } from './http-carrier.schemas.js';
import { host, port, smppChangeShape, smppShape } from './smpp-carrier.schemas.js';

const MAX_WINDOW = 1_000;
const MAX_TPS = 100_000;
const MAX_PRIORITY = 10_000;
const MAX_WEIGHT = 1_000;

const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9 and -, with no - at either end');
const systemId = z.string().regex(/^[!-~]{1,64}$/, 'must be 1 to 64 ASCII characters without blanks');
const password = z.string().regex(/^[ -~]{0,64}$/, 'must be at most 64 ASCII characters');
const bind = z.enum(BIND_KINDS);
const window = z.int().min(1).max(MAX_WINDOW);
/** Null for no limit. */
const tps = z.int().min(1).max(MAX_TPS).nullable();

const smppCarrierBody = z.strictObject({
  name,
  type: z.literal('smpp'),
  host,
  port,
  system_id: systemId,
  password,
  bind: bind.default('transceiver'),
  window: window.default(50),
  tps: tps.default(null),
  ...smppShape,
});

const httpFrame = { name, type: z.literal('http'), window: window.default(50), tps: tps.default(null) };

const httpCarrierBody = z.discriminatedUnion(
  'preset',
  [
    z.strictObject({ ...httpFrame, preset: z.literal('none').default('none'), ...httpShape }),
    z.strictObject({ ...httpFrame, preset: z.literal('twilio'), ...twilioShape }),
  ],
  { error: 'must be twilio, or left out' },
);

export const addCarrierBody = z.discriminatedUnion('type', [smppCarrierBody, httpCarrierBody], {
  error: `must be ${CARRIER_TYPES.join(' or ')}`,
});

export const changeCarrierBody = z
  .strictObject({
    host: host.optional(),
    port: port.optional(),
    system_id: systemId.optional(),
    password: password.optional(),
    bind: bind.optional(),
    window: window.optional(),
    tps: tps.optional(),
    state: z.enum(CARRIER_STATES).optional(),
    ...smppChangeShape,
    ...httpChangeShape,
  })
  .refine((body) => Object.keys(body).length > 0, { message: 'names nothing to change' });

export const addRouteBody = z.strictObject({
  prefix: z.string().regex(/^(?:\+\d{1,15})?$/, 'must be + and up to 15 digits, or empty for everywhere'),
  carrier: z.string().max(63),
  /** Lower goes first. */
  priority: z.int().min(0).max(MAX_PRIORITY).default(100),
  /** Share among the routes of the same prefix and priority. */
  weight: z.int().min(1).max(MAX_WEIGHT).default(1),
});
