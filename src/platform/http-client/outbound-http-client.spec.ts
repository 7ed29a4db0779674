import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  clientWith,
  closeAll,
  get,
  HeldRequests,
  listen,
  serve,
  serveRaw,
  summaryOf,
} from './outbound-http-client.test-support.js';

describe('OutboundHttpClient', () => {
  afterEach(closeAll);

  it('sends a request as given and gives back the response', async () => {
    const url = await serve(async (request, response) => {
      const chunks = await request.toArray();
      response.writeHead(201, { 'content-type': 'text/xml', 'x-twice': ['a', 'b'] });
      const {
        'user-agent': agent,
        'x-signature': signature,
        authorization,
        'content-length': length,
      } = request.headers;
      response.end(
        JSON.stringify([request.method, request.url, agent, signature, authorization, length, chunks.join('')]),
      );
    });
    const result = await clientWith().request({
      url: `${url.replace('http://', 'http://us%40er:pass@')}/a%20b?c=d&c=é#f`,
      method: 'POST',
      headers: { 'X-Signature': 'abc' },
      body: 'Körper',
    });
    expect(result).toMatchObject({
      kind: 'response',
      status: 201,
      headers: { 'content-type': 'text/xml', 'x-twice': ['a', 'b'] },
      durationMs: expect.any(Number),
    });
    const basic = `Basic ${Buffer.from('us@er:pass').toString('base64')}`;
    expect(JSON.parse(result.kind === 'response' ? result.body.toString() : '')).toEqual([
      'POST',
      '/a%20b?c=d&c=%C3%A9',
      'test-agent/1.0',
      'abc',
      basic,
      '7',
      'Körper',
    ]);
  });

  it('lets headers of the request replace its own', async () => {
    const url = await serve((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    const headers = { 'User-Agent': 'mine', AUTHORIZATION: 'Bearer x' };
    const result = await clientWith().request({ url: url.replace('//', '//user:pass@'), method: 'GET', headers });
    expect(result.kind === 'response' && result.body.toString()).toContain(
      '"user-agent","mine","authorization","Bearer x"',
    );
    expect(result.kind === 'response' && result.body.toString()).not.toContain('Basic');
  });

  it('sends bytes unchanged and takes an empty response', async () => {
    const received: Buffer[] = [];
    const url = await serve(async (request, response) => {
      received.push(...((await request.toArray()) as Buffer[]));
      response.writeHead(204).end();
    });
    const result = await clientWith().request({ url, method: 'POST', body: Buffer.from([0, 255, 13, 10]) });
    expect(summaryOf(result)).toBe('204 ');
    expect(Buffer.concat(received)).toEqual(Buffer.from([0, 255, 13, 10]));
  });

  it('does not follow redirects', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await get(clientWith(), url)).toMatchObject({
      kind: 'response',
      status: 302,
      headers: { location: '/elsewhere' },
    });
    expect(requests).toBe(1);
  });

  it('skips informational responses', async () => {
    const url = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('final');
    });
    expect(summaryOf(await get(clientWith(), url))).toBe('200 final');
  });

  describe('failures', () => {
    it('names a port where nothing listens', async () => {
      const url = await serve(() => {});
      await closeAll();
      expect(summaryOf(await get(clientWith(), url))).toBe('connect');
    });

    it('names a connection that ends early', async () => {
      const client = clientWith();
      expect(summaryOf(await get(client, await serveRaw(null)))).toBe('reset');
      expect(summaryOf(await get(client, await serveRaw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')))).toBe(
        'reset',
      );
    });

    it('names what is not HTTP', async () => {
      const client = clientWith();
      expect(summaryOf(await get(client, await serveRaw('SSH-2.0-OpenSSH_9.2\r\n')))).toBe('protocol');
      const headers = { 'x-bad': 'a\r\nx-injected: b' };
      expect(summaryOf(await client.request({ url: await serveRaw(''), method: 'GET', headers }))).toBe('protocol');
    });

    it('names a server that does not speak TLS', async () => {
      const url = await serveRaw('HTTP/1.1 400 Bad Request\r\n\r\n');
      expect(summaryOf(await get(clientWith(), url.replace('http:', 'https:')))).toBe('tls');
    });

    it('names a URL that is none', async () => {
      expect(await get(clientWith(), 'ftp://example.com')).toEqual({
        kind: 'failure',
        reason: 'invalid_url',
        message: 'the URL must begin with http:// or https://',
        durationMs: 0,
        mayHaveLeft: false,
      });
    });

    it('goes on with an origin after each kind of failure', async () => {
      let requests = 0;
      const url = await serve((request, response) => {
        requests += 1;
        if (requests % 2 === 0) response.end('ok');
        else if (requests % 3 === 0) request.socket.destroy();
      });
      const client = clientWith({ connectionsPerOrigin: 1 });
      const summaries: string[] = [];
      for (const timeoutMs of [50, 10_000, 10_000, 10_000, 50, 10_000]) {
        summaries.push(summaryOf(await get(client, url, timeoutMs)));
      }
      expect(summaries).toEqual(['timeout', '200 ok', 'reset', '200 ok', 'timeout', '200 ok']);
    });
  });

  describe('ending', () => {
    it('obeys a signal before, while waiting and while under way', async () => {
      const held = new HeldRequests();
      const url = await serve(held.listener);
      const client = clientWith({ connectionsPerOrigin: 1 });
      expect(summaryOf(await client.request({ url, method: 'GET', signal: AbortSignal.abort() }))).toBe('aborted');
      const controller = new AbortController();
      const results = [1, 2].map(() => client.request({ url, method: 'GET', signal: controller.signal }));
      await held.arrived(1);
      controller.abort();
      expect((await Promise.all(results)).map(summaryOf)).toEqual(['aborted', 'aborted']);
      expect(held.responses).toHaveLength(1);
    });

    it('waits for what is under way, closes every connection and refuses further requests', async () => {
      const held = new HeldRequests();
      const server = createServer(held.listener);
      const connectionsClosed: Array<Promise<unknown>> = [];
      server.on('connection', (socket) => connectionsClosed.push(once(socket, 'close')));
      const url = await listen(server);
      const client = clientWith({ connectionsPerOrigin: 1 });
      const results = [get(client, url), get(client, url)];
      await held.arrived(1);
      const closed = client.close();
      expect(summaryOf(await get(client, url))).toBe('aborted');
      held.responses[0]?.end('1');
      await held.arrived(2);
      held.responses[1]?.end('2');
      expect((await Promise.all(results)).map(summaryOf)).toEqual(['200 1', '200 2']);
      await closed;
      await Promise.all(connectionsClosed);
      expect(connectionsClosed).toHaveLength(1);
      await expect(client.close()).resolves.toBeUndefined();
    });
  });

  it.each([
    [{ allowedCidrs: ['10.0.0.0/33'] }, '"10.0.0.0/33"'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ maxResponseBytes: 1.5 }, 'maxResponseBytes'],
    [{ maxHeaderBytes: -1 }, 'maxHeaderBytes'],
    [{ connectionsPerOrigin: Number.NaN }, 'connectionsPerOrigin'],
    [{ maxOrigins: 0 }, 'maxOrigins'],
    [{ maxQueuedPerOrigin: -1 }, 'maxQueuedPerOrigin'],
  ])('refuses the options %j', (options, name) => {
    expect(() => clientWith(options)).toThrow(name);
  });
});
