/** What an audit looks at, each the number of its promise: see the README. */
export type Invariant =
  | 'final'
  | 'ledger'
  | 'charge'
  | 'key'
  | 'callback'
  | 'consumer'
  | 'tenant'
  | 'carrier'
  | 'process';

export interface Violation {
  readonly invariant: Invariant;
  /** The kind of it, to be counted by. */
  readonly kind: 'lost' | 'charged wrongly' | 'given twice' | 'callback missing' | 'callback out of order' | 'other';
  readonly subject: string;
  readonly detail: string;
}

const MAX_KEPT = 1_000;

/** Collects violations: each is counted once, the first ones are kept. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly counts = new Map<Violation['kind'], number>();
  /** Messages that a carrier was given more than once after an unknown outcome, as their accounts wish. */
  readonly repeated: string[] = [];
  /** Messages whose outcome nobody knows: a carrier may have them although they did not become sent. */
  readonly unknown: string[] = [];
  private readonly seen = new Set<string>();
  messages = 0;
  callbacks = 0;

  add(invariant: Invariant, kind: Violation['kind'], subject: string, detail: string): void {
    const name = `${invariant} ${kind} ${subject} ${detail}`;
    if (this.seen.has(name)) return;
    this.seen.add(name);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (this.violations.length < MAX_KEPT) this.violations.push({ invariant, kind, subject, detail });
  }

  /** Takes over what another audit found. */
  include(other: Findings): void {
    for (const { invariant, kind, subject, detail } of other.violations) this.add(invariant, kind, subject, detail);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
