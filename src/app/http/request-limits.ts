import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Limit, Limiter, type Taken } from '../../platform/limits/limiter.js';
import { SlidingWindows } from '../../platform/limits/sliding-windows.js';
import { Failure } from '../../shared/failure.js';
import type { Principal } from '../../shared/principal.js';
import { messageLimits, REQUEST_LIMITS } from './message-limits.js';

/**
 * The limits of an account: of messages created, by its tier, and of all other requests. Those of messages hold for all
 * processes where there is a Redis; everything else is counted by each process.
 */
@Injectable()
export class RequestLimits {
  private readonly requests = new SlidingWindows(() => performance.now());
  private readonly ofPrincipal = new WeakMap<Principal, readonly Limit[]>();

  constructor(@Inject(Limiter) private readonly messages: Limiter) {}

  /**
   * Takes a place for a request, and says in its answer what is left.
   *
   * @throws Failure `too_many_requests`
   */
  admit(principal: Principal, createsMessage: boolean, reply: FastifyReply): void | Promise<void> {
    const taken = createsMessage
      ? this.messages.take(principal.accountSid, this.limitsOf(principal), 1)
      : this.requests.take(principal.accountSid, REQUEST_LIMITS, 1);
    if (taken instanceof Promise) return taken.then((answer) => tell(answer, reply));
    tell(taken, reply);
  }

  private limitsOf(principal: Principal): readonly Limit[] {
    const known = this.ofPrincipal.get(principal);
    if (known) return known;
    const limits = messageLimits(principal);
    this.ofPrincipal.set(principal, limits);
    return limits;
  }
}

function tell({ granted, limit, remaining, resetMs }: Taken, reply: FastifyReply): void {
  const seconds = Math.ceil(resetMs / 1_000);
  reply.header('x-ratelimit-limit', limit);
  reply.header('x-ratelimit-remaining', remaining);
  reply.header('x-ratelimit-reset', seconds);
  if (!granted) throw new Failure('too_many_requests', { retryAfterSeconds: Math.max(1, seconds) });
}
