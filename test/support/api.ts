import { insist } from './insist.js';
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

/** Who sends. */
export interface Sender {
  readonly sid: string;
  readonly token: string;
}

const DEMO: Sender = { sid: DEMO_SID, token: DEMO_TOKEN };

/** Creates a message; rejects unless it is answered with 201 in the end. */
export function send(
  url: string,
  params: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
  sender: Sender = DEMO,
): Promise<{ sid: string; status: string }> {
  return insist(async () => {
    const answer = await call(url, `/2010-04-01/Accounts/${sender.sid}/Messages.json`, {
      headers: { authorization: basic(sender.sid, sender.token), 'content-type': FORM, ...headers },
      body: new URLSearchParams({ From: DEMO_NUMBER, ...params }).toString(),
    });
    if (answer.status === 201) return JSON.parse(answer.text) as { sid: string; status: string };
    const error = new Error(`a message was answered with ${answer.status}: ${answer.text}`);
    throw Object.assign(error, { status: answer.status });
  });
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
