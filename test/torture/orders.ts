import { SegmentedMessage } from 'sms-segments-calculator';
import type { Random } from './random.js';
import { priceOf, type Tenant } from './tenants.js';

/** How a customer's endpoint treats the callbacks of an order. */
export type Listener = 'none' | 'listens' | 'gone';

/** What a customer wants sent, and what it was told: one Idempotency-Key, repeated until the answer is definite. */
export interface Order {
  readonly number: number;
  readonly round: number;
  readonly tenant: Tenant;
  readonly key: string;
  readonly to: string;
  readonly body: string;
  readonly segments: number;
  readonly priceMicros: bigint;
  readonly listener: Listener;
  /** Seconds; null: the default, ten hours. */
  readonly validity: number | null;
  readonly intent: string | null;
  readonly isCanceled: boolean;
  /** SIDs that 201s told. */
  readonly sids: Set<string>;
  /** What it was refused with for good, where it was. */
  refusal: number | null;
  /** An attempt ended without an answer, so that the message may exist though no 201 said so. */
  isUncertain: boolean;
}

const WORDS = ['one', 'code', 'your', 'table', 'is', 'ready', 'at', 'noon', 'thank', 'you', 'for', 'ordering', 'again'];

export interface OrderKind {
  /** Tells the keys of this run from those of another. */
  readonly runId: string;
  /** Whether some are taken back. */
  readonly withCancels: boolean;
}

/** The order with a number: its destination is its own in the whole run. */
export function makeOrder(number: number, round: number, tenant: Tenant, random: Random, kind: OrderKind): Order {
  // Two countries, two carriers that are preferred; both prefixes are followed by eight digits of the order's number.
  const isNear = random.chance(0.7);
  const to = isNear ? `+1555${String(2_000_000 + number)}` : `+4477${String(10_000_000 + number)}`;
  const body = bodyOf(number, random);
  const segments = new SegmentedMessage(body).segmentsCount;
  return {
    number,
    round,
    tenant,
    key: `${kind.runId}-${number}`,
    to,
    body,
    segments,
    priceMicros: priceOf(tenant, to, segments),
    listener: random.weighted<Listener>([
      ['none', 40],
      ['listens', 59],
      ['gone', 1],
    ]),
    validity: random.chance(0.02) ? random.between(5, 40) : null,
    intent: random.weighted<string | null>([
      [null, 70],
      ['otp', 15],
      ['marketing', 15],
    ]),
    isCanceled: random.chance(0.02) && kind.withCancels,
    sids: new Set(),
    refusal: null,
    isUncertain: false,
  };
}

function bodyOf(number: number, random: Random): string {
  const length = random.weighted([
    [random.between(20, 120), 80],
    [random.between(165, 300), 14],
    [random.between(310, 450), 6],
  ]);
  let text = `order ${number}:`;
  while (text.length < length) text += ` ${random.pick(WORDS)}`;
  if (random.chance(0.1)) text += ' €';
  if (random.chance(0.1)) text += ' ё 中';
  return text;
}
