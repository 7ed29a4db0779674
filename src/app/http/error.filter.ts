import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PublicUrl } from '../../platform/http/public-url.js';
import { LogThrottle } from '../../platform/telemetry/log-throttle.js';
import { Logger } from '../../platform/tokens.js';
import { Failure } from '../../shared/failure.js';
import { dialectOf } from './dialect.js';
import { errorAnswer } from './error-answer.js';
import { requestFields } from './request-log.js';
import { RouteTable } from './route-table.js';
import { translateError } from './translate-error.js';

/** Answers whatever was thrown, in the words of the path that was asked. The only place where an error is answered. */
@Catch()
@Injectable()
export class ErrorFilter implements ExceptionFilter {
  private readonly refusals: LogThrottle;

  constructor(
    private readonly logger: Logger,
    private readonly publicUrl: PublicUrl,
    private readonly routes: RouteTable,
  ) {
    this.refusals = new LogThrottle(logger);
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    this.answer(error, this.failureOf(error, request, reply), request, reply);
  }

  /**
   * Answers with a failure, or with a general error where it is null.
   *
   * @param error what was thrown, for the log
   */
  answer(error: unknown, failure: Failure | null, request: FastifyRequest, reply: FastifyReply): void {
    this.log(error, failure, request);
    if (reply.sent || reply.raw.headersSent) {
      // The answer has begun: breaking it off is the only way left to say that it is not whole.
      reply.raw.destroy();
      return;
    }
    const dialect = dialectOf(request.url);
    const answer = errorAnswer(failure, { dialect, publicUrl: this.publicUrl.base(), requestId: request.id });
    reply.code(answer.status).headers(answer.headers).send(answer.body);
  }

  private failureOf(error: unknown, request: FastifyRequest, reply: FastifyReply): Failure | null {
    if (request.is404) return this.unmatched(request, reply);
    const isBrokenOff = request.raw.destroyed && !request.raw.complete;
    return isBrokenOff ? new Failure('invalid_request', { detail: 'The request is not whole' }) : translateError(error);
  }

  private unmatched(request: FastifyRequest, reply: FastifyReply): Failure {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = this.routes.allowedMethods(path);
    if (allowed.length === 0) return new Failure('not_found');
    reply.header('allow', allowed.join(', '));
    return new Failure('method_not_allowed');
  }

  private log(error: unknown, failure: Failure | null, request: FastifyRequest): void {
    const fields = { ...requestFields(request), route: request.routeOptions?.url, err: error };
    if (failure === null) this.logger.error(fields, 'a request met an unexpected error');
    else if (failure.failure === 'unavailable') this.refusals.warn(fields, 'a request was refused for the time being');
  }
}
