import { once } from 'node:events';
import net from 'node:net';
import { Framer } from '../framer.js';
import { OctetWriter } from '../octets.js';
import { decodePdu, encodePdu, type MessageBody, type MessageCommand, type Pdu, type PduBody } from '../pdu.js';
import { NO_TLVS } from '../tlv.js';
import { until } from './until.js';

/** The octets of one PDU. */
export function octetsOf(body: PduBody, sequenceNumber = 1, commandStatus = 0): Buffer {
  const writer = new OctetWriter();
  encodePdu(writer, body, sequenceNumber, commandStatus);
  return writer.take();
}

export function message(command: MessageCommand, fields: Partial<MessageBody> = {}): MessageBody {
  return {
    serviceType: '',
    sourceTon: 0,
    sourceNpi: 0,
    sourceAddress: '15005550006',
    destinationTon: 1,
    destinationNpi: 1,
    destinationAddress: '15555550100',
    esmClass: 0,
    protocolId: 0,
    priorityFlag: 0,
    scheduleDeliveryTime: '',
    validityPeriod: '',
    registeredDelivery: 1,
    replaceIfPresent: 0,
    dataCoding: 0,
    defaultMessageId: 0,
    shortMessage: Buffer.from('hello'),
    tlvs: NO_TLVS,
    ...fields,
    command,
  };
}

export function bindBody(command: 'bind_transceiver' | 'bind_transmitter' | 'bind_receiver', password = 'secret') {
  const address = { addressTon: 0, addressNpi: 0, addressRange: '' };
  return { command, systemId: 'someone', password, systemType: '', interfaceVersion: 0x34, ...address } as const;
}

/** A server on a free port of the loopback interface, and everything that was opened through it. */
export class TestServer {
  private readonly sockets = new Set<net.Socket>();

  private constructor(private readonly server: net.Server) {}

  static async listen(onConnection: (socket: net.Socket) => void, port = 0): Promise<TestServer> {
    const server = net.createServer();
    const test = new TestServer(server);
    server.on('connection', (socket) => {
      test.sockets.add(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return test;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  get connections(): readonly net.Socket[] {
    return [...this.sockets];
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A peer that writes octets as it likes and keeps what it is told. */
export class RawPeer {
  readonly received: Pdu[] = [];
  private readonly framer = new Framer();
  private ended = false;

  constructor(readonly socket: net.Socket) {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
    });
    socket.on('data', (chunk: Buffer) => {
      this.framer.append(chunk);
      for (let frame = this.framer.next(); frame !== null; frame = this.framer.next()) {
        this.received.push(decodePdu(frame));
      }
    });
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  get closed(): boolean {
    return this.ended;
  }

  send(body: PduBody, sequenceNumber = 1, commandStatus = 0): void {
    this.socket.write(octetsOf(body, sequenceNumber, commandStatus));
  }

  /** The first PDU received that has this command, which may still have to come. */
  async next(command: Pdu['command'], sequenceNumber?: number): Promise<Pdu> {
    const matches = (pdu: Pdu): boolean =>
      pdu.command === command && (sequenceNumber === undefined || pdu.sequenceNumber === sequenceNumber);
    await until(`a ${command} was received`, () => this.received.some(matches));
    return this.received.find(matches)!;
  }
}
