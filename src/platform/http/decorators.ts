import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Principal } from '../../shared/principal.js';

export const ACCESS = 'trunkline:access';
export type Access = 'public' | 'operator' | 'customer';

/** Reachable without credentials. Everything not marked needs a customer's. */
export const Public = () => access('public');

/** Reachable with the operator's bearer token only. */
export const OperatorOnly = () => access('operator');

export const ACTS_ON_INACTIVE = 'trunkline:acts-on-inactive';

/**
 * A write that an account may do to a subaccount of its own that is not active, such as reactivating it. It lifts no
 * rule for the account whose credentials are used: that one must be active.
 */
export const ActsOnInactiveSubaccount = () => SetMetadata(ACTS_ON_INACTIVE, true);

export const NEEDS_AUTH_TOKEN = 'trunkline:needs-auth-token';

/**
 * Reachable with an account's auth token only, not with an API key: what hands out or makes credentials, so that a key
 * that leaked can be revoked for good.
 */
export const NeedsAuthToken = () => SetMetadata(NEEDS_AUTH_TOKEN, true);

export const CREATES_MESSAGE = 'trunkline:creates-message';

/**
 * The route creates a message: each request takes a place in the account's limits of messages, before its body is
 * looked at, and keeps it when the body is refused or the answer is an earlier one's.
 */
export const CreatesMessage = () => SetMetadata(CREATES_MESSAGE, true);

export const READS_BYTES = 'trunkline:reads-bytes';

/**
 * The route gets the body as it came, a Buffer, or nothing where there is none: who sent it is told from its bytes, and only
 * then is it read. Its content type still must be one that the server takes.
 */
export const ReadsBytes = () => SetMetadata(READS_BYTES, true);

/** What the edge knows of a request besides its content; set by its hooks. */
export interface RequestContext {
  principal?: Principal;
  /** The account whose credentials the request bears: the principal's own, or that of the account that owns it. */
  callerSid?: string;
  requestId: string;
  /** This request's own place in the trace (W3C Trace Context): what is passed on to whatever it causes. */
  traceparent: string | null;
  /** Instant at which the request arrived, milliseconds of the process's clock. */
  arrivedAtMs: number;
  /** Whether the client has given up: nobody would read the answer. */
  isGone: () => boolean;
  /** The message that the request made or concerns, where its handler says so: it is named in the request's log line. */
  messageSid?: string;
  /** What its handling consisted of, filled by its use case as each step ends; absent where no traces are made. */
  steps?: Step[];
}

/** One step in the handling of a request. Concurrent requests that travel in a group share it. */
export interface Step {
  /** `<module>.<step>` */
  readonly name: string;
  /** By performance.now(). */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface ContextRequest {
  context: RequestContext;
}

/** The account that the request's credentials belong to; the guard has checked it. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, execution: ExecutionContext): Principal => principalOf(execution.switchToHttp().getRequest()),
);

/** The same, for a handler that takes the whole request: each decorated parameter costs a walk through the pipes. */
export function principalOf({ context }: ContextRequest): Principal {
  if (!context.principal) throw new Error('the route is public: it has no principal');
  return context.principal;
}

/** The request's id, trace and arrival. */
export const Context = createParamDecorator(
  (_: unknown, execution: ExecutionContext): RequestContext =>
    execution.switchToHttp().getRequest<ContextRequest>().context,
);

function access(level: Access) {
  return SetMetadata(ACCESS, level);
}
