import { messageLimits } from './message-limits.js';

const figures = (...args: Parameters<typeof messageLimits>) => messageLimits(...args).map(({ max }) => max);
const none = { messagesPerMinute: null, messagesPerSecond: null };

describe('the limits of messages', () => {
  it.each([
    ['free' as const, [100, 100]],
    ['pro' as const, [10_000, 1_000]],
    ['enterprise' as const, [100_000, 5_000]],
  ])('of %s are those of the tier', (tier, expected) => {
    expect(figures({ tier, ...none })).toEqual(expected);
  });

  it('are the account’s own, where it has some', () => {
    const own = { tier: 'free' as const, messagesPerMinute: 7, messagesPerSecond: 3 };
    expect(figures(own)).toEqual([7, 3]);
    expect(figures({ ...own, tier: 'enterprise', messagesPerMinute: 900_000 })).toEqual([900_000, 3]);
  });

  it('let an own figure of the minute be reached', () => {
    expect(figures({ ...none, tier: 'enterprise', messagesPerMinute: 300_000 })).toEqual([300_000, 5_000]);
    expect(figures({ ...none, tier: 'enterprise', messagesPerMinute: 300_001 })).toEqual([300_001, 5_001]);
  });
});
