import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { LoopLoad } from './loop-load.js';

afterEach(() => {
  jest.restoreAllMocks();
});

function busyFor(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

it('lets nothing gather in a loop that has time', async () => {
  let load: LoopLoad;
  // What else this process has to do (loading files, collecting garbage) comes to an end, sooner or later.
  do {
    load = new LoopLoad();
    await delay(300);
  } while (load.utilization >= 0.5);
  expect(load.gatherMs(50)).toBe(0);
});

it('lets work gather as long as it may in a loop that is never idle', async () => {
  const load = new LoopLoad();
  for (let turn = 0; turn < 5; turn++) {
    busyFor(60);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(load.utilization).toBeGreaterThan(0.9);
  expect(load.gatherMs(50)).toBe(50);
});

it('lets it gather longer the busier the loop is', () => {
  const load = new LoopLoad();
  const gatheredAt = (share: number) => {
    jest.spyOn(LoopLoad.prototype, 'utilization', 'get').mockReturnValue(share);
    return load.gatherMs(40);
  };
  expect([0.4, 0.5, 0.7, 0.9, 1].map(gatheredAt).map(Math.round)).toEqual([0, 0, 20, 40, 40]);
});
