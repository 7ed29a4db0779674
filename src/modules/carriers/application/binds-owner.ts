import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Logger } from '../../../platform/tokens.js';
import { newId } from '../../../shared/sid.js';
import { CapacitySignal } from '../contract/carriers.api.js';
import { breakerChanged } from '../contract/carriers.events.js';
import type { BreakerState } from '../domain/breaker.js';
import { Connections } from '../domain/carrier-connection.js';
import { BindsLeaseRepository, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import { CarriersDatabase, CarriersLog } from '../infrastructure/carriers.storage.js';
import { InboundRepository } from '../infrastructure/inbound.repository.js';
import { IntentsRepository } from '../infrastructure/intents.repository.js';
import { OutcomesRepository } from '../infrastructure/outcomes.repository.js';
import { Binds, type BindsHandlers, type BindsParts } from './binds.js';
import { CarriersMetrics } from './carriers-metrics.js';
import { ForgetOrphans } from './forget-orphans.js';
import { ReportStatus } from './report-status.js';

/** How long a lease lasts, and what is done how often. */
const TIMING = {
  leaseMs: 5_000,
  renewMs: 1_500,
  /** This much before the lease ends by our own clocks, nothing more is sent. */
  marginMs: 500,
  lookMs: 1_000,
  /** Longer than links take to drain; what cannot be written by then is left to the next owner. */
  stopMs: 10_000,
};

interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** One term as its owner sees it. */
interface Term {
  readonly lease: HeldLease;
  readonly binds: Binds;
  readonly renewal: NodeJS.Timeout;
}

/**
 * Keeps one worker of the cluster the owner of the binds: takes the lease when it is free, renews it, pauses the term
 * while that fails, and ends it when another worker has the lease. A process that was stopped for longer than its lease
 * finds by its own clocks that it may not send.
 */
@Injectable()
export class BindsOwner extends CapacitySignal {
  protected readonly timing: typeof TIMING = TIMING;
  private readonly owner = randomUUID();
  private readonly wakeup = new Wakeup();
  private readonly listeners = new Set<() => void>();
  private readonly parts: BindsParts;
  private term: Term | null = null;
  private starting: Binds | null = null;
  /** Of the newest lease. */
  private epoch = 0;
  /** When the lease was last prolonged: by the clock that never runs backwards, and by the one that no suspension stops. */
  private renewedAt: Instant = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };
  private isLost = false;
  private isChanged = false;
  private isTroubled = false;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly leases: BindsLeaseRepository,
    intents: IntentsRepository,
    outcomes: OutcomesRepository,
    private readonly directory: CarrierDirectory,
    connections: Connections,
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
    private readonly metrics: CarriersMetrics,
    private readonly reports: ReportStatus,
    private readonly forgetOrphans: ForgetOrphans,
    inbound: InboundRepository,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    super();
    this.parts = { intents, outcomes, inbound, directory, connections, logger };
    metrics.watch(() => this.term?.binds.status() ?? new Map());
  }

  /** The present term, where this process leads; null from the moment it is stopping. */
  get current(): Binds | null {
    return this.term && !this.stopping && this.leads() ? this.term.binds : null;
  }

  onRoom(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Starts to look for the lease; where this process is alone, it does not wait for the end of one that was left. */
  async start({ isAlone = false } = {}): Promise<void> {
    if (isAlone) await this.leases.free();
    const off = this.directory.onChange(() => this.refreshSoon());
    this.running = this.loop().finally(off);
  }

  /** Drains the binds and gives the lease up. From its first moment on, nothing more is taken. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.starting?.abandon();
    this.wakeup.wake();
    await this.running;
  }

  private leads(): boolean {
    const validMs = this.timing.leaseMs - this.timing.marginMs;
    const { monotonicMs, wallMs } = this.renewedAt;
    return !this.isLost && performance.now() - monotonicMs < validMs && Date.now() - wallMs < validMs;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.look();
        this.isTroubled = false;
      } catch (error) {
        if (!this.isTroubled) this.logger.warn({ err: error }, 'the binds cannot be looked after at present');
        this.isTroubled = true;
      }
      await this.wakeup.wait(this.timing.lookMs);
    }
    if (this.term) await this.retire(this.term);
  }

  private async look(): Promise<void> {
    const { term } = this;
    if (!term) return this.take();
    if (this.isLost) return this.lose(term);
    if (!this.leads()) {
      if (!term.binds.isPaused) await this.pause(term);
      return;
    }
    if (term.binds.isPaused || this.isChanged) await this.refresh(term);
    term.binds.step();
    await this.reports.report(term.lease, term.binds.status());
    await this.forgetOrphans.step(term.lease);
  }

  private async take(): Promise<void> {
    const asked = instant();
    const lease = await this.leases.acquire(this.owner, this.timing.leaseMs);
    if (!lease) return;
    this.isLost = false;
    this.renewedAt = asked;
    this.epoch = lease.epoch;
    const binds = new Binds(lease, this.parts, this.handlers(lease), () => this.leads());
    const renewal = setInterval(() => void this.renew(lease), this.timing.renewMs);
    this.starting = binds;
    try {
      await binds.start();
    } catch (error) {
      clearInterval(renewal);
      binds.abandon();
      await this.leases.release(lease).catch(() => undefined);
      throw error;
    } finally {
      this.starting = null;
    }
    this.term = { lease, binds, renewal };
    this.logger.info({ epoch: lease.epoch }, 'this worker owns the binds');
    this.room();
  }

  private async renew(lease: HeldLease): Promise<void> {
    const asked = instant();
    try {
      if (!(await this.leases.renew(lease, this.timing.leaseMs))) this.end(lease);
      else if (asked.monotonicMs > this.renewedAt.monotonicMs) this.renewedAt = asked;
    } catch (error) {
      this.logger.warn({ err: error }, 'the lease of the binds could not be renewed');
    }
    if (!this.leads()) this.wakeup.wake();
  }

  private async refresh({ binds }: Term): Promise<void> {
    this.isChanged = false;
    try {
      await binds.refresh();
    } catch (error) {
      this.isChanged = true;
      throw error;
    }
  }

  private refreshSoon(): void {
    this.isChanged = true;
    this.wakeup.wake();
  }

  /** The lease may have run out: nothing is sent until it was renewed, or is found with another worker. */
  private async pause({ lease, binds }: Term): Promise<void> {
    this.logger.warn({ epoch: lease.epoch }, 'the binds pause: their lease could not be renewed in time');
    this.room();
    await binds.pause();
  }

  /** From now on nothing is sent; the loop takes the term apart. */
  private end(lease: HeldLease): void {
    if (lease.epoch !== this.epoch) return;
    this.isLost = true;
    this.wakeup.wake();
  }

  private lose({ lease, binds, renewal }: Term): void {
    clearInterval(renewal);
    this.term = null;
    binds.abandon();
    this.logger.warn({ epoch: lease.epoch }, 'another worker owns the binds now');
    this.room();
  }

  private async retire({ lease, binds, renewal }: Term): Promise<void> {
    try {
      await binds.stop(this.timing.stopMs);
    } finally {
      clearInterval(renewal);
      this.term = null;
      await this.leases.release(lease).catch(() => undefined);
    }
  }

  private handlers(lease: HeldLease): BindsHandlers {
    return {
      onRoom: () => this.room(),
      onBreaker: (carrier, state) => void this.publishBreaker(carrier, state),
      onOutcome: (carrier, outcome) => this.metrics.count(carrier, outcome),
      onInbound: (carrier, what) => this.metrics.countInbound(carrier, what),
      onClosed: () => this.refreshSoon(),
      onLost: () => this.end(lease),
    };
  }

  private room(): void {
    for (const listener of this.listeners) listener();
  }

  private async publishBreaker(carrier: string, state: BreakerState): Promise<void> {
    this.logger.warn({ carrier, state }, 'a breaker has changed');
    const event = {
      type: breakerChanged.type,
      streamId: newId(),
      version: 1,
      tenantId: null,
      data: { carrier, state },
    };
    await this.db
      .transaction((tx) => this.log.append(tx, [event]))
      .then(() => this.log.wake())
      .catch((error) => this.logger.warn({ carrier, err: error }, 'a change of a breaker could not be recorded'));
  }
}

function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}
