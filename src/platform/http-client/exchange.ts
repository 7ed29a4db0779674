import type { Dispatcher } from 'undici';
import { type FailureReason, failureReasonOf, type OutboundResult } from './outbound-result.js';

type ResponseHeaders = Record<string, string | string[] | undefined>;

export interface ExchangeOptions {
  readonly dispatch: Dispatcher.DispatchOptions;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Called once, with the result. */
  readonly onResult: (result: OutboundResult) => void;
}

/**
 * One request and its response. It has two ends: its result, which comes in time whatever the network does, and its
 * release, when undici lets go of it, which is the later one after a timeout.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly dispatch: Dispatcher.DispatchOptions;
  /** Called once each; set by whoever queues the exchange. */
  onSettled: () => void = () => {};
  onReleased: () => void = () => {};

  readonly #options: ExchangeOptions;
  readonly #startedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.fail('aborted', 'the request was aborted');
  #controller: Dispatcher.DispatchController | null = null;
  #settled = false;
  #status = 0;
  #headers: ResponseHeaders = {};
  #chunks: Buffer[] = [];
  #receivedBytes = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.dispatch = options.dispatch;
    this.#timer = setTimeout(
      () => this.fail('timeout', `no response within ${options.timeoutMs} ms`),
      options.timeoutMs,
    );
    options.signal?.addEventListener('abort', this.#abort);
  }

  /** Ends the exchange with a failure, unless it has its result already. */
  fail(reason: FailureReason, message: string): void {
    if (this.#settled) return;
    // It starts on a connection that is open, right before its first byte.
    const mayHaveLeft = this.#controller !== null;
    this.#settle({ kind: 'failure', reason, message, durationMs: this.#elapsedMs(), mayHaveLeft });
    this.#controller?.abort(new Error(message));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error('the request was given up before it was sent'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    const isInformational = status < 200;
    if (isInformational) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.#options.maxResponseBytes) this.#failAsTooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#options.maxResponseBytes) this.#failAsTooLarge();
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settled) {
      const body = Buffer.concat(this.#chunks, this.#receivedBytes);
      const durationMs = this.#elapsedMs();
      this.#settle({ kind: 'response', status: this.#status, headers: this.#headers, body, durationMs });
    }
    this.#release();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(failureReasonOf(error), messageOf(error));
    this.#release();
  }

  #failAsTooLarge(): void {
    this.fail('too_large', `the response body exceeds ${this.#options.maxResponseBytes} bytes`);
  }

  #settle(result: OutboundResult): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#chunks = [];
    this.onSettled();
    this.#options.onResult(result);
  }

  #release(): void {
    const onReleased = this.onReleased;
    this.onReleased = () => {};
    onReleased();
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }
}

/** Where every address of a host was tried in vain, the error of all of them together says nothing but its code. */
function messageOf(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name);
}
