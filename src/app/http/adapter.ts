import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestIdOf } from '../../platform/http/request-id.js';
import { type Settings, SettingsError } from '../../platform/settings/settings.js';
import type { Edge } from './edge.js';
import { FORM, JSON_TYPE, parseQueryLater } from './request-content.js';

/** Largest body of a request; a message of 1600 characters with ten media URLs has 20 KiB at most. */
export const BODY_LIMIT_BYTES = 256 * 1024;
/** The request line and all headers together. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_PATH_PARAMETER_LENGTH = 128;
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_MS = 5_000;
/** Longer than proxies keep their side (60 s as a rule), so that none sends into a connection that is being closed. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Longer than the slowest statement of a request may take. */
const IDLE_SOCKET_TIMEOUT_MS = 120_000;

declare module 'fastify' {
  interface FastifyInstance {
    edge: Edge | null;
  }
}

/**
 * The HTTP server with its limits and parsers. It takes no Express middleware. Bodies are handed on as bytes: they are
 * parsed when the guard has let the request in.
 *
 * @throws SettingsError where TRUSTED_PROXIES names no address
 */
export function createAdapter(settings: Pick<Settings, 'trustedProxies'>): FastifyAdapter {
  const adapter = build(settings.trustedProxies, () => adapter.getInstance<FastifyInstance>().edge);
  const server = adapter.getInstance<FastifyInstance>();
  server.decorate('edge', null);
  server.removeContentTypeParser('text/plain');
  for (const type of [JSON_TYPE, FORM]) {
    adapter.useBodyParser(type, false, { bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => done(null, body));
  }
  return adapter;
}

/**
 * Node's server, made here and not by Fastify, so that the edge can refuse a request before Fastify spends anything on
 * it: an overloaded process must be able to say so for a small part of what it costs to serve.
 */
function listen(handler: RequestListener, edge: () => Edge | null): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      // The edge refuses such a request with a body that says why.
      requireHostHeader: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      if (!edge()?.sheds(request, response)) handler(request, response);
    },
  );
  return server.setTimeout(IDLE_SOCKET_TIMEOUT_MS);
}

function build(trustedProxies: readonly string[], edge: () => Edge | null): FastifyAdapter {
  try {
    return new FastifyAdapter({
      trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
      bodyLimit: BODY_LIMIT_BYTES,
      genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
      routerOptions: { maxParamLength: MAX_PATH_PARAMETER_LENGTH, querystringParser: parseQueryLater },
      serverFactory: (handler: RequestListener) => listen(handler, edge),
      // While it stops, requests on open connections are answered as ever, with `Connection: close`.
      return503OnClosing: false,
      frameworkErrors: refuseUnroutable,
      clientErrorHandler: refuseMalformed,
      skipMiddie: true,
      multipart: false,
    });
  } catch (error) {
    if (!/invalid IP address|invalid range/.test(String(error))) throw error;
    throw new SettingsError(`TRUSTED_PROXIES: must be IP addresses or CIDR blocks, separated by commas (${error})`);
  }
}

/** A path that the router cannot decode, or with a parameter that is too long. No hook has run. */
function refuseUnroutable(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  request.server.edge?.refuse(error, request, reply);
}

/** Fastify calls it as a method of the server. */
function refuseMalformed(this: FastifyInstance, error: Error, socket: Socket): void {
  this.edge?.refuseMalformed(error, socket);
}
