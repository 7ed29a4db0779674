import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { CommandStatus } from '../smpp/command-status.js';
import { DEFAULT_MAX_PDU_OCTETS } from '../smpp/framer.js';
import type { RequestOutcome } from '../smpp/outstanding.js';
import type { BindPdu, MessageBody, MessagePdu } from '../smpp/pdu.js';
import { SmppSession } from '../smpp/session.js';
import type { SessionOptions } from '../smpp/session-options.js';
import { isMessage } from '../smpp/session-rules.js';
import { DEFAULT_KNOBS, type Knobs, turnKnobs } from './knobs.js';
import { Phone } from './phone.js';
import { ReceiptDispatcher, type ReceiptReceiver } from './receipt-dispatcher.js';
import {
  type CarrierSnapshot,
  type InboundRequest,
  type SentInbound,
  type SimulatedCarrier,
  type SubmissionPage,
  type SubmissionQuery,
  submissionQuerySchema,
} from './simulated-carrier.js';
import { offeredBy, receiverOf } from './smpp-side.js';
import { SubmissionIntake } from './submission-intake.js';
import { type RecordConflict, SubmissionRecord } from './submission-record.js';

export interface SimulatedSmscOptions {
  /** 1 to 64 letters, digits, dashes and underscores: its record is a file of that name. */
  readonly name: string;
  /** Where its record is kept; made where there is none. */
  readonly dir: string;
  /** What a client binds with; default: the carrier's name. */
  readonly systemId?: string;
  readonly password: string;
  readonly host?: string;
  /** Taken if it is free; otherwise, and by default, any free one. */
  readonly port?: number;
  readonly knobs?: Knobs;
  readonly random?: () => number;
  /** It cannot go on because another process writes its record; default: nothing but refusals to its clients. */
  readonly onConflict?: (error: RecordConflict) => void;
}

const SESSION_OPTIONS: SessionOptions = {
  role: 'smsc',
  window: 200,
  responseTimeoutMs: 30_000,
  enquireLinkIntervalMs: 30_000,
  inactivityTimeoutMs: 300_000,
  bindTimeoutMs: 30_000,
  maxInboundRequests: 1_000,
  maxPduOctets: DEFAULT_MAX_PDU_OCTETS,
};
const MAX_CONNECTIONS = 1_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A carrier that is none: an SMSC which records what it is given, answers, and reports delivery, and which misbehaves
 * as its knobs say. What it accepted is in its record before it is answered.
 */
export class SimulatedSmsc implements SimulatedCarrier {
  private readonly sessions = new Map<SmppSession, ReceiptReceiver>();
  private readonly sockets = new Set<net.Socket>();
  /** Connections that are read and never answered. */
  private readonly blackholed = new Set<net.Socket>();
  private readonly receipts = new ReceiptDispatcher((sequence) => this.intake.settle(sequence));
  private readonly intake: SubmissionIntake;
  private readonly phone: Phone;
  private knobs: Knobs;
  private turn = 0;

  private constructor(
    private readonly options: SimulatedSmscOptions,
    private readonly server: net.Server,
    private readonly record: SubmissionRecord,
  ) {
    this.knobs = options.knobs ?? DEFAULT_KNOBS;
    const { receipts } = this;
    const { random = Math.random, onConflict = () => undefined } = options;
    this.intake = new SubmissionIntake({ record, receipts, random, onConflict }, this.knobs);
    this.phone = new Phone((body) => this.deliver(body), random);
    for (const submission of record.takeUnsettled()) receipts.schedule(submission, 0, false);
    server.on('connection', (socket) => this.onConnection(socket));
  }

  /** Opens the record and listens. */
  static async start(options: SimulatedSmscOptions): Promise<SimulatedSmsc> {
    if (!NAME.test(options.name)) throw new RangeError(`name: only letters, digits, - and _ are allowed, at most 64`);
    mkdirSync(options.dir, { recursive: true });
    const record = SubmissionRecord.open(path.join(options.dir, `${options.name}.ndjson`));
    const server = net.createServer();
    server.maxConnections = MAX_CONNECTIONS;
    const smsc = new SimulatedSmsc(options, server, record);
    try {
      await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
    } catch (error) {
      record.close();
      throw error;
    }
    // A connection that could not be accepted is its client's loss, not the carrier's end.
    server.on('error', () => undefined);
    return smsc;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  snapshot(): CarrierSnapshot {
    const { sent, confirmed, refused } = this.receipts.counters;
    const bound = [...this.sessions.keys()].filter((session) => session.bind !== null).length;
    return {
      name: this.options.name,
      type: 'smpp',
      port: this.port,
      knobs: this.knobs,
      counters: {
        ...this.intake.counters,
        receipts: sent,
        receipts_confirmed: confirmed,
        receipts_refused: refused,
        receipts_pending: this.receipts.pending,
        sessions: bound,
      },
    };
  }

  put(change: unknown): CarrierSnapshot {
    const before = this.knobs.outage;
    this.knobs = turnKnobs(this.knobs, change);
    this.intake.setKnobs(this.knobs);
    const after = this.knobs.outage;
    if (after !== before) this.changeOutage(before, after);
    return this.snapshot();
  }

  /** Throws ZodError where the query is not one. */
  submissions(query: SubmissionQuery): SubmissionPage {
    const { after, limit } = submissionQuerySchema.parse(query);
    return this.record.page(after, limit);
  }

  inbound(request: InboundRequest): Promise<SentInbound> {
    return this.phone.write(request);
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    this.intake.stop();
    for (const session of this.sessions.keys()) session.close('the carrier stops');
    this.receipts.stop();
    this.endBlackhole();
    await promise;
    this.record.close();
  }

  /** Sends one message through the next session that has room; `unsent` where none has. */
  private deliver(body: MessageBody): Promise<RequestOutcome> {
    const ready = [...this.sessions.keys()].filter(({ bind, credit }) => isReceiving(bind) && credit > 0);
    this.turn += 1;
    const session = ready[this.turn % Math.max(1, ready.length)];
    if (session === undefined) return Promise.resolve({ kind: 'unsent', reason: 'no client is bound to receive' });
    return new Promise((resolve) => session.sendMessage(body, resolve));
  }

  private onConnection(socket: net.Socket): void {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.blackholed.delete(socket);
    });
    this.sockets.add(socket);
    const { outage } = this.knobs;
    if (outage === 'refuse') socket.resetAndDestroy();
    else if (outage === 'blackhole') this.blackholed.add(socket.resume());
    else this.openSession(socket);
  }

  private openSession(socket: net.Socket): void {
    socket.on('data', () => {
      if (this.knobs.outage === 'reset') socket.resetAndDestroy();
    });
    const session = new SmppSession(socket, SESSION_OPTIONS, {
      onRequest: (request) => this.onRequest(session, request),
      onClose: () => {
        this.receipts.detach(receiver);
        this.sessions.delete(session);
      },
    });
    const receiver = receiverOf(session);
    this.sessions.set(session, receiver);
  }

  private onRequest(session: SmppSession, request: BindPdu | MessagePdu): void {
    if (isMessage(request)) {
      this.intake.take(offeredBy(request, session));
      return;
    }
    const { name, systemId = name, password } = this.options;
    const known = request.systemId === systemId;
    if (!known) session.respond(request, CommandStatus.ESME_RINVSYSID);
    else if (request.password !== password) session.respond(request, CommandStatus.ESME_RINVPASWD);
    else session.respond(request, CommandStatus.ESME_ROK, systemId);
    if (isReceiving(session.bind)) this.receipts.attach(this.sessions.get(session)!);
  }

  private changeOutage(before: Knobs['outage'], after: Knobs['outage']): void {
    if (before === 'blackhole') this.endBlackhole();
    if (after === 'refuse') for (const socket of this.sockets) socket.resetAndDestroy();
    if (after !== 'blackhole') return;
    for (const session of this.sessions.keys()) session.abandon('the carrier went silent');
    for (const socket of this.sockets) this.blackholed.add(socket);
  }

  /** A stream with a hole in it is of no use to either side any more. */
  private endBlackhole(): void {
    for (const socket of this.blackholed) socket.resetAndDestroy();
  }
}

function isReceiving(bind: SmppSession['bind']): boolean {
  return bind !== null && bind !== 'bind_transmitter';
}

/** Listens on that port, or on any where it is taken. */
async function listen(server: net.Server, host: string, port: number): Promise<void> {
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await once(server.listen({ host, port: 0 }), 'listening');
  }
}
