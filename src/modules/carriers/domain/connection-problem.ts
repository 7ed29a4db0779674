const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing takes connections there'],
  ['ENOTFOUND', 'there is no host of that name'],
  ['EAI_AGAIN', 'the name cannot be looked up at present'],
  ['EHOSTUNREACH', 'no network leads there'],
  ['ENETUNREACH', 'no network leads there'],
  ['ECONNRESET', 'it broke the connection off'],
  ['ETIMEDOUT', 'it does not answer'],
  ['EMFILE', 'this process has too many files and connections open'],
]);

/**
 * Why there is no connection, in plain words, with the system's own name for it.
 *
 * @param said what the system says: such a name, or a text with one in it
 */
export function connectionProblem(said: string): string {
  const name = said.match(/\bE[A-Z_]{3,}\b/)?.[0] ?? '';
  const words = WORDS.get(name);
  return words === undefined ? said : `${words} (${name})`;
}
