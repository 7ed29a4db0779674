import type { StoredEvent } from '../../shared/define-event.js';
import type { ConsumerStore, Lease } from './consumer-store.js';
import { type Effect, isPassing, type RunnerLog } from './effect.js';
import type { StreamHead } from './parked-events.js';
import type { ReadableLog } from './readable-log.js';

/** At most how many streams are tried again in one go, between two pages of the others. */
const RETRY_STREAMS = 50;
/** After a look in vain, the next one waits for this many times as long as it took: very many streams may be aside. */
const LOOK_PAUSE = 10;

/**
 * The streams of one consumer that wait because the effect of one of their events failed: which they are, and the
 * retries of their oldest events, one stream independent of the other.
 */
export class StreamsAside {
  private streams = new Set<string>();
  private nextLookAt = 0;

  constructor(
    private readonly consumer: string,
    private readonly log: ReadableLog,
    private readonly store: ConsumerStore,
    private readonly effect: Effect,
    private readonly settings: { readonly pollMs: number; readonly maxAttempts: number },
    private readonly logger: RunnerLog,
  ) {}

  /** Whether a stream's later events must queue behind an earlier one. */
  has(streamId: string): boolean {
    return this.streams.has(streamId);
  }

  /** Takes note of a stream one of whose events was set aside just now. */
  add(streamId: string): void {
    this.streams.add(streamId);
  }

  /** Reads which streams are aside, when the lease is new. */
  async load(): Promise<void> {
    await this.look();
    this.nextLookAt = 0;
  }

  /** How long a runner without a page may rest until something here could be due, at most one poll. */
  get restMs(): number {
    const { pollMs } = this.settings;
    if (this.streams.size === 0) return pollMs;
    return Math.min(pollMs, Math.max(1, this.nextLookAt - performance.now()));
  }

  /** Tries the oldest event of each stream where that is due. Whether any came further. */
  async retry(lease: Lease): Promise<boolean> {
    if (this.streams.size === 0 || performance.now() < this.nextLookAt) return false;
    const startedAt = performance.now();
    const due = (await this.look()).filter((head) => head.due).slice(0, RETRY_STREAMS);
    const lookedMs = performance.now() - startedAt;
    const progress = due.length > 0 && (await this.retryAll(lease, due));
    const pauseMs = progress ? lookedMs : Math.max(this.settings.pollMs, LOOK_PAUSE * lookedMs);
    this.nextLookAt = performance.now() + pauseMs;
    return progress;
  }

  private async look(): Promise<StreamHead[]> {
    const heads = await this.store.parked.heads(this.consumer);
    this.streams = new Set(heads.map((head) => head.streamId));
    return heads;
  }

  private async retryAll(lease: Lease, due: readonly StreamHead[]): Promise<boolean> {
    const events = new Map<number, StoredEvent>();
    for (const event of await this.log.readAt(due.map((head) => head.position))) events.set(event.position, event);
    let progress = false;
    for (const head of due) {
      const event = events.get(head.position);
      const done = event ? await this.retryOne(lease, event, head.attempts + 1) : await this.forget(lease, head);
      progress ||= done;
    }
    return progress;
  }

  private async retryOne(lease: Lease, event: StoredEvent, attempt: number): Promise<boolean> {
    try {
      const after = await this.effect.run([event], async (tx) => {
        await this.store.guard(tx, lease);
        await this.store.parked.remove(tx, this.consumer, event.position);
      });
      after();
      return true;
    } catch (error) {
      if (isPassing(error)) throw error;
      await this.fail(lease, event, attempt, error);
      return false;
    }
  }

  private async fail(lease: Lease, event: StoredEvent, attempt: number, error: unknown): Promise<void> {
    const isLast = attempt >= this.settings.maxAttempts;
    await this.store.db.transaction(async (tx) => {
      await this.store.guard(tx, lease);
      await this.store.parked.failed(tx, this.consumer, event.position, attempt, isLast, error);
    });
    if (!isLast) return;
    this.logger.error(
      { consumer: this.consumer, position: event.position, stream: event.streamId, err: error },
      'an event is parked: its stream waits for an operator to retry or skip it',
    );
  }

  /** An event whose partition was dropped can have no effect any more. */
  private async forget(lease: Lease, head: StreamHead): Promise<boolean> {
    await this.store.db.transaction(async (tx) => {
      await this.store.guard(tx, lease);
      await this.store.parked.remove(tx, this.consumer, head.position);
    });
    this.logger.error(
      { consumer: this.consumer, position: head.position, stream: head.streamId },
      'an event that was set aside is no longer in its log: it is dropped',
    );
    return true;
  }
}
