import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import type { Fault, Killed, Timed } from './plan.js';
import type { ProductProcess } from './product-process.js';
import type { Stage } from './stage.js';

/** How long a kill waits for somebody to kill. */
const PATIENCE_MS = 15_000;

/** Makes the faults of a round happen, and counts what happened. */
export class Faults {
  /** Kills that found somebody alive, by kind. */
  readonly kills = new Map<Killed, number>();
  /** Every other fault, by kind. */
  readonly others = new Map<string, number>();
  private isRedisDown = false;

  constructor(
    private readonly stage: Stage,
    private readonly log: (line: string) => void,
  ) {}

  get killed(): number {
    return [...this.kills.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when the last one is over. */
  async run(faults: readonly Timed[]): Promise<void> {
    const underWay: Promise<void>[] = [];
    for (const { afterMs, fault } of faults) {
      await delay(afterMs);
      this.log(describe(fault));
      underWay.push(this.happen(fault));
    }
    await Promise.all(underWay);
  }

  private async happen(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        await Promise.all(fault.what.map((what) => this.kill(what, fault.which, fault.forMs)));
        return;
      case 'pause':
        return this.pause(fault.what, fault.which, fault.forMs);
      case 'weather': {
        const { proxy: carrier } = this.stage.carriers[fault.which % this.stage.carriers.length]!;
        const { receivers, database } = this.stage;
        const proxy = { carrier, webhooks: receivers.proxy, database: database.proxy }[fault.where];
        if (!proxy) return;
        this.count(`${fault.where} ${fault.weather.kind}`);
        proxy.set(fault.weather);
        await delay(fault.forMs);
        proxy.clear();
        return;
      }
      case 'failing-webhooks':
        this.count('webhooks failing');
        this.stage.receivers.isFailing = true;
        await delay(fault.forMs);
        this.stage.receivers.isFailing = false;
        return;
      case 'full-disk':
        this.count('disk full');
        await this.stage.disk.fill();
        await delay(fault.forMs);
        await this.stage.disk.empty();
    }
  }

  /** Whoever is dead already is killed when it is back: what begins can be killed as well as what runs. */
  private async kill(what: Killed, which: number, forMs: number): Promise<void> {
    const isKilled = await eventually(() => this.killOne(what, which, forMs), { timeoutMs: PATIENCE_MS }).catch(
      () => false,
    );
    if (isKilled) this.kills.set(what, (this.kills.get(what) ?? 0) + 1);
  }

  private async killOne(what: Killed, which: number, forMs: number): Promise<boolean> {
    const { stage } = this;
    if (what === 'postgres') return stage.database.kill();
    if (what === 'api' || what === 'worker') return (await this.chosen(what, which)?.kill(forMs)) ?? false;
    if (what === 'redis') return this.killRedis(forMs);
    const carrier = stage.carriers[which % stage.carriers.length]!;
    if (!(await carrier.kill())) return false;
    await delay(forMs);
    await carrier.resume();
    return true;
  }

  private async killRedis(forMs: number): Promise<boolean> {
    const { redis } = this.stage;
    if (!redis || this.isRedisDown) return false;
    this.isRedisDown = true;
    await redis.kill();
    await delay(forMs);
    await redis.resume();
    this.isRedisDown = false;
    return true;
  }

  private async pause(what: 'api' | 'worker' | 'carrier', which: number, forMs: number): Promise<void> {
    const { carriers } = this.stage;
    const paused = what === 'carrier' ? carriers[which % carriers.length] : this.chosen(what, which);
    if (!paused) return;
    this.count(`${what} paused`);
    paused.signal('SIGSTOP');
    await delay(forMs);
    paused.signal('SIGCONT');
  }

  private chosen(role: 'api' | 'worker', which: number): ProductProcess | undefined {
    const processes = role === 'api' ? this.stage.apis : this.stage.workers;
    return processes[which % Math.max(1, processes.length)];
  }

  private count(kind: string): void {
    this.others.set(kind, (this.others.get(kind) ?? 0) + 1);
  }
}

function describe(fault: Fault): string {
  if (fault.kind === 'kill') return `kill ${fault.what.join(' and ')} (${fault.which}), back after ${fault.forMs} ms`;
  if (fault.kind === 'pause') return `pause ${fault.what} (${fault.which}) for ${fault.forMs} ms`;
  if (fault.kind === 'weather') {
    return `${fault.where} (${fault.which}): ${JSON.stringify(fault.weather)} for ${fault.forMs} ms`;
  }
  return `${fault.kind} for ${fault.forMs} ms`;
}
