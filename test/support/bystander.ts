import { basic, read, readBalance, send } from './api.js';
import { eventually } from './eventually.js';
import { DEMO_SID, type Product } from './product.js';

/** An account of its own, as the operator opened it. */
export interface Bystander {
  readonly sid: string;
  readonly token: string;
  readonly authorization: string;
}

/** Opens an account through the operator's API. */
export async function openAccount(product: Product, name: string): Promise<Bystander> {
  const { sid, auth_token: token } = await product.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
    friendly_name: name,
    tier: 'pro',
  });
  return { sid, token, authorization: basic(sid, token) };
}

/** What must be the same before and after requests that were refused. */
export interface Standing {
  readonly balance: unknown;
  readonly messages: number;
  readonly audit: { readonly ok: boolean; readonly checked: { readonly messages: number; readonly entries: number } };
}

/** The demo account's balance with its reservations, its messages, and the whole product's audit. */
export async function standingOf(product: Product): Promise<Standing> {
  const { messages } = await read<{ messages: unknown[] }>(
    product.url,
    `/2010-04-01/Accounts/${DEMO_SID}/Messages.json?PageSize=1000`,
  );
  const { ok, checked } = await product.operator<Standing['audit']>('GET', 'audit');
  return {
    balance: await readBalance(product.url),
    messages: messages.length,
    audit: { ok, checked: { messages: checked.messages, entries: checked.entries } },
  };
}

/** Sends a message and waits until it is delivered and charged. */
export async function sendSettled(product: Product, to: string, body: string): Promise<string> {
  const { sid } = await send(product.url, { To: to, Body: body });
  await eventually(async () => Number((await readBalance(product.url)).reserved) === 0, { what: `${sid} is charged` });
  return sid;
}

/** Lines of the log that tell of an error of the product; to be too busy, and to say so with 503, is none. */
export function errorLines(product: Product): string[] {
  const lines = product.output().split('\n');
  return lines.filter((line) => / (ERROR|FATAL) /.test(line) && !line.includes(' status=503'));
}
