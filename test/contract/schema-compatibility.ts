import { isDeepStrictEqual } from 'node:util';

export type JsonSchema = { readonly [keyword: string]: unknown };

/** What describes a schema without changing what it accepts. */
const ANNOTATIONS = new Set(['$schema', 'title', 'description', 'examples', 'deprecated', 'default', '$comment']);
const ALTERNATIVES = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);

/**
 * Why an event's data may not change from one published schema to another under the same type name; empty where it
 * may. Two readers must be served by one name:
 *
 * - a consumer that was built against the old schema meets new events. So no field goes, becomes optional or changes
 *   what it can hold. That a wider enum or a new `null` is refused is a judgement: a consumer that knows every value
 *   it may meet would otherwise meet one that it does not know, and its effect would fail or be silently wrong.
 * - a consumer of today meets events that were stored under the old schema. So no field becomes required, and none
 *   narrows to less than what was written.
 *
 * What remains is a field that is added and optional. Anything else gets the next version in the type's name and an
 * upcaster from this one, which costs one line where nothing has to be computed.
 */
export function incompatibilities(old: JsonSchema, next: JsonSchema, path = 'data'): string[] {
  const keywords = new Set([...Object.keys(old), ...Object.keys(next)]);
  return [...keywords]
    .filter((keyword) => !ANNOTATIONS.has(keyword) && keyword !== 'required')
    .flatMap((keyword) => compareKeyword(keyword, old, next, path))
    .concat(compareRequired(old, next, path));
}

function compareKeyword(keyword: string, old: JsonSchema, next: JsonSchema, path: string): string[] {
  const [before, after] = [old[keyword], next[keyword]];
  if (keyword === 'properties') return compareFields(before, after, path);
  if (isSchema(before) && isSchema(after)) return incompatibilities(before, after, `${path}.${keyword}`);
  if (ALTERNATIVES.has(keyword) && Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((schema, index) => incompatibilities(schema, after[index], `${path}.${keyword}[${index}]`));
  }
  if (isDeepStrictEqual(before, after)) return [];
  return [`${path}: ${keyword} was ${JSON.stringify(before)} and is ${JSON.stringify(after)}`];
}

function compareFields(before: unknown, after: unknown, path: string): string[] {
  const [old, next] = [before ?? {}, after ?? {}] as Record<string, JsonSchema>[];
  return Object.entries(old!).flatMap(([name, schema]) => {
    const now = next![name];
    return now ? incompatibilities(schema, now, `${path}.${name}`) : [`${path}.${name} was removed`];
  });
}

function compareRequired(old: JsonSchema, next: JsonSchema, path: string): string[] {
  const [before, after] = [old.required ?? [], next.required ?? []] as string[][];
  const fields = (next.properties ?? {}) as JsonSchema;
  const lost = before!.filter((name) => !after!.includes(name) && name in fields);
  const gained = after!.filter((name) => !before!.includes(name));
  return [
    ...lost.map((name) => `${path}.${name} is optional now, and consumers rely on it`),
    ...gained.map((name) => `${path}.${name} is required now, and stored events may lack it`),
  ];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
