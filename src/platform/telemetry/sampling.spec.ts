import { randomBytes } from 'node:crypto';
import { Allowance } from './allowance.js';
import { samplingOf } from './sampling.js';

const ids = Array.from({ length: 20_000 }, () => randomBytes(16).toString('hex'));
const plenty = new Allowance(Number.POSITIVE_INFINITY);
const sampled = (sampler: Parameters<typeof samplingOf>[0]['sampler'], ratio: number, caller: boolean | null) => {
  const decide = samplingOf({ sampler, ratio }, plenty);
  return ids.filter((id) => decide(id, caller)).length / ids.length;
};

describe('sampling', () => {
  it.each([
    ['always_on', 1, 1, 1],
    ['always_off', 0, 0, 0],
    ['parentbased_always_on', 1, 1, 0],
    ['parentbased_always_off', 0, 1, 0],
  ] as const)('by %s samples %d of new traces, %d of sampled and %d of unsampled callers', (name, root, on, off) => {
    expect([sampled(name, 0.5, null), sampled(name, 0.5, true), sampled(name, 0.5, false)]).toEqual([root, on, off]);
  });

  it('by ratio samples about that share, and a trace either everywhere or nowhere', () => {
    expect(sampled('parentbased_traceidratio', 0.25, null)).toBeCloseTo(0.25, 1);
    expect(sampled('traceidratio', 0.25, true)).toBeCloseTo(0.25, 1);
    expect([sampled('parentbased_traceidratio', 0, null), sampled('parentbased_traceidratio', 1, null)]).toEqual([
      0, 1,
    ]);
    const here = samplingOf({ sampler: 'parentbased_traceidratio', ratio: 0.25 }, plenty);
    const there = samplingOf({ sampler: 'traceidratio', ratio: 0.25 }, plenty);
    expect(ids.every((id) => here(id, null) === there(id, null))).toBe(true);
  });

  it('follows so many of the callers’ traces a second and no more, whatever they ask for', () => {
    let nowMs = 0;
    const decide = samplingOf({ sampler: 'parentbased_always_off', ratio: 0 }, new Allowance(10, () => nowMs));
    const taken = () => ids.slice(0, 100).filter((id) => decide(id, true)).length;
    expect([taken(), taken()]).toEqual([10, 0]);
    nowMs = 999;
    expect(taken()).toBe(0);
    nowMs = 1_000;
    expect(taken()).toBe(10);
  });
});
