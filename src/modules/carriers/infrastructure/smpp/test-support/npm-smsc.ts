import { once } from 'node:events';
import type net from 'node:net';
import smpp, { type Fields, type PDU, type Session } from 'smpp';
import { until } from './until.js';

const BINDS = ['bind_transceiver', 'bind_transmitter', 'bind_receiver'] as const;
/** What the package can put into a short_message; it throws above it. */
const MAX_SHORT_MESSAGE_OCTETS = 254;

/**
 * An SMSC of the npm package `smpp`. What the package does not do by itself is done here: it answers nothing unasked,
 * its sessions throw where nobody listens for errors, and after a close it calls nobody back.
 */
export class NpmSmsc {
  readonly submitted: PDU[] = [];
  readonly sessions: Session[] = [];
  /** How each bind was made that is there. */
  readonly bound = new Map<Session, (typeof BINDS)[number]>();
  /** How many sessions the client has unbound. */
  unbound = 0;
  /** How many times clients asked whether the link is there. */
  enquiries = 0;
  /** The status of the next answers to submissions. */
  status = 0;

  private constructor(private readonly server: net.Server) {}

  static async start(): Promise<NpmSmsc> {
    const box: { smsc?: NpmSmsc } = {};
    const server = smpp.createServer((session) => box.smsc?.onSession(session));
    box.smsc = new NpmSmsc(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return box.smsc;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** The sessions through which deliver_sm can be sent. */
  get receivers(): Session[] {
    return [...this.bound].flatMap(([session, how]) => (how === 'bind_transmitter' ? [] : session));
  }

  /** Sends a deliver_sm through the first receiver; the answer to it. */
  async deliver(fields: Fields): Promise<PDU> {
    const { short_message: message } = fields;
    if (Buffer.isBuffer(message) && message.length > MAX_SHORT_MESSAGE_OCTETS) throw new RangeError('short_message');
    const answers: PDU[] = [];
    this.receivers[0]!.deliver_sm(fields, (pdu) => answers.push(pdu));
    await until('it was answered', () => answers.length > 0);
    return answers[0]!;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const session of this.sessions) session.destroy();
    await closed;
  }

  private onSession(session: Session): void {
    this.sessions.push(session);
    session.on('error', () => undefined);
    session.on('close', () => this.bound.delete(session));
    for (const how of BINDS) {
      session.on(how, (pdu: PDU) => {
        const isKnown = pdu.password === 'secret';
        session.send(pdu.response(isKnown ? { system_id: 'npm' } : { command_status: 0x0e }));
        if (isKnown) this.bound.set(session, how);
      });
    }
    session.on('submit_sm', (pdu: PDU) => {
      this.submitted.push(pdu);
      const id = this.submitted.length.toString(16).toUpperCase().padStart(4, '0');
      session.send(pdu.response(this.status === 0 ? { message_id: id } : { command_status: this.status }));
    });
    session.on('enquire_link', (pdu: PDU) => {
      this.enquiries += 1;
      session.send(pdu.response());
    });
    session.on('unbind', (pdu: PDU) => {
      this.unbound += 1;
      session.send(pdu.response());
      session.close();
    });
  }
}
