import { basic, read, type Sender } from './api.js';
import { DEMO_SID, DEMO_TOKEN } from './product.js';

const FINAL = ['delivered', 'undelivered', 'failed', 'canceled'];

export interface ListedMessage {
  readonly sid: string;
  readonly to: string;
  readonly status: string;
  readonly error_code: number | null;
}

/** Whether nothing more becomes of a message. */
export function isFinal({ status }: Pick<ListedMessage, 'status'>): boolean {
  return FINAL.includes(status);
}

/** Every message of an account, page after page. */
export async function messagesOf(
  url: string,
  { sid, token }: Sender = { sid: DEMO_SID, token: DEMO_TOKEN },
): Promise<ListedMessage[]> {
  const messages: ListedMessage[] = [];
  let path: string | null = `/2010-04-01/Accounts/${sid}/Messages.json?PageSize=1000`;
  while (path !== null) {
    const page: { messages: ListedMessage[]; next_page_uri: string | null } = await read(url, path, basic(sid, token));
    messages.push(...page.messages);
    path = page.next_page_uri;
  }
  return messages;
}
