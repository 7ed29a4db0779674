import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Logger } from '../../../platform/tokens.js';
import type { EventData, StoredEvent } from '../../../shared/define-event.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { CapacitySignal, CarriersApi, type Submission } from '../../carriers/contract/carriers.api.js';
import type { submissionReturned } from '../../carriers/contract/carriers.events.js';
import type { messageAccepted, messageQueued } from '../contract/messaging.events.js';
import { FairQueue } from '../domain/fair-queue.js';
import { LANE_TURNS, type Lane } from '../domain/lane.js';
import { segmentText } from '../domain/segments.js';
import { StrandedMessages } from '../domain/stranded-messages.js';
import { TakenMessages } from '../domain/taken-messages.js';
import { DispatchRepository, type Sendable } from '../infrastructure/dispatch.repository.js';
import { EndingsRepository } from '../infrastructure/endings.repository.js';

const MAX_BATCH = 200;
const MAX_PLACES = 100_000;
/** At most how many tenants, and about how many of their messages, are read between two batches. */
const REFILL_PLACES = 64;
const REFILL_MESSAGES = 4_000;
const IDLE_MS = 200;
const RESCAN_MS = 30_000;
/** After something was given back, the table is read again, once for all that came back meanwhile. */
const RETURNED_SCAN_MS = 500;
/** Longer than any answer takes: then the message is offered again; the carriers know their keys. */
const FORGET_TAKEN_MS = 120_000;

interface Picked {
  readonly lane: Lane;
  readonly accountId: string;
  readonly id: string;
}

/**
 * Hands waiting messages to the carriers, as many as these say they can take: lanes by weight, tenants in turn. It
 * follows the binds: only the process whose carriers report capacity has anything to hand over. What it holds is a
 * bounded view of the table, fed by the logs and refilled from the table; losing it costs a scan.
 */
@Injectable()
export class Dispatcher {
  private queues = new Map<string, FairQueue>();
  private readonly taken = new TakenMessages();
  private readonly stranded = new StrandedMessages();
  private readonly wakeup = new Wakeup();
  private stopping = false;
  private scanned = false;
  private nextScanAtMs = 0;
  private running: Promise<void> | null = null;

  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    @Inject(CapacitySignal) private readonly signal: CapacitySignal,
    private readonly repository: DispatchRepository,
    private readonly endings: EndingsRepository,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** How many messages are held here, and how many are with the carriers. */
  get load(): { waiting: number; taken: number } {
    let waiting = 0;
    for (const queue of this.queues.values()) waiting += queue.size;
    return { waiting, taken: this.taken.size };
  }

  start(): void {
    const off = this.signal.onRoom(() => this.wakeup.wake());
    this.running = this.loop().finally(off);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  /** A message was accepted, or its time has come, here or elsewhere. */
  onAccepted(event: StoredEvent): void {
    if (!this.scanned) return;
    const data = event.data as EventData<typeof messageAccepted | typeof messageQueued>;
    this.queue(data.queue).push(data.lane, event.tenantId!, event.streamId);
    this.wakeup.wake();
  }

  /** A message was answered, expired or canceled: it is with nobody any more. */
  onResolved(event: StoredEvent): void {
    this.taken.delete(event.streamId);
    this.stranded.delete(event.streamId);
  }

  /** A carrier gave a message back: it waits again. */
  onReturned(event: StoredEvent): void {
    const id = parseSid('SM', (event.data as EventData<typeof submissionReturned>).key)!;
    this.taken.delete(id);
    this.lookSoon();
  }

  /** Something waits again that is not in the view: the table is read before its time. */
  lookSoon(): void {
    this.nextScanAtMs = Math.min(this.nextScanAtMs, Date.now() + RETURNED_SCAN_MS);
  }

  /**
   * The view may have holes: start over from the table. What is with the carriers is offered again, which they know; what
   * they gave back unheard would wait for long otherwise.
   */
  reset(): void {
    this.queues = new Map();
    this.taken.clear();
    this.stranded.clear();
    this.scanned = false;
    this.nextScanAtMs = 0;
    this.wakeup.wake();
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        if (!(await this.step())) await this.wakeup.wait(IDLE_MS);
      } catch (error) {
        this.logger.warn({ err: error }, 'dispatch waits for what it depends on');
        this.reset();
        await this.wakeup.pause(IDLE_MS, () => this.stopping);
      }
    }
  }

  /** Hands over one batch for each queue that has room; false when there was nothing to hand over. */
  private async step(): Promise<boolean> {
    const capacity = await this.carriers.capacity();
    const open = Object.entries(capacity).filter(([, room]) => room > 0);
    if (open.length === 0) {
      if (Object.keys(capacity).length === 0 && this.scanned) this.reset();
      return false;
    }
    if (Date.now() >= this.nextScanAtMs) await this.scan();
    for (const { queue, lane, accountId, id } of this.stranded.due(Date.now())) {
      this.queue(queue).unshift(lane, accountId, id);
    }
    let handed = 0;
    for (const [name, room] of open) {
      const queue = this.queues.get(name);
      if (!queue) continue;
      await this.refill(queue);
      handed += await this.handOver(queue, Math.min(room, MAX_BATCH));
    }
    return handed > 0;
  }

  private async scan(): Promise<void> {
    this.nextScanAtMs = Date.now() + RESCAN_MS;
    this.scanned = true;
    for (const place of await this.repository.places(MAX_PLACES)) {
      this.queue(place.queue).markBehind(place.lane, place.accountId);
    }
    this.taken.forgetBefore(Date.now() - FORGET_TAKEN_MS);
  }

  private async refill(queue: FairQueue): Promise<void> {
    const places = queue.hungry(REFILL_PLACES);
    if (places.length === 0) return;
    const page = Math.min(queue.share, Math.ceil(REFILL_MESSAGES / places.length));
    // What is with the carriers, or aside, still waits in the table, before what is new: read past it.
    const limits = places.map(
      ({ accountId }) => page + this.taken.countOf(accountId) + this.stranded.countOf(accountId),
    );
    const pages = await this.repository.waiting(places, limits);
    places.forEach((place, index) => {
      const ids = pages[index]!;
      const free = ids.filter((id) => !this.isHeld(id));
      queue.refill(place, free.slice(0, page), ids.length < limits[index]! && free.length <= page);
    });
  }

  private async handOver(queue: FairQueue, room: number): Promise<number> {
    const picked: Picked[] = [];
    const seen = new Set<string>();
    while (picked.length < room) {
      const next = queue.next();
      if (!next) break;
      if (this.isHeld(next.id) || seen.has(next.id)) continue;
      seen.add(next.id);
      picked.push(next);
    }
    if (picked.length === 0) return 0;
    const sendable = await this.repository.sendable(picked);
    const ready = picked.filter((item) => sendable.get(item.id)?.isOptedOut === false);
    for (const item of picked) if (!sendable.has(item.id)) this.stranded.delete(item.id);
    const unwanted = picked.filter((item) => sendable.get(item.id)?.isOptedOut);
    if (unwanted.length > 0) await this.leave(unwanted);
    if (ready.length === 0) return picked.length;
    for (const item of ready) this.taken.add(item.id, item.accountId, Date.now());
    const results = await this.carriers.submit(ready.map((item) => toSubmission(sendable.get(item.id)!)));
    let gone = 0;
    // Backwards, so that what comes back stands in its old order.
    for (let index = ready.length - 1; index >= 0; index--) {
      if (results[index] === 'taken') {
        this.stranded.delete(ready[index]!.id);
        gone++;
        continue;
      }
      const item = ready[index]!;
      this.taken.delete(item.id);
      if (results[index] === 'stranded' && this.stranded.hasRoomFor(item.id)) {
        this.stranded.add({ queue: queue.name, ...item }, Date.now());
        gone++;
      } else {
        queue.unshift(item.lane, item.accountId, item.id);
      }
    }
    return gone;
  }

  /**
   * Their recipients have opted out. They are noted for their end, which is the sweep's work, and not offered again until
   * that is heard of: the hand-over of the others does not wait for it.
   */
  private async leave(unwanted: readonly Picked[]): Promise<void> {
    await this.endings.note(unwanted.map(({ accountId, id }) => ({ accountId, id, reason: 'opted_out' })));
    for (const { id, accountId } of unwanted) {
      this.stranded.delete(id);
      this.taken.add(id, accountId, Date.now());
    }
  }

  /** Whether a message is with the carriers, or aside. */
  private isHeld(id: string): boolean {
    return this.taken.has(id) || this.stranded.has(id);
  }

  private queue(name: string): FairQueue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new FairQueue(name);
      this.queues.set(name, queue);
    }
    return queue;
  }
}

function toSubmission(message: Sendable): Submission {
  const { encoding, parts } = segmentText(message.body);
  return {
    key: sidOf('SM', message.id),
    accountSid: sidOf('AC', message.accountId),
    queue: message.queue,
    from: message.from,
    to: message.to,
    encoding,
    parts,
    weight: LANE_TURNS[message.lane],
    unknownOutcome: message.retryUnknown ? 'retry' : 'fail',
    validUntil: message.validUntil.toISOString(),
    traceparent: message.traceparent,
    hops: message.hops,
  };
}
