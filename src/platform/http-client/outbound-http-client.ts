import { type buildConnector, Pool } from 'undici';
import { AddressPolicy } from './address-policy.js';
import { Exchange } from './exchange.js';
import { guardedConnector } from './guarded-connector.js';
import { HostResolver } from './host-resolver.js';
import { OriginChannel } from './origin-channel.js';
import type { FailureReason, OutboundFailure, OutboundResult } from './outbound-result.js';
import { parseTargetUrl, type UrlRefusal } from './target-url.js';

const DEFAULT_MAX_ORIGINS = 1_000;
const DEFAULT_MAX_QUEUED_PER_ORIGIN = 1_000;

export interface OutboundHttpClientOptions {
  /** Networks besides the public internet that may be reached, in CIDR notation. */
  readonly allowedCidrs: readonly string[];
  /** From the call to the end of the body, waiting and connecting included. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxHeaderBytes: number;
  /** Connections to one origin, and so requests under way to it, in each lane. */
  readonly connectionsPerOrigin: number;
  readonly userAgent: string;
  /** Requests that may wait for one origin; by default 1,000. */
  readonly maxQueuedPerOrigin?: number;
  /** Origins, in each lane, with a kept connection or a request under way; by default 1,000. */
  readonly maxOrigins?: number;
  /** "address:port" of name servers; by default those of the system. */
  readonly dnsServers?: readonly string[];
}

export interface OutboundRequest {
  readonly url: string;
  readonly method: 'POST' | 'GET';
  /** Take the place of the client's user agent and of credentials in the URL. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Instead of the client's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Requests of another lane have connections and a queue of their own, also to the same origin. */
  readonly lane?: string;
}

export type CheckedUrl =
  | {
      readonly ok: true;
      /** As it will be requested: normalised, without a fragment. Sign this one. */
      readonly url: string;
    }
  | { readonly ok: false; readonly reason: UrlRefusal };

const MESSAGE_BY_REFUSAL: Readonly<Record<UrlRefusal, string>> = {
  too_long: 'the URL is too long',
  invalid: 'not a valid URL',
  unsupported_scheme: 'the URL must begin with http:// or https://',
  blocked_address: 'the URL does not lead to a public address, nor to an allowed network',
};

/**
 * HTTP to addresses that customers name, which must not become a way into the operator's networks (see AddressPolicy).
 * Redirects are not followed, proxies of the environment not used. Everything is bounded: time, head and body of a
 * response, connections and queue of an origin, number of origins (those idle longest are closed to make room).
 */
export class OutboundHttpClient {
  readonly #options: OutboundHttpClientOptions;
  readonly #policy: AddressPolicy;
  readonly #resolver: HostResolver;
  readonly #connect: buildConnector.connector;
  readonly #maxOrigins: number;
  readonly #maxQueuedPerOrigin: number;
  /** By origin and lane, in order of last use. */
  readonly #channels = new Map<string, OriginChannel>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  /** Throws an Error that names the option with a bad value. */
  constructor(options: OutboundHttpClientOptions) {
    checkPositive('timeoutMs', options.timeoutMs);
    checkPositive('maxResponseBytes', options.maxResponseBytes);
    checkPositive('maxHeaderBytes', options.maxHeaderBytes);
    checkPositive('connectionsPerOrigin', options.connectionsPerOrigin);
    this.#maxOrigins = options.maxOrigins ?? DEFAULT_MAX_ORIGINS;
    checkPositive('maxOrigins', this.#maxOrigins);
    this.#maxQueuedPerOrigin = options.maxQueuedPerOrigin ?? DEFAULT_MAX_QUEUED_PER_ORIGIN;
    checkPositive('maxQueuedPerOrigin', this.#maxQueuedPerOrigin);
    this.#options = options;
    this.#policy = new AddressPolicy(options.allowedCidrs);
    this.#resolver = new HostResolver(options.dnsServers);
    this.#connect = guardedConnector(this.#policy, this.#resolver, options.timeoutMs);
  }

  /**
   * Whether requests to a URL can succeed as far as can be told without asking DNS: for the moment a customer sets it.
   * Credentials in it are sent as Basic authentication.
   */
  checkUrl(url: string): CheckedUrl {
    const target = parseTargetUrl(url, this.#policy);
    return target.ok ? { ok: true, url: target.url.href } : target;
  }

  /** Sends a request. Never rejects: what goes wrong is a result too. */
  request(request: OutboundRequest): Promise<OutboundResult> {
    const target = parseTargetUrl(request.url, this.#policy);
    if (!target.ok) {
      const reason = target.reason === 'blocked_address' ? 'blocked_address' : 'invalid_url';
      return Promise.resolve(unsent(reason, MESSAGE_BY_REFUSAL[target.reason]));
    }
    if (this.#isClosed) return Promise.resolve(unsent('aborted', 'the HTTP client is closed'));
    if (request.signal?.aborted) return Promise.resolve(unsent('aborted', 'the request was aborted'));
    const { url, authorization } = target;
    const channel = this.#channelTo(url.origin, request.lane ?? '');
    if (channel === null)
      return Promise.resolve(unsent('busy', `requests to ${this.#maxOrigins} origins are under way`));
    const { method, body } = request;
    const headers = this.#headersOf(request, authorization);
    return new Promise((onResult) => {
      const exchange = new Exchange({
        dispatch: { origin: url.origin, path: url.pathname + url.search, method, headers, body },
        timeoutMs: request.timeoutMs ?? this.#options.timeoutMs,
        maxResponseBytes: this.#options.maxResponseBytes,
        signal: request.signal,
        onResult,
      });
      channel.submit(exchange);
    });
  }

  /** Takes no further request, waits for those under way (each is bounded by its timeout), and closes every socket. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const key of this.#channels.keys()) this.#closeChannel(key);
    await Promise.all(this.#closing);
    this.#resolver.close();
  }

  #headersOf(request: OutboundRequest, authorization: string | null): Record<string, string> {
    const headers: Record<string, string> = { 'user-agent': this.#options.userAgent };
    if (authorization !== null) headers.authorization = authorization;
    // In one case, so that a header of the request replaces ours instead of standing beside it.
    for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
    return headers;
  }

  #channelTo(origin: string, lane: string): OriginChannel | null {
    const key = `${origin} ${lane}`;
    const existing = this.#channels.get(key);
    if (existing === undefined && this.#channels.size >= this.#maxOrigins && !this.#closeOldestIdle()) return null;
    const channel = existing ?? this.#openChannel(origin);
    this.#channels.delete(key);
    this.#channels.set(key, channel);
    return channel;
  }

  #openChannel(origin: string): OriginChannel {
    const { connectionsPerOrigin, maxHeaderBytes } = this.#options;
    const pool = new Pool(origin, {
      connect: this.#connect,
      connections: connectionsPerOrigin,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      // The exchange keeps the time, of everything at once.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return new OriginChannel(pool, connectionsPerOrigin, this.#maxQueuedPerOrigin);
  }

  #closeOldestIdle(): boolean {
    for (const [key, channel] of this.#channels) {
      if (!channel.isIdle) continue;
      this.#closeChannel(key);
      return true;
    }
    return false;
  }

  #closeChannel(key: string): void {
    const closed = this.#channels.get(key)?.close();
    if (closed === undefined) return;
    this.#channels.delete(key);
    this.#closing.add(closed);
    void closed.finally(() => this.#closing.delete(closed));
  }
}

function unsent(reason: FailureReason, message: string): OutboundFailure {
  return { kind: 'failure', reason, message, durationMs: 0, mayHaveLeft: false };
}

function checkPositive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a positive integer, got ${value}`);
}
