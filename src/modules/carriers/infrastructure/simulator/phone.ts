import { encodeAddresses } from '../smpp/address.js';
import { describeStatus } from '../smpp/command-status.js';
import type { RequestOutcome } from '../smpp/outstanding.js';
import type { MessageBody } from '../smpp/pdu.js';
import { encodeText } from '../smpp/text.js';
import type { InboundRequest, SentInbound } from './simulated-carrier.js';
import { splitText } from './split-text.js';

const REFERENCES = 0x100;

/** A message from a phone could not be handed over. */
export class NotHandedOver extends Error {}

/** Whoever writes to the numbers of a simulated carrier's client: real deliver_sm, in as many parts as it takes. */
export class Phone {
  private reference: number;

  constructor(
    private readonly send: (body: MessageBody) => Promise<RequestOutcome>,
    random: () => number,
  ) {
    this.reference = Math.floor(random() * REFERENCES);
  }

  /**
   * Resolves when the client has confirmed every part.
   *
   * @throws NotHandedOver where nobody is bound to receive, or a part was not confirmed
   */
  async write({ from, to, text, concatenation }: InboundRequest): Promise<SentInbound> {
    const { encoding, parts } = splitText(text);
    this.reference = (this.reference + 1) % REFERENCES;
    const addresses = encodeAddresses(from, to);
    const pdus = encodeText({ encoding, parts, concatenation, reference: this.reference });
    const outcomes = await Promise.all(pdus.map((pdu) => this.send({ ...BLANK, ...addresses, ...pdu })));
    for (const outcome of outcomes) check(outcome);
    return { encoding, parts: pdus.length };
  }
}

const BLANK = {
  command: 'deliver_sm',
  serviceType: '',
  protocolId: 0,
  priorityFlag: 0,
  scheduleDeliveryTime: '',
  validityPeriod: '',
  registeredDelivery: 0,
  replaceIfPresent: 0,
  defaultMessageId: 0,
} as const satisfies Partial<MessageBody>;

function check(outcome: RequestOutcome): void {
  if (outcome.kind === 'unsent') throw new NotHandedOver(outcome.reason);
  if (outcome.kind === 'unknown') throw new NotHandedOver(`the answer of the client is lost: ${outcome.reason}`);
  if (outcome.commandStatus !== 0) {
    throw new NotHandedOver(`the client refused it: ${describeStatus(outcome.commandStatus)}`);
  }
}
