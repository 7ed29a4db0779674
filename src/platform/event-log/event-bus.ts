import { randomUUID } from 'node:crypto';
import { Failure } from '../../shared/failure.js';
import type { DurableConsumer, LocalTail } from './consumer.js';
import { CONSUMER_DEFAULTS, ConsumerRunner, type ConsumerSettings } from './consumer-runner.js';
import type { ConsumerStatus, ConsumerStore } from './consumer-store.js';
import type { RunnerLog } from './effect.js';
import { EventLog, MAX_PAGE } from './event-log.js';
import type { ParkedEvent } from './parked-events.js';
import type { ReadableLog } from './readable-log.js';
import { SharedWakes } from './shared-wakes.js';
import { TailRunner } from './tail-runner.js';

export interface ConsumerPosition extends ConsumerStatus {
  /** Events between the consumer and the head of its log. */
  readonly lag: number;
}

/** What an operator can name in a path. */
const CONSUMER_ID = /^[a-z.-]{1,100}$/;

interface Declared {
  readonly consumer: DurableConsumer;
  readonly store: ConsumerStore;
}

/**
 * The in-process event bus: who publishes (the logs), who hears (durable consumers and local tails), and the runners
 * that carry events from the one to the other. Nothing passes through its memory alone: it reads the logs.
 */
export class EventBus {
  /** This process among those that share the consumers. */
  readonly owner = randomUUID();
  private readonly logs = new Map<string, ReadableLog>();
  private readonly declared: Declared[] = [];
  private readonly tails: LocalTail[] = [];
  private runners: ConsumerRunner[] = [];
  private tailRunners: TailRunner[] = [];
  private wakes: SharedWakes[] = [];
  private renewal: NodeJS.Timeout | null = null;
  private renewing: Promise<void> | null = null;

  constructor(
    private readonly logger: RunnerLog,
    private readonly settings: ConsumerSettings = CONSUMER_DEFAULTS,
  ) {}

  /** Makes a module's log known; once per module. */
  publish(log: ReadableLog): void {
    this.logs.set(log.module, log);
  }

  /** Declares a durable consumer; `store` is the hearing module's. */
  consume(store: ConsumerStore, consumer: DurableConsumer): void {
    const { id, batchSize = 1 } = consumer;
    if (!CONSUMER_ID.test(id)) throw new Error(`bad consumer id ${id}`);
    if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_PAGE) {
      throw new Error(`the batch size of ${id} must be a whole number from 1 to ${MAX_PAGE}`);
    }
    if (this.declared.some((other) => other.consumer.id === consumer.id)) {
      throw new Error(`the consumer ${consumer.id} is declared twice`);
    }
    this.declared.push({ consumer, store });
  }

  /** Declares a local tail. */
  tail(tail: LocalTail): void {
    this.tails.push(tail);
  }

  /** The log of a module. */
  log(module: string): ReadableLog {
    const log = this.logs.get(module);
    if (!log) throw new Error(`no log is published by ${module}`);
    return log;
  }

  /** The logs that are kept in databases of this process, and not read from elsewhere. */
  kept(): EventLog[] {
    return [...this.logs.values()].filter((log) => log instanceof EventLog);
  }

  /** The position in a kept log up to which every consumer that is declared here is done with it. */
  async passed(log: EventLog): Promise<number> {
    const hearers = this.declared.filter(({ consumer }) => consumer.source === log.module);
    const stores = Map.groupBy(hearers, ({ store }) => store);
    const passed = await Promise.all(
      [...stores].map(([store, own]) => store.passed(own.map(({ consumer }) => consumer.id))),
    );
    return Math.min(await log.head(), ...passed);
  }

  /** Starts what every process runs: the local tails, and the wakes between processes. */
  async startTails(): Promise<void> {
    this.wakes = this.sharedWakes();
    for (const wakes of this.wakes) wakes.start();
    this.tailRunners = [...this.logs.values()].map((log) => {
      const tails = this.tails.filter((tail) => tail.source === log.module);
      return new TailRunner(log, tails, this.settings.pollMs, this.logger);
    });
    await Promise.all(this.tailRunners.map((runner) => runner.start()));
  }

  /**
   * Starts the durable consumers, in a process whose role it is to work; where it is alone, it waits for no lease that
   * its predecessor has left.
   */
  async startConsumers({ isAlone = false } = {}): Promise<void> {
    if (isAlone) await Promise.all(this.stores().map((store) => store.releaseAll()));
    for (const { consumer, store } of this.declared) {
      await store.declare(consumer.id, consumer.source);
      const runner = new ConsumerRunner(
        consumer,
        this.log(consumer.source),
        store,
        this.owner,
        this.settings,
        this.logger,
      );
      this.runners.push(runner);
      runner.start();
    }
    this.renewal = setInterval(() => this.renewOnce(), this.settings.leaseMs / 3);
  }

  /** Ends the transactions under way and gives the leases up. */
  async stop(): Promise<void> {
    await Promise.all([...this.runners, ...this.tailRunners, ...this.wakes].map((runner) => runner.stop()));
    if (this.renewal) clearInterval(this.renewal);
    await this.renewing;
    await Promise.all(this.stores().map((store) => store.release(this.owner).catch(() => undefined)));
    this.runners = [];
    this.tailRunners = [];
    this.wakes = [];
  }

  /** Where every consumer stands, over all modules. */
  async positions(): Promise<ConsumerPosition[]> {
    const all = await Promise.all(this.stores().map((store) => store.status()));
    const heads = new Map<string, number>();
    for (const log of this.logs.values()) heads.set(log.module, await log.head());
    return all.flat().map((status) => ({
      ...status,
      lag: Math.max(0, (heads.get(status.source) ?? 0) - status.position),
    }));
  }

  /**
   * Starts a consumer over from after a position (0: from the first event). False when there is no such consumer.
   *
   * @throws Failure `invalid_parameter` of `from` when the consumer has not come that far
   */
  async replay(id: string, position: number): Promise<boolean> {
    const outcome = await this.storeOf(id)?.rewind(id, position);
    if (outcome === 'beyond') {
      throw new Failure('invalid_parameter', { field: 'from', detail: 'is beyond the position of the consumer' });
    }
    return outcome === 'rewound';
  }

  /** The parked events over all modules, in the order of consumer and position. */
  async parked(after: { consumer: string; position: number }, limit: number): Promise<ParkedEvent[]> {
    const all = await Promise.all(this.stores().map((store) => store.parked.list(after, limit)));
    return all
      .flat()
      .sort((a, b) => (a.consumer === b.consumer ? a.position - b.position : a.consumer < b.consumer ? -1 : 1))
      .slice(0, limit);
  }

  /** Lets a parked event be tried again, or drops it. False when it is not parked. */
  async resolveParked(consumer: string, position: number, action: 'retry' | 'skip'): Promise<boolean> {
    const store = this.storeOf(consumer);
    return store ? store.parked.resolve(consumer, position, action) : false;
  }

  /** One for each database that logs are kept in. */
  private sharedWakes(): SharedWakes[] {
    const servers = Map.groupBy(this.kept(), (log) => log.db.server);
    return [...servers.values()].map((logs) => new SharedWakes(logs[0]!.db, logs, this.owner, this.logger));
  }

  private storeOf(id: string): ConsumerStore | undefined {
    return this.declared.find((declared) => declared.consumer.id === id)?.store;
  }

  private stores(): ConsumerStore[] {
    return [...new Set(this.declared.map((declared) => declared.store))];
  }

  /** A slow database is asked once at a time. */
  private renewOnce(): void {
    this.renewing ??= this.renew().finally(() => {
      this.renewing = null;
    });
  }

  private async renew(): Promise<void> {
    for (const store of this.stores()) {
      try {
        const kept = new Set(await store.renew(this.owner, this.settings.leaseMs));
        for (const { consumer, store: own } of this.declared) {
          if (own !== store || kept.has(consumer.id)) continue;
          this.runners.find((runner) => runner.consumer.id === consumer.id)?.forget();
        }
      } catch (error) {
        this.logger.warn({ err: error }, 'the leases could not be renewed');
      }
    }
  }
}
