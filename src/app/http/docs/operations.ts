import type { OpenAPIObject } from '@nestjs/swagger';
import { dialectOf } from '../dialect.js';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Whom an operation is for. */
export type Audience = 'compatible' | 'native' | 'operator' | 'open';

export interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly audience: Audience;
  /** What it is about: the first word of its path that says so. */
  readonly resource: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const FRAME = /^\/(?:2010-04-01\/Accounts(?:\/\{\w+\}(?=\/)|(?=\/\{\w+\}$)|$)|v1\/operator|v1)?\/?/;

/** Every operation of the API, as its document lists them. */
export function entriesOf(document: OpenAPIObject): Entry[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const audience = audienceOf(path, operation);
      return [{ method: method.toUpperCase(), path, operation, audience, resource: resourceOf(path) }];
    }),
  );
}

function audienceOf(path: string, { security }: Operation): Audience {
  const scheme = Object.keys(security?.[0] ?? {})[0];
  if (scheme === undefined) return 'open';
  if (scheme === 'bearer') return 'operator';
  return dialectOf(path) === 'twilio' ? 'compatible' : 'native';
}

function resourceOf(path: string): string {
  const first =
    path
      .replace(FRAME, '')
      .split('/')[0]
      ?.replace(/\.json$/, '') ?? '';
  return /^\w/.test(first) ? first : 'Accounts';
}
