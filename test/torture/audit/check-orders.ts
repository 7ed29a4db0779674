import { deliveryOf } from '../../../src/modules/carriers/infrastructure/simulator/delivery-rule.js';
import type { Order } from '../orders.js';
import { microsOf, type Tenant } from '../tenants.js';
import type { Listed } from './api-record.js';
import type { Given } from './carrier-records.js';
import type { Findings } from './findings.js';

const FINAL = ['delivered', 'undelivered', 'failed', 'canceled'];
const CHARGED = ['delivered', 'undelivered'];
export const UNKNOWN = 30008;
const EXPIRED = 30036;
/** Prices of messages are shown with five decimals. */
const SHOWN_MICROS = 10n;

/** Holds what customers were told, what the product lists and what the carriers got against each other. */
export class CheckOrders {
  private readonly byDestination: Map<string, Order>;

  constructor(
    orders: readonly Order[],
    private readonly findings: Findings,
  ) {
    this.byDestination = new Map(orders.map((order) => [order.to, order]));
  }

  /** @returns the message of each order that has one */
  match(listed: ReadonlyMap<Tenant, readonly Listed[]>): Map<Order, Listed> {
    const matched = new Map<Order, Listed>();
    for (const [tenant, messages] of listed) {
      for (const message of messages) this.matchOne(tenant, message, matched);
    }
    for (const order of this.byDestination.values()) this.checkAnswers(order, matched.get(order));
    return matched;
  }

  /** What carriers got of each order, and nothing besides. */
  checkCarriers(matched: ReadonlyMap<Order, Listed>, given: ReadonlyMap<string, Given>, isWhole: boolean): void {
    for (const [order, message] of matched) this.checkGiven(order, message, given.get(order.to));
    for (const [destination, { carriers }] of given) {
      const order = this.byDestination.get(destination);
      if (!order && isWhole) {
        this.findings.add('carrier', 'other', destination, `${[...carriers]} got a message that nobody ordered`);
      }
      if (order && !matched.has(order)) {
        this.findings.add('carrier', 'lost', order.key, `${[...carriers]} got it, but there is no message`);
      }
    }
  }

  private matchOne(tenant: Tenant, message: Listed, matched: Map<Order, Listed>): void {
    const { findings } = this;
    const order = this.byDestination.get(message.to);
    if (message.account_sid !== tenant.sid || (order && order.tenant !== tenant)) {
      findings.add('tenant', 'other', message.sid, `it is not ${tenant.name}'s, who sees it`);
    } else if (!order) {
      findings.add('key', 'other', message.sid, `nobody ordered a message to ${message.to}`);
    } else if (matched.has(order)) {
      findings.add('key', 'other', order.key, `one key, two messages: ${matched.get(order)!.sid} and ${message.sid}`);
    } else {
      matched.set(order, message);
    }
  }

  private checkAnswers(order: Order, message: Listed | undefined): void {
    const { findings } = this;
    if (order.sids.size > 1) findings.add('key', 'other', order.key, `was answered with ${[...order.sids]}`);
    const [sid] = order.sids;
    if (sid !== undefined && message?.sid !== sid) {
      findings.add('final', 'lost', sid, `was accepted (${order.key}), but ${message?.sid ?? 'nothing'} is there`);
    }
    if (order.refusal !== null && sid === undefined && message) {
      findings.add('key', 'other', message.sid, `its request was refused with ${order.refusal} (${order.key})`);
    }
    if (!message) return;
    if (!FINAL.includes(message.status)) findings.add('final', 'lost', message.sid, `is still ${message.status}`);
    if (message.body !== order.body)
      findings.add('final', 'other', message.sid, `its text is not that of ${order.key}`);
    if (Number(message.num_segments) !== order.segments) {
      findings.add(
        'charge',
        'charged wrongly',
        message.sid,
        `has ${message.num_segments} segments, not ${order.segments}`,
      );
    }
    this.checkPrice(order, message);
  }

  private checkPrice(order: Order, message: Listed): void {
    const isCharged = CHARGED.includes(message.status);
    const shown = message.price === null ? null : microsOf(message.price);
    const difference = shown === null ? null : shown + order.priceMicros;
    const isRight = isCharged
      ? difference !== null && difference < SHOWN_MICROS && difference > -SHOWN_MICROS
      : shown === null;
    if (isRight) return;
    const detail = `is ${message.status}, costs ${order.priceMicros} micros, and its price is ${message.price}`;
    this.findings.add('charge', 'charged wrongly', message.sid, detail);
  }

  private checkGiven(order: Order, message: Listed, given: Given | undefined): void {
    const { findings } = this;
    const most = Math.max(0, ...(given?.times.values() ?? []));
    const parts = given?.times.size ?? 0;
    const mayRepeat = order.tenant.unknownOutcome === 'retry';
    if (most > 1 && mayRepeat) findings.repeated.push(message.sid);
    if (most > 1 && !mayRepeat) {
      const times = [...given!.times].map(([part, count]) => `part ${part} ${count} times`).join(', ');
      findings.add('carrier', 'given twice', message.sid, `${[...given!.carriers]} got ${times} (${message.status})`);
    }
    const problem = problemOf(order, message, parts);
    // Under `retry` what is in doubt waits for another turn, and may be taken back or expire before it comes.
    const isInDoubt = mayRepeat && parts > 0 && isEndedWaiting(message);
    if (isInDoubt || (message.status === 'failed' && message.error_code === UNKNOWN))
      findings.unknown.push(message.sid);
    if (isInDoubt) return;
    if (problem)
      findings.add('final', 'lost', message.sid, `${problem} (${order.key}, ${parts} of ${order.segments} parts)`);
    if (parts === order.segments && textOf(given!) !== order.body) {
      findings.add('carrier', 'other', message.sid, 'the carriers got another text than the customer sent');
    }
  }
}

/** Whether it became final before a carrier took it, as far as the product knows. */
function isEndedWaiting({ status, error_code: errorCode }: Listed): boolean {
  return status === 'canceled' || (status === 'failed' && errorCode === EXPIRED);
}

/** What is wrong with a final state, by what the carriers got and how they treat its destination. */
function problemOf(order: Order, message: Listed, parts: number): string | null {
  const { status, error_code: errorCode } = message;
  const isWhole = parts === order.segments;
  const ends = deliveryOf(order.to);
  switch (status) {
    case 'delivered':
      if (!isWhole) return 'is delivered, but the carriers did not get all of it';
      return ends.state === 'delivered' ? null : 'is delivered, but the carriers could not deliver it';
    case 'undelivered':
      if (!isWhole) return 'is undelivered, but the carriers did not get all of it';
      if (errorCode === UNKNOWN && order.validity !== null) return null;
      return String(errorCode) === ends.error
        ? null
        : `is undelivered with ${errorCode}, the carriers said ${ends.error}`;
    case 'failed':
      if (errorCode === UNKNOWN) return null;
      if (errorCode === EXPIRED && order.validity !== null) return parts === 0 ? null : 'expired, but carriers have it';
      return `failed with ${errorCode}, for which there is no reason`;
    case 'canceled':
      if (!order.isCanceled) return 'is canceled, which nobody asked for';
      return parts === 0 ? null : 'is canceled, but carriers have it';
    default:
      return null;
  }
}

function textOf(given: Given): string {
  return [...given.texts]
    .sort(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join('');
}
