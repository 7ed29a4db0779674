/** What a template of JSON is made of: its texts are templates, the rest stands as it is. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [name: string]: JsonTemplate };

/**
 * What an answer, or the lack of one, says of a message. `unavailable`: the carrier takes nothing from us at present (it
 * refuses our credentials, or has no such address); it counts as down until its check passes.
 */
export const ANSWER_RESULTS = ['accepted', 'throttled', 'retryable', 'permanent', 'unavailable', 'unknown'] as const;
export type AnswerResult = (typeof ANSWER_RESULTS)[number];

/** One line of the table that answers are looked up in: the first that fits counts. Names at least one of both. */
export interface AnswerRule {
  /** An HTTP status, or a class of them: `429`, `5xx`. */
  readonly status?: string | undefined;
  /** The carrier's own code, as `answer.code` finds it. */
  readonly code?: string | undefined;
  readonly result: AnswerResult;
  /** Of `permanent`: Twilio's code for it; 30008 where it is left out and the carrier's own is none. */
  readonly error_code?: number | undefined;
}

export const RECEIPT_STATES = ['enroute', 'delivered', 'undelivered'] as const;

export type ReceiptAuth =
  /** The secret stands in the URL, as `?token=`. */
  | { readonly kind: 'token'; readonly secret: string }
  /** The secret is the value of a header. */
  | { readonly kind: 'header'; readonly name: string; readonly secret: string }
  /** A header holds the HMAC of the body. */
  | {
      readonly kind: 'hmac';
      readonly name: string;
      readonly secret: string;
      readonly algorithm: 'sha1' | 'sha256' | 'sha512';
      readonly encoding: 'hex' | 'base64';
      /** What stands before the HMAC in the header, such as `sha256=`. */
      readonly prefix: string;
    }
  /** `X-Twilio-Signature`, over the URL that the carrier was given and the form. */
  | { readonly kind: 'twilio'; readonly secret: string };

/** How receipts are told from forgeries, and read. Pointers look into the JSON body, or into the fields of a form. */
export interface ReceiptDefinition {
  readonly auth: ReceiptAuth;
  /** Where a body holds a list of receipts: the other pointers look into each of them. */
  readonly list?: string | undefined;
  /** The carrier's id of the message, as its answer gave it; the key, where answers give none. */
  readonly id: string;
  readonly state: string;
  /** What the carrier's states mean. One that is not listed is counted, and changes nothing. */
  readonly states: Readonly<Record<string, (typeof RECEIPT_STATES)[number]>>;
  readonly to?: string | undefined;
  /** The carrier's error code of a message that was not delivered. */
  readonly error?: string | undefined;
  /** Twilio's codes for the carrier's; one that is not listed is given on where it is one of 30000 to 30999, else 30008. */
  readonly errors?: Readonly<Record<string, number>> | undefined;
  /** When it was done, YYMMDDhhmm. */
  readonly done_date?: string | undefined;
}

/** A carrier over HTTP as data, under the names that the operator's API has for it: how to call it, and what it says. */
export interface HttpDefinition {
  readonly method: 'POST' | 'GET';
  /** Template; each value is percent-encoded, and none can stand in the host. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly basic_auth?: { readonly username: string; readonly password: string } | undefined;
  /** The body, as a form or as JSON. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  readonly json?: JsonTemplate | undefined;
  /** How long an answer may take. */
  readonly timeout_ms: number;
  /** What is asked, by GET, whether the carrier is there: 2xx says so. Left out: any answer from the URL's host. */
  readonly check?: string | undefined;
  /** How often it is asked while no message proves that it is there. */
  readonly check_interval_ms: number;
  readonly answer: {
    /** Where the carrier's id of the message stands; left out, the message is known to the carrier by its key. */
    readonly id?: string | undefined;
    readonly code?: string | undefined;
    readonly results?: readonly AnswerRule[] | undefined;
  };
  readonly receipts?: ReceiptDefinition | undefined;
}

/** Twilio itself, or whatever has its API, such as another instance of this product. */
export interface TwilioPreset {
  readonly preset: 'twilio';
  readonly base_url: string;
  readonly account_sid: string;
}

/** As the operator gave it and as it is kept; its secrets are kept apart, sealed. */
export type HttpCarrier = HttpDefinition | TwilioPreset;

/** By the names under which templates and `receipts.auth` know them. */
export type HttpSecrets = Readonly<Record<string, string>>;

/** Something in a definition that cannot be used, and where it stands. */
export interface DefinitionProblem {
  readonly field: string;
  readonly message: string;
}

export function isPreset(carrier: HttpCarrier): carrier is TwilioPreset {
  return 'preset' in carrier;
}
