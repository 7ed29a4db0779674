import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { RequestContext } from '../../platform/http/decorators.js';
import { PublicUrl } from '../../platform/http/public-url.js';
import type { RouteMetrics } from '../../platform/telemetry/http-metrics.js';
import { Metrics } from '../../platform/telemetry/metrics.js';
import { Readiness } from '../../platform/telemetry/readiness.js';
import { Traces } from '../../platform/telemetry/traces.js';
import { Failure } from '../../shared/failure.js';
import { Admission, type Admitted, type Importance, importanceOf } from './admission.js';
import { answerClientError } from './client-error.js';
import { Drain } from './drain.js';
import { ErrorFilter } from './error.filter.js';
import { ReferenceDocument } from './reference-document.js';
import { RequestLog } from './request-log.js';
import { RequestTraces } from './request-traces.js';
import { RouteTable } from './route-table.js';
import { answerShed } from './shed.js';
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

/** What is observed of a route: its pattern and its counters; and what it is worth. */
interface ObservedRoute {
  readonly pattern: string;
  readonly metrics: RouteMetrics;
  readonly importance: Importance;
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
    admitted: Admitted | null;
  }
  interface FastifyContextConfig {
    observed?: ObservedRoute;
  }
}

/** HTTP/1.1 wants it refused; Node would do so by itself, without a body. */
const HOSTLESS = new Failure('invalid_request', { detail: 'The request has no Host header' });

/** What is done around every request, whichever route answers it: identity, trace, headers, counting, logging. */
@Injectable()
export class Edge implements OnModuleDestroy {
  private readonly unmatched: ObservedRoute;
  private headers: Readonly<Record<string, string>> = SECURITY_HEADERS;
  private readonly shed: RouteMetrics;
  private server: FastifyInstance | null = null;
  private drain: Drain | null = null;

  constructor(
    private readonly filter: ErrorFilter,
    private readonly metrics: Metrics,
    private readonly log: RequestLog,
    private readonly publicUrl: PublicUrl,
    private readonly routes: RouteTable,
    private readonly reference: ReferenceDocument,
    private readonly admission: Admission,
    private readonly readiness: Readiness,
    private readonly traces: Traces,
    private readonly requestTraces: RequestTraces,
  ) {
    this.shed = metrics.route('*', 'shed');
    this.unmatched = { pattern: 'unmatched', metrics: metrics.route('*', 'unmatched'), importance: 'fetch' };
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
    this.server = server;
    this.drain = new Drain(server.server);
    this.reference.from(async () => (await import('./openapi.js')).describeApi(app, this.publicUrl.base()));
    server.decorateRequest('context');
    server.decorateRequest('admitted', null);
    server.addHook('onRoute', (route) => this.addRoute(route));
    adapter.setOnRequestHook((request, reply, done) => {
      this.begin(request, reply);
      if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
        this.filter.answer(HOSTLESS, HOSTLESS, request, reply);
        return;
      }
      done();
    });
    server.addHook('preHandler', (request, reply, done) => this.admit(request, reply, done));
  }

  /**
   * The first thing that happens when the process stops: nobody can connect any more, and readiness says so to those who
   * are connected. What has come is answered while the modules end their own work, and that closes its connection.
   */
  onModuleDestroy(): void {
    this.readiness.stop();
    // Nest closes the server too, when the modules are done, and waits then for what is still to be answered.
    void this.server?.close().catch(() => undefined);
    this.drain?.close();
  }

  /**
   * Refuses a request of which only the head has been read, where the process has no room for it; false where it has.
   * While the process stops, requests take the ordinary way, which closes their connections.
   */
  sheds(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.server?.server.listening || !this.admission.sheds(request.method ?? '', request.url ?? '')) return false;
    answerShed(request, response, this.headers, this.publicUrl.base());
    this.shed.observe(response.statusCode, 0);
    return true;
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
    const method = [route.method].flat().length > 1 ? '*' : String(route.method);
    const metrics = this.metrics.route(method, route.url);
    const importance = importanceOf(method, route.url);
    route.config = { ...route.config, observed: { pattern: route.url, metrics, importance } };
  }

  private routeOf(request: FastifyRequest): ObservedRoute {
    return (request.is404 ? undefined : request.routeOptions.config.observed) ?? this.unmatched;
  }

  /**
   * When a request is whole, so that one which is sent slowly holds no place; and before it is authenticated and read: one
   * that there is no room for costs its refusal and no more.
   */
  private admit(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const start = (admitted: Admitted) => {
      request.admitted = admitted;
      // It left while it waited: its end has passed already.
      if (reply.raw.closed) this.release(request);
      else done();
    };
    const refuse = () => {
      const failure = new Failure('unavailable', { retryAfterSeconds: 1 });
      this.filter.answer(failure, failure, request, reply);
    };
    this.admission.enter(this.routeOf(request).importance, request.context.isGone, start, refuse);
  }

  private release(request: FastifyRequest): void {
    request.admitted?.end();
    request.admitted = null;
  }

  private begin(request: FastifyRequest, reply: FastifyReply): void {
    const header = request.headers.traceparent;
    const traceparent = this.traces.join(typeof header === 'string' ? header : undefined);
    const { socket } = request;
    const isGone = () => socket.destroyed;
    request.context = { requestId: request.id, traceparent, arrivedAtMs: Date.now(), isGone };
    if (this.traces.isOn) request.context.steps = [];
    reply.headers(this.headers);
    reply.header('x-request-id', request.id);
    reply.header('traceparent', traceparent);
    // Not the response hook: that one is not called where the client did not wait for the answer.
    reply.raw.on('close', () => this.end(request, reply));
    this.drain?.begin(reply.raw);
  }

  private end(request: FastifyRequest, reply: FastifyReply): void {
    this.drain?.end(reply.raw);
    this.release(request);
    const { pattern, metrics } = this.routeOf(request);
    const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_LEFT;
    const isTraced = this.requestTraces.ended(request, pattern, status, reply.elapsedTime);
    metrics.observe(status, reply.elapsedTime, isTraced ? request.context.traceparent : null);
    this.log.ended(request, pattern, status, reply.elapsedTime);
  }
}
