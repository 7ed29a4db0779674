import type { FastifyInstance } from 'fastify';
import { createAdapter } from './adapter.js';

/** The address that the product takes a request's sender for. */
async function addressOf(trustedProxies: readonly string[], peer: string, forwarded: string): Promise<string> {
  const server = createAdapter({ trustedProxies }).getInstance<FastifyInstance>();
  server.get('/ip', (request) => request.ip);
  const headers = { 'x-forwarded-for': forwarded, 'x-real-ip': '203.0.113.9', forwarded: 'for=203.0.113.9' };
  const { body } = await server.inject({ url: '/ip', remoteAddress: peer, headers });
  await server.close();
  return body;
}

describe('the address of a client', () => {
  it('is that of the peer, whatever its headers say', async () => {
    expect(await addressOf([], '198.51.100.7', '203.0.113.1')).toBe('198.51.100.7');
    expect(await addressOf(['10.0.0.0/8'], '198.51.100.7', '203.0.113.1')).toBe('198.51.100.7');
  });

  it('is what a trusted proxy says, as far back as those who said it are trusted', async () => {
    expect(await addressOf(['10.0.0.0/8'], '10.0.0.2', '203.0.113.1')).toBe('203.0.113.1');
    expect(await addressOf(['10.0.0.0/8'], '10.0.0.2', '192.0.2.66, 203.0.113.1, 10.0.0.3')).toBe('203.0.113.1');
  });
});
