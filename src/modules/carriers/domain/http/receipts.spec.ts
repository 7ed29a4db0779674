import { createHmac } from 'node:crypto';
import twilio from 'twilio';
import type { ReceiptAuth, ReceiptDefinition } from './definition.js';
import { isAuthentic, type ReceiptProof } from './receipt-auth.js';
import { ReceiptReader } from './receipt-reading.js';

const DEFINITION: ReceiptDefinition = {
  auth: { kind: 'token', secret: 'receipts' },
  list: '/results',
  id: '/id',
  state: '/status/name',
  to: '/to',
  error: '/error',
  errors: { '17': 30005 },
  done_date: '/at',
  states: { DELIVERED: 'delivered', FAILED: 'undelivered', SENT: 'enroute' },
};
const reader = new ReceiptReader('acme', DEFINITION);
const item = (over: object = {}) => ({ id: 'a1', status: { name: 'DELIVERED' }, to: '+15555550100', ...over });

describe('receipts', () => {
  it('are read from a list, by the definition', () => {
    const failed = { status: { name: 'FAILED' } };
    const results = [
      item({ at: '2611250401' }),
      item({ id: 12, error: '17', ...failed }),
      item({ error: 30003, ...failed }),
      item({ error: 'x', ...failed }),
      item({ to: undefined, status: { name: 'SENT' }, error: '17', at: 'noon' }),
      item({ status: { name: 'WHATEVER' } }),
    ];
    const reading = reader.read({ results });
    const common = { carrier: 'acme', messageId: 'a1', source: '+15555550100', errorCode: null, doneDate: null };
    expect(reading).toEqual({
      ok: true,
      unlisted: 1,
      receipts: [
        { ...common, state: 'delivered', doneDate: '2611250401' },
        { ...common, messageId: '12', state: 'undelivered', errorCode: 30005 },
        { ...common, state: 'undelivered', errorCode: 30003 },
        { ...common, state: 'undelivered', errorCode: 30008 },
        { ...common, source: '', state: 'enroute' },
      ],
    });
  });

  it.each([
    [undefined, '/results'],
    [{ results: {} }, '/results'],
    [{ results: new Array(1001).fill(item()) }, '/results'],
    [{ results: [null] }, '/id'],
    [{ results: [item({ id: undefined })] }, '/id'],
    [{ results: [item({ id: 'a\nb' })] }, '/id'],
    [{ results: [item({ id: 'x'.repeat(256) })] }, '/id'],
    [{ results: [item({ id: ['a'] })] }, '/id'],
    [{ results: [item(), item({ status: 'DELIVERED' })] }, '/status/name'],
  ])('in %p are refused with the place', (body, field) => {
    expect(reader.read(body)).toMatchObject({ ok: false, fault: { field } });
  });

  it('are one where no list is named, and names of prototypes are no states', () => {
    const single = new ReceiptReader('acme', { ...DEFINITION, list: undefined });
    expect(single.read(item())).toMatchObject({ ok: true, receipts: [{ messageId: 'a1' }] });
    expect(single.read(item({ status: { name: 'constructor' } }))).toMatchObject({ ok: true, unlisted: 1 });
  });
});

describe('who sent them', () => {
  const SECRET = '0123456789abcdef';
  const BODY = Buffer.from('MessageSid=SM1&To=%2B1555&To=%2B1444');
  const proof = (over: Partial<ReceiptProof> & { headers?: Record<string, string> }): ReceiptProof => ({
    url: 'https://us.example.com/v1/carriers/acme/receipts',
    token: null,
    header: (name) => over.headers?.[name] ?? null,
    body: BODY,
    isSigned: true,
    form: () => ({ MessageSid: 'SM1', To: ['+1555', '+1444'] }),
    ...over,
  });
  const check = (auth: ReceiptAuth, over: Parameters<typeof proof>[0]) => isAuthentic(auth, SECRET, proof(over));

  it('is told by a token or a header', () => {
    expect(check({ kind: 'token', secret: 's' }, { token: SECRET })).toBe(true);
    for (const token of [null, '', SECRET.slice(1), `${SECRET}x`]) {
      expect(check({ kind: 'token', secret: 's' }, { token })).toBe(false);
    }
    const header = { kind: 'header', name: 'X-Key', secret: 's' } as const;
    expect(check(header, { headers: { 'x-key': SECRET } })).toBe(true);
    expect(check(header, { headers: { 'x-key': 'guess' } })).toBe(false);
    expect(check(header, { token: SECRET })).toBe(false);
  });

  it('is told by an HMAC of the bytes', () => {
    const hex = createHmac('sha256', SECRET).update(BODY).digest('hex');
    const auth = {
      kind: 'hmac',
      name: 'X-Sig',
      secret: 's',
      algorithm: 'sha256',
      encoding: 'hex',
      prefix: 'sha256=',
    } as const;
    expect(check(auth, { headers: { 'x-sig': `sha256=${hex}` } })).toBe(true);
    expect(check(auth, { headers: { 'x-sig': `sha256=${hex.toUpperCase()}` } })).toBe(true);
    expect(check(auth, { headers: { 'x-sig': hex } })).toBe(false);
    expect(check(auth, { headers: { 'x-sig': `sha256=${hex}` }, isSigned: false })).toBe(false);
    expect(check(auth, { headers: { 'x-sig': `sha256=${hex}` }, body: Buffer.from('other') })).toBe(false);
    const base64 = createHmac('sha1', SECRET).update(BODY).digest('base64');
    const other = { ...auth, algorithm: 'sha1', encoding: 'base64', prefix: '' } as const;
    expect(check(other, { headers: { 'x-sig': base64 } })).toBe(true);
    expect(check(other, { headers: { 'x-sig': base64.toLowerCase() } })).toBe(false);
  });

  it('is told by Twilio’s signature, as its own package makes it', () => {
    const url = 'https://us.example.com/v1/carriers/acme/receipts';
    const params = { MessageSid: 'SM1', To: ['+1555', '+1444'] };
    const signature = twilio.getExpectedTwilioSignature(SECRET, url, params);
    const auth = { kind: 'twilio', secret: 's' } as const;
    expect(check(auth, { headers: { 'x-twilio-signature': signature } })).toBe(true);
    expect(check(auth, { headers: { 'x-twilio-signature': signature }, url: `${url}?x=1` })).toBe(false);
    expect(check(auth, { headers: { 'x-twilio-signature': signature }, form: () => ({ MessageSid: 'SM2' }) })).toBe(
      false,
    );
    expect(check(auth, { headers: { 'x-twilio-signature': signature }, form: () => null })).toBe(false);
    expect(check(auth, { headers: { 'x-twilio-signature': signature }, isSigned: false })).toBe(false);
    expect(check(auth, {})).toBe(false);
  });
});
