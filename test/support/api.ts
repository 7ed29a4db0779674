import { DEMO_NUMBER, DEMO_SID, DEMO_TOKEN } from './product.js';

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';
export const MESSAGES = `/2010-04-01/Accounts/${DEMO_SID}/Messages.json`;

/** The Authorization header of HTTP Basic. */
export function basic(username = DEMO_SID, password = DEMO_TOKEN): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** One request, answered to its end. */
export async function call(url: string, path: string, { method, headers, body }: Call = {}): Promise<Answer> {
  const response = await fetch(url + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Creates a message of the demo account; rejects unless it is answered with 201. */
export async function send(
  url: string,
  params: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ sid: string; status: string }> {
  const answer = await call(url, MESSAGES, {
    headers: { authorization: basic(), 'content-type': FORM, ...headers },
    body: new URLSearchParams({ From: DEMO_NUMBER, ...params }).toString(),
  });
  if (answer.status !== 201) throw new Error(`a message was answered with ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as { sid: string; status: string };
}

/** Reads something as the demo account; rejects unless it is answered with 200. */
export async function read<T>(url: string, path: string, authorization = basic()): Promise<T> {
  const answer = await call(url, path, { headers: { authorization } });
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

/** A message of the demo account as it is now. */
export function readMessage(
  url: string,
  sid: string,
): Promise<{ status: string; body: string; price: string | null; error_code: number | null }> {
  return read(url, `/2010-04-01/Accounts/${DEMO_SID}/Messages/${sid}.json`);
}

/** The demo account's balance, what is reserved of it included and apart. */
export function readBalance(url: string): Promise<{ balance: string; reserved: string; available: string }> {
  return read(url, '/v1/balance');
}
