/** A key in an intent: enough to say what became of it if nobody else can. */
export interface Intended {
  readonly key: string;
  readonly accountId: string;
  readonly carrier: string;
  readonly destination: string;
  readonly retryUnknown: boolean;
  readonly segments: number;
}

/** A submission whose outcome is certain. */
export interface AnsweredSubmission {
  readonly key: string;
  readonly accountId: string;
  readonly carrier: string;
  readonly outcome: 'accepted' | 'rejected' | 'unknown';
  readonly errorCode: number | null;
  readonly segments: number;
  readonly destination: string;
  /** How long the last hand-over took, milliseconds; missing where nobody knows it. */
  readonly answerMs?: number;
  /** The carrier's ids of the segments, in normal form, empty where it gave none; no ids unless it is accepted. */
  readonly messageIds: readonly string[];
}

/** A receipt that matches no submission yet. */
export interface OrphanReceipt {
  readonly id: string;
  readonly carrier: string;
  /** In normal form. */
  readonly messageId: string;
  readonly source: string;
  readonly state: 'enroute' | 'delivered' | 'undelivered';
  readonly errorCode: number | null;
  readonly doneDate: string | null;
  readonly receivedAtMs: number;
}

/** A submission's segment as its receipt finds it. */
export interface SegmentMatch {
  readonly key: string;
  readonly accountId: string;
  readonly segment: number;
  readonly segments: number;
  readonly carrier: string;
  readonly messageId: string;
  readonly destination: string;
}
