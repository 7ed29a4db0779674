import fc from 'fast-check';
import { EndpointBreaker, PROBES } from './endpoint-breaker.js';
import { RetrySchedule } from './retry-schedule.js';

const schedule = new RetrySchedule();
const FIRST_RETRY_MS = schedule.firstWaitMs * 1.1;

function after(outcomes: readonly boolean[], breaker = new EndpointBreaker(schedule)): EndpointBreaker {
  for (const outcome of outcomes) breaker.record(outcome, 0, 0.5);
  return breaker;
}

const times = (count: number, outcome: boolean) => Array<boolean>(count).fill(outcome);

describe("an endpoint's breaker", () => {
  it.each([
    ['4 failures', times(4, false), 'closed'],
    ['5 failures and nothing else', times(5, false), 'open'],
    ['5 failures after a success', [true, ...times(5, false)], 'closed'],
    ['5 failures among 10', [...times(5, true), ...times(5, false)], 'open'],
    ['9 failures after 11 successes', [...times(11, true), ...times(9, false)], 'closed'],
    ['10 failures after many successes', [...times(100, true), ...times(10, false)], 'open'],
  ])('after %s is %#', (_, outcomes, state) => {
    expect(after(outcomes).state(0)).toBe(state);
  });

  it('lets probes through after its pause, and closes when they succeed', () => {
    const breaker = after(times(5, false));
    const later = FIRST_RETRY_MS;
    expect(breaker.state(later)).toBe('half_open');
    for (let probe = 1; probe < PROBES; probe++) breaker.record(true, later, 0.5);
    expect(breaker.state(later)).toBe('half_open');
    breaker.record(true, later, 0.5);
    expect(breaker.state(later)).toBe('closed');
    expect(breaker.isClean).toBe(true);
  });

  it('pauses for longer each time a probe fails, but always less than the first retry waits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 12 }),
        (chances) => {
          const breaker = after(times(4, false));
          let nowMs = 0;
          for (const chance of chances) {
            breaker.record(false, nowMs, chance);
            expect(breaker.state(nowMs)).toBe('open');
            nowMs += FIRST_RETRY_MS;
            expect(breaker.state(nowMs)).toBe('half_open');
          }
        },
      ),
    );
    const second = after(times(5, false));
    second.record(false, FIRST_RETRY_MS, 0.5);
    expect(second.state(FIRST_RETRY_MS + schedule.firstWaitMs / 4)).toBe('open');
  });

  it('hears nothing from attempts that began before its pause', () => {
    const breaker = after(times(5, false));
    after(times(50, true), breaker);
    expect(breaker.state(0)).toBe('open');
  });
});
