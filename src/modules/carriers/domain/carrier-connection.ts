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
  /** It left, and the answer is lost. */
  | { readonly kind: 'unknown'; readonly reason: 'timeout' | 'disconnected' };

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
}

/** The technical way to one carrier. */
export interface CarrierConnection {
  /** How many more segments it takes right now. */
  readonly credit: number;
  readonly state: ConnectionState;
  start(): void;
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
