import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { BindFailure, type BindOptions, openBind } from './bind.js';
import { CommandStatus } from './command-status.js';
import { classifyStatus } from './error-classes.js';
import type { BindCommand, BindPdu, MessageFields, MessagePdu } from './pdu.js';
import type { SmppSession } from './session.js';
import type { Responder, SessionHandlers } from './session-options.js';
import { isMessage } from './session-rules.js';
import { NO_TLVS } from './tlv.js';

export interface SmppClientOptions {
  readonly host: string;
  readonly port: number;
  /** Tried in turn after host and port, where a bind is lost or not to be had. */
  readonly alternates?: readonly { readonly host: string; readonly port: number }[];
  /** Whether a status that a bind is refused with says that trying again will not help before somebody acts. */
  readonly isFatal?: (commandStatus: number) => boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType?: string;
  readonly bind: 'transceiver' | 'transmitter_receiver';
  /** Most submit_sm that wait for their answer at a time. */
  readonly window: number;
  /** Default 2,000: seconds, not the field's 120, so that a message can go another way in time. */
  readonly responseTimeoutMs?: number;
  readonly enquireLinkIntervalMs: number;
  readonly bindTimeoutMs: number;
  /** Default 300,000. */
  readonly inactivityTimeoutMs?: number;
  /** Most deliver_sm that are worked on at a time, 1,000 by default; above it the carrier has to wait. */
  readonly maxInboundRequests?: number;
  /** The first wait after a lost bind, doubled with each failure up to the last; from half of it to the whole. */
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number };
  readonly tls?: boolean;
  /** From 0 to below 1; spreads the reconnects of many clients. */
  readonly random: () => number;
}

export interface SmppState {
  readonly phase: 'connecting' | 'bound' | 'down';
  /** Why it is not bound, or was not last time, in plain words. */
  readonly error: string | null;
}

export interface SmppClientHandlers {
  /** A receipt or an inbound message. Answered when the promise resolves; where it rejects, the carrier sends it again. */
  onDeliver(pdu: MessagePdu): Promise<void>;
  onState(state: SmppState): void;
}

/** What a submit_sm says; what is left out is empty or 0, but receipts are asked for. */
export type SubmitFields = Pick<MessageFields, 'destinationAddress' | 'shortMessage'> & Partial<MessageFields>;

/**
 * `answered`: with the carrier's command_status and, where that is 0, its id of the message (empty if it gave none).
 * `unsent`: certainly not with the carrier. `unknown`: the carrier may have it.
 */
export type SubmitOutcome =
  | { readonly kind: 'answered'; readonly commandStatus: number; readonly messageId: string }
  | { readonly kind: 'unsent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: 'timeout' | 'disconnected' };

const DEFAULT_RESPONSE_TIMEOUT_MS = 2_000;
const DEFAULT_INACTIVITY_TIMEOUT_MS = 300_000;
const DEFAULT_MAX_INBOUND_REQUESTS = 1_000;
/** Doubling past this changes nothing that the maximum does not already say. */
const MAX_DOUBLINGS = 20;

const SUBMIT_DEFAULTS: Omit<MessageFields, 'destinationAddress' | 'shortMessage'> = {
  serviceType: '',
  sourceTon: 0,
  sourceNpi: 0,
  sourceAddress: '',
  destinationTon: 0,
  destinationNpi: 0,
  esmClass: 0,
  protocolId: 0,
  priorityFlag: 0,
  scheduleDeliveryTime: '',
  validityPeriod: '',
  registeredDelivery: 1,
  replaceIfPresent: 0,
  dataCoding: 0,
  defaultMessageId: 0,
  tlvs: NO_TLVS,
};

/** How a period without a bind, or with one, came to its end. */
interface Ending {
  readonly reason: string;
  readonly fatal: boolean;
  /** Whether the carrier answered anything beyond the bind, so that a quick return is worth trying. */
  readonly proven: boolean;
}

/**
 * The client of one SMSC: keeps its binds open, from start() to stop(), and submits through them. Two binds, of a
 * transmitter and a receiver, count as one: they are up together or down together.
 */
export class SmppClient {
  private readonly bindOptions: BindOptions;
  private readonly commands: readonly BindCommand[];
  private sessions: readonly SmppSession[] = [];
  private current: SmppState = { phase: 'down', error: null };
  private lost = Promise.withResolvers<string>();
  private session: string | null = null;
  private isGivenUp = false;
  /** Counts the periods that have ended: each goes to the next address. */
  private turn = 0;
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;

  constructor(
    private readonly options: SmppClientOptions,
    private readonly handlers: SmppClientHandlers,
  ) {
    this.commands = options.bind === 'transceiver' ? ['bind_transceiver'] : ['bind_transmitter', 'bind_receiver'];
    this.bindOptions = {
      ...options,
      tls: options.tls ?? false,
      systemType: options.systemType ?? '',
      responseTimeoutMs: options.responseTimeoutMs ?? DEFAULT_RESPONSE_TIMEOUT_MS,
      inactivityTimeoutMs: options.inactivityTimeoutMs ?? DEFAULT_INACTIVITY_TIMEOUT_MS,
      maxInboundRequests: options.maxInboundRequests ?? DEFAULT_MAX_INBOUND_REQUESTS,
      isFatal: options.isFatal ?? ((status) => classifyStatus(status) === 'bind_fatal'),
    };
  }

  get state(): SmppState {
    return this.current;
  }

  /** Names the present session, or the one that is being bound: none is named like another. Null where there is none. */
  get sessionId(): string | null {
    return this.session;
  }

  /** How many messages submit() takes now: the free part of the window while bound, else 0. */
  get credit(): number {
    return this.stopping.signal.aborted || this.isGivenUp ? 0 : (this.sessions[0]?.credit ?? 0);
  }

  /** Connects, and from now on keeps connected. */
  start(): void {
    this.running ??= this.run(this.stopping.signal);
  }

  /** Takes no more, waits for what is under way (no longer than an answer may take), unbinds and closes. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.lost.resolve('stopped');
    await this.running;
  }

  /**
   * Takes nothing more through the present bind, waits for what is under way, unbinds, and is long about the next one:
   * for a carrier that says that it will not have this client.
   */
  giveUp(reason: string): void {
    if (this.sessions.length === 0 || this.isGivenUp) return;
    this.isGivenUp = true;
    this.lost.resolve(reason);
  }

  /** Submits one message. Never rejects; without credit it is `unsent`. */
  submit(fields: SubmitFields): Promise<SubmitOutcome> {
    const [session] = this.sessions;
    if (session === undefined || this.isGivenUp || this.stopping.signal.aborted) {
      return Promise.resolve({ kind: 'unsent', reason: 'not bound to the carrier' });
    }
    return new Promise((resolve) => {
      session.sendMessage({ ...SUBMIT_DEFAULTS, ...fields, command: 'submit_sm' }, (outcome) => {
        if (outcome.kind !== 'answered') resolve(outcome);
        else resolve({ kind: 'answered', commandStatus: outcome.commandStatus, messageId: outcome.id });
      });
    });
  }

  private async run(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      this.enter('connecting', this.current.error);
      this.session = randomUUID();
      const ending = await this.bindAndServe(stop);
      this.session = null;
      if (stop.aborted) break;
      this.enter('down', ending.reason);
      this.turn += 1;
      failures = ending.proven ? 0 : failures + 1;
      const waitMs = this.reconnectDelayMs(ending.fatal ? MAX_DOUBLINGS : failures);
      await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
    }
    this.enter('down', null);
  }

  private async bindAndServe(stop: AbortSignal): Promise<Ending> {
    this.lost = Promise.withResolvers<string>();
    this.isGivenUp = false;
    let lostReason: string | null = null;
    const attempt = new AbortController();
    const signal = AbortSignal.any([stop, attempt.signal]);
    const handlers: SessionHandlers = {
      onRequest: (request, responder) => void this.deliver(request, responder),
      onClose: (reason) => {
        lostReason = reason;
        this.lost.resolve(reason);
        attempt.abort();
      },
    };
    const options = { ...this.bindOptions, ...this.address() };
    const binds = this.commands.map((command) => openBind(command, options, handlers, signal));
    try {
      this.sessions = await Promise.all(binds);
    } catch (error) {
      attempt.abort();
      for (const bind of await Promise.allSettled(binds)) if (bind.status === 'fulfilled') bind.value.destroy('');
      if (!(error instanceof BindFailure)) throw error;
      return { reason: lostReason ?? error.message, fatal: error.fatal, proven: false };
    }
    return await this.serve(stop);
  }

  private async serve(stop: AbortSignal): Promise<Ending> {
    if (!stop.aborted) this.enter('bound', null);
    const reason = await (stop.aborted ? 'stopped' : this.lost.promise);
    const { sessions, isGivenUp: fatal } = this;
    if (fatal) this.enter('down', reason);
    const proven = sessions.some((session) => session.answeredRequests > 1);
    if (stop.aborted || fatal) {
      await Promise.all(sessions.map((session) => session.idle(2 * this.bindOptions.responseTimeoutMs)));
      await Promise.all(sessions.map((session) => session.unbind()));
    }
    this.sessions = [];
    this.enter('down', stop.aborted ? null : reason);
    for (const session of sessions) session.close('the other bind was lost');
    await Promise.all(sessions.map((session) => session.closed));
    return { reason, fatal, proven };
  }

  private address(): Pick<BindOptions, 'host' | 'port'> {
    const { host, port, alternates = [] } = this.options;
    const all = [{ host, port }, ...alternates];
    return all[this.turn % all.length]!;
  }

  private async deliver(request: BindPdu | MessagePdu, responder: Responder): Promise<void> {
    if (!isMessage(request)) return;
    let commandStatus: number = CommandStatus.ESME_ROK;
    try {
      await this.handlers.onDeliver(request);
    } catch {
      commandStatus = CommandStatus.ESME_RX_T_APPN;
    }
    responder.respond(request, commandStatus);
  }

  private reconnectDelayMs(failures: number): number {
    const { baseMs, maxMs } = this.options.reconnect;
    const wholeMs = Math.min(maxMs, baseMs * 2 ** Math.min(MAX_DOUBLINGS, Math.max(0, failures - 1)));
    return wholeMs * (0.5 + this.options.random() / 2);
  }

  private enter(phase: SmppState['phase'], error: string | null): void {
    if (this.current.phase === phase && this.current.error === error) return;
    this.current = { phase, error };
    this.handlers.onState(this.current);
  }
}
