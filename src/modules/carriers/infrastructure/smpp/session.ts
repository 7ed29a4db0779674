import type { Socket } from 'node:net';
import { CommandStatus } from './command-status.js';
import type { FramingError } from './framer.js';
import { MalformedPdu } from './octets.js';
import { Outstanding, type RequestOutcome, type Settle } from './outstanding.js';
import {
  type BindBody,
  type BindCommand,
  type BindPdu,
  CommandId,
  decodePdu,
  INTERFACE_VERSION,
  isResponseId,
  type MessageBody,
  type MessageCommand,
  type MessagePdu,
  type Pdu,
  type RequestBody,
  type ResponsePdu,
  requestCommand,
} from './pdu.js';
import { PduStream } from './pdu-stream.js';
import type { Responder, SessionHandlers, SessionOptions } from './session-options.js';
import { carries, isBind, isMessage, refusalOf, requestRefusal } from './session-rules.js';
import { TlvTag } from './tlv.js';

const MAX_SEQUENCE_NUMBER = 0x7fffffff;
const MIN_SWEEP_MS = 5;
const MAX_SWEEP_MS = 250;
const BIND_RESP_TLVS = new Map<number, Buffer>([[TlvTag.sc_interface_version, Buffer.of(INTERFACE_VERSION)]]);

/**
 * One SMPP session over a connected socket, the same for either side. It answers enquire_link, unbind and whatever is
 * malformed or not allowed by itself; the handlers see the rest. One timer watches over all its deadlines.
 */
export class SmppSession implements Responder {
  private readonly stream: PduStream;
  private readonly outstanding = new Outstanding();
  private readonly sweeper: NodeJS.Timeout;
  private readonly openedAt = performance.now();
  private lastReceivedAt = this.openedAt;
  private boundAs: BindCommand | null = null;
  private over = false;
  private sequenceNumber = 0;
  private inboundRequests = 0;
  private enquiring = false;
  private answers = 0;
  private idleListener: (() => void) | null = null;

  constructor(
    socket: Socket,
    private readonly options: SessionOptions,
    private readonly handlers: SessionHandlers,
  ) {
    this.stream = new PduStream(socket, options.maxPduOctets, {
      canTake: () => !this.isSaturated(),
      onFrame: (frame) => this.onFrame(frame),
      onFramingError: (error) => this.onFramingError(error),
      onEnd: (reason) => this.destroy(reason),
    });
    const sweepMs = Math.min(MAX_SWEEP_MS, Math.max(MIN_SWEEP_MS, options.responseTimeoutMs / 8));
    // What the peer said while this process was busy elsewhere is read first: an immediate runs after the sockets.
    this.sweeper = setInterval(() => setImmediate(this.sweep, performance.now()), sweepMs);
  }

  /** Resolves when the socket is gone. */
  get closed(): Promise<void> {
    return this.stream.closed;
  }

  /** How the session is bound; null before that and when it is over. */
  get bind(): BindCommand | null {
    return this.over ? null : this.boundAs;
  }

  /** How many messages may be sent now. */
  get credit(): number {
    return this.bind === null ? 0 : Math.max(0, this.options.window - this.outstanding.messageCount);
  }

  /** How many requests the peer has answered, binds included. */
  get answeredRequests(): number {
    return this.answers;
  }

  /** Asks to be bound. The session is bound from the moment that this is answered with status 0. */
  sendBind(body: BindBody, settle: Settle): void {
    if (this.over) settle({ kind: 'unsent', reason: 'the session is over' });
    else this.request(body, settle, this.options.bindTimeoutMs);
  }

  /** Sends a message. `settle` is called exactly once, at once where it cannot be sent. */
  sendMessage(body: MessageBody, settle: Settle): void {
    const refusal = this.sendRefusal(body.command);
    if (refusal !== null) settle({ kind: 'unsent', reason: refusal });
    else this.request(body, settle, this.options.responseTimeoutMs);
  }

  /** See Responder. */
  respond(request: BindPdu | MessagePdu, commandStatus: number, id = ''): void {
    this.inboundRequests -= 1;
    if (this.over) return;
    if (isMessage(request)) {
      const body = { command: `${request.command}_resp`, messageId: id } as const;
      this.stream.send(body, request.sequenceNumber, commandStatus);
    } else {
      if (commandStatus === CommandStatus.ESME_ROK) this.boundAs = request.command;
      const body = { command: `${request.command}_resp`, systemId: id, tlvs: BIND_RESP_TLVS } as const;
      this.stream.send(body, request.sequenceNumber, commandStatus);
    }
    this.announceIdle();
  }

  /** Resolves when nothing waits for an answer on either side, or the session is over, or that time is. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.isIdle()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.idleListener = resolve;
    await promise;
    this.idleListener = null;
    clearTimeout(timer);
  }

  /** Unbinds, waits for the answer as for any other, closes, and resolves when the socket is gone. */
  async unbind(): Promise<void> {
    if (this.bind !== null) {
      const { promise, resolve } = Promise.withResolvers<RequestOutcome>();
      this.request({ command: 'unbind' }, resolve, this.options.responseTimeoutMs);
      await promise;
    }
    this.close('unbound');
    await this.closed;
  }

  /** Ends the session; what was sent is still handed to the network. */
  close(reason: string): void {
    this.stream.end();
    this.finish(reason);
  }

  /** Ends the session and cuts the connection. */
  destroy(reason: string): void {
    this.stream.destroy();
    this.finish(reason);
  }

  /** Ends the session but leaves the connection open; whatever arrives is read and forgotten. */
  abandon(reason: string): void {
    this.stream.mute();
    this.finish(reason);
  }

  private finish(reason: string): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.sweeper);
    this.outstanding.disconnect(this.stream.writeCount, reason);
    this.announceIdle();
    this.handlers.onClose(reason);
  }

  private sendRefusal(command: MessageCommand): string | null {
    if (this.over) return 'the session is over';
    if (this.boundAs === null) return 'the session is not bound';
    if (!carries(this.boundAs, command)) return `a ${this.boundAs} session does not carry ${command}`;
    return this.credit === 0 ? 'the window is full' : null;
  }

  private request(body: RequestBody, settle: Settle, timeoutMs: number): void {
    const sequenceNumber = this.nextSequenceNumber();
    try {
      this.stream.send(body, sequenceNumber, CommandStatus.ESME_ROK);
    } catch (error) {
      if (!(error instanceof MalformedPdu)) throw error;
      settle({ kind: 'unsent', reason: error.message });
      return;
    }
    const deadline = performance.now() + timeoutMs;
    const write = this.stream.writeCount + 1;
    this.outstanding.add(sequenceNumber, { command: body.command, deadline, write, settle });
  }

  private nextSequenceNumber(): number {
    do {
      this.sequenceNumber = this.sequenceNumber === MAX_SEQUENCE_NUMBER ? 1 : this.sequenceNumber + 1;
    } while (this.outstanding.has(this.sequenceNumber));
    return this.sequenceNumber;
  }

  private onFrame(frame: Buffer): void {
    this.lastReceivedAt = performance.now();
    let pdu: Pdu;
    try {
      pdu = decodePdu(frame);
    } catch (error) {
      if (!(error instanceof MalformedPdu)) throw error;
      this.onMalformed(frame, error);
      return;
    }
    this.onPdu(pdu);
  }

  private onPdu(pdu: Pdu): void {
    switch (pdu.command) {
      case 'submit_sm':
      case 'deliver_sm':
      case 'bind_receiver':
      case 'bind_transmitter':
      case 'bind_transceiver':
        this.onRequest(pdu);
        return;
      case 'enquire_link':
        this.stream.send({ command: 'enquire_link_resp' }, pdu.sequenceNumber, CommandStatus.ESME_ROK);
        return;
      case 'unbind':
        this.stream.send({ command: 'unbind_resp' }, pdu.sequenceNumber, CommandStatus.ESME_ROK);
        this.close('the peer unbound');
        return;
      default:
        this.onResponse(pdu);
    }
  }

  private onRequest(request: BindPdu | MessagePdu): void {
    this.inboundRequests += 1;
    const refusal = requestRefusal(this.options.role, this.boundAs, request);
    if (refusal === null) this.handlers.onRequest(request, this);
    else this.respond(request, refusal);
  }

  private onResponse(response: ResponsePdu): void {
    const id = 'messageId' in response ? response.messageId : 'systemId' in response ? response.systemId : '';
    this.onAnswer(CommandId[response.command], response.sequenceNumber, response.commandStatus, id);
  }

  /** An answer to nothing, be it late or invented, is dropped: to answer it in turn could go on for ever. */
  private onAnswer(commandId: number, sequenceNumber: number, commandStatus: number, id: string): void {
    const pending = this.outstanding.take(sequenceNumber, requestCommand(commandId));
    if (pending === null) return;
    this.answers += 1;
    if (commandStatus === CommandStatus.ESME_ROK && isBind(pending.command)) this.boundAs = pending.command;
    pending.settle({ kind: 'answered', commandStatus, id });
    this.announceIdle();
  }

  private onMalformed(frame: Buffer, error: MalformedPdu): void {
    const commandId = frame.readUInt32BE(4);
    const sequenceNumber = frame.readUInt32BE(12);
    const known = error.commandStatus !== CommandStatus.ESME_RINVCMDID;
    if (!isResponseId(commandId)) {
      this.stream.send(refusalOf(known ? requestCommand(commandId) : null), sequenceNumber, error.commandStatus);
    } else if (known) {
      // The header says what became of the request, whatever the body was meant to say.
      this.onAnswer(commandId, sequenceNumber, frame.readUInt32BE(8), '');
    }
  }

  private onFramingError(error: FramingError): void {
    this.stream.send({ command: 'generic_nack' }, error.sequenceNumber, CommandStatus.ESME_RINVCMDLEN);
    this.close(error.message);
  }

  private readonly sweep = (now: number): void => {
    if (this.over) return;
    const silentMs = now - this.lastReceivedAt;
    const { role, bindTimeoutMs, inactivityTimeoutMs, enquireLinkIntervalMs } = this.options;
    if (role === 'smsc' && this.boundAs === null && now - this.openedAt >= bindTimeoutMs) {
      this.close('no bind came in time');
    } else if (silentMs >= inactivityTimeoutMs) {
      this.destroy('the peer was silent for too long');
    } else if (!this.stream.paused) {
      this.outstanding.expire(now);
      this.announceIdle();
      if (this.bind !== null && !this.enquiring && silentMs >= enquireLinkIntervalMs) this.enquire();
    }
  };

  private enquire(): void {
    this.enquiring = true;
    const settle = (outcome: RequestOutcome): void => {
      this.enquiring = false;
      if (outcome.kind === 'unknown') this.destroy('the peer did not answer an enquire_link');
    };
    this.request({ command: 'enquire_link' }, settle, this.options.responseTimeoutMs);
  }

  private isSaturated(): boolean {
    return this.inboundRequests >= this.options.maxInboundRequests;
  }

  private isIdle(): boolean {
    return this.over || (this.outstanding.size === 0 && this.inboundRequests === 0);
  }

  private announceIdle(): void {
    if (this.idleListener !== null && this.isIdle()) this.idleListener();
  }
}
