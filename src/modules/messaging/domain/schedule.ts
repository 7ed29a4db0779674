/** When a message is to be sent, where it is not at once. */
export interface Schedule {
  readonly sendAt: Date;
  /** Whether its sender was asked for; otherwise its service may choose another one when its time comes. */
  readonly isFromAsked: boolean;
}

/** Soonest and latest time of sending of a scheduled message, from its creation (Twilio's rule, error 35115). */
export const SOONEST_MS = 300_000;
export const LATEST_MS = 35 * 24 * 3_600_000;

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * When a message is to be sent: an ISO 8601 instant with its offset, to the second, more than 300 s and at most 35 days
 * ahead. Null for anything else.
 *
 * @param nowMs milliseconds since 1970
 */
export function parseSendAt(text: string, nowMs: number): Date | null {
  const [, year, month, day] = INSTANT.exec(text) ?? [];
  if (year === undefined) return null;
  const timeMs = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  // The parser takes the 30th of February for the 2nd of March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(timeMs) || Number(day) > lastDay) return null;
  const sendAtMs = Math.floor(timeMs / 1000) * 1000;
  const aheadMs = sendAtMs - nowMs;
  return aheadMs > SOONEST_MS && aheadMs <= LATEST_MS ? new Date(sendAtMs) : null;
}
