/**
 * The failures a caller can act on, in one catalogue. `code` is the number that Twilio's API gives the same failure
 * (20402 and the 209xx range are this product's own); the edge alone knows which HTTP status each one is answered with.
 */
export const FAILURES = {
  unauthenticated: { code: 20003, message: 'Authentication Error - invalid username or password' },
  forbidden: { code: 20003, message: 'Permission denied: these credentials may not act on this account' },
  account_not_active: { code: 10001, message: 'Account is not active' },
  not_found: { code: 20404, message: 'The requested resource was not found' },
  method_not_allowed: { code: 20004, message: 'Method not allowed' },
  invalid_request: { code: 20001, message: 'Invalid request' },
  invalid_parameter: { code: 20001, message: 'Invalid parameter' },
  payload_too_large: { code: 20413, message: 'The request body is too large' },
  unsupported_media_type: { code: 20415, message: 'The content type of the request is not supported' },
  too_many_requests: { code: 20429, message: 'Too many requests' },
  queue_full: { code: 21611, message: "This account's queue is full" },
  unavailable: { code: 20503, message: 'The service is over its capacity or a dependency is gone; try again later' },
  insufficient_balance: { code: 20402, message: 'The balance does not cover this message' },
  conflict: { code: 20409, message: 'The resource is in a state that does not allow this' },
  idempotency_in_progress: { code: 20409, message: 'A request with this Idempotency-Key is still running' },
  idempotency_mismatch: { code: 20422, message: 'This Idempotency-Key was used with another request' },
  invalid_to: { code: 21211, message: "The 'To' number is not a valid phone number" },
  invalid_from: { code: 21212, message: "The 'From' number is not a valid phone number" },
  region_not_enabled: { code: 21408, message: 'Permission to send to this region is not enabled' },
  invalid_number: { code: 21421, message: "The 'PhoneNumber' is not a valid phone number" },
  number_not_available: { code: 21422, message: 'The phone number is not available: the operator assigns numbers' },
  body_required: { code: 21602, message: 'Message body or media urls must be specified' },
  from_required: { code: 21603, message: "A 'From' or 'MessagingServiceSid' parameter is required" },
  to_required: { code: 21604, message: "A 'To' phone number is required" },
  from_not_usable: { code: 21606, message: "The 'From' phone number is not owned by this account or cannot send" },
  to_is_from: { code: 21266, message: "The 'To' and 'From' numbers cannot be the same" },
  from_queue_full: { code: 21611, message: "This 'From' number has exceeded its queue of messages" },
  invalid_callback: { code: 21609, message: "The 'StatusCallback' URL is not valid" },
  opted_out: { code: 21610, message: 'The recipient has opted out of messages from this sender' },
  no_route: { code: 21612, message: "There is no route to the 'To' number from this sender" },
  not_mobile: { code: 21614, message: "The 'To' number cannot receive SMS" },
  body_too_long: { code: 21617, message: 'The message body exceeds 1600 characters' },
  invalid_number_sid: { code: 21421, message: "The 'PhoneNumberSid' is no phone number of this account" },
  number_in_service: { code: 21710, message: 'The phone number is in this messaging service already' },
  sender_not_in_service: { code: 21711, message: "The 'From' number is not in the pool of the messaging service" },
  number_in_other_service: { code: 21712, message: 'The phone number is in another messaging service' },
  service_pool_full: { code: 21714, message: 'The pool of the messaging service is full' },
  service_without_sender: { code: 21703, message: 'The messaging service has no number that can send' },
  invalid_service: { code: 21705, message: "The 'MessagingServiceSid' is not a valid SID" },
  service_not_found: { code: 21701, message: 'The messaging service does not exist' },
  send_at_required: { code: 35111, message: "A 'SendAt' time is required to schedule a message" },
  send_at_out_of_range: {
    code: 35115,
    message: "The 'SendAt' time must be more than 300 seconds and at most 35 days ahead, as in 2026-01-31T09:00:00Z",
  },
  schedule_needs_service: { code: 35118, message: "A 'MessagingServiceSid' is required to schedule a message" },
  schedule_type_invalid: { code: 35126, message: "The 'ScheduleType' can only be fixed" },
  too_many_hops: { code: 20908, message: 'The message has passed through too many instances' },
  too_many_replies: { code: 14107, message: 'Too many replies were sent between these two numbers within 30 seconds' },
  message_not_final: { code: 20009, message: 'The message is not in a final state yet' },
  message_not_cancelable: { code: 30409, message: 'The message can no longer be canceled' },
} as const;

export type FailureName = keyof typeof FAILURES;

export interface FailureOptions {
  /** Public name of the parameter at fault. */
  readonly field?: string;
  /** What is wrong, in place of the catalogue's message. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  /** Every parameter at fault, where there is more than one. */
  readonly errors?: readonly { field: string; message: string }[];
}

/**
 * A failure the caller can act on. Thrown by use cases and contracts; translated into Twilio's form or into problem
 * details at the edge. `field` is the public name of the parameter at fault, `detail` says what is wrong with it.
 */
export class Failure extends Error {
  readonly code: number;

  constructor(
    readonly failure: FailureName,
    readonly options: FailureOptions = {},
  ) {
    super(options.detail ?? FAILURES[failure].message);
    this.name = 'Failure';
    this.code = FAILURES[failure].code;
  }

  get field(): string | undefined {
    return this.options.field;
  }
}

/** Whether a value is a Failure, optionally of one given name. */
export function isFailure(error: unknown, name?: FailureName): error is Failure {
  return error instanceof Failure && (name === undefined || error.failure === name);
}
