import { type AnswerRule, type HttpCarrier, type HttpDefinition, isPreset, type TwilioPreset } from './definition.js';

export const TWILIO_SECRET = 'auth_token';
const TIMEOUT_MS = 8_000;
const CHECK_INTERVAL_MS = 30_000;

/** What Twilio says of a message with 400 that is as good a reason on ours (Twilio's API error codes). */
const SAME_CODES = [
  21211, 21212, 21408, 21601, 21602, 21603, 21604, 21606, 21608, 21610, 21611, 21612, 21614, 21617, 21705, 20908,
];
/** The account cannot send at all: suspended, out of money, wrong credentials. It says nothing of the message. */
const ACCOUNT_CODES = ['10001', '20003', '20005', '20402', '20404', '20405'];

const RESULTS: readonly AnswerRule[] = [
  // With 429, 21611 is a full queue, which passes.
  { status: '429', result: 'throttled' },
  { status: '503', result: 'retryable' },
  // An earlier attempt with the same key is under way there.
  { code: '20409', result: 'retryable' },
  ...ACCOUNT_CODES.map((code) => ({ code, result: 'unavailable' }) as const),
  ...SAME_CODES.map((code) => ({ code: String(code), result: 'permanent', error_code: code }) as const),
];

/** What a carrier's definition comes to: its own, or what its preset stands for. */
export function expand(carrier: HttpCarrier): HttpDefinition {
  return isPreset(carrier) ? twilio(carrier) : carrier;
}

/** The body is what Twilio's own libraries send; the key makes a repetition harmless where the other side honours it. */
function twilio({ base_url: base, account_sid: sid }: TwilioPreset): HttpDefinition {
  const account = `${base.replace(/\/+$/, '')}/2010-04-01/Accounts/${sid}`;
  return {
    method: 'POST',
    url: `${account}/Messages.json`,
    headers: { 'Idempotency-Key': '{{key}}' },
    basic_auth: { username: sid, password: `{{secrets.${TWILIO_SECRET}}}` },
    form: {
      To: '{{to}}',
      From: '{{from}}',
      Body: '{{text}}',
      StatusCallback: '{{receipt_url}}',
      ValidityPeriod: '{{valid_seconds}}',
    },
    timeout_ms: TIMEOUT_MS,
    check: `${account}/Balance.json`,
    check_interval_ms: CHECK_INTERVAL_MS,
    answer: { id: '/sid', code: '/code', results: RESULTS },
    receipts: {
      auth: { kind: 'twilio', secret: TWILIO_SECRET },
      id: '/MessageSid',
      state: '/MessageStatus',
      to: '/To',
      error: '/ErrorCode',
      done_date: '/RawDlrDoneDate',
      states: {
        accepted: 'enroute',
        scheduled: 'enroute',
        queued: 'enroute',
        sending: 'enroute',
        sent: 'enroute',
        delivered: 'delivered',
        read: 'delivered',
        undelivered: 'undelivered',
        failed: 'undelivered',
        canceled: 'undelivered',
      },
      errors: Object.fromEntries(SAME_CODES.map((code) => [String(code), code])),
    },
  };
}
