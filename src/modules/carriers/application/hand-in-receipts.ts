import { Inject, Injectable } from '@nestjs/common';
import { Wakeup } from '../../../platform/event-log/wakeup.js';
import { GroupCommit } from '../../../platform/group-commit/group-commit.js';
import { Logger } from '../../../platform/tokens.js';
import { Failure } from '../../../shared/failure.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import { BindsLost } from '../infrastructure/binds-lease.repository.js';
import { CarriersLog } from '../infrastructure/carriers.storage.js';
import { ReceiptInboxRepository } from '../infrastructure/receipt-inbox.repository.js';
import { BindsOwner } from './binds-owner.js';

/** A wake comes with what other processes write; without one, this is how long a receipt waits. */
const POLL_MS = 1_000;
const PAGE = 100;
/** Receipts that wait here, of all requests together: one request may bring a thousand. */
const MAX_WAITING = 20_000;
/** The database, or a group that it refuses, is given this long. */
const RETRY_MS = 5_000;
const GROUPS = { maxBatch: 200, maxInFlight: 2, maxQueued: 10_000, gatherMs: 2 };

/**
 * Brings the receipts that came over HTTP to whoever records them: the owner of the binds. Where that is this process, at
 * once; else through a table, in which they are durable, and which the owner empties.
 */
@Injectable()
export class HandInReceipts {
  private readonly group = new GroupCommit<readonly CarrierReceipt[], true>(async (items) => {
    await this.inbox.put(items.flat());
    // Nothing was appended; it wakes the processes that wait for what this module writes.
    this.log.wake();
    return items.map(() => true as const);
  }, GROUPS);
  private readonly wakeup = new Wakeup();
  private stopping = false;
  private waiting = 0;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly owner: BindsOwner,
    private readonly inbox: ReceiptInboxRepository,
    private readonly log: CarriersLog,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /**
   * Resolves when the receipts are durable: only then may the carrier be told so.
   *
   * @throws Failure `unavailable` where too many wait already: the carrier sends them again
   */
  async handIn(receipts: readonly CarrierReceipt[]): Promise<void> {
    if (receipts.length === 0) return;
    if (this.waiting + receipts.length > MAX_WAITING) throw new Failure('unavailable', { retryAfterSeconds: 1 });
    this.waiting += receipts.length;
    try {
      await this.bring(receipts);
    } finally {
      this.waiting -= receipts.length;
    }
  }

  private async bring(receipts: readonly CarrierReceipt[]): Promise<void> {
    const binds = this.owner.current;
    try {
      if (binds) await Promise.all(receipts.map((receipt) => binds.receipt(receipt)));
      else await this.group.submit(receipts);
    } catch (error) {
      if (!(error instanceof BindsLost)) throw error;
      await this.group.submit(receipts);
    }
  }

  /** Starts to empty the table whenever this process owns the binds. */
  start(): void {
    this.stopping = false;
    // Not at what this process appends itself, which is much: it says nothing of the table.
    const off = this.log.onAnnounced(() => this.wakeup.wake());
    this.running = this.loop().finally(off);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await Promise.all([this.running, this.group.drain()]);
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        while (!this.stopping && (await this.step())) {}
        await this.wakeup.wait(POLL_MS);
      } catch (error) {
        if (!(error instanceof BindsLost)) this.logger.warn({ err: error }, 'receipts wait for what they depend on');
        await this.wakeup.pause(RETRY_MS, () => this.stopping);
      }
    }
  }

  /** Records one page; false where there may be no more. A repetition after a crash finds its receipts recorded. */
  private async step(): Promise<boolean> {
    const binds = this.owner.current;
    if (!binds) return false;
    const groups = await this.inbox.oldest(PAGE);
    if (groups.length === 0) return false;
    await Promise.all(groups.flatMap(({ receipts }) => receipts.map((receipt) => binds.receipt(receipt))));
    await this.inbox.remove(groups.map(({ id }) => id));
    return groups.length === PAGE;
  }
}
