import { createServer } from 'node:http';
import { NameServer } from './name-server.test-support.js';
import {
  clientWith,
  closeAll,
  closeLater,
  get,
  listen,
  serve,
  summaryOf,
} from './outbound-http-client.test-support.js';

describe('addresses that OutboundHttpClient reaches', () => {
  afterEach(closeAll);

  it('refuses a literal address inside without connecting', async () => {
    let connections = 0;
    const server = createServer().on('connection', () => {
      connections += 1;
    });
    const url = await listen(server);
    const client = clientWith({ allowedCidrs: ['127.0.0.2/32'] });
    expect(client.checkUrl(url)).toEqual({ ok: false, reason: 'blocked_address' });
    expect(summaryOf(await get(client, url))).toBe('blocked_address');
    expect(summaryOf(await get(client, url.replace('127.0.0.1', '[::ffff:127.0.0.1]')))).toBe('blocked_address');
    expect(connections).toBe(0);
  });

  it('refuses names that resolve to addresses inside, and names that do not resolve', async () => {
    const addresses: Record<string, string[]> = {
      'metadata.test': ['169.254.169.254'],
      'private.test': ['10.0.0.1', '192.168.0.1'],
      'loopback.test': ['127.0.0.1'],
    };
    const nameServer = await NameServer.start((name) => addresses[name] ?? []);
    closeLater(async () => nameServer.close());
    const client = clientWith({ allowedCidrs: [], dnsServers: [nameServer.address] });
    for (const name of Object.keys(addresses)) {
      expect(client.checkUrl(`http://${name}/`)).toEqual({ ok: true, url: `http://${name}/` });
      expect(summaryOf(await get(client, `http://${name}/`))).toBe('blocked_address');
      expect(summaryOf(await get(client, `https://${name}:8443/`))).toBe('blocked_address');
      expect(nameServer.questions.get(name)).toBeGreaterThanOrEqual(2);
    }
    expect(summaryOf(await get(client, 'http://absent.test/'))).toBe('dns');
  });

  it('reaches the allowed address where a name has forbidden ones too', async () => {
    const url = await serve((request, response) => response.end(request.headers.host));
    const nameServer = await NameServer.start(() => ['10.255.255.1', '127.0.0.1']);
    closeLater(async () => nameServer.close());
    const client = clientWith({ dnsServers: [nameServer.address] });
    const host = `mixed.test:${new URL(url).port}`;
    expect(summaryOf(await get(client, `http://${host}/`))).toBe(`200 ${host}`);
  });

  it('judges each connection anew, so that a name cannot be turned to an address inside later', async () => {
    const url = await serve((_request, response) => response.setHeader('connection', 'close').end('reached'));
    let address = '127.0.0.1';
    const nameServer = await NameServer.start(() => [address]);
    closeLater(async () => nameServer.close());
    const client = clientWith({ allowedCidrs: ['127.0.0.1/32'], dnsServers: [nameServer.address] });
    const target = `http://rebind.test:${new URL(url).port}/`;
    expect(summaryOf(await get(client, target))).toBe('200 reached');
    address = '127.0.0.2';
    expect(summaryOf(await get(client, target))).toBe('blocked_address');
  });

  it('reaches localhost where loopback is allowed, and only there', async () => {
    const url = await serve((_request, response) => response.end('here'));
    const target = url.replace('127.0.0.1', 'localhost');
    expect(summaryOf(await get(clientWith(), target))).toBe('200 here');
    expect(summaryOf(await get(clientWith({ allowedCidrs: [] }), target))).toBe('blocked_address');
  });
});
