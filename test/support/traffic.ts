import { randomUUID } from 'node:crypto';
import { basic, type Sender } from './api.js';
import { DEMO_NUMBER, DEMO_SID, DEMO_TOKEN } from './product.js';

const REQUEST_TIMEOUT_MS = 5_000;
const PAUSE_MS = 20;

/** A customer's program under trouble: each order is one Idempotency-Key, repeated until it is answered with 201. */
export interface Order {
  readonly key: string;
  readonly to: string;
  /** The SIDs that 201s told, all of them. */
  readonly sids: Set<string>;
}

export interface TrafficOptions {
  /** Where the product is at the moment; asked for every request. */
  readonly url: () => string;
  readonly callbackUrl: string;
  readonly clients: number;
  /** Who sends, and from which number; the demo account by default. */
  readonly sender?: Sender & { readonly number: string };
}

const DEMO = { sid: DEMO_SID, token: DEMO_TOKEN, number: DEMO_NUMBER };

/** Load that goes on while the product is killed and restarted: every order is tried until it is accepted. */
export class Traffic {
  readonly orders: Order[] = [];
  private running: Promise<void>[] = [];
  private stopping = false;
  private next = 0;

  constructor(private readonly options: TrafficOptions) {}

  start(): void {
    this.running = Array.from({ length: this.options.clients }, () => this.client());
  }

  /** No new orders; those under way are tried until they are accepted. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
  }

  get accepted(): number {
    return this.orders.filter((order) => order.sids.size > 0).length;
  }

  private async client(): Promise<void> {
    while (!this.stopping) {
      const order = { key: randomUUID(), to: `+1555${String(7_000_000 + this.next++)}`, sids: new Set<string>() };
      this.orders.push(order);
      while (order.sids.size === 0) await this.attempt(order);
      // Now and then a customer repeats what was answered already.
      if (this.next % 7 === 0 && !this.stopping) await this.attempt(order);
    }
  }

  private async attempt(order: Order): Promise<void> {
    const { sid, token, number } = this.options.sender ?? DEMO;
    try {
      const response = await fetch(`${this.options.url()}/2010-04-01/Accounts/${sid}/Messages.json`, {
        method: 'POST',
        headers: { authorization: basic(sid, token), 'idempotency-key': order.key },
        body: new URLSearchParams({
          To: order.to,
          From: number,
          Body: `order ${order.key}`,
          StatusCallback: this.options.callbackUrl,
        }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const answer = (await response.json()) as { sid?: string };
      if (response.status === 201 && answer.sid) order.sids.add(answer.sid);
      else await pause();
    } catch {
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
