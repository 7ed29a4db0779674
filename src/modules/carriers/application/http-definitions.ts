import { Failure } from '../../../shared/failure.js';
import type { CarrierDefinition } from '../domain/carrier.js';
import { checkDefinition } from '../domain/http/check-definition.js';
import {
  type HttpCarrier,
  type HttpDefinition,
  type HttpSecrets,
  isPreset,
  type TwilioPreset,
} from '../domain/http/definition.js';
import { expand, TWILIO_SECRET } from '../domain/http/twilio-preset.js';

/** What may be changed of how a carrier over HTTP is called. */
export type HttpChange = Partial<HttpDefinition & Omit<TwilioPreset, 'preset'>> & {
  readonly secrets?: HttpSecrets | undefined;
};

/** What the columns of a session of SMPP hold where there is none. */
export const NO_SESSION = { systemId: '', bind: 'transceiver' } as const;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const MAX_PROBLEMS = 20;
const PRESET_FIELDS = ['base_url', 'account_sid'];

/** @throws Failure `invalid_parameter` that names everything in a definition that cannot be used */
export function refuseUnusable(http: HttpCarrier, secrets: HttpSecrets): void {
  const problems = checkDefinition(expand(http), secrets).map(({ field, message }) => ({
    field: isPreset(http) ? presetField(field) : field,
    message,
  }));
  const [first] = problems;
  if (!first) return;
  throw new Failure('invalid_parameter', {
    field: first.field,
    detail: `'${first.field}': ${first.message}`,
    errors: problems.slice(0, MAX_PROBLEMS),
  });
}

/** The definition after a change. @throws Failure `invalid_parameter` where it names what this one has not */
export function amendHttp(before: HttpCarrier, { secrets: _, ...change }: HttpChange): HttpCarrier {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const foreign = given.find(([name]) => isPreset(before) !== PRESET_FIELDS.includes(name));
  if (foreign) {
    const [field] = foreign;
    const detail = `'${field}': this carrier ${isPreset(before) ? 'is made from a preset' : 'is not made from a preset'}`;
    throw new Failure('invalid_parameter', { field, detail });
  }
  const amended = { ...before, ...Object.fromEntries(given) } as HttpCarrier;
  // Null takes a part away.
  return Object.fromEntries(Object.entries(amended).filter(([, value]) => value !== null)) as unknown as HttpCarrier;
}

/** Host and port that are called. */
export function addressOf(http: HttpCarrier): Pick<CarrierDefinition, 'host' | 'port'> {
  const { hostname, port, protocol } = new URL(expand(http).url.replace(/\{\{[^{}]*\}\}/g, 'x'));
  return { host: hostname, port: port === '' ? DEFAULT_PORTS[protocol]! : Number(port) };
}

/** What is wrong with what a preset comes to is wrong with what was given for it. */
function presetField(field: string): string {
  return field === 'url' || field === 'check'
    ? 'base_url'
    : field === `secrets.${TWILIO_SECRET}`
      ? TWILIO_SECRET
      : field;
}
