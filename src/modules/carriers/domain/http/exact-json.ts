/** Strings, which are passed over (one that does not end goes to the end of the text), and numbers. */
const TOKENS = /"(?:[^"\\]|\\[\s\S])*"?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * A JSON text in which every whole number that is too long to be read exactly stands as a string: ids of 64 bits are
 * common, and one that lost its last digits is another message's. Anything else stays as it is, what is no JSON too.
 */
export function withExactIds(json: string): string {
  if (!/\d{16}/.test(json)) return json;
  return json.replace(TOKENS, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token));
}
