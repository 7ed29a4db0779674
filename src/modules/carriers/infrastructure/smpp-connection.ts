import type { Logger } from '../../../platform/tokens.js';
import type {
  CarrierConnection,
  CarrierReceipt,
  ConnectionHandlers,
  HandOver,
  Outgoing,
} from '../application/carrier-connection.js';
import { receiptCode, refusalCode } from '../domain/error-codes.js';
import { decodeAddress, encodeAddresses } from './smpp/address.js';
import { classifyStatus } from './smpp/error-classes.js';
import type { MessagePdu } from './smpp/pdu.js';
import { parseReceipt, type Receipt } from './smpp/receipt.js';
import { SmppClient, type SmppClientOptions, type SubmitOutcome } from './smpp/smpp-client.js';
import { encodeText } from './smpp/text.js';

const ENROUTE = new Set(['enroute', 'accepted', 'unknown']);

/** A carrier over SMPP. */
export class SmppConnection implements CarrierConnection {
  private readonly client: SmppClient;

  constructor(
    private readonly name: string,
    options: SmppClientOptions,
    private readonly handlers: ConnectionHandlers,
    private readonly logger: Logger,
  ) {
    this.client = new SmppClient(options, {
      onDeliver: (pdu) => this.deliver(pdu),
      onState: (state) => {
        if (state.error) this.logger.warn({ carrier: name, phase: state.phase }, `the bind is down: ${state.error}`);
        else this.logger.info({ carrier: name, phase: state.phase }, 'the bind has changed');
        handlers.onState();
      },
    });
  }

  get credit(): number {
    return this.client.credit;
  }

  get state() {
    return this.client.state;
  }

  start(): void {
    this.client.start();
  }

  stop(): Promise<void> {
    return this.client.stop();
  }

  async handOver(outgoing: Outgoing): Promise<HandOver> {
    const parts = encodeText({
      encoding: outgoing.encoding,
      parts: outgoing.parts,
      concatenation: 'udh',
      reference: referenceOf(outgoing.key),
    });
    const addresses = encodeAddresses(outgoing.from, outgoing.to);
    const submitted = parts.flatMap((part, index) =>
      outgoing.messageIds[index] === null
        ? [this.client.submit({ ...addresses, ...part }).then((outcome) => note(outgoing, index, outcome))]
        : [],
    );
    return worst(await Promise.all(submitted));
  }

  private async deliver(pdu: MessagePdu): Promise<void> {
    const receipt = parseReceipt(pdu);
    if (!receipt) {
      this.logger.warn({ carrier: this.name }, 'an inbound message was refused: inbound traffic is not routed yet');
      throw new Error('inbound messages are not taken');
    }
    await this.handlers.onReceipt(toCarrierReceipt(this.name, pdu, receipt));
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
