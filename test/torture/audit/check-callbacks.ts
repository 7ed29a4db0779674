import type { Order } from '../orders.js';
import type { Told } from '../receivers.js';
import type { Listed } from './api-record.js';
import type { Findings } from './findings.js';

/** Callbacks that the product has not delivered, as `<sid> <status>`. */
export interface Undelivered {
  readonly dead: ReadonlySet<string>;
  readonly waiting: ReadonlySet<string>;
}

/** Every change of status was told, in order, or is in the dead-letter list, or waits for a retry that is announced. */
export function checkCallbacks(
  matched: ReadonlyMap<Order, Listed>,
  told: ReadonlyMap<string, Told>,
  undelivered: Undelivered,
  findings: Findings,
): void {
  for (const [order, message] of matched) checkOne(order, message, told.get(message.sid), undelivered, findings);
}

function checkOne(
  order: Order,
  message: Listed,
  told: Told | undefined,
  undelivered: Undelivered,
  findings: Findings,
): void {
  const { sid } = message;
  const heard = [...new Set(told?.statuses.map(({ status }) => status) ?? [])];
  if (order.listener === 'none') {
    if (heard.length > 0) findings.add('callback', 'other', sid, `nobody asked for callbacks, but ${heard} came`);
    return;
  }
  const owed = owedFor(message.status);
  findings.callbacks += owed.length;
  for (const status of owed) {
    const name = `${sid} ${status}`;
    const isTold = heard.includes(status);
    if (isTold && order.listener === 'listens') continue;
    if (undelivered.dead.has(name) || undelivered.waiting.has(name)) continue;
    findings.add('callback', 'callback missing', sid, `its status ${status} was neither told nor given up`);
  }
  const expected = owed.filter((status) => heard.includes(status));
  if (heard.join() !== expected.join()) {
    findings.add('callback', 'callback out of order', sid, `${heard} was told of what became ${message.status}`);
  }
  const wrongCode = told?.statuses.find(
    ({ status, errorCode }) => status === message.status && errorCode !== textOf(message.error_code),
  );
  if (wrongCode) findings.add('callback', 'other', sid, `was told with error ${wrongCode.errorCode}`);
}

function owedFor(status: string): string[] {
  return status === 'delivered' || status === 'undelivered' ? ['sent', status] : [status];
}

function textOf(code: number | null): string | null {
  return code === null ? null : String(code);
}
