import { rfc2822 } from '../../../platform/http/rfc2822.js';
import { formatPrice } from '../../../shared/money.js';
import { sidOf } from '../../../shared/sid.js';
import { CHARGED } from '../domain/message.js';
import type { MessageView } from '../domain/message-view.js';
import { errorMessage } from './error-messages.js';

/** A message as Twilio's API shows it: 20 fields; the price stands with the final state. */
export function presentMessage(view: MessageView): Record<string, unknown> {
  const accountSid = sidOf('AC', view.accountId);
  const sid = sidOf('SM', view.id);
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: view.body,
    date_created: rfc2822(view.createdAt),
    date_sent: dateSent(view),
    date_updated: rfc2822(view.updatedAt),
    direction: view.direction,
    error_code: view.errorCode,
    error_message: view.errorCode === null ? null : errorMessage(view.errorCode),
    from: view.from,
    messaging_service_sid: view.serviceId ? sidOf('MG', view.serviceId) : null,
    num_media: '0',
    num_segments: String(view.segments),
    price: CHARGED.includes(view.status) ? formatPrice(BigInt(view.priceMicros)) : null,
    // An incoming message costs nothing, in no currency.
    price_unit: view.currency || null,
    sid,
    status: view.status,
    subresource_uris: { media: `${uri}/Media.json`, feedback: `${uri}/Feedback.json` },
    to: view.to,
    uri: `${uri}.json`,
  };
}

/** When it was sent; while it is scheduled, when it is to be. */
function dateSent({ status, sentAt, sendAt }: MessageView): string | null {
  const at = status === 'scheduled' ? sendAt : sentAt;
  return at ? rfc2822(at) : null;
}
