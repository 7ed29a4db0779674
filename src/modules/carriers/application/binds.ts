import type { Logger } from '../../../platform/tokens.js';
import { newId } from '../../../shared/sid.js';
import type { Submission, SubmitResult } from '../contract/carriers.api.js';
import type { BreakerState } from '../domain/breaker.js';
import type { CarrierReceipt, Connections, Outgoing } from '../domain/carrier-connection.js';
import { UNKNOWN_ERROR } from '../domain/error-codes.js';
import type { CarrierStatus } from '../domain/link-status.js';
import type { RouteTable } from '../domain/route-table.js';
import { BindsLost, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import type { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import type { InboundRepository } from '../infrastructure/inbound.repository.js';
import type { IntentsRepository } from '../infrastructure/intents.repository.js';
import type { OutcomesRepository } from '../infrastructure/outcomes.repository.js';
import type { CarrierLink, LinkHandlers } from './carrier-link.js';
import type { CountedInbound } from './carriers-metrics.js';
import { InboundRecorder } from './inbound-recorder.js';
import { Links } from './links.js';
import { OpenIntents } from './open-intents.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { intended, toOutgoing } from './outgoing.js';
import { settleLeftIntents } from './settle-left-intents.js';

export interface BindsHandlers {
  onRoom(): void;
  onBreaker(carrier: string, state: BreakerState): void;
  /** How a hand-over of a submission ended. */
  onOutcome(carrier: string, outcome: 'accepted' | 'rejected' | 'unknown' | 'returned'): void;
  /** What became of a message from a phone. */
  onInbound(carrier: string, what: CountedInbound): void;
  /** A carrier can be opened anew: refresh() does. */
  onClosed(): void;
  /** Another worker has the lease: this term is over. */
  onLost(): void;
}

export interface BindsParts {
  readonly intents: IntentsRepository;
  readonly outcomes: OutcomesRepository;
  readonly inbound: InboundRepository;
  readonly directory: CarrierDirectory;
  readonly connections: Connections;
  readonly logger: Logger;
}

/** Outcomes that wait to be written; above it, nothing more is taken. */
const MAX_BACKLOG = 10_000;

/**
 * One term of one worker as the owner of the binds: every carrier's link, the keys under way, and what is written of
 * them. A term begins by settling what earlier owners left open. It pauses while this worker cannot be sure of its
 * lease, and ends for good when another worker has it.
 */
export class Binds {
  private readonly links: Links;
  private readonly open = new OpenIntents();
  private readonly recorder: OutcomeRecorder;
  private readonly inbound: InboundRecorder;
  /** Hand-overs whose keys are being written. */
  private readonly taking = new Set<Promise<unknown>>();
  /** Room that is promised to them, by carrier. */
  private readonly promised = new Map<string, number>();
  private routes: RouteTable | null = null;
  private state: 'starting' | 'running' | 'paused' | 'over' = 'starting';

  constructor(
    readonly lease: HeldLease,
    private readonly parts: BindsParts,
    private readonly handlers: BindsHandlers,
    /** Whether the lease still holds, by this process's own clock. */
    private readonly mayLead: () => boolean,
  ) {
    this.recorder = new OutcomeRecorder(lease, parts.outcomes, this.open, parts.logger, () => handlers.onLost());
    this.inbound = new InboundRecorder(lease, parts.inbound, parts.logger, {
      onCounted: (carrier, what) => handlers.onInbound(carrier, what),
      onLost: () => handlers.onLost(),
    });
    this.links = new Links(parts.connections, parts.logger, {
      link: this.linkHandlers(),
      onReceipt: (receipt) => this.recorder.receipt(receipt),
      onInbound: (inbound) => this.inbound.take(inbound),
      onClosed: () => handlers.onClosed(),
      mayLead,
    });
  }

  async start(): Promise<void> {
    await this.recorder.start();
    await settleLeftIntents(this.lease, this.parts.intents, this.open, this.recorder, this.parts.logger);
    await this.refresh();
  }

  /** Opens, closes and reopens links as carriers were added or changed; goes on after a pause. */
  async refresh(): Promise<void> {
    const { directory } = this.parts;
    const [carriers, routes] = await Promise.all([directory.carriers(), directory.routes()]);
    if (this.state === 'over') return;
    this.routes = routes;
    this.links.follow(carriers);
    this.state = 'running';
    this.handlers.onRoom();
  }

  get isPaused(): boolean {
    return this.state === 'paused';
  }

  /** How many more submissions each queue can take: on its own carrier, or, while that takes none, on another. */
  capacity(): Record<string, number> {
    if (!this.isTaking) return {};
    return Object.fromEntries(this.links.names.map((name) => [name, this.roomFor(name)]));
  }

  /**
   * Takes submissions: their keys are durable before the first byte leaves. What cannot be made durable is `busy`.
   *
   * @throws Failure `invalid_parameter` where a key or an account is no SID; then nothing is taken
   */
  async submit(items: readonly Submission[]): Promise<SubmitResult[]> {
    const { routes } = this;
    if (!routes || !this.isTaking) return items.map(() => 'busy');
    const intentId = newId();
    const offered = items.map((item) => toOutgoing(item, intentId, routes));
    const taken = new Set(offered.flatMap(({ key }) => (this.open.has(key) ? key : [])));
    const chosen = new Map<string, Outgoing>();
    const stranded = new Set<string>();
    offered.forEach((outgoing, index) => {
      if (taken.has(outgoing.key) || chosen.has(outgoing.key)) return;
      if (this.choose(outgoing)) chosen.set(outgoing.key, outgoing);
      else if (this.roomFor(items[index]!.queue) > 0) stranded.add(outgoing.key);
    });
    if (chosen.size > 0 && (await this.take(intentId, [...chosen.values()]))) {
      for (const key of chosen.keys()) taken.add(key);
    }
    return offered.map(({ key }) => (taken.has(key) ? 'taken' : stranded.has(key) ? 'stranded' : 'busy'));
  }

  /** Takes a receipt that came beside the sessions. Resolves when it is durable. @throws BindsLost where the term is over */
  receipt(receipt: CarrierReceipt): Promise<void> {
    return this.recorder.receipt(receipt);
  }

  /** Each carrier as it stands; why, where it has no link. */
  status(): Map<string, CarrierStatus> {
    return this.links.status();
  }

  /** Called about once a second. */
  step(): void {
    this.inbound.step();
  }

  /** Closes the links, in good order, until refresh(): this worker may not be the owner any more. Facts are kept. */
  async pause(): Promise<void> {
    this.state = 'paused';
    await this.links.stop();
  }

  /** Ends the term in good order: nothing new, answers waited for (bounded), everything written if that can be. */
  async stop(timeoutMs: number): Promise<void> {
    this.state = 'paused';
    const end = setTimeout(() => this.close(), timeoutMs);
    await Promise.all([this.links.stop(), ...this.taking]);
    await Promise.all([this.recorder.drain(), this.inbound.drain()]);
    clearTimeout(end);
    this.abandon();
  }

  /** Ends the term at once: another worker leads, and settles what is left open. */
  abandon(): void {
    this.state = 'over';
    this.close();
    void this.links.stop();
  }

  private close(): void {
    this.recorder.close();
    this.inbound.close();
  }

  private get isTaking(): boolean {
    return this.state === 'running' && this.mayLead() && this.recorder.backlog < MAX_BACKLOG;
  }

  private roomFor(queue: string): number {
    const own = this.links.get(queue);
    if (own?.isUsable) return this.roomOn(own);
    // Without a route nothing tells who stands in: its messages have the routes of their destinations.
    const standIns = this.routes?.standIns(queue) ?? this.links.names;
    return Math.max(0, ...[...standIns].map((name) => this.roomOn(this.links.get(name))));
  }

  private roomOn(link: CarrierLink | undefined): number {
    return link ? Math.max(0, link.room - (this.promised.get(link.settings.name) ?? 0)) : 0;
  }

  /** The first carrier in line that works takes it, or it waits for that one: only a failure sends it elsewhere. */
  private choose(outgoing: Outgoing): boolean {
    const name = outgoing.candidates.find((candidate) => this.links.get(candidate)?.isUsable);
    if (name === undefined || this.roomOn(this.links.get(name)) === 0) return false;
    outgoing.carrier = name;
    this.promise(name, 1);
    return true;
  }

  private async take(intentId: string, items: readonly Outgoing[]): Promise<boolean> {
    this.open.add(intentId, items);
    const names = items.map(({ carrier }) => carrier);
    const taking = this.parts.intents
      .intend(this.lease, intentId, items.map(intended))
      .finally(() => {
        for (const name of names) this.promise(name, -1);
      })
      .then(
        (fresh) => this.handOut(intentId, items, fresh),
        (error: unknown) => this.takeBack(intentId, items, error),
      );
    this.taking.add(taking);
    return taking.finally(() => this.taking.delete(taking));
  }

  private promise(carrier: string, submissions: number): void {
    this.promised.set(carrier, (this.promised.get(carrier) ?? 0) + submissions);
  }

  private handOut(intentId: string, items: readonly Outgoing[], fresh: ReadonlySet<string>): true {
    const answered = items.filter((outgoing) => !fresh.has(outgoing.key));
    this.open.settle(answered.map(({ key }) => ({ intentId, key })));
    for (const outgoing of items) {
      if (!fresh.has(outgoing.key)) continue;
      const link = this.links.get(outgoing.carrier);
      if (link) link.offer(outgoing);
      else this.handBack(outgoing, 'the carrier is closed');
    }
    return true;
  }

  /** Nothing of it has left, but it may have been written all the same: then giving the keys back removes it. */
  private takeBack(intentId: string, items: readonly Outgoing[], error: unknown): false {
    this.parts.logger.warn({ err: error }, 'submissions could not be taken');
    for (const outgoing of items) this.recorder.returned(intentId, intended(outgoing), 'it could not be recorded');
    if (error instanceof BindsLost) this.handlers.onLost();
    return false;
  }

  private linkHandlers(): LinkHandlers {
    return {
      onAccepted: (outgoing) => this.record(outgoing, 'accepted', null),
      onRejected: (outgoing, errorCode) => this.record(outgoing, 'rejected', errorCode),
      onUnknown: (outgoing) => this.record(outgoing, 'unknown', UNKNOWN_ERROR),
      onHandBack: (outgoing, reason) => this.handBack(outgoing, reason),
      onRoom: () => this.handlers.onRoom(),
      onBreaker: (name, state) => this.handlers.onBreaker(name, state),
    };
  }

  private record(outgoing: Outgoing, outcome: 'accepted' | 'rejected' | 'unknown', errorCode: number | null): void {
    this.handlers.onOutcome(outgoing.carrier, outcome);
    const messageIds = outcome === 'accepted' ? outgoing.messageIds.map((id) => id ?? '') : [];
    // A carrier that took it in one piece reports on it once.
    const segments = outcome === 'accepted' ? messageIds.length : outgoing.parts.length;
    const { intentId, answerMs } = outgoing;
    const timing = answerMs === undefined ? {} : { answerMs };
    this.recorder.answered(intentId, { ...intended(outgoing), ...timing, segments, outcome, errorCode, messageIds });
  }

  /** A submission that its carrier has not got: the next one takes it, or it goes back to who submitted it. */
  private handBack(outgoing: Outgoing, reason: string): void {
    if (this.state === 'over') return;
    const left = outgoing.candidates.filter((name) => !outgoing.exhausted.has(name));
    if (left.length === 0) {
      this.record(outgoing, 'rejected', UNKNOWN_ERROR);
      return;
    }
    const next = left.find((name) => name !== outgoing.carrier && this.roomOn(this.links.get(name)) > 0);
    if (next !== undefined) {
      this.links.get(next)!.offer(outgoing);
      return;
    }
    this.handlers.onOutcome(outgoing.carrier, 'returned');
    this.recorder.returned(outgoing.intentId, intended(outgoing), reason);
  }
}
