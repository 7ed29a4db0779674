import { AdaptiveLimit } from './adaptive-limit.js';

const SETTINGS = { targetMs: 100, initial: 100, least: 20, most: 1000 };

/** A machine that carries so many at once in time: whatever is beyond that makes everything slow. */
function drive(limit: AdaptiveLimit, capacity: number, offered: number, windows: number, startMs = 0): void {
  for (let window = 1; window <= windows; window++) {
    let entered = 0;
    while (entered < offered && limit.tryEnter(1)) entered++;
    const tookMs = entered > capacity ? 500 : 10;
    for (let i = 0; i < entered; i++) limit.leave(tookMs, startMs + window * 100);
  }
}

describe('an adaptive limit', () => {
  it('grows to what the machine carries, and stays about there', () => {
    const limit = new AdaptiveLimit(SETTINGS);
    drive(limit, 400, 10_000, 200);
    expect(limit.limit).toBeGreaterThan(300);
    expect(limit.limit).toBeLessThan(450);
    expect(limit.inFlight).toBe(0);
  });

  it('shrinks to its least where everything is slow, and comes back', () => {
    const limit = new AdaptiveLimit(SETTINGS);
    drive(limit, 0, 10_000, 200);
    expect(limit.limit).toBe(20);
    drive(limit, 400, 10_000, 200, 20_000);
    expect(limit.limit).toBeGreaterThan(300);
  });

  it('does not grow while nothing reaches it, and never beyond its most', () => {
    const limit = new AdaptiveLimit(SETTINGS);
    drive(limit, 10_000, 50, 200);
    expect(limit.limit).toBe(100);
    drive(limit, 100_000, 100_000, 500);
    expect(limit.limit).toBe(1000);
  });

  it('refuses what is less important first', () => {
    const limit = new AdaptiveLimit(SETTINGS);
    for (let i = 0; i < 50; i++) expect(limit.tryEnter(0.5)).toBe(true);
    expect(limit.tryEnter(0.5)).toBe(false);
    for (let i = 0; i < 30; i++) expect(limit.tryEnter(0.8)).toBe(true);
    expect(limit.tryEnter(0.8)).toBe(false);
    for (let i = 0; i < 20; i++) expect(limit.tryEnter(1)).toBe(true);
    expect(limit.tryEnter(1)).toBe(false);
    limit.leave(10, 1);
    expect(limit.tryEnter(0.8)).toBe(false);
    expect(limit.tryEnter(1)).toBe(true);
  });

  it('learns nothing from work whose duration says nothing', () => {
    const limit = new AdaptiveLimit(SETTINGS);
    for (let window = 1; window <= 100; window++) {
      for (let i = 0; i < 50; i++) limit.tryEnter(1);
      for (let i = 0; i < 50; i++) limit.leave(null, window * 100);
    }
    expect(limit.limit).toBe(100);
  });
});
