import { createHash } from 'node:crypto';
import { encodingOf, readText } from './alphabets.js';
import type { Arrival, InboundMessage, InboundPart, RecentMessage } from './inbound.js';

/** What a group of arrivals makes of what was there before. */
export interface Assembled {
  readonly messages: readonly InboundMessage[];
  readonly newParts: readonly InboundPart[];
  /** Parts that were kept before and belong to a message now. */
  readonly joined: readonly { readonly id: string; readonly inboundId: string }[];
  /** What a carrier brought again, the message or the part that it is, and the session in which it was told so. */
  readonly repeated: readonly Repetition[];
}

export interface Repetition {
  readonly carrier: string;
  readonly id: string;
  readonly session: string | null;
}

/**
 * Puts messages together from what has arrived, in the order of arrival.
 *
 * A carrier brings something again when it did not hear our answer, and then its session has ended: what came through a
 * session that is still open is a sender who says the same again. A part that waits and comes again is the same in any
 * case; one that differs from the waiting one of its number begins another message with the same reference, and the
 * earlier one is given up as it is.
 *
 * @param parts those kept of the messages that arrivals belong to
 * @param recent messages of the last minutes that have a fingerprint, or the id, of an arrival
 */
export function assemble(
  arrivals: readonly Arrival[],
  parts: readonly InboundPart[],
  recent: readonly RecentMessage[],
): Assembled {
  const assembly = new Assembly(parts, recent);
  for (const arrival of arrivals) assembly.take(arrival);
  return assembly.result();
}

/** What is kept of messages whose other parts did not come in time, as messages. */
export function giveUp(parts: readonly InboundPart[]): Assembled {
  const assembly = new Assembly(parts, []);
  assembly.giveUpAll();
  return assembly.result();
}

/** What a message that stands alone has in common with its repetition. */
export function fingerprintOf(arrival: Arrival): string | null {
  if (arrival.concatenation) return null;
  const { carrier, from, to, alphabet, octets } = arrival;
  return createHash('sha256')
    .update(JSON.stringify([carrier, from, to, alphabet]))
    .update(octets)
    .digest('base64url');
}

class Assembly {
  private readonly messages: InboundMessage[] = [];
  private readonly repeated: Repetition[] = [];
  private readonly fresh = new Map<string, InboundPart>();
  private readonly joined = new Map<string, string>();
  private readonly byMessage = new Map<string, InboundPart[]>();
  private readonly recent: RecentMessage[];

  constructor(parts: readonly InboundPart[], recent: readonly RecentMessage[]) {
    this.recent = [...recent];
    for (const part of parts) this.partsLike(part).push(part);
  }

  take(arrival: Arrival): void {
    const { concatenation, ...rest } = arrival;
    if (concatenation) this.takePart({ ...rest, ...concatenation, inboundId: null }, arrival.openSessions);
    else this.takeWhole(arrival);
  }

  giveUpAll(): void {
    for (const parts of this.byMessage.values()) this.join(parts.filter(isWaiting));
  }

  result(): Assembled {
    return {
      messages: this.messages,
      newParts: [...this.fresh.values()].map((part) => ({ ...part, inboundId: this.joined.get(part.id) ?? null })),
      joined: [...this.joined].flatMap(([id, inboundId]) => (this.fresh.has(id) ? [] : [{ id, inboundId }])),
      repeated: this.repeated,
    };
  }

  private takeWhole(arrival: Arrival): void {
    // Written by an attempt whose own answer was lost.
    if (this.recent.some(({ id }) => id === arrival.id)) return;
    const fingerprint = fingerprintOf(arrival);
    const at = this.recent.findIndex((one) => one.fingerprint === fingerprint && isOver(one, arrival.openSessions));
    const original = this.recent[at];
    if (original) {
      this.repeat(original.id, arrival);
      this.recent[at] = { ...original, session: arrival.session };
      return;
    }
    const message = messageOf([arrival], 0, fingerprint);
    this.messages.push(message);
    this.recent.push(message);
  }

  private takePart(part: InboundPart, openSessions: readonly string[]): void {
    const all = this.partsLike(part);
    if (all.some(({ id }) => id === part.id)) return;
    const twins = all.filter((one) => one.part === part.part);
    const original = twins.find((one) => isSame(one, part) && (isWaiting(one) || isOver(one, openSessions)));
    if (original) {
      this.repeat(original.id, part);
      all[all.indexOf(original)] = { ...original, session: part.session };
      return;
    }
    if (twins.some(isWaiting)) this.join(all.filter(isWaiting));
    this.partsLike(part).push(part);
    this.fresh.set(part.id, part);
    const waiting = this.partsLike(part).filter(isWaiting);
    if (waiting.length === part.total) this.join(waiting);
  }

  /** The carrier hears of it now: what comes once more through this session is no repetition. */
  private repeat(id: string, { carrier, session }: Arrival | InboundPart): void {
    this.repeated.push({ carrier, id, session });
  }

  /** Makes one message of parts that wait, whether or not they are all. */
  private join(waiting: readonly InboundPart[]): void {
    const [first] = waiting;
    if (!first) return;
    const message = messageOf(waiting, first.total - waiting.length, null);
    this.messages.push(message);
    for (const { id } of waiting) this.joined.set(id, message.id);
    const all = this.partsLike(first);
    const ids = new Set(waiting.map(({ id }) => id));
    this.byMessage.set(
      keyOf(first),
      all.map((part) => (ids.has(part.id) ? { ...part, inboundId: message.id } : part)),
    );
  }

  private partsLike(part: InboundPart): InboundPart[] {
    const key = keyOf(part);
    const parts = this.byMessage.get(key) ?? [];
    this.byMessage.set(key, parts);
    return parts;
  }
}

/** A message from what there is of it, in the order of its parts, known by what came last. */
function messageOf(
  arrivals: readonly (Arrival | InboundPart)[],
  missing: number,
  fingerprint: string | null,
): InboundMessage {
  const inOrder = [...arrivals].sort((a, b) => placeOf(a) - placeOf(b));
  const last = arrivals.reduce((newest, one) => (one.id > newest.id ? one : newest));
  const { id, carrier, from, to, session, receivedAtMs } = last;
  const text = readText(inOrder);
  const encoding = encodingOf(inOrder, text);
  const segments = arrivals.length;
  return { id, carrier, from, to, text, encoding, segments, missing, fingerprint, session, receivedAtMs };
}

function placeOf(arrival: Arrival | InboundPart): number {
  return 'part' in arrival ? arrival.part : 1;
}

function isWaiting({ inboundId }: InboundPart): boolean {
  return inboundId === null;
}

function isSame(a: InboundPart, b: InboundPart): boolean {
  return a.alphabet === b.alphabet && Buffer.compare(a.octets, b.octets) === 0;
}

/** Whether the session that something came through has ended, so that the carrier may not have heard our answer. */
function isOver({ session }: { session: string | null }, openSessions: readonly string[]): boolean {
  return session === null || !openSessions.includes(session);
}

function keyOf({ carrier, from, to, reference, total }: InboundPart): string {
  return JSON.stringify([carrier, from, to, reference, total]);
}
