interface Taken {
  readonly accountId: string;
  readonly atMs: number;
}

/** The messages that were handed over and not yet heard of again. */
export class TakenMessages {
  private readonly messages = new Map<string, Taken>();
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.messages.size;
  }

  has(id: string): boolean {
    return this.messages.has(id);
  }

  /** How many are of one account. */
  countOf(accountId: string): number {
    return this.counts.get(accountId) ?? 0;
  }

  add(id: string, accountId: string, atMs: number): void {
    if (!this.messages.has(id)) this.counts.set(accountId, this.countOf(accountId) + 1);
    this.messages.set(id, { accountId, atMs });
  }

  delete(id: string): void {
    const taken = this.messages.get(id);
    if (!taken) return;
    this.messages.delete(id);
    const left = this.countOf(taken.accountId) - 1;
    if (left > 0) this.counts.set(taken.accountId, left);
    else this.counts.delete(taken.accountId);
  }

  /** Forgets those that were handed over before an instant. */
  forgetBefore(ms: number): void {
    for (const [id, { atMs }] of this.messages) if (atMs < ms) this.delete(id);
  }

  clear(): void {
    this.messages.clear();
    this.counts.clear();
  }
}
