import type { OpenAPIObject } from '@nestjs/swagger';

export type SchemaOrReference = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];
export type Schema = Exclude<SchemaOrReference, { $ref: string }>;

const MAX_DEPTH = 4;
const MAX_VALUES = 20;

/** A member of an object, named by its path where it lies deeper: `errors[].field`. */
export interface SchemaRow {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The members of a schema's objects, to a depth that is still read. */
export function schemaRows(document: OpenAPIObject, schema: SchemaOrReference, prefix = '', depth = 0): SchemaRow[] {
  const resolved = resolveSchema(document, schema);
  if (!resolved || depth >= MAX_DEPTH) return [];
  const variants = [...(resolved.allOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.anyOf ?? [])];
  const ofVariants = variants.flatMap((variant) => schemaRows(document, variant, prefix, depth + 1));
  const ofItems = resolved.items ? schemaRows(document, resolved.items, `${prefix}[]`, depth + 1) : [];
  const own = Object.entries(resolved.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix ? `${prefix}.${name}` : name;
    const description = resolveSchema(document, member)?.description ?? '';
    const required = Array.isArray(resolved.required) && resolved.required.includes(name);
    const row = { name: path, type: typeOf(document, member), required, description };
    return [row, ...schemaRows(document, member, path, depth + 1)];
  });
  return [...own, ...ofItems, ...ofVariants];
}

/** The type of a schema in a few words. */
export function typeOf(document: OpenAPIObject, schema: SchemaOrReference, depth = 0): string {
  if ('$ref' in schema) return nameOf(schema.$ref);
  if (depth >= MAX_DEPTH) return '…';
  if (schema.enum) return schema.enum.slice(0, MAX_VALUES).map(String).join(' | ');
  if (schema.type === 'array' && schema.items) return `${typeOf(document, schema.items, depth + 1)}[]`;
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return variants.map((variant) => typeOf(document, variant, depth + 1)).join(' or ');
  const base = schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? 'any');
  return `${base}${rangeOf(schema)}${schema.default === undefined ? '' : `, default ${defaultOf(schema)}`}`;
}

function defaultOf({ default: value }: Schema): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function rangeOf({ minimum, maximum, maxLength }: Schema): string {
  if (maxLength !== undefined) return `, at most ${maxLength} characters`;
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  return '';
}

/** A schema itself, where it is named by a reference too; null where that leads nowhere. */
export function resolveSchema(document: OpenAPIObject, schema: SchemaOrReference): Schema | null {
  if (!('$ref' in schema)) return schema;
  const target = document.components?.schemas?.[nameOf(schema.$ref)];
  return target && !('$ref' in target) ? target : null;
}

function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}
