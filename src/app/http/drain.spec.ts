import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { eventually } from '../../../test/support/eventually.js';
import { Drain } from './drain.js';

const GET = 'GET / HTTP/1.1\r\nhost: here\r\n\r\n';

/** A server whose answers the test gives, and clients that stay connected. */
async function open() {
  const answers: ServerResponse[] = [];
  const server = createServer();
  const drain = new Drain(server);
  server.on('request', (_request, response) => {
    drain.begin(response);
    response.on('close', () => drain.end(response));
    answers.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ended = once(server, 'close');
  const client = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return { socket, text: () => text, closed: once(socket, 'close') };
  };
  const stop = async () => {
    server.close();
    drain.close();
  };
  return { answers, client, stop, ended };
}

const ask = (socket: Socket) => socket.write(GET);

describe('a server that stops', () => {
  it('answers what has come, with the word that this was the last', async () => {
    const { answers, client, stop, ended } = await open();
    const one = await client();
    ask(one.socket);
    await eventually(() => answers.length === 1);
    await stop();
    answers[0]!.end('answered');
    await Promise.all([one.closed, ended]);
    expect(one.text()).toMatch(/^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i);
    expect(one.text()).toContain('answered');
  });

  it('closes a connection after an answer that had begun', async () => {
    const { answers, client, stop, ended } = await open();
    const one = await client();
    ask(one.socket);
    await eventually(() => answers.length === 1);
    answers[0]!.write('half');
    await stop();
    answers[0]!.end('whole');
    await Promise.all([one.closed, ended]);
    expect(one.text()).toContain('whole');
  });

  it('answers all that one connection has asked at once', async () => {
    const { answers, client, stop, ended } = await open();
    const one = await client();
    one.socket.write(GET + GET);
    await eventually(() => answers.length === 2);
    await stop();
    answers[0]!.end('first');
    answers[1]!.end('second');
    await Promise.all([one.closed, ended]);
    expect(one.text()).toMatch(/first[\s\S]*connection: close[\s\S]*second/i);
  });

  it('closes connections on which nothing was asked, or nothing more', async () => {
    const { answers, client, stop, ended } = await open();
    const [fresh, idle] = [await client(), await client()];
    ask(idle.socket);
    await eventually(() => answers.length === 1);
    answers[0]!.end();
    await eventually(() => idle.text() !== '');
    await stop();
    await Promise.all([fresh.closed, idle.closed, ended]);
    expect(fresh.text()).toBe('');
  });
});
