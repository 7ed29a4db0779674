import { isFailure } from '../../src/shared/failure.js';
import type { Principal } from '../../src/shared/principal.js';
import { sidOf } from '../../src/shared/sid.js';
import type { Product } from './product.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** What a customer wants sent: to a number of its own, so that whatever comes of it can be told apart. */
export interface Wish {
  readonly account: { readonly id: string; readonly unknownOutcome: 'retry' | 'fail' };
  readonly to: string;
  readonly body: string;
  readonly key: string | null;
  readonly atMs: number;
  readonly validitySeconds: number;
  /** It is to be sent this long after it is asked for; null: at once. */
  readonly sendInMs: number | null;
  /** This long after it was accepted it is taken back; null: never. */
  readonly cancelMs: number | null;
}

const SECOND_SHARE = 0.25;
const AGAIN_MS = 1_000;
const PATIENCE_MS = 700;

/** One customer's request: sent until it is answered where it has a key, and once where it has none. */
export class Customer {
  /** What it was told with 201. */
  messageId: string | null = null;
  /** One key was answered with two messages. */
  isDeceived = false;
  /** It asks no more. */
  isDone = false;
  private asked = 0;

  constructor(
    readonly wish: Wish,
    private readonly world: World,
    private readonly random: Random,
    private readonly products: () => readonly Product[],
  ) {
    world.after(null, wish.atMs, () => this.ask());
  }

  private ask(): void {
    const running = this.products().filter(({ host }) => host.isRunning);
    if (this.isDone) return;
    if (running.length === 0) {
      this.world.after(null, AGAIN_MS, () => this.ask());
      return;
    }
    const product = this.random.pick(running);
    this.asked++;
    let isOpen = true;
    const fail = (error: unknown) => {
      if (!isOpen) return;
      isOpen = false;
      this.failed(error);
    };
    product.host.onGone.push(() => fail(null));
    this.world.later(product.host, `request for ${this.wish.to}`, () => {
      product.send.send(this.principal, this.request, this.options).then(
        ({ message }) => {
          isOpen = false;
          this.told(message.id);
        },
        (error: unknown) => fail(error),
      );
    });
    const isImpatient = this.wish.key !== null && this.random.chance(SECOND_SHARE) && this.asked < 4;
    if (isImpatient) this.world.after(null, this.random.below(PATIENCE_MS), () => this.ask());
  }

  private get principal(): Principal {
    const { id, unknownOutcome } = this.wish.account;
    const limits = { messagesPerMinute: null, messagesPerSecond: null, messagesPerDay: null };
    const rest = { status: 'active', tier: 'enterprise', credential: 'auth_token' } as const;
    return { accountSid: sidOf('AC', id), unknownOutcome, ...limits, ...rest };
  }

  private get request(): Record<string, string> {
    const { to, body, validitySeconds, sendInMs } = this.wish;
    const time: Record<string, string> = sendInMs === null ? {} : { SendIn: String(sendInMs) };
    return { To: to, Body: body, Validity: String(validitySeconds), ...time };
  }

  private get options() {
    return { idempotencyKey: this.wish.key, traceparent: null, waitedMs: 0 };
  }

  private told(messageId: string): void {
    this.world.note(`the customer of ${this.wish.to} has its answer: ${messageId}`);
    if (this.messageId !== null && this.messageId !== messageId) {
      this.isDeceived = true;
    }
    const isFirst = this.messageId === null;
    this.messageId = messageId;
    this.world.isChanged = true;
    this.isDone = true;
    const { cancelMs } = this.wish;
    if (isFirst && cancelMs !== null) this.world.after(null, cancelMs, () => this.takeBack(messageId));
  }

  private failed(error: unknown): void {
    this.world.note(`the customer of ${this.wish.to} is refused: ${error instanceof Error ? error.message : 'gone'}`);
    const isRefused = isFailure(error, 'insufficient_balance') || isFailure(error, 'too_many_requests');
    if (this.wish.key === null || isRefused) this.isDone = true;
    else this.world.after(null, AGAIN_MS, () => this.ask());
  }

  private takeBack(messageId: string): void {
    const running = this.products().filter(({ host }) => host.isRunning);
    if (running.length === 0) return;
    const product = this.random.pick(running);
    const cancel = () => product.change.cancel(this.wish.account.id, messageId).catch(() => undefined);
    this.world.later(product.host, `${this.wish.to} is taken back`, () => void cancel());
  }
}
