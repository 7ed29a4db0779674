import { z } from 'zod';
import { ANSWER_RESULTS, type JsonTemplate, RECEIPT_STATES } from '../domain/http/definition.js';

const MAX_TEMPLATE_LENGTH = 4_000;
const MAX_FIELDS = 100;
const MAX_RULES = 200;
/** Less than a worker waits for what is under way when it stops. */
const MAX_TIMEOUT_MS = 8_000;

const template = z.string().max(MAX_TEMPLATE_LENGTH);
const pointer = z.string().max(200);
const name = z.string().min(1).max(128);
const fields = z.record(name, template).refine((given) => Object.keys(given).length <= MAX_FIELDS, {
  message: `must have at most ${MAX_FIELDS} names`,
});
const errorCode = z.int().min(10_000).max(99_999);
const secretName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and _, a letter first');
const secretValue = z.string().regex(/^[ -~]{1,512}$/, 'must be 1 to 512 printable ASCII characters');
const secrets = z.record(secretName, secretValue).refine((given) => Object.keys(given).length <= MAX_FIELDS, {
  message: `must have at most ${MAX_FIELDS} names`,
});

const json: z.ZodType<JsonTemplate> = z.custom<JsonTemplate>(
  (value) => value !== undefined && JSON.stringify(value).length <= 4 * MAX_TEMPLATE_LENGTH,
  `must have at most ${4 * MAX_TEMPLATE_LENGTH} characters`,
);

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'must be the name of a header');
const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('token'), secret: secretName }),
  z.strictObject({ kind: z.literal('header'), name: headerName, secret: secretName }),
  z.strictObject({
    kind: z.literal('hmac'),
    name: headerName,
    secret: secretName,
    algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    prefix: z.string().max(32).default(''),
  }),
  z.strictObject({ kind: z.literal('twilio'), secret: secretName }),
]);

const answer = z.strictObject({
  id: pointer.optional(),
  code: pointer.optional(),
  results: z
    .array(
      z.strictObject({
        status: z.string().max(3).optional(),
        code: z.string().min(1).max(64).optional(),
        result: z.enum(ANSWER_RESULTS),
        error_code: errorCode.optional(),
      }),
    )
    .max(MAX_RULES)
    .optional(),
});

const receipts = z.strictObject({
  auth,
  list: pointer.optional(),
  id: pointer,
  state: pointer,
  states: z.record(name, z.enum(RECEIPT_STATES)),
  to: pointer.optional(),
  error: pointer.optional(),
  errors: z.record(name, errorCode).optional(),
  done_date: pointer.optional(),
});

const basicAuth = z.strictObject({ username: template, password: template });
const timeout = z.int().min(100).max(MAX_TIMEOUT_MS);
const checkInterval = z.int().min(1_000).max(600_000);
const method = z.enum(['POST', 'GET']);

/** A carrier over HTTP as data: how it is called, and how its answers and receipts are read. */
export const httpShape = {
  method: method.default('POST'),
  url: template.describe('Template; {{to}}, {{text}} and so on are percent-encoded'),
  headers: fields.optional(),
  basic_auth: basicAuth.optional(),
  form: fields.optional().describe('The body as a form; its values are templates'),
  json: json.optional().describe('The body as JSON; its texts are templates'),
  timeout_ms: timeout.default(5_000),
  check: template.optional().describe('URL that a working carrier answers with 2xx to a GET'),
  check_interval_ms: checkInterval.default(30_000).describe('How often, while no message proves it to be there'),
  answer: answer.default({}).describe('JSON pointers into the answer, and a table of what it means'),
  receipts: receipts.optional(),
  secrets: secrets.default({}).describe('Named in templates as {{secrets.name}}; never shown'),
};

const baseUrl = z.string().max(400);
const accountSid = z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hexadecimal digits');
const authToken = z.string().regex(/^[!-~]{16,128}$/, 'must be 16 to 128 ASCII characters without blanks');

/** Twilio, or what has its API. */
export const twilioShape = {
  base_url: baseUrl.default('https://api.twilio.com'),
  account_sid: accountSid,
  auth_token: authToken,
};

/** Each part takes the place of the one there was; null takes it away. Secrets are added to those there are. */
export const httpChangeShape = {
  method: method.optional(),
  url: template.optional(),
  headers: fields.nullish(),
  basic_auth: basicAuth.nullish(),
  form: fields.nullish(),
  json: json.nullish(),
  timeout_ms: timeout.optional(),
  check: template.nullish(),
  check_interval_ms: checkInterval.optional(),
  answer: answer.optional(),
  receipts: receipts.nullish(),
  secrets: secrets.optional(),
  base_url: baseUrl.optional(),
  account_sid: accountSid.optional(),
  auth_token: authToken.optional(),
};
