/** Whose conventions a path follows, errors and bodies included. */
export type Dialect = 'twilio' | 'native' | 'plain';

/**
 * The dialect of a path: Twilio's under `/2010-04-01` and under a capitalised first segment of `/v1`; the native one
 * under the rest of `/v1`; `plain` elsewhere, which answers errors as the native one does and reads both kinds of body.
 */
export function dialectOf(path: string): Dialect {
  if (path.startsWith('/2010-04-01') && isSegmentEnd(path.charCodeAt(11))) return 'twilio';
  if (!path.startsWith('/v1') || !isSegmentEnd(path.charCodeAt(3))) return 'plain';
  const letter = path.charCodeAt(4);
  return letter >= 0x41 && letter <= 0x5a ? 'twilio' : 'native';
}

/** A slash, a question mark, or the end of the text, where charCodeAt gives NaN. */
function isSegmentEnd(code: number): boolean {
  return code === 0x2f || code === 0x3f || Number.isNaN(code);
}
