/** A carrier that does as little as a carrier can: answers in the same turn, reports delivery, counts. */
import { createServer, type Socket } from 'node:net';
import { DEFAULT_MAX_PDU_OCTETS } from '../../src/modules/carriers/infrastructure/smpp/framer.js';
import { CommandId, decodePdu, type MessagePdu } from '../../src/modules/carriers/infrastructure/smpp/pdu.js';
import { PduStream } from '../../src/modules/carriers/infrastructure/smpp/pdu-stream.js';
import { formatReceipt } from '../../src/modules/carriers/infrastructure/smpp/receipt.js';
import { NO_TLVS } from '../../src/modules/carriers/infrastructure/smpp/tlv.js';
import { nowMs } from '../lib/clock.js';
import { serve, tell } from '../lib/program.js';
import type { ReceiptLeft, Sighting, SmscMethods, SmscOptions } from '../lib/smsc.js';

/** Receipts that wait for their confirmation; a client takes no more at a time. */
const RECEIPT_WINDOW = 500;
const DUE_CHECK_MS = 5;
const COMMAND_AT = 4;
const SEQUENCE_AT = 12;

interface Owed {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly dueMs: number;
}

let options: SmscOptions = { receiptDelayMs: 0 };
let held = false;
let watched: string | null = null;
let submitted: Sighting[] = [];
let reported: Sighting[] = [];
const counts = { submitted: 0, receipts: 0, confirmed: 0 };
const links = new Set<Link>();
const owed: Owed[] = [];
let owedAt = 0;

/** One bound connection. */
class Link {
  mayReceive = false;
  private readonly outstanding = new Map<number, Owed>();
  private sequence = 0;
  private readonly stream: PduStream;

  constructor(socket: Socket) {
    this.stream = new PduStream(socket, DEFAULT_MAX_PDU_OCTETS, {
      canTake: () => true,
      onFrame: (frame) => this.onFrame(frame),
      onFramingError: () => this.stream.destroy(),
      onEnd: () => {
        this.end();
        socket.destroy();
      },
    });
  }

  /** Sends receipts that are due, as many as the window has room for. */
  report(): void {
    const now = nowMs();
    while (this.mayReceive && !held && this.outstanding.size < RECEIPT_WINDOW && owedAt < owed.length) {
      const next = owed[owedAt]!;
      if (next.dueMs > now) return;
      owedAt += 1;
      this.sendReceipt(next, now);
    }
    if (owedAt > 10_000 && owedAt * 2 > owed.length) {
      owed.splice(0, owedAt);
      owedAt = 0;
    }
  }

  /** What was not confirmed is reported again, as a carrier does it. */
  private end(): void {
    links.delete(this);
    owed.push(...this.outstanding.values());
    this.outstanding.clear();
  }

  private onFrame(frame: Buffer): void {
    const command = frame.readUInt32BE(COMMAND_AT);
    const sequence = frame.readUInt32BE(SEQUENCE_AT);
    if (command === CommandId.deliver_sm_resp) {
      if (this.outstanding.delete(sequence)) counts.confirmed += 1;
      this.report();
      return;
    }
    if (command === CommandId.enquire_link) {
      this.stream.send({ command: 'enquire_link_resp' }, sequence, 0);
      return;
    }
    const pdu = decodePdu(frame);
    if (pdu.command === 'submit_sm') {
      this.onSubmit(pdu);
    } else if (pdu.command === 'unbind') {
      this.stream.send({ command: 'unbind_resp' }, sequence, 0);
      this.stream.end();
      this.end();
    } else if ('systemId' in pdu && 'password' in pdu) {
      this.stream.send({ command: `${pdu.command}_resp`, systemId: 'bench', tlvs: NO_TLVS }, sequence, 0);
      this.mayReceive = pdu.command !== 'bind_transmitter';
    }
  }

  private onSubmit(pdu: MessagePdu): void {
    counts.submitted += 1;
    const id = counts.submitted.toString(16);
    this.stream.send({ command: 'submit_sm_resp', messageId: id }, pdu.sequenceNumber, 0);
    const { destinationAddress: to, sourceAddress: from } = pdu;
    if (watched !== null && isWatched(to)) submitted.push({ to, atMs: nowMs() });
    if (options.receiptDelayMs === null) return;
    owed.push({ id, from, to, dueMs: nowMs() + options.receiptDelayMs });
    if (options.receiptDelayMs === 0) reportAll();
  }

  private sendReceipt(receipt: Owed, now: number): void {
    const { id, from, to } = receipt;
    this.sequence = (this.sequence % 0x7fffffff) + 1;
    this.outstanding.set(this.sequence, receipt);
    counts.receipts += 1;
    const at = new Date();
    const report = { messageId: id, state: 'delivered', error: '000', submittedAt: at, doneAt: at } as const;
    this.stream.send(
      { ...RECEIPT, ...formatReceipt(report), sourceAddress: to, destinationAddress: from },
      this.sequence,
      0,
    );
    if (watched === null || !isWatched(to)) return;
    const sighting = { to, atMs: now };
    reported.push(sighting);
    tell({ reported: sighting } satisfies ReceiptLeft);
  }
}

const RECEIPT = {
  command: 'deliver_sm',
  serviceType: '',
  sourceTon: 1,
  sourceNpi: 1,
  destinationTon: 1,
  destinationNpi: 1,
  protocolId: 0,
  priorityFlag: 0,
  scheduleDeliveryTime: '',
  validityPeriod: '',
  registeredDelivery: 0,
  replaceIfPresent: 0,
  dataCoding: 0,
  defaultMessageId: 0,
} as const;

function isWatched(to: string): boolean {
  return to.startsWith(watched!) || `+${to}`.startsWith(watched!);
}

function reportAll(): void {
  for (const link of links) link.report();
}

const methods: SmscMethods = {
  listen: (given) => {
    options = given;
    const server = createServer((socket) => links.add(new Link(socket)));
    if (given.receiptDelayMs !== null) setInterval(reportAll, DUE_CHECK_MS);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
  },
  hold: (hold) => {
    held = hold;
    reportAll();
  },
  watch: (prefix) => {
    watched = prefix;
    submitted = [];
    reported = [];
  },
  sightings: () => ({ submitted, reported }),
  counts: () => {
    const { user, system } = process.cpuUsage();
    return { ...counts, cpuMicros: user + system };
  },
};
serve(methods);
