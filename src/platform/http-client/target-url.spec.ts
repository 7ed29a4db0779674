import fc from 'fast-check';
import { AddressPolicy } from './address-policy.js';
import { MAX_URL_LENGTH, parseTargetUrl } from './target-url.js';

const PUBLIC_ONLY = new AddressPolicy([]);
const WITH_LOOPBACK = new AddressPolicy(['127.0.0.0/8']);

function hrefOf(text: string, policy = PUBLIC_ONLY): string | null {
  const target = parseTargetUrl(text, policy);
  return target.ok ? target.url.href : null;
}

describe('parseTargetUrl', () => {
  it.each([
    ['https://example.com/sms?a=1&b=%20', 'https://example.com/sms?a=1&b=%20'],
    ['HTTPS://EXAMPLE.com', 'https://example.com/'],
    ['http://example.com:80/x', 'http://example.com/x'],
    ['http://example.com:8080/x', 'http://example.com:8080/x'],
    ['https://user:pass@example.com/', 'https://user:pass@example.com/'],
    ['https://example.com/a#fragment', 'https://example.com/a'],
    ['https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4'],
    ['http://8.8.8.8/', 'http://8.8.8.8/'],
    ['http://[2606:4700:4700::1111]/', 'http://[2606:4700:4700::1111]/'],
    ['http://localhost.example.com/', 'http://localhost.example.com/'],
  ])('accepts %s', (text, href) => expect(hrefOf(text)).toBe(href));

  it.each([
    'http://127.0.0.1/',
    'http://127.0.0.1./',
    'http://127.1/',
    'http://127.0.1:8080/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0x7f000001/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://0x7F.1/',
    'http://%31%32%37.0.0.1/',
    'http://127%2e0%2e0%2e1/',
    'http://127。0。0。1/',
    'http://127．0．0．1/',
    'http://①②⑦.⓪.⓪.①/',
    'http://１２７.0.0.1/',
    'http://0/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:808:808::1]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://10.0.0.1/',
    'http://192.168.0.1/',
    'http://user:pass@127.0.0.1/',
    'http://example.com@127.0.0.1/',
    'http://example.com:80@127.0.0.1/',
    'http://example.com%2f@127.0.0.1/',
    'http://localhost/',
    'http://LOCALHOST/',
    'http://localhost./',
    'http://localhost:3000/',
    'http://localhost.localdomain/',
    'http://app.localhost/',
    'http://ｌocalhost/',
    'http://loc%61lhost/',
  ])('refuses %s, which leads inside', (text) => {
    expect(parseTargetUrl(text, PUBLIC_ONLY)).toEqual({ ok: false, reason: 'blocked_address' });
  });

  it.each(['http://127.0.0.1:3000/cb', 'http://localhost:3000/cb', 'http://2130706433/', 'http://[::ffff:127.0.0.1]/'])(
    'accepts %s where loopback is allowed',
    (text) => expect(parseTargetUrl(text, WITH_LOOPBACK).ok).toBe(true),
  );

  it.each([
    ['', 'invalid'],
    ['example.com', 'invalid'],
    ['/relative', 'invalid'],
    ['//example.com/', 'invalid'],
    ['http://', 'invalid'],
    ['http:///example.com', 'invalid'],
    ['http:example.com', 'invalid'],
    ['https:/example.com', 'invalid'],
    ['http://exa mple.com/', 'invalid'],
    [' http://example.com/', 'invalid'],
    ['http://example.com/\r\nX-Header: 1', 'invalid'],
    ['http://exam\tple.com/', 'invalid'],
    ['http://example.com\\@127.0.0.1/', 'invalid'],
    ['http:\\\\example.com', 'invalid'],
    ['http://example.com/\u0000', 'invalid'],
    ['http://[::1', 'invalid'],
    ['http://[fe80::1%25eth0]/', 'invalid'],
    ['http://1.2.3.4.5/', 'invalid'],
    ['http://256.256.256.256/', 'invalid'],
    ['http://example.com:99999/', 'invalid'],
    ['http://exa%00mple.com/', 'invalid'],
    ['ftp://example.com/', 'unsupported_scheme'],
    ['file:///etc/passwd', 'unsupported_scheme'],
    ['javascript:alert(1)', 'unsupported_scheme'],
    ['unix:/var/run/docker.sock', 'unsupported_scheme'],
    [`http://example.com/${'a'.repeat(MAX_URL_LENGTH)}`, 'too_long'],
    [`http://example.com/${'ä'.repeat(MAX_URL_LENGTH / 4)}`, 'too_long'],
  ])('refuses %.60s: %s', (text, reason) => {
    expect(parseTargetUrl(text, WITH_LOOPBACK)).toEqual({ ok: false, reason });
  });

  it.each([
    ['http://user:pass@example.com/', 'user:pass'],
    ['http://user@example.com/', 'user:'],
    ['http://:pass@example.com/', ':pass'],
    ['http://us%20er:p%40ss%3A@example.com/', 'us er:p@ss:'],
    ['http://us%C3%A9r:100%@example.com/', 'usér:100%'],
  ])('turns the credentials of %s into Basic authentication', (text, credentials) => {
    const target = parseTargetUrl(text, PUBLIC_ONLY);
    const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(target.ok && target.authorization).toBe(expected);
  });

  it('never lets an address inside pass, however its host is written', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const base = fc.constantFrom(
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
    );
    const inside = fc.tuple(fc.constantFrom(10, 127), octet, octet, octet);
    fc.assert(
      fc.property(
        inside,
        base,
        fc.constantFrom('.', '。', '%2e', '．'),
        fc.boolean(),
        ([a, b, c, d], write, dot, short) => {
          const parts = short ? [a, (b << 16) | (c << 8) | d] : [a, b, c, d];
          expect(hrefOf(`http://${parts.map(write).join(dot)}/`)).toBeNull();
        },
      ),
    );
  });

  it('takes any text without throwing, and accepts only what it can parse again', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.string().map((tail) => `http://${tail}`),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const href = hrefOf(candidate);
        if (href !== null) expect(hrefOf(href)).toBe(href);
      }),
    );
  });
});
