import { basic } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';
import type { Tenant } from '../tenants.js';

/** A message as its tenant sees it. */
export interface Listed {
  readonly sid: string;
  readonly account_sid: string;
  readonly to: string;
  readonly body: string;
  readonly status: string;
  readonly error_code: number | null;
  readonly price: string | null;
  readonly num_segments: string;
}

interface Page {
  readonly messages: Listed[];
  readonly next_page_uri: string | null;
}

const PAGE = 1000;
const PATIENCE_MS = 120_000;

/** Reads something as a tenant until it is answered. */
export function readAs<T>(url: string, path: string, tenant: Tenant): Promise<{ status: number; body: T }> {
  return eventually(
    async () => {
      const response = await fetch(url + path, { headers: { authorization: basic(tenant.sid, tenant.token) } });
      const body = (await response.json()) as T;
      return response.status < 500 && response.status !== 429 && { status: response.status, body };
    },
    { timeoutMs: PATIENCE_MS, everyMs: 250, what: `${path} is answered` },
  ) as Promise<{ status: number; body: T }>;
}

/** A tenant's messages, newest first, back to the SID `after` (left out), or all of them. */
export async function listMessages(url: string, tenant: Tenant, after: string | null): Promise<Listed[]> {
  const listed: Listed[] = [];
  let path: string | null = `/2010-04-01/Accounts/${tenant.sid}/Messages.json?PageSize=${PAGE}`;
  while (path !== null) {
    const page: { status: number; body: Page } = await readAs<Page>(url, path, tenant);
    if (page.status !== 200) throw new Error(`${path} was answered ${page.status}`);
    for (const message of page.body.messages) {
      // SIDs sort by time, so that what follows is older still.
      if (after !== null && message.sid <= after) return listed;
      listed.push(message);
    }
    path = page.body.next_page_uri;
  }
  return listed;
}
