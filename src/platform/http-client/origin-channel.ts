import { Pool } from 'undici';
import type { Exchange } from './exchange.js';

/**
 * The way to one origin: at most `maxConcurrent` requests under way, each on a kept-alive connection of its own, and a
 * bounded queue behind them. The queue is ours and not undici's because a request that times out must leave it at once:
 * else those behind a dead endpoint would be sent, one connection attempt each, long after they were given up.
 */
export class OriginChannel {
  readonly #pool: Pool;
  readonly #maxConcurrent: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Exchange>();
  #running = 0;
  #onIdle: () => void = () => {};

  constructor(pool: Pool, maxConcurrent: number, maxWaiting: number) {
    this.#pool = pool;
    this.#maxConcurrent = maxConcurrent;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether no request is under way or waiting. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0;
  }

  /** Sends the request as soon as there is room; when too many wait already it fails as busy. */
  submit(exchange: Exchange): void {
    if (this.#running < this.#maxConcurrent) {
      this.#start(exchange);
    } else if (this.#waiting.size < this.#maxWaiting) {
      this.#waiting.add(exchange);
      exchange.onSettled = () => this.#waiting.delete(exchange);
    } else {
      exchange.fail('busy', `${this.#maxWaiting} requests already wait for this origin`);
    }
  }

  /** Resolves when every request has ended and no socket is open. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.isIdle) resolve();
    });
    await this.#pool.close();
  }

  #start(exchange: Exchange): void {
    this.#running += 1;
    exchange.onReleased = () => this.#finish();
    this.#pool.dispatch(exchange.dispatch, exchange);
  }

  #finish(): void {
    this.#running -= 1;
    const next = this.#waiting.values().next().value;
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#start(next);
    } else if (this.isIdle) {
      this.#onIdle();
    }
  }
}
