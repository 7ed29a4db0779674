import type { Logger } from '../../../platform/tokens.js';
import { type CarrierDefinition, needsReopening, smppOptionsOf } from '../domain/carrier.js';
import type {
  CarrierConnection,
  CarrierReceipt,
  ConnectionHandlers,
  ConnectionState,
  HandOver,
  Outgoing,
} from '../domain/carrier-connection.js';
import { receiptCode, refusalCode, UNKNOWN_ERROR } from '../domain/error-codes.js';
import type { CarrierInbound } from '../domain/inbound.js';
import { type SmppOptions, statusName } from '../domain/smpp-options.js';
import { decodeAddress, decodeAddresses, encodeAddresses } from './smpp/address.js';
import { describeStatus } from './smpp/command-status.js';
import { classifyStatus, type ErrorClass } from './smpp/error-classes.js';
import type { MessagePdu } from './smpp/pdu.js';
import { ESM_CLASS_RECEIPT, parseReceipt, type Receipt } from './smpp/receipt.js';
import { SmppClient, type SmppClientOptions, type SubmitFields, type SubmitOutcome } from './smpp/smpp-client.js';
import { encodeText, readPart } from './smpp/text.js';

const ENROUTE = new Set(['enroute', 'accepted', 'unknown']);
/** What a source_addr, a destination_addr and a short_message hold (SMPP 3.4, 4.4.1). */
const ADDRESS = /^[ -~]{1,20}$/;
const MAX_SHORT_MESSAGE_OCTETS = 254;
/** esm_class, bits 5 to 2: what kind of deliver_sm it is (SMPP 3.4, 5.2.12). */
const ESM_TYPE_MASK = 0x3c;

/** What every bind of a carrier has in common; the rest is in the carrier's definition. */
export type SmppTimings = Omit<SmppClientOptions, keyof CarrierDefinition | keyof SmppOptions | 'window' | 'isFatal'>;

/** A carrier over SMPP, through one bind or several. */
export class SmppConnection implements CarrierConnection {
  private readonly clients: readonly SmppClient[];
  private readonly shownErrors = new Map<SmppClient, string | null>();
  private readonly concatenation: SmppOptions['concatenation'];
  private results: ResultTable;
  private current: ConnectionState;

  /** @param password in plain text */
  constructor(
    private carrier: CarrierDefinition,
    password: string,
    timings: SmppTimings,
    private readonly handlers: ConnectionHandlers,
    private readonly logger: Logger,
  ) {
    const { binds, alternates, concatenation, resultOverrides } = smppOptionsOf(carrier);
    const { host, port, systemId, bind, windowSize: window } = carrier;
    this.concatenation = concatenation;
    this.results = new ResultTable(resultOverrides);
    const isFatal = (status: number) => this.results.classOf(status) === 'bind_fatal';
    const options = { ...timings, host, port, alternates, systemId, password, bind, window, isFatal };
    this.clients = Array.from({ length: binds }, () => this.openClient(options));
    this.current = this.summary();
  }

  get credit(): number {
    let sum = 0;
    for (const { credit } of this.clients) sum += credit;
    return sum;
  }

  /** Bound where one bind is; then the error is why another is not. Asked for with every message. */
  get state(): ConnectionState {
    return this.current;
  }

  start(): void {
    for (const client of this.clients) client.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  /** See CarrierConnection. */
  adopt(carrier: CarrierDefinition): boolean {
    if (needsReopening(this.carrier, carrier)) return false;
    this.carrier = carrier;
    this.results = new ResultTable(smppOptionsOf(carrier).resultOverrides);
    return true;
  }

  /**
   * See CarrierConnection. Segments go through the bind with most room; those that it has no room for follow when those
   * before them are answered.
   */
  async handOver(outgoing: Outgoing): Promise<HandOver> {
    const pdus = encode(outgoing, this.concatenation);
    if (!pdus) return { kind: 'rejected', errorCode: UNKNOWN_ERROR };
    // A payload is one for all segments.
    if (outgoing.messageIds.length !== pdus.length) outgoing.messageIds = pdus.map(() => null);
    const left = pdus
      .map((fields, index) => ({ fields, index }))
      .filter(({ index }) => outgoing.messageIds[index] === null);
    let found: HandOver = { kind: 'accepted' };
    while (left.length > 0 && found.kind === 'accepted') {
      const client = this.roomiest();
      const round = left.splice(0, Math.max(1, client.credit));
      const outcomes = round.map(async ({ fields, index }) =>
        this.note(client, outgoing, index, await client.submit(fields)),
      );
      found = worst(await Promise.all(outcomes));
    }
    return found;
  }

  private summary(): ConnectionState {
    const states = this.clients.map(({ state }) => state);
    const bound = states.filter(({ phase }) => phase === 'bound').length;
    const error = states.find((state) => state.phase !== 'bound' && state.error !== null)?.error ?? null;
    const phase = bound > 0 ? 'bound' : states.some((state) => state.phase === 'connecting') ? 'connecting' : 'down';
    return { phase, error, binds: states.length, bound };
  }

  private openClient(options: SmppClientOptions): SmppClient {
    const client: SmppClient = new SmppClient(options, {
      onDeliver: (pdu) => this.deliver(pdu, client),
      onState: (state) => {
        this.current = this.summary();
        this.logState(client, state);
        this.handlers.onState();
      },
    });
    return client;
  }

  private roomiest(): SmppClient {
    return this.clients.reduce((best, client) => (client.credit > best.credit ? client : best));
  }

  /** What the outcome of one submit_sm means. */
  private note(client: SmppClient, outgoing: Outgoing, index: number, outcome: SubmitOutcome): HandOver {
    if (outcome.kind === 'unsent') return { kind: 'unsent' };
    if (outcome.kind === 'unknown') return { kind: 'unknown', reason: outcome.reason };
    const { commandStatus } = outcome;
    const kind = this.results.classOf(commandStatus);
    switch (kind) {
      case 'ok':
        outgoing.messageIds[index] = outcome.messageId;
        return { kind: 'accepted' };
      case 'throttled':
      case 'retryable':
        return { kind };
      case 'unknown':
        return { kind, reason: 'answered' };
      case 'bind_fatal':
        client.giveUp(`the carrier refused a message: ${describeStatus(commandStatus)}`);
        return { kind: 'unsent' };
      case 'permanent':
        return { kind: 'rejected', errorCode: this.results.errorCodeOf(commandStatus) };
    }
  }

  private async deliver(pdu: MessagePdu, client: SmppClient): Promise<void> {
    const receipt = parseReceipt(pdu);
    const { name } = this.carrier;
    if (receipt) await this.handlers.onReceipt(toCarrierReceipt(name, pdu, receipt));
    else if ((pdu.esmClass & ESM_TYPE_MASK) === ESM_CLASS_RECEIPT)
      await this.handlers.onReceipt(toCarrierReceipt(name, pdu, NAMELESS));
    else await this.handlers.onInbound(this.toInbound(pdu, client));
  }

  private toInbound(pdu: MessagePdu, { sessionId }: SmppClient): CarrierInbound {
    const { alphabet, octets, concatenation } = readPart(pdu);
    return {
      carrier: this.carrier.name,
      ...decodeAddresses(pdu),
      alphabet,
      octets,
      // What would be too long for a part is none.
      concatenation: octets.length > MAX_SHORT_MESSAGE_OCTETS ? null : concatenation,
      session: sessionId,
      openSessions: this.clients.flatMap((client) => client.sessionId ?? []),
    };
  }

  /** A carrier that stays away says so once; each attempt is for whoever looks closer. */
  private logState(client: SmppClient, { phase, error }: ConnectionState): void {
    const { name: carrier } = this.carrier;
    const bind = this.clients.length > 1 ? { bind: this.clients.indexOf(client) + 1 } : {};
    if (phase === 'bound') this.logger.info({ carrier, ...bind }, 'bound to the carrier');
    else if (error !== null && error !== this.shownErrors.get(client)) {
      this.logger.info({ carrier, ...bind }, `not bound to the carrier: ${error}`);
    } else this.logger.debug({ carrier, ...bind, phase }, 'the bind has changed');
    this.shownErrors.set(client, error);
  }
}

/** What the answers of one carrier mean. */
class ResultTable {
  private readonly classes: ReadonlyMap<number, ErrorClass>;

  constructor(private readonly overrides: SmppOptions['resultOverrides']) {
    this.classes = new Map(Object.entries(overrides).map(([status, override]) => [Number(status), override.class]));
  }

  classOf(commandStatus: number): ErrorClass {
    return classifyStatus(commandStatus, this.classes);
  }

  /** The error code of a message that was refused for good. */
  errorCodeOf(commandStatus: number): number {
    return this.overrides[statusName(commandStatus)]?.errorCode ?? refusalCode(commandStatus);
  }
}

/** A receipt that does not say which message it is about. */
const NAMELESS: Receipt = { messageId: '', state: 'unknown', error: null, submitDate: null, doneDate: null };

/** The submit_sm of each segment, or the one for all; null where SMPP cannot carry the message. */
function encode(outgoing: Outgoing, concatenation: SmppOptions['concatenation']): SubmitFields[] | null {
  const addresses = encodeAddresses(outgoing.from, outgoing.to);
  if (!ADDRESS.test(addresses.sourceAddress) || !ADDRESS.test(addresses.destinationAddress)) return null;
  const { encoding, parts, key } = outgoing;
  try {
    const encoded = encodeText({ encoding, parts, concatenation, reference: referenceOf(key) });
    const fits = encoded.every((part) => part.shortMessage.length <= MAX_SHORT_MESSAGE_OCTETS);
    return fits ? encoded.map((part) => ({ ...addresses, ...part })) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function toCarrierReceipt(carrier: string, pdu: MessagePdu, receipt: Receipt): CarrierReceipt {
  const state = ENROUTE.has(receipt.state) ? 'enroute' : receipt.state === 'delivered' ? 'delivered' : 'undelivered';
  return {
    carrier,
    messageId: receipt.messageId,
    source: decodeAddress(pdu.sourceTon, pdu.sourceAddress),
    state,
    errorCode: state === 'undelivered' ? receiptCode(receipt.state, receipt.error) : null,
    doneDate: receipt.doneDate,
  };
}

const SEVERITY: readonly HandOver['kind'][] = ['rejected', 'unknown', 'retryable', 'throttled', 'unsent', 'accepted'];

/** The parts' outcome together: refused if one is refused, then unknown, then whatever keeps it from being whole. */
function worst(outcomes: readonly HandOver[]): HandOver {
  let found: HandOver = { kind: 'accepted' };
  for (const outcome of outcomes) {
    if (SEVERITY.indexOf(outcome.kind) < SEVERITY.indexOf(found.kind)) found = outcome;
  }
  return found;
}

/** A reference that differs between messages to the same destination: the random end of the key. */
function referenceOf(key: string): number {
  return Number.parseInt(key.slice(-4), 16);
}
