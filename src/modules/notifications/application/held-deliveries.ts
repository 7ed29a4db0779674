import type { Delivery } from '../domain/delivery.js';

const MAX_HELD = 20_000;
/** How many times as much as an account has must be free for it to have more. */
const LEFT_FREE = 9;
/** Some seconds' worth, which is far longer than a look at the table takes. */
const MAX_REMEMBERED = 20_000;

interface Held {
  readonly delivery: Delivery;
  readonly isFromTable: boolean;
  /** Until when nobody else takes it, by performance.now(). */
  ownedUntilMs: number;
  hasBegun: boolean;
}

/** What a process could hold in addition: asked and told while it is decided what to take. */
export interface HoldingPlan {
  /** Whether nothing stands before this delivery but what is held here, or about to be. */
  mayFollow(delivery: Delivery, before: readonly number[]): boolean;
  /** Whether it would stand behind another of its message, and so in no endpoint's line yet. */
  isFollowing(delivery: Delivery): boolean;
  hasRoom(delivery: Delivery): boolean;
  add(delivery: Delivery): void;
}

/**
 * The deliveries that this process holds, message by message: the first of each is in its endpoint's line or under way,
 * the others wait for it.
 */
export class HeldDeliveries {
  private readonly chains = new Map<string, Held[]>();
  private readonly accounts = new Map<string, number>();
  /** Those that are over: the table may have been looked at just before it knew. */
  private readonly over = new Set<string>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get room(): number {
    return Math.max(0, MAX_HELD - this.count);
  }

  /**
   * How many more deliveries of an account fit: as long as nine times as much is free. So one alone has a tenth of all, and
   * some is left for the next, also when many have what they may.
   */
  roomFor(accountId: string): number {
    return this.shareOf(this.room, this.accounts.get(accountId) ?? 0);
  }

  /** Whether an account has so little of what it may have that it is worth looking for more. */
  isShort(accountId: string): boolean {
    return this.roomFor(accountId) > (this.accounts.get(accountId) ?? 0);
  }

  has(delivery: Delivery): boolean {
    return this.find(delivery) !== undefined;
  }

  /** Whether what the table showed to be pending before this delivery is held here or over by now. */
  mayFollow({ messageId }: Delivery, before: readonly number[]): boolean {
    return before.every((version) => this.holds(messageId, version) || this.over.has(`${messageId}-${version}`));
  }

  newPlan(): HoldingPlan {
    const versions = new Map<string, number[]>();
    const counts = new Map<string, number>();
    let total = 0;
    return {
      mayFollow: (delivery, before) => {
        const planned = versions.get(delivery.messageId) ?? [];
        return before.every((version) => planned.includes(version) || this.mayFollow(delivery, [version]));
      },
      isFollowing: ({ messageId }) => versions.has(messageId) || this.chains.has(messageId),
      hasRoom: ({ accountId }) =>
        this.shareOf(this.room - total, (this.accounts.get(accountId) ?? 0) + (counts.get(accountId) ?? 0)) > 0,
      add: ({ messageId, accountId, version }) => {
        const planned = versions.get(messageId);
        if (planned) planned.push(version);
        else versions.set(messageId, [version]);
        counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
        total++;
      },
    };
  }

  /** Holds a delivery. True when it is the first of its message; else `end` of the one before it gives it out. */
  add(delivery: Delivery, ownedUntilMs: number, isFromTable: boolean): boolean {
    const held = { delivery, ownedUntilMs, isFromTable, hasBegun: false };
    this.count++;
    this.accounts.set(delivery.accountId, (this.accounts.get(delivery.accountId) ?? 0) + 1);
    const chain = this.chains.get(delivery.messageId);
    if (chain) chain.push(held);
    else this.chains.set(delivery.messageId, [held]);
    return chain === undefined;
  }

  prolong(delivery: Delivery, ownedUntilMs: number): void {
    const held = this.find(delivery);
    if (held) held.ownedUntilMs = ownedUntilMs;
  }

  /** For how long a delivery still belongs to this process; 0 when it does not. */
  ownedMs(delivery: Delivery): number {
    return Math.max(0, (this.find(delivery)?.ownedUntilMs ?? 0) - performance.now());
  }

  /** Notes that an attempt is under way. */
  begin(delivery: Delivery): void {
    const held = this.find(delivery);
    if (held) held.hasBegun = true;
  }

  /** Those that wait for this one. */
  behind(delivery: Delivery): Delivery[] {
    return (this.chains.get(delivery.messageId) ?? []).slice(1).map((held) => held.delivery);
  }

  /** Lets go of the first of a message, which is over; tells which one is the first now, and where this one came from. */
  end(delivery: Delivery): { next: Delivery | null; isFromTable: boolean } {
    const chain = this.chains.get(delivery.messageId) ?? [];
    const ended = chain.shift();
    if (ended) {
      this.forget(ended);
      this.remember(ended.delivery);
    }
    const next = chain[0]?.delivery ?? null;
    if (!next) this.chains.delete(delivery.messageId);
    return { next, isFromTable: ended?.isFromTable ?? false };
  }

  /** Lets go of a message: what waits for this delivery waits in the table from now on. */
  drop(delivery: Delivery): void {
    for (const held of this.chains.get(delivery.messageId) ?? []) this.forget(held);
    this.chains.delete(delivery.messageId);
  }

  /** Lets go of everything of which no attempt is under way, and names it. */
  dropIdle(): Delivery[] {
    const dropped: Delivery[] = [];
    for (const [messageId, chain] of this.chains) {
      const kept = chain.filter((held) => held.hasBegun);
      for (const held of chain) {
        if (held.hasBegun) continue;
        this.forget(held);
        dropped.push(held.delivery);
      }
      if (kept.length > 0) this.chains.set(messageId, kept);
      else this.chains.delete(messageId);
    }
    return dropped;
  }

  /** Those more that an account may have which has `own`, where `free` places are left; the first always, if it can. */
  private shareOf(free: number, own: number): number {
    const least = free > 0 && own === 0 ? 1 : 0;
    return Math.max(least, Math.floor((free - LEFT_FREE * own) / (LEFT_FREE + 1)));
  }

  private remember({ messageId, version }: Delivery): void {
    this.over.add(`${messageId}-${version}`);
    if (this.over.size > MAX_REMEMBERED) this.over.delete(this.over.values().next().value!);
  }

  private forget({ delivery: { accountId } }: Held): void {
    this.count--;
    const left = (this.accounts.get(accountId) ?? 1) - 1;
    if (left > 0) this.accounts.set(accountId, left);
    else this.accounts.delete(accountId);
  }

  private holds(messageId: string, version: number): boolean {
    return this.chains.get(messageId)?.some((held) => held.delivery.version === version) ?? false;
  }

  private find({ messageId, version }: Delivery): Held | undefined {
    return this.chains.get(messageId)?.find((held) => held.delivery.version === version);
  }
}
