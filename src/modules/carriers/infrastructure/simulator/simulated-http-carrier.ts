import { mkdirSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import { HttpReceiptSender } from './http-receipt-sender.js';
import { isKeyOf, offeredOver, readBody, sayOver } from './http-side.js';
import { DEFAULT_KNOBS, type Knobs, turnKnobs } from './knobs.js';
import { ListeningPort } from './listening-port.js';
import { NotHandedOver } from './phone.js';
import { ReceiptDispatcher } from './receipt-dispatcher.js';
import {
  type CarrierSnapshot,
  type SentInbound,
  type SimulatedCarrier,
  type SubmissionPage,
  type SubmissionQuery,
  submissionQuerySchema,
} from './simulated-carrier.js';
import { SubmissionIntake } from './submission-intake.js';
import { type RecordConflict, SubmissionRecord } from './submission-record.js';

export interface SimulatedHttpCarrierOptions {
  /** 1 to 64 letters, digits, dashes and underscores: its record is a file of that name. */
  readonly name: string;
  /** Where its record is kept; made where there is none. */
  readonly dir: string;
  /** The bearer token of its clients, and what it signs its receipts with. */
  readonly password: string;
  /** Taken if it is free; otherwise, and by default, any free one. */
  readonly port?: number;
  readonly knobs?: Knobs;
  readonly random?: () => number;
  /** It cannot go on because another process writes its record; default: nothing but refusals to its clients. */
  readonly onConflict?: (error: RecordConflict) => void;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Longer than clients keep a connection that is idle, so that none sends into one that is being closed. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A carrier over HTTP that is none: `POST /messages` takes a message as JSON and answers with an id, `GET /account` tells
 * whether the credentials are good, and receipts are posted, signed, to the address that either of them named last. It
 * records, answers, reports and misbehaves as the simulated SMSCs do.
 */
export class SimulatedHttpCarrier implements SimulatedCarrier {
  private readonly sockets = new Set<net.Socket>();
  /** Connections that are read and never answered. */
  private readonly blackholed = new Set<net.Socket>();
  private readonly receipts = new ReceiptDispatcher((sequence) => this.intake.settle(sequence));
  private readonly sender: HttpReceiptSender;
  private readonly intake: SubmissionIntake;
  private knobs: Knobs;

  private constructor(
    private readonly options: SimulatedHttpCarrierOptions,
    private readonly listener: ListeningPort,
    private readonly record: SubmissionRecord,
  ) {
    this.knobs = options.knobs ?? DEFAULT_KNOBS;
    const { receipts } = this;
    const { random = Math.random, onConflict = () => undefined } = options;
    this.intake = new SubmissionIntake({ record, receipts, random, onConflict, areReceiptsApart: true }, this.knobs);
    this.sender = new HttpReceiptSender(options.password);
    for (const submission of record.takeUnsettled()) receipts.schedule(submission, 0, false);
  }

  /** Opens the record and listens. */
  static async start(options: SimulatedHttpCarrierOptions): Promise<SimulatedHttpCarrier> {
    if (!NAME.test(options.name)) throw new RangeError(`name: only letters, digits, - and _ are allowed, at most 64`);
    mkdirSync(options.dir, { recursive: true });
    const record = SubmissionRecord.open(path.join(options.dir, `${options.name}.ndjson`));
    const server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
    const listener = new ListeningPort(server);
    const carrier = new SimulatedHttpCarrier(options, listener, record);
    server.on('connection', (socket: net.Socket) => carrier.onConnection(socket));
    server.on('request', (request, response) => void carrier.onRequest(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    try {
      await listener.open(options.port ?? 0);
    } catch (error) {
      record.close();
      throw error;
    }
    if (carrier.knobs.outage === 'refuse') await listener.close();
    return carrier;
  }

  get port(): number {
    return this.listener.port;
  }

  snapshot(): CarrierSnapshot {
    const { sent, confirmed, refused } = this.receipts.counters;
    return {
      name: this.options.name,
      type: 'http',
      port: this.port,
      knobs: this.knobs,
      counters: {
        ...this.intake.counters,
        receipts: sent,
        receipts_confirmed: confirmed,
        receipts_refused: refused,
        receipts_pending: this.receipts.pending,
        sessions: this.sockets.size,
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

  /** Messages from phones come over SMPP alone. */
  inbound(): Promise<SentInbound> {
    return Promise.reject(new NotHandedOver('the carrier has no messages from phones: those come over SMPP'));
  }

  async stop(): Promise<void> {
    const closed = this.listener.close();
    this.intake.stop();
    this.receipts.stop();
    for (const socket of this.sockets) socket.destroy();
    await Promise.all([closed, this.sender.close()]);
    this.record.close();
  }

  private onConnection(socket: net.Socket): void {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.blackholed.delete(socket);
    });
    this.sockets.add(socket);
    if (this.knobs.outage === 'blackhole') this.blackholed.add(socket);
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.knobs.outage === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const body = await readBody(request);
    const isSilent = () => this.blackholed.has(request.socket);
    if (body === null || isSilent()) return;
    const url = new URL(request.url ?? '/', 'http://carrier');
    const isKnown = isKeyOf(request.headers.authorization, this.options.password);
    if (!isKnown) sayOver(response, 401, { error: { code: 'unauthorized' } });
    else if (request.method === 'GET' && url.pathname === '/account') {
      this.reportTo(url.searchParams.get('callback'));
      sayOver(response, 200, { status: 'active' });
    } else if (request.method === 'POST' && url.pathname === '/messages') {
      const offered = offeredOver(body, response, isSilent);
      if (!offered) return;
      this.reportTo(offered.callback);
      this.intake.take(offered);
    } else sayOver(response, 404, { error: { code: 'not_found' } });
  }

  /** All receipts go where the client said last: what it said before may be an address that it has left. */
  private reportTo(callback: string | null): void {
    if (callback === null) return;
    const isFirst = this.sender.url === null;
    this.sender.url = callback;
    if (isFirst) this.receipts.attach(this.sender);
  }

  private changeOutage(before: Knobs['outage'], after: Knobs['outage']): void {
    if (before === 'blackhole') for (const socket of this.blackholed) socket.resetAndDestroy();
    if (before === 'refuse') this.listener.reopen();
    if (after === 'refuse') {
      void this.listener.close();
      for (const socket of this.sockets) socket.resetAndDestroy();
    }
    if (after === 'blackhole') for (const socket of this.sockets) this.blackholed.add(socket);
  }
}
