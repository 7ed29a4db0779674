import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { Logger } from '../../../platform/tokens.js';
import { newId } from '../../../shared/sid.js';
import { CapacitySignal } from '../contract/carriers.api.js';
import { breakerChanged } from '../contract/carriers.events.js';
import { BindsLeaseRepository, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import { CarriersDatabase, CarriersLog } from '../infrastructure/carriers.storage.js';
import { SubmissionsRepository } from '../infrastructure/submissions.repository.js';
import { Binds, Connections } from './binds.js';

const LEASE_MS = 5_000;
const RENEW_MS = 1_500;
/** This much before the lease ends by our own clock, nothing more is sent. */
const MARGIN_MS = 500;

/**
 * Keeps one worker of the cluster the owner of the binds: takes the lease when it is free, renews it, and ends the term
 * when it is lost. A process that was stopped for longer than its lease finds by its own clock that it may not send.
 */
@Injectable()
export class BindsOwner extends CapacitySignal {
  private readonly owner = randomUUID();
  private readonly wakeup = new Wakeup();
  private readonly listeners = new Set<() => void>();
  private lease: HeldLease | null = null;
  private renewal: NodeJS.Timeout | undefined;
  private binds: Binds | null = null;
  private validUntil = 0;
  private changed = false;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly leases: BindsLeaseRepository,
    private readonly submissions: SubmissionsRepository,
    private readonly directory: CarrierDirectory,
    private readonly connections: Connections,
    private readonly db: CarriersDatabase,
    private readonly log: CarriersLog,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    super();
  }

  /** The present term, where this process leads. */
  get current(): Binds | null {
    return this.binds && this.leads() ? this.binds : null;
  }

  onRoom(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    const off = this.directory.onChange(() => {
      this.changed = true;
      this.wakeup.wake();
    });
    this.running = this.loop().finally(off);
  }

  /** Drains the binds and gives the lease up. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private leads(): boolean {
    return performance.now() < this.validUntil - MARGIN_MS;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        if (!this.lease) await this.take();
        else if (!this.leads()) this.lose();
        else if (this.changed && this.binds) {
          this.changed = false;
          await this.binds.refresh();
        }
      } catch (error) {
        this.logger.warn({ err: error }, 'the binds could not be looked after');
        if (!this.binds) this.lose();
      }
      if (this.lease && !this.leads()) continue;
      await this.wakeup.wait(RENEW_MS);
    }
    if (this.lease) await this.retire(this.lease);
  }

  private async take(): Promise<void> {
    const askedAt = performance.now();
    const lease = await this.leases.acquire(this.owner, LEASE_MS);
    if (!lease) return;
    this.lease = lease;
    this.validUntil = askedAt + LEASE_MS;
    this.renewal = setInterval(() => void this.renew(lease), RENEW_MS);
    const binds = new Binds(
      lease,
      this.submissions,
      this.directory,
      this.connections,
      {
        onRoom: () => this.room(),
        onBreaker: (carrier, state) => void this.publishBreaker(carrier, state),
        onLost: () => this.end(),
      },
      () => this.leads(),
      this.logger,
    );
    await binds.start();
    this.binds = binds;
    this.logger.info({ epoch: lease.epoch }, 'this worker owns the binds');
    this.room();
  }

  private async renew(lease: HeldLease): Promise<void> {
    const askedAt = performance.now();
    try {
      if (await this.leases.renew(lease, LEASE_MS)) this.validUntil = askedAt + LEASE_MS;
      else this.end();
    } catch (error) {
      this.logger.warn({ err: error }, 'the lease of the binds could not be renewed');
    }
    if (!this.leads()) this.wakeup.wake();
  }

  /** From now on nothing is sent; the loop takes the term apart. */
  private end(): void {
    this.validUntil = 0;
    this.wakeup.wake();
  }

  private lose(): void {
    clearInterval(this.renewal);
    this.validUntil = 0;
    this.lease = null;
    this.binds?.abandon();
    this.binds = null;
    this.room();
  }

  private async retire(lease: HeldLease): Promise<void> {
    try {
      await this.binds?.stop();
    } finally {
      this.lose();
      await this.leases.release(lease).catch(() => undefined);
    }
  }

  private room(): void {
    for (const listener of this.listeners) listener();
  }

  private async publishBreaker(carrier: string, state: 'closed' | 'open' | 'half_open'): Promise<void> {
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
