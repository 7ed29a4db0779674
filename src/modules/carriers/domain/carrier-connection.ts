import type { CarrierDefinition } from './carrier.js';
import type { CarrierInbound } from './inbound.js';

/** A submission on its way through the carriers. */
export interface Outgoing {
  readonly key: string;
  readonly accountId: string;
  readonly intentId: string;
  readonly from: string;
  readonly to: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly parts: readonly string[];
  readonly retryUnknown: boolean;
  readonly weight: number;
  /** How many instances of this product it has passed through before this one. */
  readonly hops: number;
  /** Milliseconds since 1970. */
  readonly validUntilMs: number;
  /** The carriers for its destination, best first. */
  readonly candidates: readonly string[];
  /** The carrier that has it, or had it last. */
  carrier: string;
  attempts: number;
  /** Carriers that had their attempts. */
  readonly exhausted: Set<string>;
  /** The present carrier's ids of the parts it has taken; the others are still to be sent. */
  messageIds: (string | null)[];
  /** How long its last hand-over took, milliseconds. */
  answerMs?: number;
}

/** How a hand-over ended, of all parts together. */
export type HandOver =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly errorCode: number }
  /** The carrier did not take it: it is busy, and says so. */
  | { readonly kind: 'throttled' }
  /** The carrier did not take it, for a reason that may pass. */
  | { readonly kind: 'retryable' }
  /** It never left. */
  | { readonly kind: 'unsent' }
  /** It left, and the answer is lost, or says no more than that (`answered`). */
  | { readonly kind: 'unknown'; readonly reason: 'timeout' | 'disconnected' | 'answered' };

/** What a carrier says about a message it took. */
export interface CarrierReceipt {
  readonly carrier: string;
  /** As the carrier wrote it; empty where it named none. */
  readonly messageId: string;
  /** The address that the receipt comes from: the message's destination. */
  readonly source: string;
  readonly state: 'enroute' | 'delivered' | 'undelivered';
  readonly errorCode: number | null;
  readonly doneDate: string | null;
}

export interface ConnectionHandlers {
  /** Answered to the carrier when the promise resolves; where it rejects, the carrier sends the receipt again. */
  onReceipt(receipt: CarrierReceipt): Promise<void>;
  /** The same for a message from a phone, or a part of one. */
  onInbound(inbound: CarrierInbound): Promise<void>;
  onState(): void;
}

export interface ConnectionState {
  readonly phase: 'connecting' | 'bound' | 'down';
  /** Why it is not bound, or was not last time, in plain words. */
  readonly error: string | null;
  /** Where it is bound several times: how many binds there are to be, and how many there are. */
  readonly binds?: number | undefined;
  readonly bound?: number | undefined;
}

/** The technical way to one carrier. */
export interface CarrierConnection {
  /** How many more segments it takes right now. */
  readonly credit: number;
  readonly state: ConnectionState;
  /** How long an answer may take, where it is not as long as with all connections. */
  readonly responseTimeoutMs?: number;
  start(): void;
  /** Goes on with a changed definition; false where that takes a new connection, as it does where this is missing. */
  adopt?(carrier: CarrierDefinition): boolean;
  /** Takes no more, waits for what is under way (bounded), and closes. */
  stop(): Promise<void>;
  /** Hands over what of a submission is still to be sent, and notes the carrier's ids in it. Never rejects. */
  handOver(outgoing: Outgoing): Promise<HandOver>;
}

/** Makes the technical way to a carrier from its definition. */
export abstract class Connections {
  /** How long an answer may take. */
  abstract readonly responseTimeoutMs: number;

  /** @throws Error in plain words where the definition cannot be used */
  abstract open(carrier: CarrierDefinition, handlers: ConnectionHandlers): CarrierConnection;
}
