import { once } from 'node:events';
import net from 'node:net';
import type { RequestOutcome } from '../outstanding.js';
import type { BindCommand, BindPdu, MessageBody, MessagePdu } from '../pdu.js';
import { SmppSession } from '../session.js';
import type { Responder, SessionOptions } from '../session-options.js';
import { NO_TLVS } from '../tlv.js';
import { bindBody, RawPeer, TestServer } from './wire.js';

export const TEST_OPTIONS: SessionOptions = {
  role: 'esme',
  window: 10,
  responseTimeoutMs: 10_000,
  enquireLinkIntervalMs: 60_000,
  inactivityTimeoutMs: 60_000,
  bindTimeoutMs: 10_000,
  maxInboundRequests: 100,
  maxPduOctets: 64 * 1024,
};

/** A session and what became of it. Requests are kept for the test to answer, unless `answer` does at once. */
export class ObservedSession {
  readonly requests: (BindPdu | MessagePdu)[] = [];
  readonly closeReasons: string[] = [];
  readonly session: SmppSession;

  constructor(
    readonly socket: net.Socket,
    options: Partial<SessionOptions> = {},
    answer?: (request: BindPdu | MessagePdu, responder: Responder) => void,
  ) {
    this.session = new SmppSession(
      socket,
      { ...TEST_OPTIONS, ...options },
      {
        onRequest: (request, responder) => {
          this.requests.push(request);
          answer?.(request, responder);
        },
        onClose: (reason) => this.closeReasons.push(reason),
      },
    );
  }

  bind(command: BindCommand): Promise<RequestOutcome> {
    return new Promise((resolve) => this.session.sendBind(bindBody(command), resolve));
  }

  send(body: MessageBody): Promise<RequestOutcome> {
    return new Promise((resolve) => this.session.sendMessage(body, resolve));
  }
}

export function acceptAll(request: BindPdu | MessagePdu, responder: Responder): void {
  responder.respond(request, 0, 'id');
}

/** A session and, at the other end of its connection, whatever the test puts there. */
export class Connection {
  private constructor(
    private readonly server: TestServer,
    readonly client: net.Socket,
    readonly accepted: net.Socket,
  ) {}

  static async open(): Promise<Connection> {
    const arrived = Promise.withResolvers<net.Socket>();
    const server = await TestServer.listen((socket) => arrived.resolve(socket));
    const client = net.connect(server.port, '127.0.0.1');
    client.on('error', () => undefined);
    const [accepted] = await Promise.all([arrived.promise, once(client, 'connect')]);
    return new Connection(server, client, accepted);
  }

  /** A raw peer at the other end. */
  peer(): RawPeer {
    return new RawPeer(this.accepted);
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.server.close();
  }
}

/** A bound session over the connection and the raw peer that it talks to. */
export async function boundEsme(
  connection: Connection,
  options: Partial<SessionOptions> = {},
): Promise<[ObservedSession, RawPeer]> {
  const peer = connection.peer();
  const esme = new ObservedSession(connection.client, options);
  const outcome = esme.bind('bind_transceiver');
  await peer.next('bind_transceiver');
  peer.send({ command: 'bind_transceiver_resp', systemId: 'smsc', tlvs: NO_TLVS }, 1);
  await outcome;
  return [esme, peer];
}

/** A session in the part of the SMSC and the raw peer that is its client. */
export async function smsc(
  connection: Connection,
  options: Partial<SessionOptions> = {},
): Promise<[ObservedSession, RawPeer]> {
  const server = new ObservedSession(connection.client, { ...options, role: 'smsc' }, acceptAll);
  return [server, connection.peer()];
}
