import fc from 'fast-check';
import { BREAKER_DEFAULTS, Breaker, type BreakerTurn } from './breaker.js';

const { openMs, maxOpenMs, probes, windowMs } = BREAKER_DEFAULTS;
const LONGEST_OPEN_MS = openMs * 1.25;

function breaker(random = () => 0.5): Breaker {
  return new Breaker(BREAKER_DEFAULTS, random);
}

/** Calls one after the other, `everyMs` apart, by whether each fails; returns the instant after the last. */
function call(subject: Breaker, fails: readonly boolean[], fromMs = 0, everyMs = 1): number {
  let now = fromMs;
  for (const isFailure of fails) {
    const turn = subject.started(now);
    if (isFailure) subject.failed(turn, now);
    else subject.succeeded(turn, now);
    now += everyMs;
  }
  return now;
}

const calls = (failed: number, succeeded: number) => [
  ...Array<boolean>(succeeded).fill(false),
  ...Array<boolean>(failed).fill(true),
];

it.each([
  ['four failures and nothing else', calls(4, 0), 'closed'],
  ['five failures and nothing else', calls(5, 0), 'open'],
  ['four failures of nine', calls(4, 5), 'closed'],
  ['five failures of ten', calls(5, 5), 'open'],
  ['49 failures of the last 100', calls(49, 100), 'closed'],
  ['50 failures of the last 100', calls(50, 100), 'open'],
] as const)('is after %s %s', (_, outcomes, state) => {
  const subject = breaker();
  expect(subject.state(call(subject, outcomes))).toBe(state);
});

it('opens on what failed lately, whatever went well before', () => {
  const subject = breaker();
  const now = call(subject, calls(0, 100));
  expect(subject.state(call(subject, calls(5, 0), now + windowMs + 1))).toBe('open');
});

it('opens on failures that are far apart', () => {
  const subject = breaker();
  expect(subject.state(call(subject, calls(5, 0), 0, windowMs))).toBe('open');
});

it('forgets what is long over', () => {
  const subject = breaker();
  const now = call(subject, calls(4, 0));
  expect(subject.state(call(subject, [true], now + BREAKER_DEFAULTS.memoryMs))).toBe('closed');
});

it('opens at once on a stall, and lets nothing through until its time has come', () => {
  const subject = breaker();
  subject.stalled(subject.started(0), 0);
  expect([subject.allowance(0), subject.allowance(openMs - 1)]).toEqual([0, 0]);
  expect(subject.waitMs(0)).toBe(openMs);
  expect(subject.allowance(openMs)).toBe(probes);
});

it('closes when every probe has succeeded', () => {
  const subject = breaker();
  subject.stalled(subject.started(0), 0);
  call(subject, [false, false], openMs);
  expect(subject.state(openMs)).toBe('half_open');
  call(subject, [false], openMs);
  expect(subject.allowance(openMs)).toBe(Number.POSITIVE_INFINITY);
});

it('opens again, for longer, when a probe fails, up to a limit', () => {
  const subject = breaker();
  let now = 0;
  const waits: number[] = [];
  for (let opening = 0; opening < 6; opening++) {
    subject.stalled(subject.started(now), now);
    waits.push(subject.waitMs(now));
    now += subject.waitMs(now);
  }
  expect(waits).toEqual([openMs, openMs * 2, openMs * 4, openMs * 8, maxOpenMs, maxOpenMs]);
});

it('lets a probe that was never made be tried again', () => {
  const subject = breaker();
  subject.stalled(subject.started(0), 0);
  const turn = subject.started(openMs);
  expect(subject.allowance(openMs)).toBe(probes - 1);
  subject.withdrawn(turn);
  expect(subject.allowance(openMs)).toBe(probes);
});

it('takes no call from before it opened for a probe, and no late failure for another opening', () => {
  const subject = breaker();
  const old = Array.from({ length: 10 }, () => subject.started(0));
  subject.stalled(old[0]!, 0);
  for (const turn of old) subject.stalled(turn, 0);
  expect(subject.waitMs(0)).toBe(openMs);
  expect(subject.state(openMs)).toBe('half_open');
  for (const turn of old) subject.succeeded(turn, openMs);
  subject.withdrawn(old[0]!);
  expect([subject.state(openMs), subject.allowance(openMs)]).toEqual(['half_open', probes]);
});

type Step = { readonly kind: 'start' | 'succeed' | 'fail' | 'withdraw' | 'wait'; readonly ms: number };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>('start', 'succeed', 'fail', 'withdraw', 'wait'),
    ms: fc.integer({ min: 0, max: maxOpenMs }),
  }),
  { maxLength: 200 },
);

it('never lets more than its probes through between opening and closing, and never stays open for good', () => {
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 0.999, noNaN: true }), (all, chance) => {
      const subject = breaker(() => chance);
      const running: BreakerTurn[] = [];
      let now = 0;
      for (const { kind, ms } of all) {
        if (kind === 'wait') now += ms;
        else if (kind === 'start') {
          if (subject.allowance(now) > 0) running.push(subject.started(now));
        } else {
          const turn = running.shift();
          if (turn === undefined) continue;
          if (kind === 'succeed') subject.succeeded(turn, now);
          else if (kind === 'fail') subject.failed(turn, now);
          else subject.withdrawn(turn);
        }
        const allowed = subject.allowance(now);
        expect(allowed >= 0 && (allowed <= probes || allowed === Number.POSITIVE_INFINITY)).toBe(true);
        expect(subject.recent().calls).toBeLessThanOrEqual(BREAKER_DEFAULTS.calls);
      }
      // Whatever is under way ends well, and enough time passes: it closes.
      for (const turn of running) subject.withdrawn(turn);
      for (let round = 0; round < probes + 1; round++) {
        now += maxOpenMs * 1.25;
        if (subject.allowance(now) > 0) subject.succeeded(subject.started(now), now);
      }
      expect(subject.state(now)).toBe('closed');
    }),
  );
});

it('opens for a jittered time around the one that is due', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (chance) => {
      const subject = breaker(() => chance);
      subject.stalled(subject.started(0), 0);
      expect(subject.waitMs(0)).toBeGreaterThanOrEqual(openMs * 0.75);
      expect(subject.waitMs(0)).toBeLessThanOrEqual(LONGEST_OPEN_MS);
    }),
  );
});
