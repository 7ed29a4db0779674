import type { Lane } from './lane.js';

/** A message that nobody could carry when it was offered, and where it waits. */
export interface StrandedMessage {
  readonly queue: string;
  readonly lane: Lane;
  readonly accountId: string;
  readonly id: string;
}

interface Entry {
  readonly message: StrandedMessage;
  readonly tries: number;
  /** Null while it is offered again. */
  readonly untilMs: number | null;
}

const FIRST_MS = 2_000;
const MOST_MS = 30_000;
/** A look goes through all of them. */
const LOOK_EVERY_MS = 200;
/** With more of them, each holds up its own tenant: what is kept here is bounded. */
const MAX_STRANDED = 10_000;

/** The messages that let others go before them, as nobody can carry them at present: the more often, the longer. */
export class StrandedMessages {
  private readonly entries = new Map<string, Entry>();
  private readonly aside = new Map<string, number>();
  private nextLookMs = 0;

  /** Whether it can be set aside: once more, or as one more. */
  hasRoomFor(id: string): boolean {
    return this.entries.size < MAX_STRANDED || this.entries.has(id);
  }

  /** Whether it is not to be offered for the time being. */
  has(id: string): boolean {
    return this.entries.get(id)?.untilMs != null;
  }

  /** How many of an account are not to be offered. */
  countOf(accountId: string): number {
    return this.aside.get(accountId) ?? 0;
  }

  add(message: StrandedMessage, nowMs: number): void {
    const before = this.entries.get(message.id);
    const tries = (before?.tries ?? 0) + 1;
    if (before?.untilMs == null) this.count(message.accountId, 1);
    const untilMs = nowMs + Math.min(MOST_MS, FIRST_MS * 2 ** (tries - 1));
    this.entries.set(message.id, { message, tries, untilMs });
  }

  /** Those whose time is over: they are offered again, and remembered until they are deleted. */
  due(nowMs: number): StrandedMessage[] {
    if (nowMs < this.nextLookMs) return [];
    this.nextLookMs = nowMs + LOOK_EVERY_MS;
    const due: StrandedMessage[] = [];
    for (const [id, entry] of this.entries) {
      if (entry.untilMs === null || entry.untilMs > nowMs) continue;
      this.entries.set(id, { ...entry, untilMs: null });
      this.count(entry.message.accountId, -1);
      due.push(entry.message);
    }
    return due;
  }

  delete(id: string): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.entries.delete(id);
    if (entry.untilMs !== null) this.count(entry.message.accountId, -1);
  }

  clear(): void {
    this.entries.clear();
    this.aside.clear();
    this.nextLookMs = 0;
  }

  private count(accountId: string, change: 1 | -1): void {
    const count = this.countOf(accountId) + change;
    if (count > 0) this.aside.set(accountId, count);
    else this.aside.delete(accountId);
  }
}
