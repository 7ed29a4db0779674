import { setImmediate as turn } from 'node:timers/promises';
import { PLANTED } from './planted.js';
import type { PartsClass } from './product.js';
import { type Detail, simulate, type Verdict } from './simulate.js';

/** One seed to repeat: `SEED=4711 npm test -- test/simulation`. */
const SEED = process.env.SEED === undefined ? null : Number(process.env.SEED);
const FIRST = SEED ?? Math.floor(Math.random() * 2 ** 31);
const SCHEDULES: Readonly<Record<Detail, number>> = { full: 300, quick: 300, brief: 500 };
const DETAILS = Object.keys(SCHEDULES) as Detail[];
const PATIENCE_MS = 240_000;
/** How many schedules a planted fault may hide from. */
const MOST = 500;
/** How many seeds more are tried for a shorter story of the same. */
const SHORTER = 100;

/** The violation without what is another in every schedule. */
function kindOf(violation: string): string {
  return violation.split('\n')[0]!.replace(/[0-9a-f-]{36}|\d+/g, 'N');
}

/** The shortest schedule of some that ends in the same violation. */
async function shortest(found: Verdict, detail: Detail): Promise<Verdict> {
  let best = found;
  for (let seed = found.seed + 1; SEED === null && seed <= found.seed + SHORTER; seed++) {
    const verdict = await simulate(seed, { detail });
    const isSame = verdict.violation !== null && kindOf(verdict.violation) === kindOf(found.violation!);
    if (isSame && verdict.turns < best.turns) best = verdict;
  }
  return simulate(best.seed, { detail, trace: true });
}

async function report(found: Verdict, detail: Detail): Promise<string> {
  const { seed, violation, trace } = await shortest(found, detail);
  return [`SEED=${seed} npm test -- test/simulation`, ...trace, violation].join('\n');
}

describe('the product under a seeded scheduler', () => {
  it.each(DETAILS)(
    'keeps what always holds, in %s schedules',
    async (detail) => {
      const most = SEED === null ? SCHEDULES[detail] : 1;
      for (let seed = FIRST; seed < FIRST + most; seed++) {
        const verdict = await simulate(seed, { detail });
        if (verdict.violation !== null) throw new Error(await report(verdict, detail));
        if (seed % 50 === 0) await turn();
      }
      process.stderr.write(`${most} ${detail} schedules from SEED=${FIRST}\n`);
    },
    PATIENCE_MS,
  );

  it.each(DETAILS)('repeats a %s schedule by its seed, step by step', async (detail) => {
    const once = () => simulate(11, { detail, trace: true });
    const [first, again] = [await once(), await once()];
    const plain = ({ trace }: Verdict) => trace.map((line) => line.replace(/[0-9a-f-]{36}/g, 'id'));
    expect(first.trace.length).toBeGreaterThan(50);
    expect(plain(again)).toEqual(plain(first));
  });
});

describe('a fault that is planted', () => {
  async function firstViolation(parts: PartsClass, from: number): Promise<Verdict | null> {
    for (let seed = from; seed < from + MOST; seed++) {
      const verdict = await simulate(seed, { parts });
      if (verdict.violation === null) continue;
      // The same schedule without the fault keeps everything.
      if ((await simulate(seed)).violation === null) return verdict;
    }
    return null;
  }

  it.each(PLANTED)(
    'is found: $name',
    async ({ parts, from, says }) => {
      const verdict = await firstViolation(parts, from);
      expect(verdict?.violation).toMatch(says);
    },
    PATIENCE_MS,
  );
});
