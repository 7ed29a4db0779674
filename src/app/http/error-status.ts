import type { FailureName } from '../../shared/failure.js';

export interface DocumentedFailure {
  /** HTTP status that it is answered with. */
  readonly status: number;
  readonly cause: string;
  readonly remedy: string;
}

/** A bug, or whatever else nobody has foreseen; it has no name in the catalogue of failures. */
export const INTERNAL_ERROR = {
  code: 20500,
  status: 500,
  message: 'An internal error occurred; its details are in the log of the service',
  cause: 'The service met something it was not written for.',
  remedy: 'Try again. If it happens again, give the request id to the operator.',
} as const;

/** What each failure is answered with, and what the documentation says of it. */
export const DOCUMENTED_FAILURES: Readonly<Record<FailureName, DocumentedFailure>> = {
  unauthenticated: {
    status: 401,
    cause: 'The credentials are missing, malformed or wrong, or they do not belong to the account in the path.',
    remedy:
      'Use HTTP Basic with the account SID and its auth token, or with an API key and its secret; operator routes take the operator token as a bearer token.',
  },
  forbidden: {
    status: 403,
    cause: 'The credentials are good, but may not do this.',
    remedy: 'Use the credentials of the account itself, or of the account that owns it.',
  },
  account_not_active: {
    status: 403,
    cause: 'The account is suspended, closed, or not set up yet. A suspended account can read, but change nothing.',
    remedy: 'Ask the operator why; an account that was just opened is active within seconds.',
  },
  not_found: {
    status: 404,
    cause: 'Nothing with this path or SID exists in this account.',
    remedy: 'Check the path, and that the SID belongs to the account whose credentials are used.',
  },
  method_not_allowed: {
    status: 405,
    cause: 'The path exists, but not for this HTTP method.',
    remedy: 'Use one of the methods in the Allow header of the answer.',
  },
  invalid_request: {
    status: 400,
    cause: 'The request cannot be read: broken percent-encoding, JSON or UTF-8, or too many parameters.',
    remedy: 'Correct what the message names.',
  },
  invalid_parameter: {
    status: 400,
    cause: 'A parameter is missing, malformed, out of its range, or not known here.',
    remedy: 'Correct the parameter that the message names.',
  },
  payload_too_large: {
    status: 413,
    cause: 'The body of the request is larger than the service reads.',
    remedy: 'Send less in one request.',
  },
  unsupported_media_type: {
    status: 415,
    cause: 'The body has another type, character set or encoding than the route reads.',
    remedy:
      'Send a form (application/x-www-form-urlencoded) to Twilio-compatible routes, JSON to all others, in UTF-8.',
  },
  too_many_requests: {
    status: 429,
    cause:
      'The limit of the account for this span of time, or its messages of this day, are used up; or there were too many failed authentications from this address.',
    remedy: 'Wait as long as the Retry-After header says, and spread requests more evenly.',
  },
  queue_full: {
    status: 429,
    cause: 'The account has as many messages waiting as it may have.',
    remedy: 'Try again after the time in the Retry-After header, when some have been sent.',
  },
  unavailable: {
    status: 503,
    cause: 'The service has more work than it can do in time, or something that it needs is out of reach.',
    remedy: 'Try again after the time in the Retry-After header, with the same Idempotency-Key.',
  },
  insufficient_balance: {
    status: 402,
    cause: 'The balance, less what is reserved for messages under way, does not cover the price of the message.',
    remedy: 'Have the account credited.',
  },
  conflict: {
    status: 409,
    cause: 'The state of the resource does not allow what was asked.',
    remedy: 'Read the resource, and decide again.',
  },
  idempotency_in_progress: {
    status: 409,
    cause: 'An earlier request with the same Idempotency-Key has not been answered yet.',
    remedy: 'Try again shortly, with the same key.',
  },
  idempotency_mismatch: {
    status: 422,
    cause: 'The Idempotency-Key was used for a different request within the last 24 hours.',
    remedy: 'Use a new key for a new request.',
  },
  invalid_to: {
    status: 400,
    cause: "The 'To' parameter is no phone number.",
    remedy: 'Give it in E.164: a plus sign, the country calling code, the number.',
  },
  invalid_from: {
    status: 400,
    cause: "The 'From' parameter is no phone number, short code or sender name.",
    remedy: 'Give a number of the account in E.164.',
  },
  region_not_enabled: {
    status: 400,
    cause: 'The account may not send to the region of this number.',
    remedy: 'Ask the operator to enable the region.',
  },
  invalid_number: {
    status: 400,
    cause: "The 'PhoneNumber' parameter is no phone number.",
    remedy: 'Give it in E.164: a plus sign, the country calling code, the number.',
  },
  number_not_available: {
    status: 400,
    cause: 'Numbers are not sold here: they come from the carriers of the operator, who assigns them to accounts.',
    remedy: 'Ask the operator for a number.',
  },
  body_required: {
    status: 400,
    cause: "The message has neither 'Body' nor 'MediaUrl'.",
    remedy: 'Give one of them.',
  },
  from_required: {
    status: 400,
    cause: "The message has neither 'From' nor 'MessagingServiceSid'.",
    remedy: 'Give one of them.',
  },
  to_required: {
    status: 400,
    cause: "The message has no 'To'.",
    remedy: 'Give the number of the recipient.',
  },
  from_not_usable: {
    status: 400,
    cause: "The 'From' number does not belong to the account, or cannot send messages.",
    remedy: 'Use a number of the account.',
  },
  to_is_from: {
    status: 400,
    cause: 'The message would go to the number that it comes from.',
    remedy: 'Send from another number, or to another one.',
  },
  from_queue_full: {
    status: 429,
    cause: "The 'From' number has as many messages waiting as it may have.",
    remedy: 'Wait until some have been sent, or use another number.',
  },
  invalid_callback: {
    status: 400,
    cause: "The 'StatusCallback' is no absolute http or https URL that the service may call.",
    remedy: 'Give the public URL of your endpoint.',
  },
  opted_out: {
    status: 400,
    cause: 'The recipient has answered STOP to this sender.',
    remedy: 'Do not write to the recipient before an answer of START.',
  },
  no_route: {
    status: 400,
    cause: "No carrier takes messages from this sender to the 'To' number.",
    remedy: 'Check the number; the operator can add a route.',
  },
  not_mobile: {
    status: 400,
    cause: "The 'To' number cannot receive messages.",
    remedy: 'Use the number of a mobile phone.',
  },
  body_too_long: {
    status: 400,
    cause: "The 'Body' has more than 1600 characters.",
    remedy: 'Shorten it, or send several messages.',
  },
  invalid_number_sid: {
    status: 400,
    cause: "The 'PhoneNumberSid' is malformed, or the account owns no number with this SID.",
    remedy: "Give the PN SID of one of the account's numbers.",
  },
  number_in_service: {
    status: 409,
    cause: 'The number is in the pool of this messaging service already.',
    remedy: 'None: it is where it was to be.',
  },
  sender_not_in_service: {
    status: 400,
    cause:
      "The message names a 'From' of the account that is not in the pool of its 'MessagingServiceSid'; or the number was taken out of the pool while the message was scheduled.",
    remedy: "Add the number to the service, or leave 'From' out.",
  },
  number_in_other_service: {
    status: 409,
    cause: 'The number is in the pool of another messaging service of the account; it can be in one only.',
    remedy: 'Remove it there first.',
  },
  service_pool_full: {
    status: 400,
    cause: 'The messaging service has 400 numbers, which is as many as it may have.',
    remedy: 'Remove one, or use another service.',
  },
  service_without_sender: {
    status: 400,
    cause: 'The messaging service has no number in its pool that the account still owns.',
    remedy: "Add one of the account's numbers to the service.",
  },
  invalid_service: {
    status: 400,
    cause: "The 'MessagingServiceSid' is not MG and 32 hexadecimal digits.",
    remedy: 'Give the SID of a messaging service of the account.',
  },
  service_not_found: {
    status: 400,
    cause: "The 'MessagingServiceSid' names no messaging service of the account.",
    remedy: 'Check the SID, and that it belongs to the account whose credentials are used.',
  },
  send_at_required: {
    status: 400,
    cause: "The message has a 'ScheduleType', but no 'SendAt'.",
    remedy: "Give the time in ISO 8601, as in 2026-01-31T09:00:00Z, or leave 'ScheduleType' out.",
  },
  send_at_out_of_range: {
    status: 400,
    cause: "The 'SendAt' is no ISO 8601 instant, at most 300 seconds ahead, or more than 35 days ahead.",
    remedy: 'Give a time in between, in UTC, with some seconds to spare.',
  },
  schedule_needs_service: {
    status: 400,
    cause: "The message has a 'ScheduleType', but no 'MessagingServiceSid'.",
    remedy: 'Schedule it through a messaging service.',
  },
  schedule_type_invalid: {
    status: 400,
    cause: "The 'ScheduleType' is something else than fixed.",
    remedy: 'Give fixed, or leave it out to send at once.',
  },
  too_many_hops: {
    status: 400,
    cause:
      "The message has passed through five instances of this service already ('X-Trunkline-Hops'): their routes form a loop.",
    remedy: 'The operators of the instances have to change the routes that lead it back.',
  },
  too_many_replies: {
    status: 429,
    cause: 'More than 30 answers to incoming messages went from one number to another within 30 seconds.',
    remedy: 'Two machines probably answer each other: let one of them be silent. The messages come in all the same.',
  },
  message_not_final: {
    status: 409,
    cause: 'The message is still under way, so it cannot be changed or removed.',
    remedy: 'Wait until it is delivered, undelivered, failed or canceled.',
  },
  message_not_cancelable: {
    status: 409,
    cause: 'Only a message that is scheduled or waits can be canceled, and not once its sending has begun.',
    remedy: 'None: the message takes its course.',
  },
};
