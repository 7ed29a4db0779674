import fc from 'fast-check';
import twilio from 'twilio';
import { twilioBodySignature, twilioSignature } from './twilio-signature.js';

const TOKEN = '12345';
const { validateRequest, validateRequestWithBody } = twilio;

const token = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const params = fc.dictionary(
  fc.oneof(fc.constantFrom('MessageSid', 'From', 'To', 'Body', 'MediaUrl0', 'body', 'A', 'Aa'), text),
  fc.oneof(text, fc.array(text, { maxLength: 4 })),
  { maxKeys: 12 },
);
const url = fc
  .record({
    scheme: fc.constantFrom('http', 'https'),
    credentials: fc.constantFrom('', 'user:pass@', 'user@', 'us%40er:p%3Ass@'),
    host: fc.oneof(fc.domain(), fc.constantFrom('127.0.0.1', '[2001:db8::1]', 'localhost')),
    port: fc.constantFrom('', ':80', ':443', ':8080', ':65535'),
    path: fc.webPath(),
    query: fc.oneof(
      fc.constantFrom('', '?', '?a=1&a=2&b', "?q='%27+%20é中😀", '?body=x%3Dy'),
      fc.webQueryParameters().map((q) => `?${q}`),
    ),
  })
  .map(
    ({ scheme, credentials, host, port, path, query }) =>
      `${scheme}://${credentials}${host}${port}${path || '/'}${query}`,
  );

describe('twilioSignature', () => {
  it('gives the signature of the published example', () => {
    const example = {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675310',
      Digits: '1234',
      From: '+14158675310',
      To: '+18005551212',
    };
    expect(twilioSignature(TOKEN, 'https://example.com/myapp.php?foo=1&bar=2', example)).toBe(
      'L/OH5YylLD5NRKLltdqwSvS0BnU=',
    );
  });

  it('is accepted by the official SDK, whatever the URL and the fields', () => {
    fc.assert(
      fc.property(token, url, params, (authToken, address, fields) => {
        const signature = twilioSignature(authToken, address, fields);
        expect(validateRequest(authToken, signature, address, fields)).toBe(true);
        const { href } = new URL(address);
        expect(validateRequest(authToken, twilioSignature(authToken, href, fields), href, fields)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is accepted for the normalised URL with and without its default port', () => {
    const signature = twilioSignature(TOKEN, 'https://example.com/a?b=c', { A: 'b' });
    for (const address of ['https://example.com/a?b=c', 'https://example.com:443/a?b=c']) {
      expect(validateRequest(TOKEN, signature, address, { A: 'b' })).toBe(true);
    }
  });

  it('changes with the token, the URL and every field', () => {
    const signature = twilioSignature(TOKEN, 'https://example.com/', { A: 'b', C: 'd' });
    expect(validateRequest('other', signature, 'https://example.com/', { A: 'b', C: 'd' })).toBe(false);
    expect(validateRequest(TOKEN, signature, 'https://example.com/x', { A: 'b', C: 'd' })).toBe(false);
    expect(validateRequest(TOKEN, signature, 'https://example.com/', { A: 'b', C: 'e' })).toBe(false);
    expect(validateRequest(TOKEN, signature, 'https://example.com/', { A: 'b' })).toBe(false);
  });

  it('does not depend on the order of fields, nor on order and repetition of values', () => {
    const signature = twilioSignature(TOKEN, 'https://example.com/', { b: ['2', '1', '2'], a: 'x' });
    expect(twilioSignature(TOKEN, 'https://example.com/', { a: 'x', b: ['1', '2'] })).toBe(signature);
  });

  it('takes parameters without a prototype', () => {
    const fields: Record<string, string> = Object.assign(Object.create(null), { A: 'b' });
    expect(twilioSignature(TOKEN, 'https://example.com/', fields)).toBe(
      twilioSignature(TOKEN, 'https://example.com/', { A: 'b' }),
    );
  });
});

describe('twilioBodySignature', () => {
  it('is accepted by the official SDK, whatever the URL and the body', () => {
    fc.assert(
      fc.property(token, url, fc.oneof(text, fc.json()), (authToken, address, body) => {
        const signed = twilioBodySignature(authToken, address, body);
        expect(validateRequestWithBody(authToken, signed.signature, signed.url, body)).toBe(true);
        expect(validateRequestWithBody(authToken, signed.signature, signed.url, `${body} `)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['https://example.com/a', 'https://example.com/a?bodySHA256='],
    ['https://example.com/a?b=c', 'https://example.com/a?b=c&bodySHA256='],
  ])('extends %s to %s…', (address, start) => {
    const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(twilioBodySignature(TOKEN, address, '').url).toBe(start + digest);
  });
});
