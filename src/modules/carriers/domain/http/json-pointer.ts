/** A JSON pointer (RFC 6901), read: the names on the way. */
export type JsonPointer = readonly string[];

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,8})$/;
const MAX_DEPTH = 16;

/** Reads a pointer such as `/messages/0/id`; null where the text is none. */
export function parsePointer(text: string): JsonPointer | null {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return null;
  const names = text.slice(1).split('/');
  if (names.length > MAX_DEPTH) return null;
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands at a pointer; undefined where nothing does. Inherited members are nothing. */
export function valueAt(document: unknown, pointer: JsonPointer): unknown {
  let value = document;
  for (const name of pointer) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) && !ARRAY_INDEX.test(name)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** The text at a pointer: a string as it is, a whole number in decimal; null for anything else. */
export function textAt(document: unknown, pointer: JsonPointer): string | null {
  const value = valueAt(document, pointer);
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : null;
}
