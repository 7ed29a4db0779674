import { Ajv, type ValidateFunction } from 'ajv';
import { type Operation, SCHEMAS } from './facts.js';

const RFC_2822 = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
/** What the formats of the description mean. Lists of 2010-04-01 link relative to their host. */
const FORMATS: Readonly<Record<string, RegExp | true>> = {
  'date-time-rfc-2822': RFC_2822,
  'date-time': ISO,
  date: /^\d{4}-\d{2}-\d{2}$/,
  uri: /^(https?:\/\/[^/\s]+)?\/\S*$/,
  'phone-number': /^(\+\d{7,15}|\d{3,6})$/,
  'http-method': /^(GET|POST)$/,
  currency: /^[A-Za-z]{3}$/,
  int64: true,
  'uri-map': true,
  'phone-number-capabilities': true,
};

const ajv = new Ajv({ allErrors: true, strict: false });
for (const [name, format] of Object.entries(FORMATS)) ajv.addFormat(name, format);
const compiled = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]));

const isError = ajv.compile({
  type: 'object',
  required: ['code', 'message', 'more_info', 'status'],
  properties: {
    code: { type: 'integer', minimum: 10_000, maximum: 99_999 },
    message: { type: 'string', minLength: 4 },
    more_info: { type: 'string', pattern: '/docs/errors/\\d{5}$' },
    status: { type: 'integer', minimum: 400, maximum: 499 },
    details: { type: 'object' },
  },
  additionalProperties: false,
});

/** What is wrong with an answer that is held to be a success of an operation; empty: nothing. */
export function faultsOf({ responses }: Operation, status: number, text: string): string[] {
  if (!(status in responses)) return [`the status is ${status}, and not ${Object.keys(responses).join(' or ')}`];
  const schema = responses[status];
  if (schema == null) return text === '' ? [] : ['there is a body'];
  return faults(compiled.get(schema)!, text);
}

/** What is wrong with an answer that is held to be Twilio's error. */
export function errorFaultsOf(status: number, text: string): string[] {
  const found = faults(isError, text);
  if (found.length > 0) return found;
  const said = (JSON.parse(text) as { status: number }).status;
  return said === status ? [] : [`the body says ${said}, the status is ${status}`];
}

function faults(validate: ValidateFunction, text: string): string[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return ['the body is no JSON'];
  }
  if (validate(body)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
