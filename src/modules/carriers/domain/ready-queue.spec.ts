import fc from 'fast-check';
import { ReadyQueue } from './ready-queue.js';

function drained(queue: ReadyQueue<string>): string[] {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

describe('what waits at a carrier', () => {
  it('leaves in its order within a flow, and nothing is lost or doubled', () => {
    const step = fc.oneof(
      fc.record({ flow: fc.constantFrom('a', 'b', 'c'), weight: fc.constantFrom(1, 4, 16) }),
      fc.constant('shift' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new ReadyQueue<string>();
        const given: string[] = [];
        const left: string[] = [];
        steps.forEach((one, index) => {
          if (one === 'shift') {
            const item = queue.shift();
            if (item) left.push(item);
            return;
          }
          const flow = `${one.flow}${one.weight}`;
          given.push(`${flow} ${index}`);
          queue.push(`${flow} ${index}`, flow, 1 / one.weight);
        });
        left.push(...drained(queue));
        expect([...left].sort()).toEqual([...given].sort());
        const of = (items: string[], flow: string) => items.filter((item) => item.startsWith(`${flow} `));
        for (const flow of new Set(given.map((item) => item.split(' ')[0]!))) {
          expect(of(left, flow)).toEqual(of(given, flow));
        }
      }),
    );
  });

  it('keeps no flow waiting behind all of another', () => {
    const queue = new ReadyQueue<string>();
    for (let index = 0; index < 100; index++) queue.push('busy', 'busy', 1);
    queue.shift();
    queue.push('quiet', 'quiet', 1);
    expect([queue.shift(), queue.shift()]).toContain('quiet');
  });

  it('lets what is urgent go before the first of many others', () => {
    const queue = new ReadyQueue<string>();
    for (let round = 0; round < 3; round++) {
      for (let flow = 0; flow < 60; flow++) queue.push(`bulk ${flow}`, `bulk ${flow}`, 1);
    }
    for (let index = 0; index < 10; index++) queue.shift();
    queue.push('urgent', 'urgent', 1 / 16);
    expect([queue.shift(), queue.shift()]).toContain('urgent');
  });

  it('charges what is long for its length', () => {
    const queue = new ReadyQueue<string>();
    for (let index = 0; index < 10; index++) queue.push('long', 'long', 10);
    for (let index = 0; index < 10; index++) queue.push('short', 'short', 1);
    const first = Array.from({ length: 10 }, () => queue.shift());
    expect(first.filter((item) => item === 'short').length).toBeGreaterThanOrEqual(9);
  });

  it('shares what leaves by weight', () => {
    const queue = new ReadyQueue<string>();
    for (let index = 0; index < 100; index++) queue.push('bulk', 'bulk', 1);
    for (let index = 0; index < 100; index++) queue.push('realtime', 'realtime', 1 / 16);
    const first = Array.from({ length: 34 }, () => queue.shift());
    expect(first.filter((item) => item === 'bulk').length).toBeGreaterThanOrEqual(2);
    expect(first.filter((item) => item === 'bulk').length).toBeLessThanOrEqual(4);
  });

  it('puts first what came back, and gives a flow no credit for the time in which it sent nothing', () => {
    const queue = new ReadyQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.push(item, 'a', 1);
    const left = queue.shift()!;
    queue.unshift(left);
    expect([queue.first, queue.size]).toEqual(['a1', 3]);
    for (let index = 0; index < 2; index++) queue.shift();
    for (const item of ['b1', 'b2', 'b3']) queue.push(item, 'b', 1);
    expect(drained(queue).indexOf('a3')).toBeLessThan(2);
  });

  it('keeps account of a bounded number of flows', () => {
    const queue = new ReadyQueue<number>();
    queue.push(-1, 'first', 1);
    for (let index = 0; index < 5_000; index++) {
      queue.push(index, `flow ${index}`, 1);
      queue.shift();
    }
    expect((queue as unknown as { flows: Map<string, number> }).flows.size).toBeLessThan(1_100);
    expect(queue.clear()).toHaveLength(1);
    expect(queue.size).toBe(0);
  });
});
