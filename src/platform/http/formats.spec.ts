import { PublicUrl } from './public-url.js';
import { requestIdOf } from './request-id.js';
import { rfc2822 } from './rfc2822.js';

describe('an instant in RFC 2822', () => {
  it.each([
    ['2023-08-24T05:01:45.999Z', 'Thu, 24 Aug 2023 05:01:45 +0000'],
    ['2026-01-01T00:00:00Z', 'Thu, 01 Jan 2026 00:00:00 +0000'],
  ])('%s is %s', (iso, text) => {
    expect(rfc2822(new Date(iso))).toBe(text);
    expect(rfc2822(Date.parse(iso))).toBe(text);
  });
});

describe('a request id', () => {
  it.each(['a', 'A-z.0_9:x', 'x'.repeat(128)])('is the client’s %s', (id) => expect(requestIdOf(id)).toBe(id));

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a\nb', 'ü', 'a,b', ['a', 'b']])('is a new one for %j', (header) => {
    const id = requestIdOf(header);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdOf(header)).not.toBe(id);
  });
});

describe('the public URL', () => {
  const base = (publicUrl: string | undefined, host: string, address: { port: number } | string | null) =>
    new PublicUrl({ publicUrl, host, port: 3000 }, () =>
      address && typeof address === 'object' ? { ...address, address: host, family: 'IPv4' } : address,
    ).base();

  it('is the setting, without slashes at its end', () => {
    expect(base('https://api.example.test//', '127.0.0.1', null)).toBe('https://api.example.test');
    expect(base('https://example.test/sms/', '127.0.0.1', null)).toBe('https://example.test/sms');
  });

  it.each([
    ['127.0.0.1', null, 'http://127.0.0.1:3000'],
    ['127.0.0.1', { port: 4711 }, 'http://127.0.0.1:4711'],
    ['0.0.0.0', { port: 80 }, 'http://localhost:80'],
    ['::', '/run/socket', 'http://localhost:3000'],
    ['::1', null, 'http://[::1]:3000'],
  ])('is where it listens: %s, %j', (host, address, url) => expect(base(undefined, host, address)).toBe(url));
});
