import type { Lane } from '../domain/lane.js';
import type { Message, MessageStatus } from '../domain/message.js';

/** The columns that decisions are made from. */
export const MESSAGE_COLUMNS = `account_id, id, version, status, lane, queue, from_number, to_number, segments, service_id,
  callback_url, carrier, receipts, error_code, sent_at, valid_until, traceparent`;

export interface MessageRow {
  account_id: string;
  id: string;
  version: number;
  status: string;
  lane: string;
  queue: string;
  from_number: string;
  to_number: string;
  segments: number;
  service_id: string | null;
  callback_url: string | null;
  carrier: string | null;
  receipts: string;
  error_code: number | null;
  sent_at: Date | null;
  valid_until: Date;
  traceparent: string | null;
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    accountId: row.account_id,
    version: row.version,
    status: row.status as MessageStatus,
    lane: row.lane as Lane,
    queue: row.queue,
    from: row.from_number,
    to: row.to_number,
    segments: row.segments,
    serviceId: row.service_id,
    callbackUrl: row.callback_url,
    carrier: row.carrier,
    receipts: BigInt(row.receipts),
    errorCode: row.error_code,
    sentAt: row.sent_at,
    validUntil: row.valid_until,
    traceparent: row.traceparent,
  };
}
