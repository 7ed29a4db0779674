import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly (string | null)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'form';
  readonly required: boolean;
  readonly schema: Schema;
}

/** An operation of Twilio's API, as its OpenAPI documents have it. */
export interface Operation {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Names of schemas by status; null: no body. */
  readonly responses: Readonly<Record<string, string | null>>;
}

const FILE = fileURLToPath(new URL('./operations.json', import.meta.url));
/** Written by scripts/twilio-facts.mjs. */
const facts = JSON.parse(readFileSync(FILE, 'utf8')) as { schemas: Record<string, Schema>; operations: Operation[] };

export const OPERATIONS: readonly Operation[] = facts.operations;
export const SCHEMAS: Readonly<Record<string, Schema>> = facts.schemas;

export function nameOf({ method, path }: Pick<Operation, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/** A path without the names of its parameters, which each description chooses for itself. */
export function shapeOf(path: string): string {
  return path.replace(/\{\w+\}/g, '{}');
}

/** Parameters that a request may have besides those of its path. */
export function optionsOf(operation: Operation): Parameter[] {
  return operation.parameters.filter((parameter) => parameter.in !== 'path');
}

/** Whether an operation acts on one resource, and not on a list of them. */
export function isOfOne({ path }: Operation): boolean {
  return /\}(\.json)?$/.test(path);
}

/** The schema of the answer that an operation gives when it succeeds; null where it has no body. */
export function answerOf(operation: Operation): Schema | null {
  const name = Object.values(operation.responses)[0];
  return name ? SCHEMAS[name]! : null;
}

/** Whether the answer is a page of a list. */
export function isList(operation: Operation): boolean {
  const properties = answerOf(operation)?.properties;
  return properties !== undefined && ('next_page_uri' in properties || 'meta' in properties);
}

/** The name of the property that holds the rows of a list. */
export function rowsName(operation: Operation): string {
  const properties = Object.entries(answerOf(operation)?.properties ?? {});
  return properties.find(([, { type }]) => type === 'array')![0];
}
