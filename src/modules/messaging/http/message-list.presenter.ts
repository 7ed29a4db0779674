import { inSlices } from '../../../platform/http/in-slices.js';
import { type TwilioPageQuery, twilioPage } from '../../../platform/http/twilio-page.js';
import type { MessageView } from '../domain/message-view.js';
import { presentMessage } from './message.presenter.js';

const FILTERS = ['To', 'From', 'DateSent', 'DateSent<', 'DateSent>'];

/** A page of messages in Twilio's envelope; the filters of the request stay in its links. */
export async function presentMessageList(url: string, query: TwilioPageQuery, read: readonly MessageView[]) {
  const asked = new URL(url, 'http://trunkline');
  const filters = Object.fromEntries(FILTERS.map((name) => [name, asked.searchParams.get(name) ?? undefined]));
  const { rows, envelope } = twilioPage({
    path: asked.pathname,
    filters,
    query,
    rows: read,
    position: (view) => [view.id],
  });
  return { ...envelope, messages: await inSlices(rows, presentMessage) };
}
