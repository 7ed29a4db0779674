import type { Message } from './message.js';

/** A message as it is shown: its state, its text, what it costs. */
export interface MessageView extends Message {
  readonly direction: string;
  /** When it is, or was, to be sent; null: at once. */
  readonly sendAt: Date | null;
  readonly body: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly priceMicros: number;
  readonly currency: string;
}

export interface ListFilter {
  readonly to?: string;
  readonly from?: string;
  /** Sent at or after, and before; instants. */
  readonly sentFrom?: Date;
  readonly sentBefore?: Date;
}

/** Where in an account's messages a page begins: at the newest, or next to an id. */
export interface ListPosition {
  readonly olderThan?: string;
  readonly newerThan?: string;
}
