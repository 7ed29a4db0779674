import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { RequestContext } from '../../platform/http/decorators.js';
import { PublicUrl } from '../../platform/http/public-url.js';
import { joinTrace } from '../../platform/http/trace-context.js';
import { Metrics, type RouteMetrics } from '../../platform/telemetry/metrics.js';
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
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
/** Two years, as browsers' preload lists want it; only where the public URL is https. */
const STRICT_TRANSPORT = { 'strict-transport-security': 'max-age=63072000; includeSubDomains' };

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
  ) {
    this.unmatched = { pattern: 'unmatched', metrics: metrics.route('*', 'unmatched') };
  }

  /** To be called before the application registers its routes. */
  attach(app: NestFastifyApplication): void {
    const adapter = app.getHttpAdapter();
    if (!(adapter instanceof FastifyAdapter)) throw new Error('the application must be created with createAdapter');
    const server = adapter.getInstance<FastifyInstance>();
    if (this.publicUrl.base().startsWith('https:')) this.headers = { ...SECURITY_HEADERS, ...STRICT_TRANSPORT };
    server.edge = this;
    server.decorateRequest('context');
    server.addHook('onRoute', (route) => this.addRoute(route));
    adapter.setOnRequestHook((request, reply, done) => {
      this.begin(request, reply);
      done();
    });
    adapter.setOnResponseHook((request, reply, done) => {
      this.end(request, reply);
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
  }

  private end(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.config?.observed ?? this.unmatched;
    route.metrics.observe(reply.statusCode, reply.elapsedTime);
    this.log.answered(request, reply, route.pattern);
  }
}

/**
 * Puts the edge around an application that was created with createAdapter and has the EdgeModule. To be called after
 * NestFactory.create and before init or listen.
 */
export function configureEdge(app: NestFastifyApplication): void {
  app.get(Edge).attach(app);
  const publicUrl = app.get(PublicUrl);
  app.get(ReferenceDocument).from(() => describeApi(app, publicUrl.base()));
}
