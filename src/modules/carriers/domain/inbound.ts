import type { Alphabet } from './alphabets.js';

/** Where one part of a message from a phone belongs. */
export interface Concatenation {
  /** What the parts of one message between two addresses have in common. */
  readonly reference: number;
  /** From 1 to `total`. */
  readonly part: number;
  readonly total: number;
}

/** What a carrier brings from a phone: a message, or a part of one. */
export interface CarrierInbound {
  readonly carrier: string;
  readonly from: string;
  readonly to: string;
  readonly alphabet: Alphabet;
  /** The characters, without any header. */
  readonly octets: Uint8Array;
  /** Null for a message that stands alone. */
  readonly concatenation: Concatenation | null;
  /** The session that it came through; null where there is none. */
  readonly session: string | null;
  /** The carrier's sessions that were open when it came, this one among them. */
  readonly openSessions: readonly string[];
}

/** The same with its place in time. */
export interface Arrival extends CarrierInbound {
  /** A UUIDv7. */
  readonly id: string;
  readonly receivedAtMs: number;
}

/** A message from a phone, whole or as much of it as came. */
export interface InboundMessage {
  /** The id of the arrival that came last. */
  readonly id: string;
  readonly carrier: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** How many parts came, and how many never did. */
  readonly segments: number;
  readonly missing: number;
  /** What a repetition by the carrier has in common with it; null for one of several parts, which are compared by themselves. */
  readonly fingerprint: string | null;
  /** The session that it came through, or came again through; null where there is none. */
  readonly session: string | null;
  readonly receivedAtMs: number;
}

/** A part as it is kept: until the message is whole, and for a while afterwards, so that a repetition is known. */
export interface InboundPart extends Omit<Arrival, 'openSessions' | 'concatenation'>, Concatenation {
  /** The message that it became part of; null while it waits for the others. */
  readonly inboundId: string | null;
}

/** What a repetition by the carrier would have in common with a message. */
export type RecentMessage = Pick<InboundMessage, 'id' | 'fingerprint' | 'session'>;

/** A message as operators look it up. */
export interface ShownInbound
  extends Pick<InboundMessage, 'id' | 'from' | 'to' | 'text' | 'encoding' | 'segments' | 'missing'> {
  readonly receivedAt: Date;
}
