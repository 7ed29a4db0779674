import type { Schema } from './operations.js';

/** Values of which one fits almost every schema of a text. */
const TEXTS = [
  'x1',
  '1',
  '+49',
  '+15555550100',
  '1.00',
  'true',
  'x',
  '127.0.0.1',
  'https://198.51.100.7/x',
  '2026-01-01T00:00:00Z',
  '2026-01-01',
  '30003',
  ...['AC', 'SK', 'SM', 'MM', 'MG', 'PN', 'US'].map((prefix) => prefix + 'f'.repeat(32)),
  'ffffffff-ffff-7fff-bfff-ffffffffffff',
  'x'.repeat(32),
  '',
];

/**
 * Whether a value is one that a schema allows. Words of the schema that are not known here allow everything: what does
 * not conform is certainly wrong, what conforms may be.
 */
export function conforms(schema: Schema, value: unknown): boolean {
  if (value === null)
    return schema.nullable === true || isOpen(schema) || someOf(schema)?.some((one) => conforms(one, value)) === true;
  const choices = someOf(schema);
  if (choices && !choices.some((one) => conforms(one, value))) return false;
  if (schema.allOf?.some((one) => !conforms(one, value))) return false;
  if (schema.enum && !schema.enum.includes(value)) return false;
  if (schema.const !== undefined && schema.const !== value) return false;
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' && isText(schema, value);
    case 'integer':
      return Number.isSafeInteger(value) && isNumber(schema, value as number);
    case 'number':
      return Number.isFinite(value) && isNumber(schema, value as number);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value) && isList(schema, value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value) && isObject(schema, value as Record<string, unknown>);
    default:
      return true;
  }
}

/** A value that conforms, as simple as can be; undefined where none is found. */
export function goodValue(schema: Schema): unknown {
  const [first] = someOf(schema) ?? [];
  if (first) return goodValue(first);
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [1, schema.minimum ?? 0, schema.maximum].find((value) => conforms(schema, value));
    case 'boolean':
      return false;
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => goodValue(schema.items ?? {}));
    case 'object':
      return goodObject(schema);
    default:
      return TEXTS.find((value) => conforms(schema, value));
  }
}

/** An object with what it must have and no more. */
function goodObject(schema: Schema): Record<string, unknown> {
  const names = schema.required ?? [];
  return Object.fromEntries(names.map((name) => [name, goodValue(schema.properties?.[name] ?? {})]));
}

/** The alternatives that a schema gives. */
export function someOf(schema: Schema): readonly Schema[] | undefined {
  return schema.anyOf ?? schema.oneOf;
}

function isOpen({ type, enum: values, const: only, anyOf, oneOf, allOf }: Schema): boolean {
  return [type, values, only, anyOf, oneOf, allOf].every((each) => each === undefined);
}

function isText({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: Schema, value: string): boolean {
  // As JSON Schema has it: characters, not halves of surrogate pairs.
  const { length } = [...value];
  if (length < minLength || length > maxLength) return false;
  return pattern === undefined || new RegExp(pattern).test(value);
}

function isNumber({ minimum, maximum, exclusiveMinimum }: Schema, value: number): boolean {
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return false;
  if (exclusiveMinimum === true && minimum !== undefined && value <= minimum) return false;
  return value >= (minimum ?? value) && value <= (maximum ?? value);
}

function isList({ minItems = 0, maxItems = Number.POSITIVE_INFINITY, items }: Schema, value: unknown[]): boolean {
  return value.length >= minItems && value.length <= maxItems && value.every((each) => conforms(items ?? {}, each));
}

function isObject({ properties = {}, required = [], additionalProperties }: Schema, value: Record<string, unknown>) {
  if (required.some((name) => !Object.hasOwn(value, name))) return false;
  return Object.entries(value).every(([name, member]) => {
    if (Object.hasOwn(properties, name)) return conforms(properties[name]!, member);
    if (typeof additionalProperties === 'object') return conforms(additionalProperties, member);
    return additionalProperties !== false;
  });
}
