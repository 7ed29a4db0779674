import { newId } from '../../../shared/sid.js';
import type { Delivery } from '../domain/delivery.js';
import { HeldDeliveries } from './held-deliveries.js';

const ACCOUNT = newId();

function delivery(version: number, messageId = newId(), accountId = ACCOUNT): Delivery {
  return {
    accountId,
    messageId,
    version,
    url: 'https://one.test/',
    attempts: 0,
    traceparent: null,
    callback: {} as never,
  };
}

describe('held deliveries', () => {
  it('go out message by message, in the order in which they came', () => {
    const held = new HeldDeliveries();
    const [first, second, third] = [2, 3, 4].map((version) => delivery(version, '1')) as [Delivery, Delivery, Delivery];
    expect(held.add(first, 1e9, false)).toBe(true);
    expect(held.add(second, 1e9, true)).toBe(false);
    expect(held.add(third, 1e9, false)).toBe(false);
    expect(held.behind(first)).toEqual([second, third]);
    expect(held.end(first)).toEqual({ next: second, isFromTable: false });
    expect(held.end(second)).toEqual({ next: third, isFromTable: true });
    expect(held.end(third)).toEqual({ next: null, isFromTable: false });
    expect(held.size).toBe(0);
  });

  it('may follow what is held or over, and nothing else', () => {
    const held = new HeldDeliveries();
    const [first, second] = [delivery(2, '1'), delivery(3, '1')];
    expect(held.mayFollow(second, [2])).toBe(false);
    held.add(first, 1e9, false);
    expect(held.mayFollow(second, [2])).toBe(true);
    expect(held.mayFollow(delivery(4, '1'), [2, 3])).toBe(false);
    held.end(first);
    expect(held.mayFollow(second, [2])).toBe(true);
    expect(held.mayFollow(second, [])).toBe(true);
  });

  it('that wait behind one that is to be retried are let go with it', () => {
    const held = new HeldDeliveries();
    const [first, second] = [delivery(2, '1'), delivery(3, '1')];
    held.add(first, 1e9, false);
    held.add(second, 1e9, false);
    held.drop(first);
    expect([held.size, held.has(second), held.mayFollow(second, [2])]).toEqual([0, false, false]);
  });

  it('are planned with what is planned before them, without being held', () => {
    const held = new HeldDeliveries();
    const plan = held.newPlan();
    const [first, second] = [delivery(2, '1'), delivery(3, '1')];
    expect(plan.mayFollow(second, [2])).toBe(false);
    plan.add(first);
    expect([plan.mayFollow(second, [2]), plan.isFollowing(second), plan.hasRoom(second)]).toEqual([true, true, true]);
    expect(held.size).toBe(0);
  });

  it('leave room for other accounts, however many hold all that they may', () => {
    const held = new HeldDeliveries();
    const accounts = [ACCOUNT, ...Array.from({ length: 60 }, () => newId())];
    const counts = accounts.map((account) => {
      const before = held.size;
      while (held.newPlan().hasRoom(delivery(2, newId(), account))) held.add(delivery(2, newId(), account), 1e9, false);
      return held.size - before;
    });
    expect(counts.slice(0, 2)).toEqual([2_000, 1_800]);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(held.room).toBeGreaterThan(0);
  });

  it('are planned within what an account may hold', () => {
    const held = new HeldDeliveries();
    const plan = held.newPlan();
    let planned = 0;
    for (let one = delivery(2); plan.hasRoom(one); one = delivery(2), planned++) plan.add(one);
    expect([planned, held.roomFor(ACCOUNT), held.isShort(ACCOUNT)]).toEqual([2_000, 2_000, true]);
  });

  it('that have not begun are let go at the end', () => {
    const held = new HeldDeliveries();
    const [begun, behind, waiting] = [delivery(2, '1'), delivery(3, '1'), delivery(2, '2')];
    for (const one of [begun, behind, waiting]) held.add(one, 1e9, false);
    held.begin(begun);
    expect(held.dropIdle()).toEqual([behind, waiting]);
    expect(held.end(begun)).toEqual({ next: null, isFromTable: false });
    expect(held.size).toBe(0);
  });

  it('are owned for a time', () => {
    const held = new HeldDeliveries();
    const one = delivery(2);
    expect(held.ownedMs(one)).toBe(0);
    held.add(one, performance.now() + 1e6, false);
    expect(held.ownedMs(one)).toBeGreaterThan(9e5);
    held.prolong(one, performance.now() - 1);
    expect(held.ownedMs(one)).toBe(0);
  });
});
