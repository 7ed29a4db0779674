import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { RequestContext } from '../../platform/http/decorators.js';
import { PublicUrl } from '../../platform/http/public-url.js';
import { joinTrace } from '../../platform/http/trace-context.js';
import type { RouteMetrics } from '../../platform/telemetry/http-metrics.js';
import { Metrics } from '../../platform/telemetry/metrics.js';
import { answerClientError } from './client-error.js';
import { ErrorFilter } from './error.filter.js';
import { describeApi } from './openapi.js';
import { ReferenceDocument } from './reference-document.js';
import { RequestLog } from './request-log.js';
import { RouteTable } from './route-table.js';
import { translateError } from './translate-error.js';

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
/** Only where the public URL is https. A year, and nothing said about other hosts of the domain. */
const STRICT_TRANSPORT = { 'strict-transport-security': 'max-age=31536000' };

/** Stands for the status of an answer that its client did not wait for, as many proxies write it. */
const CLIENT_LEFT = 499;

/** What is observed of a route: its pattern and its counters. */
interface ObservedRoute {
  readonly pattern: string;
  readonly metrics: RouteMetrics;
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
  interface FastifyContextConfig {
    observed?: ObservedRoute;
  }
}

/** What is done around every request, whichever route answers it: identity, trace, headers, counting, logging. */
@Injectable()
export class Edge {
  private readonly unmatched: ObservedRoute;
  private headers: Readonly<Record<string, string>> = SECURITY_HEADERS;

  constructor(
    private readonly filter: ErrorFilter,
    private readonly metrics: Metrics,
    private readonly log: RequestLog,
    private readonly publicUrl: PublicUrl,
    private readonly routes: RouteTable,
    private readonly reference: ReferenceDocument,
  ) {
    this.unmatched = { pattern: 'unmatched', metrics: metrics.route('*', 'unmatched') };
  }

  /**
   * Puts the edge around an application that was created with createAdapter: to be called after NestFactory.create and
   * before init or listen, which register the routes.
   */
  attach(app: NestFastifyApplication): void {
    const adapter = app.getHttpAdapter();
    if (!(adapter instanceof FastifyAdapter)) throw new Error('the application must be created with createAdapter');
    const server = adapter.getInstance<FastifyInstance>();
    if (this.publicUrl.base().startsWith('https:')) this.headers = { ...SECURITY_HEADERS, ...STRICT_TRANSPORT };
    server.edge = this;
    this.reference.from(() => describeApi(app, this.publicUrl.base()));
    server.decorateRequest('context');
    server.addHook('onRoute', (route) => this.addRoute(route));
    adapter.setOnRequestHook((request, reply, done) => {
      this.begin(request, reply);
      done();
    });
  }

  /** Answers a request that the router refused before any hook ran. */
  refuse(error: Error, request: FastifyRequest, reply: FastifyReply): void {
    this.begin(request, reply);
    this.filter.answer(error, translateError(error), request, reply);
  }

  /** Answers bytes that are no HTTP. */
  refuseMalformed(error: Error, socket: Socket): void {
    answerClientError(error, socket, () => this.publicUrl.base());
  }

  private addRoute(route: RouteOptions): void {
    this.routes.add(route.method, route.url);
    const metrics = this.metrics.route([route.method].flat().length > 1 ? '*' : String(route.method), route.url);
    route.config = { ...route.config, observed: { pattern: route.url, metrics } };
  }

  private begin(request: FastifyRequest, reply: FastifyReply): void {
    const header = request.headers.traceparent;
    const traceparent = joinTrace(typeof header === 'string' ? header : undefined);
    request.context = { requestId: request.id, traceparent, arrivedAtMs: Date.now() };
    reply.headers(this.headers);
    reply.header('x-request-id', request.id);
    reply.header('traceparent', traceparent);
    // Not the response hook: that one is not called where the client did not wait for the answer.
    reply.raw.on('close', () => this.end(request, reply));
  }

  private end(request: FastifyRequest, reply: FastifyReply): void {
    const observed = request.is404 ? undefined : request.routeOptions.config.observed;
    const { pattern, metrics } = observed ?? this.unmatched;
    const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_LEFT;
    metrics.observe(status, reply.elapsedTime);
    this.log.ended(request, pattern, status, reply.elapsedTime);
  }
}
