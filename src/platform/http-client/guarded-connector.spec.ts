import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { OutboundHttpClient } from './outbound-http-client.js';
import { selfSignedCertificate } from './self-signed-certificate.test-support.js';

describe('TLS', () => {
  const trusted = getCACertificates('default');
  const certificate = selfSignedCertificate();
  let server: Server;
  let client: OutboundHttpClient;

  beforeEach(async () => {
    server = createServer(certificate, (request, response) => response.end(request.headers.host)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    client = new OutboundHttpClient({
      allowedCidrs: ['127.0.0.1/32'],
      timeoutMs: 10_000,
      maxResponseBytes: 1_000,
      maxHeaderBytes: 4_096,
      connectionsPerOrigin: 1,
      userAgent: 'test',
    });
  });

  afterEach(async () => {
    setDefaultCACertificates(trusted);
    await client.close();
    server.close();
    await once(server, 'close');
  });

  async function statusAt(hostname: string): Promise<number | string> {
    const result = await client.request({
      url: `https://${hostname}:${(server.address() as AddressInfo).port}/`,
      method: 'GET',
    });
    return result.kind === 'response' ? result.status : result.reason;
  }

  it('reaches a server whose certificate is trusted, by name and by address', async () => {
    setDefaultCACertificates([...trusted, certificate.cert]);
    expect(await statusAt('localhost')).toBe(200);
    expect(await statusAt('127.0.0.1')).toBe(200);
  });

  it('refuses a certificate that is not trusted', async () => {
    expect(await statusAt('localhost')).toBe('tls');
  });

  it('refuses a certificate for another name', async () => {
    setDefaultCACertificates([...trusted, certificate.cert]);
    expect(await statusAt('other.localhost')).toBe('tls');
  });
});
