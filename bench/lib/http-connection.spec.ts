import { createServer, type Server, type Socket } from 'node:net';
import { eventually } from '../../test/support/eventually.js';
import { HttpConnection } from './http-connection.js';
import { listenOn } from './ports.js';

describe('a connection of the load generator', () => {
  let server: Server;
  let connection: HttpConnection;
  let script: (socket: Socket) => void;
  const answers: { status: number; body: string }[] = [];
  const broken: boolean[] = [];
  let ready = 0;

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined).on('data', () => script(socket));
    });
    const port = await listenOn(server, 0);
    [answers.length, broken.length, ready] = [0, 0, 0];
    connection = new HttpConnection('127.0.0.1', port, {
      onAnswer: (_, status, body) => answers.push({ status, body: body.toString() }),
      onBroken: (_, wasBusy) => broken.push(wasBusy),
      onReady: () => {
        ready += 1;
      },
    });
    connection.open();
    await eventually(() => ready === 1);
  });

  afterEach(async () => {
    connection.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('reads an answer that comes in pieces, and the next one on the same connection', async () => {
    script = (socket) => {
      socket.write('HTTP/1.1 201 Created\r\ncontent-le');
      setImmediate(() => socket.write('ngth: 5\r\n\r\nhel'));
      setImmediate(() => setImmediate(() => socket.write('lo')));
    };
    connection.send(Buffer.from('first'));
    await eventually(() => answers.length === 1);
    connection.send(Buffer.from('second'));
    await eventually(() => answers.length === 2);
    expect(answers).toEqual(Array.from({ length: 2 }, () => ({ status: 201, body: 'hello' })));
    expect(connection.isBusy).toBe(false);
  });

  it('reads an answer without a body', async () => {
    script = (socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    connection.send(Buffer.from('x'));
    await eventually(() => answers.length === 1);
    expect(answers).toEqual([{ status: 204, body: '' }]);
  });

  it('tells of a request without an answer, and opens again', async () => {
    script = (socket) => void socket.destroy();
    connection.send(Buffer.from('x'));
    await eventually(() => ready === 2);
    expect(broken).toEqual([true]);
    expect(answers).toEqual([]);
  });
});
