/**
 * An instant as Twilio's 2010-04-01 API writes it: RFC 2822 in UTC, whole seconds, `Thu, 24 Aug 2023 05:01:45 +0000`.
 *
 * @param instant a date, or milliseconds since 1970
 */
export function rfc2822(instant: Date | number): string {
  const date = typeof instant === 'number' ? new Date(instant) : instant;
  // ECMA-262 fixes this format but for its last word, GMT.
  return `${date.toUTCString().slice(0, -3)}+0000`;
}
