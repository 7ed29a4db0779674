import { setTimeout as delay } from 'node:timers/promises';
import { basic, FORM, MESSAGES } from './api.js';
import { DEMO_NUMBER } from './product.js';

const MAX_REQUESTS = 100_000;
/** Between a refusal and the next try of the same connection. */
const PAUSE_MS = 20;

/**
 * Sends messages of the demo account over several connections: until it is stopped, until so many are accepted, or until
 * the product cannot be reached. What a busy machine refuses with 503 is sent again as another message.
 */
export class Load {
  /** SIDs of the messages that were answered with 201: promises. */
  readonly accepted: string[] = [];
  /** Every other answer, of which a sound product gives 503 alone. */
  readonly refused: { readonly status: number; readonly text: string }[] = [];
  private readonly loops: Promise<void>[];
  private stopped = false;
  private count = 0;
  private underWay = 0;

  constructor(
    private readonly url: string,
    connections = 8,
    private readonly wanted = MAX_REQUESTS,
  ) {
    this.loops = Array.from({ length: connections }, () => this.loop());
  }

  /** Sends no more; resolves when the last request has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.done();
  }

  /** Resolves when it has ended by itself. */
  async done(): Promise<void> {
    await Promise.all(this.loops);
  }

  private async loop(): Promise<void> {
    while (!this.stopped && this.count < MAX_REQUESTS && this.accepted.length + this.underWay < this.wanted) {
      this.underWay += 1;
      const isReachable = await this.send(this.count++).catch(() => false);
      this.underWay -= 1;
      if (!isReachable) return;
    }
  }

  private async send(index: number): Promise<boolean> {
    const To = `+1555555${String(1000 + (index % 9000))}`;
    const response = await fetch(this.url + MESSAGES, {
      method: 'POST',
      headers: { authorization: basic(), 'content-type': FORM },
      body: new URLSearchParams({ From: DEMO_NUMBER, To, Body: `load ${index}` }).toString(),
    });
    const text = await response.text();
    if (response.status === 201) {
      this.accepted.push((JSON.parse(text) as { sid: string }).sid);
    } else {
      this.refused.push({ status: response.status, text });
      await delay(PAUSE_MS);
    }
    return true;
  }
}
