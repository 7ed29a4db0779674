import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  clientWith,
  closeAll,
  get,
  HeldRequests,
  listen,
  serve,
  summaryOf,
} from './outbound-http-client.test-support.js';

describe('bounds of OutboundHttpClient', () => {
  afterEach(closeAll);

  it('takes a body of exactly the bound and refuses one octet more, announced or not', async () => {
    const url = await serve((request, response) => {
      const [, path, length] = request.url?.split('/') ?? [];
      const body = 'x'.repeat(Number(length));
      if (path === 'announced') response.setHeader('content-length', body.length);
      else response.write('');
      response.flushHeaders();
      response.end(body);
    });
    const client = clientWith();
    expect(summaryOf(await get(client, `${url}/announced/1000`))).toBe(`200 ${'x'.repeat(1000)}`);
    expect(summaryOf(await get(client, `${url}/chunked/1000`))).toBe(`200 ${'x'.repeat(1000)}`);
    expect(summaryOf(await get(client, `${url}/announced/1001`))).toBe('too_large');
    expect(summaryOf(await get(client, `${url}/chunked/1001`))).toBe('too_large');
    expect(summaryOf(await get(client, `${url}/chunked/5000000`))).toBe('too_large');
  });

  it('refuses a response head over the bound', async () => {
    const url = await serve((_request, response) => response.setHeader('x-large', 'y'.repeat(8_000)).end());
    expect(summaryOf(await get(clientWith(), url))).toBe('too_large');
  });

  it('gives up on a response that does not come, or does not end', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/endless') response.write('x');
    });
    const client = clientWith();
    expect(summaryOf(await get(client, url, 50))).toBe('timeout');
    expect(summaryOf(await get(client, `${url}/endless`, 50))).toBe('timeout');
  });

  it('never has more requests under way to one origin than it may, and reuses its connections', async () => {
    const held = new HeldRequests();
    const server = createServer(held.listener);
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const url = await listen(server);
    const client = clientWith();
    const results = Array.from({ length: 20 }, (_, i) => get(client, `${url}/${i}`));
    for (let answered = 0; answered < 20; answered += 2) {
      await held.arrived(answered + 2);
      expect(held.responses).toHaveLength(answered + 2);
      for (const response of held.responses.slice(answered)) response.end('ok');
    }
    expect(new Set((await Promise.all(results)).map(summaryOf))).toEqual(new Set(['200 ok']));
    expect(connections).toBe(2);
  });

  it('fails at once when too many requests wait for an origin', async () => {
    const held = new HeldRequests();
    const url = await serve(held.listener);
    const client = clientWith({ connectionsPerOrigin: 1, maxQueuedPerOrigin: 1 });
    const [first, second] = [get(client, url), get(client, url)];
    expect(summaryOf(await get(client, url))).toBe('busy');
    await held.arrived(1);
    held.responses[0]?.end('1');
    expect(summaryOf(await first)).toBe('200 1');
    await held.arrived(2);
    held.responses[1]?.end('2');
    expect(summaryOf(await second)).toBe('200 2');
  });

  it('does not send what timed out while it waited', async () => {
    const held = new HeldRequests();
    const url = await serve(held.listener);
    const client = clientWith({ connectionsPerOrigin: 1 });
    const first = get(client, url);
    expect((await Promise.all([get(client, url, 20), get(client, url, 20)])).map(summaryOf)).toEqual([
      'timeout',
      'timeout',
    ]);
    const last = get(client, url);
    await held.arrived(1);
    held.responses[0]?.end('first');
    await held.arrived(2);
    held.responses[1]?.end('last');
    expect([await first, await last].map(summaryOf)).toEqual(['200 first', '200 last']);
    expect(held.responses).toHaveLength(2);
  });

  it('closes the origin that was idle longest to make room, and fails when none is idle', async () => {
    const held = new HeldRequests();
    const busyUrl = await serve(held.listener);
    const connectionsClosed: Array<Promise<unknown>> = [];
    const idleUrls = await Promise.all(
      ['a', 'b'].map((name) => {
        const server = createServer((_request, response) => response.end(name));
        server.on('connection', (socket) => connectionsClosed.push(once(socket, 'close')));
        return listen(server);
      }),
    );
    const client = clientWith({ maxOrigins: 2 });
    await get(client, idleUrls[0] ?? '');
    const pending = get(client, busyUrl);
    await held.arrived(1);
    expect(summaryOf(await get(client, idleUrls[1] ?? ''))).toBe('200 b');
    await connectionsClosed[0];
    const pendingToo = get(client, busyUrl);
    await held.arrived(2);

    const otherHeld = new HeldRequests();
    const otherUrl = await serve(otherHeld.listener);
    const other = get(client, otherUrl);
    await otherHeld.arrived(1);
    expect(summaryOf(await get(client, idleUrls[0] ?? ''))).toBe('busy');
    for (const response of [...held.responses, ...otherHeld.responses]) response.end('done');
    expect((await Promise.all([pending, pendingToo, other])).map(summaryOf)).toEqual([
      '200 done',
      '200 done',
      '200 done',
    ]);
  });
});
