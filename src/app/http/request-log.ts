import type { FastifyRequest } from 'fastify';
import { traceFields } from '../../platform/telemetry/trace-fields.js';
import type { Logger } from '../../platform/tokens.js';

const SAMPLED_ONE_IN = 100;
/** A request that took longer is slow: it is logged, and its trace is kept. */
export const SLOW_MS = 1_000;

/**
 * Writes the log's line of a request that has ended. At 10,000 requests a second a line for each would cost a third of the
 * throughput: all failures of the service (5xx but 503) and all slow requests are logged, of the others one in a hundred, and
 * all at level debug.
 */
export class RequestLog {
  private untilSample = 0;

  /** @param debug whether level debug is written */
  constructor(
    private readonly logger: Logger,
    private readonly debug: boolean,
  ) {}

  /**
   * @param route pattern of the path
   * @param status of the answer; 499 where the client left before
   */
  ended(request: FastifyRequest, route: string, status: number, durationMs: number): void {
    const fields = () => ({
      ...requestFields(request),
      route,
      status,
      duration_ms: Math.round(durationMs * 10) / 10,
      message_sid: request.context.messageSid,
    });
    // To be busy, and to say so, is no failure; an overloaded process has no time to write each of them down.
    if (status >= 500 && status !== 503) this.logger.error(fields(), 'request failed');
    else if (durationMs > SLOW_MS) this.logger.warn(fields(), 'request was slow');
    else if (this.isSampled()) this.logger.info(fields(), 'request');
    else if (this.debug) this.logger.debug(fields(), 'request');
  }

  private isSampled(): boolean {
    if (this.untilSample > 0) {
      this.untilSample -= 1;
      return false;
    }
    this.untilSample = SAMPLED_ONE_IN - 1;
    return true;
  }
}

/** What names a request in a log line. */
export function requestFields(request: FastifyRequest): object {
  const { context } = request;
  return {
    request_id: request.id,
    ...traceFields(context?.traceparent),
    account_sid: context?.principal?.accountSid,
    method: request.method,
  };
}
