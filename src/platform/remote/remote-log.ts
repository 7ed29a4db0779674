import type { StoredEvent } from '../../shared/define-event.js';
import { MAX_PAGE } from '../event-log/event-log.js';
import type { ReadableLog } from '../event-log/readable-log.js';
import { Wakeup } from '../event-log/wakeup.js';
import { decode, type LogAccess } from './log-access.js';

const RETRY_MS = 500;

/** A module's event log that is kept elsewhere, as a consumer here reads it: the same pages, over the network. */
export class RemoteLog implements ReadableLog {
  private readonly listeners = new Set<() => void>();
  private readonly wakeup = new Wakeup();
  private isWatching = false;

  constructor(
    readonly module: string,
    private readonly access: LogAccess,
  ) {}

  async read(after: number, limit = MAX_PAGE): Promise<StoredEvent[]> {
    return (await this.access.read({ after, limit: Math.min(limit, MAX_PAGE) })).map(decode);
  }

  /** What was announced while a page was on its way is not told from what is in it. */
  mayHaveMore(): boolean {
    return true;
  }

  async readAt(positions: readonly number[]): Promise<StoredEvent[]> {
    return (await this.access.readAt(positions)).map(decode);
  }

  around(position: number): Promise<{ head: number; next: number | null }> {
    return this.access.around({ position });
  }

  head(): Promise<number> {
    return this.access.head();
  }

  /** While somebody listens, one long poll is under way. */
  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    if (!this.isWatching) void this.watch();
    return () => {
      this.listeners.delete(listener);
      this.wakeup.wake();
    };
  }

  private async watch(): Promise<void> {
    this.isWatching = true;
    for (let head = 0; this.listeners.size > 0; ) {
      try {
        const now = await this.access.wait({ after: head });
        if (now === head) continue;
        head = now;
        for (const listener of [...this.listeners]) listener();
      } catch {
        // Whoever reads meets the same trouble and says so; until it is over they poll.
        await this.wakeup.pause(RETRY_MS, () => this.listeners.size === 0);
      }
    }
    this.isWatching = false;
  }
}
