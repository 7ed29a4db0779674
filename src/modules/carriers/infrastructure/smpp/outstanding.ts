import type { RequestCommand } from './pdu.js';

/**
 * How a request ended. `answered`: by the peer, with its command_status and its message_id (of a bind, its system_id;
 * empty where the peer left it away or made it unreadable). `unsent`: no octet of it left, `reason` in plain words.
 * `unknown`: it was handed to the network and no answer came, so the peer may or may not have acted on it.
 */
export type RequestOutcome =
  | { readonly kind: 'answered'; readonly commandStatus: number; readonly id: string }
  | { readonly kind: 'unsent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: 'timeout' | 'disconnected' };

export type Settle = (outcome: RequestOutcome) => void;

export interface Pending {
  readonly command: RequestCommand;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  /** Number of the write that takes it to the socket. */
  readonly write: number;
  readonly settle: Settle;
}

const TIMED_OUT: RequestOutcome = { kind: 'unknown', reason: 'timeout' };
const DISCONNECTED: RequestOutcome = { kind: 'unknown', reason: 'disconnected' };

/** The requests of a session that wait for their answer. Each leaves once and is settled once. */
export class Outstanding {
  private readonly bySequence = new Map<number, Pending>();
  private messages = 0;

  get size(): number {
    return this.bySequence.size;
  }

  /** How many of them carry messages, which is what a window limits. */
  get messageCount(): number {
    return this.messages;
  }

  has(sequenceNumber: number): boolean {
    return this.bySequence.has(sequenceNumber);
  }

  add(sequenceNumber: number, pending: Pending): void {
    this.bySequence.set(sequenceNumber, pending);
    if (isMessage(pending.command)) this.messages += 1;
  }

  /** Removes a request whose answer came. Null where none has that number, or another command than `command`. */
  take(sequenceNumber: number, command: RequestCommand | null): Pending | null {
    const pending = this.bySequence.get(sequenceNumber);
    if (pending === undefined || (command !== null && pending.command !== command)) return null;
    this.remove(sequenceNumber, pending);
    return pending;
  }

  /** Settles what waits longer than its deadline. */
  expire(now: number): void {
    for (const [sequenceNumber, pending] of this.bySequence) {
      if (pending.deadline > now) continue;
      this.remove(sequenceNumber, pending);
      pending.settle(TIMED_OUT);
    }
  }

  /** Settles everything because the session ended, for `reason`, after that many writes. */
  disconnect(writes: number, reason: string): void {
    const unsent: RequestOutcome = { kind: 'unsent', reason };
    for (const [sequenceNumber, pending] of this.bySequence) {
      this.remove(sequenceNumber, pending);
      pending.settle(pending.write <= writes ? DISCONNECTED : unsent);
    }
  }

  private remove(sequenceNumber: number, pending: Pending): void {
    this.bySequence.delete(sequenceNumber);
    if (isMessage(pending.command)) this.messages -= 1;
  }
}

function isMessage(command: RequestCommand): boolean {
  return command === 'submit_sm' || command === 'deliver_sm';
}
