import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SlidingWindows } from '../../platform/limits/sliding-windows.js';
import { Failure } from '../../shared/failure.js';
import { FAILURE_LIMITS } from './message-limits.js';

const MAX_GOOD = 10_000;
const GROUPS = 8;
const GROUPS_OF_A_NETWORK = 4;

/**
 * Makes guessing credentials slow, and cheap to refuse: an address with too many failures is not asked any more for a
 * while. Credentials that were good before pass all the same, so that nobody is shut out by a neighbour behind the same
 * proxy. Each process counts by itself.
 */
@Injectable()
export class FailedLogins {
  private readonly failures = new SlidingWindows(() => performance.now());
  private readonly good = new LRUCache<string, true>({ max: MAX_GOOD });

  /** @throws Failure `too_many_requests` where the address has failed too often and the credentials are not known */
  admit(address: string, authorization: string | undefined): void {
    if (this.failures.size === 0 || authorization === undefined) return;
    const waitMs = this.failures.waitMs(sourceOf(address), FAILURE_LIMITS);
    if (waitMs === 0 || this.good.has(digestOf(authorization))) return;
    throw new Failure('too_many_requests', {
      detail: 'Too many failed authentications from this address',
      retryAfterSeconds: waitMs / 1_000,
    });
  }

  /** Counts a failure; one without credentials is no guess. */
  failed(address: string, authorization: string | undefined): void {
    if (authorization !== undefined) this.failures.take(sourceOf(address), FAILURE_LIMITS, 1);
  }

  succeeded(authorization: string | undefined): void {
    if (authorization !== undefined) this.good.set(digestOf(authorization), true);
  }
}

/** Of IPv6, whoever has one address has its network of 2⁶⁴. */
function sourceOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  // What `::` stands for is zeros, as many as the groups on both sides leave.
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined)
    groups.push(...new Array(Math.max(0, GROUPS - groups.length - last.length)).fill('0'), ...last);
  return groups.slice(0, GROUPS_OF_A_NETWORK).join(':');
}

/** Nothing that was sent is kept as it is. */
function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'base64');
}
