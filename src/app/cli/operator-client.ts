import { resolve } from 'node:path';
import type { Environment } from '../../platform/settings/settings.js';
import { readSecrets, secretsFile } from '../kept-secrets.js';
import { UsageError } from './command.js';
import { localAddress } from './local-address.js';

/** A caller of the operator API, of this machine's product or of another. */
export class OperatorClient {
  private constructor(
    private readonly base: string,
    private readonly token: string,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Without a URL it asks on this machine and never at PUBLIC_URL: a proxy keeps the operator API from there, and the token
   * would travel through it.
   *
   * @throws UsageError where no token or no usable address is given
   */
  static async from(
    environment: Environment,
    url: string | boolean | undefined,
    signal: AbortSignal,
  ): Promise<OperatorClient> {
    const base = typeof url === 'string' ? url : localAddress(environment);
    if (!/^https?:$/.test(URL.parse(base)?.protocol ?? '')) throw new UsageError(`${base} is no http or https URL`);
    const kept = environment.OPERATOR_TOKEN ?? (await keptToken(environment));
    if (!kept) throw new UsageError('set OPERATOR_TOKEN, or DATA_DIR to the directory in which the token is kept');
    return new OperatorClient(base.replace(/\/+$/, ''), kept, signal);
  }

  /**
   * One request below `/v1/operator/`.
   *
   * @returns the answer's JSON; null where it has none
   * @throws Error with what the API answered, where that is an error
   */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const target = new URL(`${this.base}/v1/operator/${path.replace(/^\/+/, '')}`);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(target, {
      method,
      signal: this.signal,
      redirect: 'error',
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(text === undefined ? {} : { body: text }),
    }).catch((error: Error & { cause?: Error }) => {
      throw new Error(`${target.origin} cannot be reached: ${error.cause?.message || error.message}`);
    });
    const received = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${target.pathname} was answered with ${answer.status}: ${received}`);
    return received === '' ? null : JSON.parse(received);
  }
}

async function keptToken({ DATABASE_URL, DATA_DIR }: Environment): Promise<string | undefined> {
  if (DATABASE_URL) return undefined;
  return (await readSecrets(secretsFile(resolve(DATA_DIR))))?.operatorToken;
}
