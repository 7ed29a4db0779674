import type { Logger } from '../../../platform/tokens.js';
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
import { decodeAddress, encodeAddresses } from './smpp/address.js';
import { classifyStatus } from './smpp/error-classes.js';
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

/** A carrier over SMPP. */
export class SmppConnection implements CarrierConnection {
  private readonly client: SmppClient;
  private shownError: string | null = null;

  constructor(
    private readonly name: string,
    options: SmppClientOptions,
    private readonly handlers: ConnectionHandlers,
    private readonly logger: Logger,
  ) {
    this.client = new SmppClient(options, {
      onDeliver: (pdu) => this.deliver(pdu),
      onState: (state) => {
        this.logState(state);
        handlers.onState();
      },
    });
  }

  get credit(): number {
    return this.client.credit;
  }

  get state(): ConnectionState {
    return this.client.state;
  }

  start(): void {
    this.client.start();
  }

  stop(): Promise<void> {
    return this.client.stop();
  }

  /** See CarrierConnection. Segments that the window has no room for follow when those before them are answered. */
  async handOver(outgoing: Outgoing): Promise<HandOver> {
    const pdus = encode(outgoing);
    if (!pdus) return { kind: 'rejected', errorCode: UNKNOWN_ERROR };
    const left = pdus
      .map((fields, index) => ({ fields, index }))
      .filter(({ index }) => outgoing.messageIds[index] === null);
    let found: HandOver = { kind: 'accepted' };
    while (left.length > 0 && found.kind === 'accepted') {
      const round = left.splice(0, Math.max(1, this.client.credit));
      const outcomes = round.map(async ({ fields, index }) => note(outgoing, index, await this.client.submit(fields)));
      found = worst(await Promise.all(outcomes));
    }
    return found;
  }

  private async deliver(pdu: MessagePdu): Promise<void> {
    const receipt = parseReceipt(pdu);
    if (receipt) await this.handlers.onReceipt(toCarrierReceipt(this.name, pdu, receipt));
    else if ((pdu.esmClass & ESM_TYPE_MASK) === ESM_CLASS_RECEIPT)
      await this.handlers.onReceipt(toCarrierReceipt(this.name, pdu, NAMELESS));
    else await this.handlers.onInbound(this.toInbound(pdu));
  }

  private toInbound(pdu: MessagePdu): CarrierInbound {
    const { alphabet, octets, concatenation } = readPart(pdu);
    const session = this.client.sessionId ?? '';
    return {
      carrier: this.name,
      from: decodeAddress(pdu.sourceTon, pdu.sourceAddress),
      to: decodeAddress(pdu.destinationTon, pdu.destinationAddress),
      alphabet,
      octets,
      // What would be too long for a part is none.
      concatenation: octets.length > MAX_SHORT_MESSAGE_OCTETS ? null : concatenation,
      session,
      openSessions: [session],
    };
  }

  /** A carrier that stays away says so once; each attempt is for whoever looks closer. */
  private logState({ phase, error }: ConnectionState): void {
    if (phase === 'bound') this.logger.info({ carrier: this.name }, 'bound to the carrier');
    else if (error !== null && error !== this.shownError) {
      this.logger.info({ carrier: this.name }, `not bound to the carrier: ${error}`);
    } else this.logger.debug({ carrier: this.name, phase }, 'the bind has changed');
    this.shownError = error;
  }
}

/** A receipt that does not say which message it is about. */
const NAMELESS: Receipt = { messageId: '', state: 'unknown', error: null, submitDate: null, doneDate: null };

/** The submit_sm of each segment; null where SMPP cannot carry the message. */
function encode(outgoing: Outgoing): SubmitFields[] | null {
  const addresses = encodeAddresses(outgoing.from, outgoing.to);
  if (!ADDRESS.test(addresses.sourceAddress) || !ADDRESS.test(addresses.destinationAddress)) return null;
  const { encoding, parts, key } = outgoing;
  try {
    const encoded = encodeText({ encoding, parts, concatenation: 'udh', reference: referenceOf(key) });
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

function note(outgoing: Outgoing, index: number, outcome: SubmitOutcome): HandOver {
  if (outcome.kind === 'unsent') return { kind: 'unsent' };
  if (outcome.kind === 'unknown') return { kind: 'unknown', reason: outcome.reason };
  const kind = classifyStatus(outcome.commandStatus);
  if (kind === 'ok') {
    outgoing.messageIds[index] = outcome.messageId;
    return { kind: 'accepted' };
  }
  if (kind === 'throttled' || kind === 'retryable') return { kind };
  return { kind: 'rejected', errorCode: refusalCode(outcome.commandStatus) };
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
