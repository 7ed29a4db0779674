import { AnswerReader } from './answer-reading.js';
import type { AnswerRule } from './definition.js';
import { expand } from './twilio-preset.js';

const reader = (results: readonly AnswerRule[] = [], id: string | undefined = '/id') =>
  new AnswerReader({ answer: { id, code: '/code', results } });

it.each([
  [200, 'accepted'],
  [201, 'accepted'],
  [302, 'unavailable'],
  [400, 'permanent'],
  [401, 'unavailable'],
  [403, 'unavailable'],
  [404, 'unavailable'],
  [408, 'unknown'],
  [410, 'unavailable'],
  [422, 'permanent'],
  [429, 'throttled'],
  [500, 'unknown'],
  [502, 'unknown'],
  [503, 'retryable'],
  [504, 'unknown'],
])('takes a status of %d for %s where no rule says otherwise', (status, result) => {
  expect(reader().read(status, { id: 'a' }).result).toBe(result);
});

it('goes by the first rule that fits', () => {
  const rules = reader([
    { status: '200', code: '9', result: 'throttled' },
    { status: '200', code: '1', result: 'permanent', error_code: 30005 },
    { code: '2', result: 'retryable' },
    { status: '5xx', result: 'retryable' },
  ]);
  expect(rules.read(200, { code: 9 })).toEqual({ result: 'throttled', code: '9' });
  expect(rules.read(200, { code: '1' })).toEqual({ result: 'permanent', errorCode: 30005 });
  expect(rules.read(200, { code: '2', id: 'x' })).toEqual({ result: 'retryable', code: '2' });
  expect(rules.read(500, undefined)).toEqual({ result: 'retryable', code: null });
  expect(rules.read(200, { code: '3', id: 'x' })).toEqual({ result: 'accepted', id: 'x' });
});

it('does not know what became of a message that was accepted without a readable id', () => {
  for (const body of [
    undefined,
    null,
    {},
    { id: '' },
    { id: {} },
    { id: ' a' },
    { id: 'a\u0000' },
    { id: 'x'.repeat(256) },
  ]) {
    expect(reader().read(200, body).result).toBe('unknown');
  }
  expect(reader().read(200, { id: 17 })).toEqual({ result: 'accepted', id: '17' });
  expect(new AnswerReader({ answer: {} }).read(202, undefined)).toEqual({ result: 'accepted', id: null });
});

it('gives on a code that is one of messages, and no other', () => {
  expect(reader().read(400, { code: 30003 })).toEqual({ result: 'permanent', errorCode: 30003 });
  expect(reader().read(400, { code: 21610 })).toEqual({ result: 'permanent', errorCode: 30008 });
});

describe('Twilio’s answers', () => {
  const twilio = new AnswerReader(
    expand({ preset: 'twilio', base_url: 'https://api.twilio.com', account_sid: `AC${'0'.repeat(32)}` }),
  );

  it.each([
    [201, undefined, 'accepted'],
    [400, 21610, 'permanent'],
    [400, 21211, 'permanent'],
    [400, 20908, 'permanent'],
    [429, 20429, 'throttled'],
    [429, 21611, 'throttled'],
    [401, 20003, 'unavailable'],
    [402, 20402, 'unavailable'],
    [403, 10001, 'unavailable'],
    [404, 20404, 'unavailable'],
    [409, 20409, 'retryable'],
    [503, 20503, 'retryable'],
    [500, 20500, 'unknown'],
  ])('with HTTP %d and code %p mean %s', (status, code, result) => {
    const body = { sid: 'SM1', code, message: 'x', more_info: 'x', status };
    const reading = twilio.read(status, body);
    expect(reading.result).toBe(result);
    if (reading.result === 'permanent') expect(reading.errorCode).toBe(code);
  });
});
