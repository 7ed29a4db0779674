import { until } from '../smpp/test-support/until.js';
import { DelayLine } from './delay-line.js';
import { Fifo } from './fifo.js';

test('items come in the order in which they are due, and not before the line says so', async () => {
  const out: number[] = [];
  const line = new DelayLine<number>((items) => out.push(...items));
  const delays = Array.from({ length: 200 }, (_, i) => (i * 37) % 100);
  for (const delayMs of [60_000, ...delays]) line.add(delayMs, delayMs);
  await until('the others came', () => out.length === delays.length);
  // Those of one tick come together, in the order in which they were added.
  const tickMs = 5;
  for (const [i, delayMs] of out.entries()) expect(delayMs).toBeGreaterThanOrEqual((out[i - 1] ?? 0) - tickMs);
  line.clear();
});

test('what is cleared does not come', async () => {
  const out: string[] = [];
  const line = new DelayLine<string>((items) => out.push(...items));
  line.add('gone', 1);
  line.clear();
  line.add('kept', 10);
  await until('the other one came', () => out.length > 0);
  expect(out).toEqual(['kept']);
});

test('a queue gives back what it was given, in order', () => {
  const queue = new Fifo<number>();
  const out: number[] = [];
  for (let i = 1; i <= 10_000; i += 1) {
    queue.push(i);
    if (i % 3 === 0) out.push(queue.shift()!);
  }
  while (queue.length > 0) out.push(queue.shift()!);
  expect(queue.shift()).toBeUndefined();
  expect(out).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
});
