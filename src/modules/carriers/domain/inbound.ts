/** A message from a phone, whole or as much of it as came. */
export interface InboundMessage {
  /** A UUIDv7: when the last of it came. */
  readonly id: string;
  readonly carrier: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** How many parts came, and how many never did. */
  readonly segments: number;
  readonly missing: number;
  /** What a repetition by the carrier has in common with it; null where nothing tells. */
  readonly fingerprint: string | null;
  /** The bind that it came through; null where there is none. */
  readonly session: string | null;
  readonly receivedAtMs: number;
}
