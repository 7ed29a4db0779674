import { checkDefinition } from './check-definition.js';
import type { HttpDefinition, ReceiptDefinition } from './definition.js';
import { expand } from './twilio-preset.js';

const SECRETS = { key: 'k', receipts: '0123456789abcdef' };
const RECEIPTS: ReceiptDefinition = {
  auth: { kind: 'token', secret: 'receipts' },
  id: '/id',
  state: '/state',
  states: { ok: 'delivered' },
};
const GOOD: HttpDefinition = {
  method: 'POST',
  url: 'https://api.example.com/v1/{{key}}?route=a',
  headers: { Authorization: 'Bearer {{secrets.key}}', 'X-Ref': '{{key}}' },
  json: {
    to: ['{{to}}'],
    text: '{{text}}',
    options: { callback: '{{receipt_url}}', flash: false, parts: 1, none: null },
  },
  timeout_ms: 1000,
  check_interval_ms: 30_000,
  check: 'https://api.example.com/health?hook={{receipt_url}}',
  answer: {
    id: '/id',
    code: '/error',
    results: [{ status: '4xx', code: '7', result: 'permanent', error_code: 30003 }],
  },
  receipts: RECEIPTS,
};

const fieldsOf = (over: object, secrets: Record<string, string> = SECRETS) =>
  checkDefinition({ ...GOOD, ...over } as HttpDefinition, secrets).map(({ field }) => field);

it('finds nothing wrong with a good one, nor with what the preset makes', () => {
  expect(checkDefinition(GOOD, SECRETS)).toEqual([]);
  const preset = { preset: 'twilio', base_url: 'https://api.twilio.com/', account_sid: `AC${'0'.repeat(32)}` } as const;
  expect(checkDefinition(expand(preset), { auth_token: '0123456789abcdef' })).toEqual([]);
  expect(expand(preset).url).toBe(`https://api.twilio.com/2010-04-01/Accounts/AC${'0'.repeat(32)}/Messages.json`);
});

it.each([
  ['ftp://api.example.com/', 'another scheme'],
  ['https://user:pass@api.example.com/', 'credentials'],
  ['https://{{to}}/', 'a host from a message'],
  ['https://api.{{to}}.example.com/', 'a part of a host from a message'],
  ['https://api.example.com{{to}}/', 'a host that a message goes on with'],
  ['https://api.example.com:{{to}}/', 'a port from a message'],
  ['https://api.example.com:99999/', 'a port that is none'],
  ['https:api.example.com/', 'no host'],
  ['//api.example.com/', 'no scheme'],
  ['https://api.example.com/#{{to}}', 'a fragment'],
  ['https://api.example.com\\@evil.test/', 'a backslash'],
  ['https://api.example.com/a b', 'a blank'],
  ['https://api.example.com/{{to', 'a template that is not closed'],
  ['https://api.example.com/{{nobody}}', 'an unknown placeholder'],
  ['https://api.example.com/?api_key=abc', 'a credential written out'],
])('names the URL %s', (url) => {
  expect(new Set(fieldsOf({ url }))).toEqual(new Set(['url']));
});

it.each([
  ['headers.Authorization', { headers: { Authorization: 'Bearer abc' } }],
  ['headers.X-Api-Key', { headers: { 'X-Api-Key': 'abc' } }],
  ['headers.Host', { headers: { Host: 'elsewhere' } }],
  ['headers.X-Trunkline-Hops', { headers: { 'X-Trunkline-Hops': '0' } }],
  ['headers.bad name', { headers: { 'bad name': 'x' } }],
  ['headers.X-A', { headers: { 'X-A': 'a\r\nX-B: c' } }],
  ['headers.X-Text', { headers: { 'X-Text': '{{text}}' } }],
  ['headers.x-ref', { headers: { 'X-Ref': 'a', 'x-ref': 'b' } }],
  ['basic_auth.password', { basic_auth: { username: 'u', password: 'p' } }],
  ['basic_auth.password', { basic_auth: { username: 'u', password: '{{secrets.other}}' } }],
  ['basic_auth.username', { basic_auth: { username: '{{to}}', password: '{{secrets.key}}' } }],
  ['json', { form: { to: '{{to}}' } }],
  ['method', { method: 'GET' }],
  ['json.text', { json: { text: '{{text' } }],
  ['json.to.0', { json: { to: ['{{too}}'] } }],
  ['json.password', { json: { password: 'p' } }],
  ['json.{{to}}', { json: { '{{to}}': 'x' } }],
  ['json', { json: { many: new Array(300).fill(1) } }],
  ['form.api_key', { json: undefined, form: { api_key: 'abc' } }],
  ['check', { check: 'https://api.example.com/{{to}}' }],
  ['check', { check: 'https://api.example.com/balance?user=a&api_key=abc' }],
  ['answer.id', { answer: { id: 'id' } }],
  ['answer.code', { answer: { code: '/a~' } }],
  ['answer.results.0', { answer: { results: [{ result: 'unknown' }] } }],
  ['answer.results.0.status', { answer: { results: [{ status: '999', result: 'unknown' }] } }],
  ['answer.results.0.code', { answer: { results: [{ code: '1', result: 'unknown' }] } }],
  ['answer.results.0.error_code', { answer: { results: [{ status: '500', result: 'unknown', error_code: 30003 }] } }],
  ['receipts.id', { receipts: { ...RECEIPTS, id: 'id' } }],
  ['receipts.states', { receipts: { ...RECEIPTS, states: {} } }],
  ['receipts.auth.secret', { receipts: { ...RECEIPTS, auth: { kind: 'token', secret: 'nobody' } } }],
  ['secrets.key', { receipts: { ...RECEIPTS, auth: { kind: 'token', secret: 'key' } } }],
])('names %s', (field, over) => {
  expect(fieldsOf(over)).toContain(field);
});

it('names {{receipt_url}} where no receipts are read', () => {
  expect(fieldsOf({ receipts: undefined })).toEqual(['check', 'json.options.callback']);
});
