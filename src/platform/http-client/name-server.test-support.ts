import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const HEADER_OCTETS = 12;
const TYPE_A = 1;

/** A DNS server on loopback for tests: it answers A questions with what `answer` says at that moment, others with none. */
export class NameServer {
  /** How often each name was asked for an IPv4 address. */
  readonly questions = new Map<string, number>();
  readonly #socket: Socket;

  private constructor(socket: Socket, answer: (name: string) => readonly string[]) {
    this.#socket = socket;
    socket.on('message', (query, peer) => {
      const { name, type, questionEnd } = readQuestion(query);
      if (type === TYPE_A) this.questions.set(name, (this.questions.get(name) ?? 0) + 1);
      const addresses = type === TYPE_A ? answer(name) : [];
      socket.send(writeAnswer(query.subarray(0, questionEnd), addresses), peer.port, peer.address);
    });
  }

  static async start(answer: (name: string) => readonly string[]): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket, answer);
  }

  /** "address:port". */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }
}

function readQuestion(query: Buffer): { name: string; type: number; questionEnd: number } {
  const labels: string[] = [];
  let at = HEADER_OCTETS;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), questionEnd: at + 5 };
}

/** No address makes it a "no such name". */
function writeAnswer(question: Buffer, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(addresses.length > 0 ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, HEADER_OCTETS, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([head, ...records]);
}
