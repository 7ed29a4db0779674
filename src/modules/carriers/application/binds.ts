import type { Logger } from '../../../platform/tokens.js';
import { newId, parseSid } from '../../../shared/sid.js';
import type { Submission, SubmitResult } from '../contract/carriers.api.js';
import type { BreakerState } from '../domain/breaker.js';
import { UNKNOWN_ERROR } from '../domain/error-codes.js';
import type { RouteTable } from '../domain/route-table.js';
import type { HeldLease } from '../infrastructure/binds-lease.repository.js';
import type { CarrierDefinition, CarrierDirectory } from '../infrastructure/carrier-directory.js';
import type { Intended, SubmissionsRepository } from '../infrastructure/submissions.repository.js';
import type { CarrierConnection, ConnectionHandlers, Outgoing } from './carrier-connection.js';
import { CarrierLink, type LinkHandlers } from './carrier-link.js';
import { OpenIntents } from './open-intents.js';
import { OutcomeRecorder } from './outcome-recorder.js';

/** Makes the technical way to a carrier from its definition. */
export abstract class Connections {
  abstract open(carrier: CarrierDefinition, handlers: ConnectionHandlers): CarrierConnection;
  abstract readonly responseTimeoutMs: number;
}

export interface BindsHandlers {
  onRoom(): void;
  onBreaker(carrier: string, state: BreakerState): void;
  /** Another worker has the lease: this term is over. */
  onLost(): void;
}

export interface LinkStatus {
  readonly phase: 'connecting' | 'bound' | 'down';
  readonly error: string | null;
  readonly breaker: BreakerState;
  readonly queued: number;
  readonly inFlight: number;
  readonly counters: CarrierLink['counters'];
}

const RECOVERY_BATCH = 50;

/**
 * One term of one worker as the owner of the binds: every carrier's link, the keys under way, and what is written of
 * them. A term begins by settling what earlier owners left open, and ends for good when the lease is lost.
 */
export class Binds {
  private links = new Map<string, { link: CarrierLink; version: number }>();
  private readonly intents = new OpenIntents();
  private readonly recorder: OutcomeRecorder;
  private routes: RouteTable | null = null;
  private over = false;

  constructor(
    readonly lease: HeldLease,
    private readonly repository: SubmissionsRepository,
    private readonly directory: CarrierDirectory,
    private readonly connections: Connections,
    private readonly handlers: BindsHandlers,
    /** Whether the lease still holds, by this process's own clock. */
    private readonly mayLead: () => boolean,
    private readonly logger: Logger,
  ) {
    this.recorder = new OutcomeRecorder(lease, repository, this.intents, logger, () => handlers.onLost());
  }

  async start(): Promise<void> {
    await this.recorder.start();
    await this.recover();
    await this.refresh();
  }

  /** Opens, closes and reopens links as carriers were added, changed or removed. */
  async refresh(): Promise<void> {
    const [carriers, routes] = await Promise.all([this.directory.carriers(), this.directory.routes()]);
    if (this.over) return;
    this.routes = routes;
    for (const [name, entry] of this.links) {
      const carrier = carriers.get(name);
      if (carrier && carrier.state === 'active' && carrier.version === entry.version) continue;
      this.links.delete(name);
      void entry.link.stop();
    }
    for (const carrier of carriers.values()) {
      if (carrier.state === 'active' && !this.links.has(carrier.name)) this.open(carrier);
    }
    this.handlers.onRoom();
  }

  /** How many more submissions each queue can take: on its own carrier, or on one that stands in for it. */
  capacity(): Record<string, number> {
    const capacity: Record<string, number> = {};
    if (this.over || !this.mayLead()) return capacity;
    for (const [name, { link }] of this.links) {
      capacity[name] = link.room > 0 ? link.room : this.standInRoom(name);
    }
    return capacity;
  }

  /** Takes submissions: their keys are durable before the first byte leaves. @throws BindsLost */
  async submit(items: readonly Submission[]): Promise<SubmitResult[]> {
    const results: SubmitResult[] = items.map(() => 'busy');
    const chosen: Outgoing[] = [];
    const promised = new Map<string, number>();
    const intentId = newId();
    items.forEach((item, index) => {
      const key = parseSid('SM', item.key)!;
      if (this.intents.has(key)) {
        results[index] = 'taken';
        return;
      }
      const outgoing = this.choose(item, key, intentId, promised);
      if (!outgoing) return;
      results[index] = 'taken';
      chosen.push(outgoing);
    });
    if (chosen.length > 0) await this.take(intentId, chosen);
    return results;
  }

  /** Whether a key is under way here. */
  has(key: string): boolean {
    return this.intents.has(key);
  }

  status(): Map<string, LinkStatus> {
    return new Map(
      [...this.links].map(([name, { link }]) => [
        name,
        { ...link.connection.state, breaker: link.breakerState, ...link.load, counters: link.counters },
      ]),
    );
  }

  get load(): { underWay: number; orphaned: number } {
    return { underWay: this.intents.size, orphaned: this.recorder.orphaned };
  }

  /** Ends the term in good order: nothing new, answers waited for (bounded), everything written. */
  async stop(): Promise<void> {
    await Promise.all([...this.links.values()].map(({ link }) => link.stop()));
    await this.recorder.drain();
    this.over = true;
  }

  /** Ends the term at once: another worker leads. */
  abandon(): void {
    this.over = true;
    for (const { link } of this.links.values()) void link.stop();
    this.links = new Map();
  }

  private standInRoom(name: string): number {
    let room = 0;
    for (const standIn of this.routes?.standIns(name) ?? [])
      room = Math.max(room, this.links.get(standIn)?.link.room ?? 0);
    return room;
  }

  private choose(item: Submission, key: string, intentId: string, promised: Map<string, number>): Outgoing | null {
    const candidates = this.routes?.carriers(item.to, drawOf(key)) ?? [];
    // The queue's carrier first: it was chosen when the message was accepted.
    const ordered = candidates.includes(item.queue)
      ? [item.queue, ...candidates.filter((name) => name !== item.queue)]
      : candidates;
    const carrier = ordered.find((name) => (this.links.get(name)?.link.room ?? 0) > (promised.get(name) ?? 0));
    if (!carrier) return null;
    promised.set(carrier, (promised.get(carrier) ?? 0) + 1);
    return {
      key,
      accountId: parseSid('AC', item.accountSid)!,
      intentId,
      from: item.from,
      to: item.to,
      encoding: item.encoding,
      parts: item.parts,
      retryUnknown: item.unknownOutcome === 'retry',
      validUntilMs: Date.parse(item.validUntil),
      candidates: ordered,
      carrier,
      attempts: 0,
      exhausted: new Set(),
      messageIds: item.parts.map(() => null),
    };
  }

  private async take(intentId: string, chosen: readonly Outgoing[]): Promise<void> {
    const items = chosen.map(intended);
    this.intents.add(intentId, items);
    let fresh: Set<string>;
    try {
      fresh = await this.repository.intend(this.lease, intentId, items);
    } catch (error) {
      // Whether the intent was written is unknown, but nothing of it has left: the keys are free again, and an intent
      // that was written is overwritten by being given back.
      for (const item of items) this.recorder.returned(intentId, item, 'the hand-over could not be recorded');
      throw error;
    }
    const known = chosen.filter((outgoing) => !fresh.has(outgoing.key));
    this.intents.settle(known.map((outgoing) => outgoing.key));
    for (const outgoing of chosen) {
      if (!fresh.has(outgoing.key)) continue;
      const link = this.links.get(outgoing.carrier)?.link;
      if (link) link.offer(outgoing);
      else this.handBack(outgoing, 'the carrier was removed');
    }
  }

  private open(carrier: CarrierDefinition): void {
    const box: { link?: CarrierLink } = {};
    const connection = this.connections.open(carrier, {
      onReceipt: (receipt) => this.recorder.receipt(receipt),
      onState: () => box.link?.onState(),
    });
    const link = new CarrierLink(
      {
        name: carrier.name,
        windowSize: carrier.windowSize,
        tps: carrier.tps,
        responseTimeoutMs: this.connections.responseTimeoutMs,
      },
      connection,
      this.linkHandlers(),
      this.mayLead,
    );
    box.link = link;
    this.links.set(carrier.name, { link, version: carrier.version });
    link.start();
  }

  private linkHandlers(): LinkHandlers {
    const record = (outgoing: Outgoing, outcome: 'accepted' | 'rejected' | 'unknown', errorCode: number | null) =>
      this.recorder.answered(outgoing.intentId, {
        ...intended(outgoing),
        outcome,
        errorCode,
        messageIds: outcome === 'accepted' ? outgoing.messageIds.map((id) => id ?? '') : [],
      });
    return {
      onAccepted: (outgoing) => record(outgoing, 'accepted', null),
      onRejected: (outgoing, errorCode) => record(outgoing, 'rejected', errorCode),
      onUnknown: (outgoing) => record(outgoing, 'unknown', UNKNOWN_ERROR),
      onHandBack: (outgoing, reason) => this.handBack(outgoing, reason),
      onRoom: () => this.handlers.onRoom(),
      onBreaker: (name, state) => this.handlers.onBreaker(name, state),
    };
  }

  /** A submission that its carrier has not got: the next one takes it, or it goes back to who submitted it. */
  private handBack(outgoing: Outgoing, reason: string): void {
    if (this.over) return;
    const left = outgoing.candidates.filter((name) => !outgoing.exhausted.has(name));
    if (left.length === 0) {
      this.linkHandlers().onRejected(outgoing, UNKNOWN_ERROR);
      return;
    }
    const next = left.find((name) => name !== outgoing.carrier && (this.links.get(name)?.link.room ?? 0) > 0);
    if (next) this.links.get(next)!.link.offer(outgoing);
    else this.recorder.returned(outgoing.intentId, intended(outgoing), reason);
  }

  /** Settles what earlier owners left open: nobody can tell any more whether the carrier has it. */
  private async recover(): Promise<void> {
    for (;;) {
      const left = await this.repository.leftIntents(this.lease, RECOVERY_BATCH);
      if (left.length === 0) return;
      let unknown = 0;
      for (const intent of left) {
        if (intent.items.length === 0) {
          await this.repository.record(this.lease, { ...NOTHING, closedIntents: [intent.id] });
          continue;
        }
        this.intents.add(intent.id, intent.items);
        for (const item of intent.items) {
          unknown++;
          if (item.retryUnknown) this.recorder.returned(intent.id, item, 'the worker that had it is gone');
          else
            this.recorder.answered(intent.id, {
              ...item,
              outcome: 'unknown',
              errorCode: UNKNOWN_ERROR,
              messageIds: [],
            });
        }
      }
      await this.recorder.drain();
      this.logger.warn({ submissions: unknown }, 'submissions of an earlier worker have an unknown outcome');
      if (this.over) return;
    }
  }
}

const NOTHING = {
  answered: [],
  events: [],
  closedIntents: [],
  replacedIntents: [],
  matchedOrphans: [],
  newOrphans: [],
} as const;

function intended(outgoing: Outgoing): Intended {
  return {
    key: outgoing.key,
    accountId: outgoing.accountId,
    carrier: outgoing.carrier,
    destination: outgoing.to,
    retryUnknown: outgoing.retryUnknown,
    segments: outgoing.parts.length,
  };
}

/** A draw from 0 to below 1 from the random end of the key: the same for the same message. */
function drawOf(key: string): number {
  return Number.parseInt(key.slice(-8), 16) / 2 ** 32;
}
