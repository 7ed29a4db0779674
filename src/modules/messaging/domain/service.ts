export type WebhookMethod = 'GET' | 'POST';

/** Longest validity of a message, seconds (Twilio's rule). */
export const MAX_VALIDITY_SECONDS = 36_000;
/** Numbers in the pool of one service (Twilio's default, error 21714). */
export const MAX_POOL_NUMBERS = 400;
/** Services of one account. */
export const MAX_SERVICES = 1_000;

/** What a customer decides of a messaging service. */
export interface ServiceSettings {
  readonly friendlyName: string;
  readonly useCase: string;
  /** What is asked about an inbound message to a number of the pool; null: nobody. */
  readonly inboundRequestUrl: string | null;
  readonly inboundMethod: WebhookMethod;
  readonly fallbackUrl: string | null;
  readonly fallbackMethod: WebhookMethod;
  /** Whether the number's own URL is asked instead. */
  readonly useInboundWebhookOnNumber: boolean;
  /** For messages that name none of their own. */
  readonly statusCallback: string | null;
  /** Whether a recipient always gets the same sender, as long as it is in the pool. */
  readonly stickySender: boolean;
  /** Whether a sender of the recipient's area code is preferred, where numbers have one (+1). */
  readonly areaCodeGeomatch: boolean;
  /** For messages that say nothing about it. */
  readonly smartEncoding: boolean;
  /** Seconds; for messages that say nothing about it. */
  readonly validityPeriod: number;
  readonly mmsConverter: boolean;
  readonly fallbackToLongCode: boolean;
  readonly synchronousValidation: boolean;
  readonly scanMessageContent: 'inherit' | 'enable' | 'disable';
}

/** A messaging service: a pool of senders, and how messages through it are sent and answered. */
export interface Service extends ServiceSettings {
  readonly accountId: string;
  readonly id: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A number in a service's pool. */
export interface PoolNumber {
  /** The number's id in accounts: that of its PN SID. */
  readonly id: string;
  /** E.164, or a short code. */
  readonly phoneNumber: string;
}

/** A number of a pool as it is listed. */
export interface ListedNumber extends PoolNumber {
  readonly createdAt: Date;
}

/** Of a service that says nothing about them (Twilio's defaults). */
export const SERVICE_DEFAULTS: Omit<ServiceSettings, 'friendlyName'> = {
  useCase: 'undeclared',
  inboundRequestUrl: null,
  inboundMethod: 'POST',
  fallbackUrl: null,
  fallbackMethod: 'POST',
  useInboundWebhookOnNumber: false,
  statusCallback: null,
  stickySender: true,
  areaCodeGeomatch: true,
  smartEncoding: true,
  validityPeriod: MAX_VALIDITY_SECONDS,
  mmsConverter: true,
  fallbackToLongCode: true,
  synchronousValidation: false,
  scanMessageContent: 'inherit',
};
