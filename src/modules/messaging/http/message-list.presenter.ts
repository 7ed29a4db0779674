import { inSlices } from '../../../platform/http/in-slices.js';
import { idPage } from '../../../platform/http/twilio-list.js';
import type { TwilioPageQuery } from '../../../platform/http/twilio-page.js';
import type { MessageView } from '../domain/message-view.js';
import { presentMessage } from './message.presenter.js';

const FILTERS = ['To', 'From', 'DateSent', 'DateSent<', 'DateSent>'];

/** A page of messages in Twilio's envelope; the filters of the request stay in its links. */
export async function presentMessageList(url: string, query: TwilioPageQuery, read: readonly MessageView[]) {
  const { rows, envelope } = idPage(url, FILTERS, query, read);
  return { ...envelope, messages: await inSlices(rows, presentMessage) };
}
