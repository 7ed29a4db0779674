import { isFailure } from '../../shared/failure.js';
import { GroupCommit } from './group-commit.js';

interface Item {
  readonly owner: string;
  readonly n: number;
}

const OPTIONS = { maxBatch: 4, maxInFlight: 1, maxQueued: 20, gatherMs: 0 };

/** Runs groups one by one, each when it is let go; remembers what was in them. */
class Gate {
  readonly groups: Item[][] = [];
  private open: (() => void)[] = [];
  private isOpen = false;

  run = async (items: Item[]): Promise<(number | Error)[]> => {
    this.groups.push(items);
    if (!this.isOpen) await new Promise<void>((resolve) => this.open.push(resolve));
    return items.map(({ n }) => (n < 0 ? new Error(`bad ${n}`) : n));
  };

  letGo(): void {
    this.isOpen = true;
    for (const resolve of this.open.splice(0)) resolve();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const items = (owner: string, count: number): Item[] => Array.from({ length: count }, (_, n) => ({ owner, n }));

describe('a group commit', () => {
  it('lets what comes in one turn leave in one group, and the rest in their order', async () => {
    const gate = new Gate();
    const group = new GroupCommit(gate.run, OPTIONS);
    const results = Promise.all(items('a', 10).map((item) => group.submit(item)));
    await settle();
    expect([gate.groups.map((one) => one.length), group.queued]).toEqual([[4], 6]);
    gate.letGo();
    expect(await results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(gate.groups.flat().map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await group.drain();
    expect(group.queued).toBe(0);
  });

  it('rejects one item alone where its answer is an error, and a whole group where the group failed', async () => {
    const gate = new Gate();
    gate.letGo();
    const group = new GroupCommit(gate.run, OPTIONS);
    const settled = await Promise.allSettled([1, -2, 3].map((n) => group.submit({ owner: 'a', n })));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const short = new GroupCommit<Item, number>(async () => [], OPTIONS);
    await expect(short.submit({ owner: 'a', n: 1 })).rejects.toThrow('a group of 1 items was given 0 answers');
    const broken = new GroupCommit<Item, number>(() => Promise.reject(new Error('gone')), OPTIONS);
    await expect(broken.submit({ owner: 'a', n: 1 })).rejects.toThrow('gone');
    await broken.drain();
  });

  it('refuses what is over its bound', async () => {
    const gate = new Gate();
    const group = new GroupCommit(gate.run, OPTIONS);
    const all = items('a', 25).map((item) => group.submit(item));
    const results = Promise.allSettled(all);
    gate.letGo();
    const refused = (await results).filter((one) => one.status === 'rejected' && isFailure(one.reason, 'unavailable'));
    expect(refused).toHaveLength(5);
  });

  it('gives every owner a share of each group, however much one of them has waiting', async () => {
    const gate = new Gate();
    const group = new GroupCommit(gate.run, { ...OPTIONS, ownerOf: (item: Item) => item.owner });
    const results = Promise.all(
      [...items('big', 9), ...items('small', 2), ...items('other', 1)].map((item) => group.submit(item)),
    );
    await settle();
    gate.letGo();
    await results;
    const owners = gate.groups.map((one) => one.map(({ owner }) => owner).sort());
    expect(owners[0]).toEqual(['big', 'big', 'other', 'small']);
    expect(owners[1]).toContain('small');
    const bigs = gate.groups.flat().filter(({ owner }) => owner === 'big');
    expect(bigs.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('keeps half of its room free of any one owner', async () => {
    const gate = new Gate();
    const group = new GroupCommit(gate.run, { ...OPTIONS, ownerOf: (item: Item) => item.owner });
    const big = Promise.allSettled(items('big', 15).map((item) => group.submit(item)));
    const small = Promise.all(items('small', 5).map((item) => group.submit(item)));
    gate.letGo();
    const refused = (await big).filter((one) => one.status === 'rejected');
    expect(refused.filter(({ reason }) => isFailure(reason, 'queue_full'))).toHaveLength(5);
    expect(await small).toHaveLength(5);
  });

  it.each([{ maxBatch: 0 }, { maxInFlight: 0 }, { maxQueued: 0 }, { gatherMs: -1 }, { maxBatch: Number.NaN }])(
    'refuses options with which nothing would ever leave: %j',
    (bad) => {
      expect(() => new GroupCommit(async () => [], { ...OPTIONS, ...bad })).toThrow(RangeError);
    },
  );
});
