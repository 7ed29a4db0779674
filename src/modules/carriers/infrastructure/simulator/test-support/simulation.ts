import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeAddresses } from '../../smpp/address.js';
import { parseReceipt, type Receipt } from '../../smpp/receipt.js';
import type { SmppClientOptions, SubmitFields, SubmitOutcome } from '../../smpp/smpp-client.js';
import { ObservedClient } from '../../smpp/test-support/test-smsc.js';
import { encodeText } from '../../smpp/text.js';
import { SimulatedSmsc, type SimulatedSmscOptions } from '../simulated-smsc.js';

/** The fields of a short text to a number. */
export function textTo(destination: string, text = 'hello'): SubmitFields {
  const [part] = encodeText({ encoding: 'GSM-7', parts: [text], concatenation: 'udh', reference: 0 });
  return { ...encodeAddresses('+15005550006', destination), ...part! };
}

/** A simulated carrier with its record in a directory of its own, and clients that are stopped with it. */
export class Simulation {
  private readonly clients: ObservedClient[] = [];
  private current: SimulatedSmsc | null = null;

  constructor(readonly directory = mkdtempSync(path.join(tmpdir(), 'simulator-'))) {}

  get smsc(): SimulatedSmsc {
    if (this.current === null) throw new Error('the carrier is not running');
    return this.current;
  }

  async start(options: Partial<SimulatedSmscOptions> = {}): Promise<SimulatedSmsc> {
    this.current = await SimulatedSmsc.start({ name: 'sim', dir: this.directory, password: 'secret', ...options });
    return this.current;
  }

  async stopCarrier(): Promise<void> {
    await this.current?.stop();
    this.current = null;
  }

  /** A client that is bound, unless the test starts it. */
  client(options: Partial<SmppClientOptions> = {}, onDeliver?: () => Promise<void>): ObservedClient {
    const client = new ObservedClient(this.smsc.port, { systemId: 'sim', ...options }, onDeliver);
    this.clients.push(client);
    return client;
  }

  bound(options: Partial<SmppClientOptions> = {}, onDeliver?: () => Promise<void>): Promise<ObservedClient> {
    return this.client(options, onDeliver).bound();
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.map(({ client }) => client.stop()));
    await this.stopCarrier();
    rmSync(this.directory, { recursive: true });
  }
}

export function receiptsOf(client: ObservedClient): Receipt[] {
  return client.delivered.map((pdu) => parseReceipt(pdu)!);
}

/** The id that the carrier gave a submission. */
export function idOf(outcome: SubmitOutcome): string {
  if (outcome.kind !== 'answered' || outcome.commandStatus !== 0)
    throw new Error(`not taken: ${JSON.stringify(outcome)}`);
  return outcome.messageId;
}
