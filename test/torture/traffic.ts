import { setTimeout as delay } from 'node:timers/promises';
import { basic, FORM } from '../support/api.js';
import { makeOrder, type Order, type OrderKind } from './orders.js';
import type { Random } from './random.js';
import type { Receivers } from './receivers.js';
import type { Tenant } from './tenants.js';

/** A refusal for now; anything else below 500 is for good. */
const FOR_NOW = [408, 409, 429];
const MAX_PAUSE_MS = 1_000;
const FIRST_PAUSE_MS = 20;
/** What an outage kept customers from sending they send all the faster, up to so much of it. */
const MAX_ARREARS_MS = 30_000;
/** After this a customer gives an order up, whatever became of it. */
const PATIENCE_MS = 180_000;
const OTHER_BODY = 'another text under the same key';

export interface TrafficOptions {
  readonly tenants: readonly Tenant[];
  readonly receivers: Receivers;
  /** Where the API is, or was a moment ago: customers do not know what is dead. */
  readonly urls: () => readonly string[];
  readonly random: Random;
  readonly kind: OrderKind;
  readonly clients: number;
}

interface Answer {
  readonly status: number;
  readonly sid: string | null;
  readonly retryAfterMs: number;
}

/** Customers' programs under trouble. What they were told is one of the records that the audit compares. */
export class Traffic {
  readonly orders: Order[] = [];
  /** What no answer may be. */
  readonly wrong: string[] = [];
  readonly answers = new Map<number, number>();
  attempts = 0;
  private running: Promise<void>[] = [];
  private quota = 0;
  private perSecond = 0;
  private nextAtMs = 0;
  private round = 0;
  private readonly sent = new Map<Tenant, number>();

  constructor(private readonly options: TrafficOptions) {}

  /** Orders that a 201 answered. */
  get accepted(): number {
    return this.orders.filter((order) => order.sids.size > 0).length;
  }

  /** Begins a round: so many orders, so many a second. */
  start(round: number, quota: number, perSecond: number): void {
    this.round = round;
    this.quota = this.orders.length + quota;
    this.perSecond = perSecond;
    this.nextAtMs = Date.now();
    this.running = Array.from({ length: this.options.clients }, (_, index) =>
      this.client(this.options.random.fork(`${round}/${index}`)),
    );
  }

  /** Resolves when every order of the round is answered for good. */
  async done(): Promise<void> {
    await Promise.all(this.running);
  }

  /** No new orders in this round. */
  finish(): void {
    this.quota = this.orders.length;
  }

  private async client(random: Random): Promise<void> {
    while (this.orders.length < this.quota) {
      const waitMs = this.nextAtMs - Date.now();
      if (waitMs > 0) {
        await delay(waitMs);
        continue;
      }
      this.nextAtMs = Math.max(this.nextAtMs, Date.now() - MAX_ARREARS_MS) + 1000 / this.perSecond;
      await this.order(random);
    }
  }

  private async order(random: Random): Promise<void> {
    const tenant = random.weighted(
      this.options.tenants
        .filter((each) => (this.sent.get(each) ?? 0) < each.maxOrders)
        .map((each) => [each, each.weight] as const),
    );
    this.sent.set(tenant, (this.sent.get(tenant) ?? 0) + 1);
    const order = makeOrder(this.orders.length, this.round, tenant, random, this.options.kind);
    this.orders.push(order);
    await this.insist(order, random);
    if (order.sids.size === 0) return;
    if (random.chance(0.05)) await this.attempt(order, random);
    if (random.chance(0.01)) await this.misuse(order, random);
    if (order.isCanceled) await this.cancel(order, random);
  }

  private async insist(order: Order, random: Random): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let pauseMs = FIRST_PAUSE_MS; Date.now() < deadline; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      // Now and then two of a customer's machines send the same at once.
      const twin = random.chance(0.02) ? this.attempt(order, random) : null;
      const answer = await this.attempt(order, random);
      await twin;
      if (order.sids.size > 0) return;
      if (answer && answer.status < 500 && !FOR_NOW.includes(answer.status)) {
        order.refusal = answer.status;
        return;
      }
      await delay(Math.max(answer ? Math.min(answer.retryAfterMs, MAX_PAUSE_MS) : 0, pauseMs * (0.5 + random.next())));
    }
    if (!order.isUncertain) order.refusal = 503;
  }

  private async attempt(order: Order, random: Random): Promise<Answer | null> {
    const answer = await this.post(`/2010-04-01/Accounts/${order.tenant.sid}/Messages.json`, order, random, {
      From: order.tenant.number,
      To: order.to,
      Body: order.body,
      ...(order.listener === 'none'
        ? {}
        : { StatusCallback: this.options.receivers.url(order.tenant, order.listener) }),
      ...(order.validity === null ? {} : { ValidityPeriod: String(order.validity) }),
      ...(order.intent === null ? {} : { MessageIntent: order.intent }),
    });
    if (answer?.status === 201 && answer.sid) order.sids.add(answer.sid);
    if (!answer || answer.status >= 500) order.isUncertain = true;
    return answer;
  }

  /** The key of an order that was accepted, with another text: never another message. */
  private async misuse(order: Order, random: Random): Promise<void> {
    const params = { From: order.tenant.number, To: order.to, Body: OTHER_BODY };
    const answer = await this.post(`/2010-04-01/Accounts/${order.tenant.sid}/Messages.json`, order, random, params);
    if (answer && answer.status < 500 && answer.status !== 429 && answer.status !== 422) {
      this.wrong.push(`the key ${order.key} with another text was answered ${answer.status}`);
    }
  }

  private async cancel(order: Order, random: Random): Promise<void> {
    const [sid] = order.sids;
    const path = `/2010-04-01/Accounts/${order.tenant.sid}/Messages/${sid}.json`;
    const answer = await this.post(path, { ...order, key: '' }, random, { Status: 'canceled' });
    if (answer && answer.status < 500 && ![200, 409, 429].includes(answer.status)) {
      this.wrong.push(`canceling ${sid} was answered ${answer.status}`);
    }
  }

  private async post(
    path: string,
    { tenant, key }: Order,
    random: Random,
    params: Record<string, string>,
  ): Promise<Answer | null> {
    const timeoutMs = random.weighted([
      [random.between(2_000, 10_000), 97],
      [random.between(1, 200), 3],
    ]);
    this.attempts += 1;
    try {
      const response = await fetch(random.pick(this.options.urls()) + path, {
        method: 'POST',
        headers: {
          authorization: basic(tenant.sid, tenant.token),
          'content-type': FORM,
          ...(key === '' ? {} : { 'idempotency-key': key }),
        },
        body: new URLSearchParams(params).toString(),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { sid = null } = (await response.json()) as { sid?: string };
      this.count(response.status);
      const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000;
      return { status: response.status, sid, retryAfterMs };
    } catch {
      this.count(0);
      return null;
    }
  }

  private count(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    if (status === 500) this.wrong.push('an answer was 500: something that nobody had foreseen');
  }
}
