import { type Limit, type Limiter, type Taken, takenOf, type WindowState } from './limiter.js';

/** In a generation; a key with two windows takes about a kilobyte and a half. */
const MAX_KEYS = 10_000;
/** A key that was not asked for since the turn before the last is forgotten. Longer than any window. */
const TURN_MS = 120_000;
const MAX_WINDOW_MS = 60_000;

/**
 * Sliding windows in this process's memory. A window is cut into buckets, and a bucket that still overlaps it counts
 * whole: so no span of a window's length ever holds more than the limit, and there is no edge at which twice the limit
 * passes. Each request costs the same, however high the limit.
 *
 * Keys live in two generations: what is asked for moves to the young one, which becomes the old one when two minutes
 * are over, or when it is full. So memory is bounded, and what is idle is forgotten.
 */
export class SlidingWindows implements Limiter {
  private young = new Map<string, Window[]>();
  private old = new Map<string, Window[]>();
  private turnEndsMs: number;

  /** @param now a clock that never goes back, in milliseconds */
  constructor(
    private readonly now: () => number,
    private readonly maxKeys = MAX_KEYS,
  ) {
    this.turnEndsMs = now() + TURN_MS;
  }

  /** How many keys are known. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  take(key: string, limits: readonly Limit[], count: number): Taken {
    const nowMs = this.now();
    const windows = this.windows(key, limits, nowMs);
    let granted = true;
    for (let i = 0; i < windows.length; i++) {
      windows[i]!.slideTo(nowMs);
      if (windows[i]!.taken + count > limits[i]!.max) granted = false;
    }
    if (granted) for (const window of windows) window.add(count);
    return takenOf(
      granted,
      count,
      windows.map((window, index) => window.state(limits[index]!, count, nowMs)),
    );
  }

  /** Counts what was granted elsewhere, whatever the limits say. */
  note(key: string, limits: readonly Limit[], count: number): void {
    const nowMs = this.now();
    for (const window of this.windows(key, limits, nowMs)) {
      window.slideTo(nowMs);
      window.add(count);
    }
  }

  /** How many milliseconds it takes until something is free again; 0 where something is. Takes nothing. */
  waitMs(key: string, limits: readonly Limit[]): number {
    const windows = this.young.get(key) ?? this.old.get(key);
    if (!windows) return 0;
    const nowMs = this.now();
    let wait = 0;
    windows.forEach((window, index) => {
      window.slideTo(nowMs);
      if (window.taken >= limits[index]!.max) wait = Math.max(wait, window.state(limits[index]!, 1, nowMs).resetMs);
    });
    return wait;
  }

  private windows(key: string, limits: readonly Limit[], nowMs: number): Window[] {
    if (nowMs >= this.turnEndsMs || this.young.size >= this.maxKeys) this.turn(nowMs);
    const known = this.young.get(key);
    if (known) return known;
    const windows = this.old.get(key) ?? limits.map((limit) => new Window(limit));
    this.old.delete(key);
    this.young.set(key, windows);
    return windows;
  }

  private turn(nowMs: number): void {
    // After a pause of two turns, what is young is as idle as what is old.
    this.old = nowMs >= this.turnEndsMs + TURN_MS ? new Map() : this.young;
    this.young = new Map();
    this.turnEndsMs = nowMs + TURN_MS;
  }
}

/** One window: the bucket of now and all that overlap the span before it. */
class Window {
  taken = 0;
  private readonly widthMs: number;
  private readonly counts: Uint32Array;
  /** Number of the newest bucket, and of the newest one in which something was taken. */
  private head = 0;
  private last = 0;

  constructor({ windowMs, buckets }: Limit) {
    if (windowMs > MAX_WINDOW_MS) throw new RangeError(`a window has at most ${MAX_WINDOW_MS} ms`);
    this.widthMs = windowMs / buckets;
    this.counts = new Uint32Array(buckets + 1);
  }

  slideTo(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.widthMs);
    const size = this.counts.length;
    if (bucket - this.head >= size || this.taken === 0) {
      if (this.taken > 0) this.counts.fill(0);
      this.taken = 0;
      this.head = Math.max(this.head, bucket);
      return;
    }
    while (this.head < bucket) {
      this.head++;
      const slot = this.head % size;
      this.taken -= this.counts[slot]!;
      this.counts[slot] = 0;
    }
  }

  add(count: number): void {
    const slot = this.head % this.counts.length;
    this.counts[slot] = this.counts[slot]! + count;
    this.taken += count;
    this.last = this.head;
  }

  state(limit: Limit, count: number, nowMs: number): WindowState {
    const remaining = Math.max(0, limit.max - this.taken);
    const leaves = remaining >= count ? this.last : this.freeing(count - remaining);
    const resetMs = this.taken === 0 ? 0 : Math.max(0, (leaves + this.counts.length) * this.widthMs - nowMs);
    return { limit, remaining, resetMs };
  }

  /** The bucket whose leaving makes so many places free; the newest one where all together do not. */
  private freeing(places: number): number {
    let freed = 0;
    for (let bucket = this.head - this.counts.length + 1; bucket < this.head; bucket++) {
      if (bucket < 0) continue;
      freed += this.counts[bucket % this.counts.length]!;
      if (freed >= places) return bucket;
    }
    return this.last;
  }
}
