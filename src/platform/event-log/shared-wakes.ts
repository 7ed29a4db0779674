import type pg from 'pg';
import { z } from 'zod';
import type { ModuleDatabase } from '../postgres/database.js';
import type { RunnerLog } from './effect.js';
import type { EventLog } from './event-log.js';
import { Wakeup } from './wakeup.js';

const CHANNEL = 'trunkline_log';
/** NOTIFY takes a lock over the whole server at its commit: a process takes it no more often than this. */
const NOTIFY_EVERY_MS = 20;
/** How often a process says that it is there; one that was silent for three times as long is gone. */
const HELLO_EVERY_MS = 10_000;
const PEER_MS = 3 * HELLO_EVERY_MS;
const MAX_PEERS = 1000;
const RECONNECT_MS = 2_000;

/** What travels: who says it, and which logs have something new; none where it only says that it is there. */
const note = z.object({ from: z.uuid(), logs: z.array(z.string()).max(100) });

/**
 * Wakes the consumers of other processes on one database by NOTIFY, and those of this one when the others do. It runs
 * on a connection of its own after the commits that it tells of: nothing of it is in a transaction of the send path, and
 * nothing is lost without it, as everybody polls besides. While no other process is there, nothing is told.
 */
export class SharedWakes {
  private readonly wakeup = new Wakeup();
  private readonly due = new Set<string>();
  private readonly peers = new Map<string, number>();
  private stopping = false;
  private isBroken = false;
  private isGreetingDue = true;
  private hasHeardItself = true;
  private hasComplained = false;
  private running: Promise<void> | null = null;

  /**
   * @param logs the logs that are kept in the database of `db`
   * @param owner this process among those that share the logs
   */
  constructor(
    private readonly db: ModuleDatabase,
    private readonly logs: readonly EventLog[],
    private readonly owner: string,
    private readonly logger: RunnerLog,
  ) {}

  start(): void {
    const offs = this.logs.map((log) => log.onAppend(() => this.tell(log.module)));
    this.running = this.loop().finally(() => {
      for (const off of offs) off();
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private tell(module: string): void {
    if (this.peers.size === 0) return;
    this.due.add(module);
    this.wakeup.wake();
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      const session = this.db.session();
      try {
        await this.hold(session);
      } catch (error) {
        this.logger.warn({ err: error }, 'events of other processes are found by polling until the database is back');
      }
      await session.end().catch(() => undefined);
      await this.wakeup.pause(RECONNECT_MS, () => this.stopping);
    }
  }

  /** One connection for as long as it lasts. */
  private async hold(session: pg.Client): Promise<void> {
    this.isBroken = false;
    for (const sign of ['error', 'end'] as const) {
      session.on(sign, () => {
        this.isBroken = true;
        this.wakeup.wake();
      });
    }
    session.on('notification', ({ payload }) => this.hear(payload ?? ''));
    await session.connect();
    await session.query(`listen ${CHANNEL}`);
    this.isGreetingDue = true;
    this.hasHeardItself = true;
    // What came while nobody listened.
    for (const log of this.logs) log.wakeHere();
    const greeting = setInterval(() => this.greet(), HELLO_EVERY_MS);
    try {
      while (!this.stopping && !this.isBroken) await this.send(session);
    } finally {
      clearInterval(greeting);
    }
  }

  private async send(session: pg.Client): Promise<void> {
    if (this.due.size === 0 && !this.isGreetingDue) return this.wakeup.wait(HELLO_EVERY_MS);
    const logs = [...this.due];
    this.due.clear();
    if (this.isGreetingDue) this.complainOfSilence();
    this.isGreetingDue = false;
    await session.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify({ from: this.owner, logs })]);
    await this.wakeup.pause(NOTIFY_EVERY_MS, () => this.stopping || this.isBroken);
  }

  private greet(): void {
    for (const [peer, seenAt] of this.peers) {
      if (performance.now() - seenAt > PEER_MS) this.peers.delete(peer);
    }
    this.isGreetingDue = true;
    this.wakeup.wake();
  }

  /** What a process says comes back to it, where it says it to PostgreSQL itself. */
  private complainOfSilence(): void {
    if (!this.hasHeardItself && !this.hasComplained) {
      this.hasComplained = true;
      const fields = { module: this.db.module };
      this.logger.warn(
        fields,
        'notifications do not arrive, as behind a pooler of transactions: events of other processes are found by polling',
      );
    }
    this.hasHeardItself = false;
  }

  private hear(payload: string): void {
    const { success, data } = note.safeParse(parsed(payload));
    if (!success) return;
    if (data.from === this.owner) {
      this.hasHeardItself = true;
      return;
    }
    this.meet(data.from);
    for (const log of this.logs) {
      if (data.logs.includes(log.module)) log.wakeHere();
    }
  }

  /** A process that is new here does not know this one either. */
  private meet(peer: string): void {
    if (!this.peers.has(peer)) {
      if (this.peers.size >= MAX_PEERS) return;
      this.isGreetingDue = true;
      this.wakeup.wake();
    }
    this.peers.set(peer, performance.now());
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return null;
  }
}
