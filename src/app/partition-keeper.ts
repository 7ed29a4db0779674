import type { Logger } from '../platform/tokens.js';

/** A log takes no more events when it has outgrown its partitions, which a busy one can within minutes. */
export const PARTITIONS_EVERY_MS = 60_000;

/** Has partitions looked after, again and again, one time after the other: made ahead, analysed, dropped. */
export class PartitionKeeper {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  /** @param make does what is due; may fail, and is called again all the same */
  constructor(
    private readonly make: () => Promise<void>,
    private readonly logger: Pick<Logger, 'error'>,
    private readonly everyMs = PARTITIONS_EVERY_MS,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.once(), this.everyMs);
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.running;
  }

  private once(): void {
    this.running ??= this.make()
      .catch((error) => this.logger.error({ err: error }, 'the partitions could not be looked after'))
      .finally(() => {
        this.running = null;
      });
  }
}
