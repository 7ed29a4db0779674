import type { DefinitionProblem, HttpDefinition, JsonTemplate } from './definition.js';
import { SECRET_PREFIX } from './template.js';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** What the connection, the body and this product write themselves. */
const OWN_HEADERS = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-trunkline-hops',
];
/** Names of fields whose values open doors. */
const CREDENTIAL = /passw|secret|token|api[-_]?key|apikey|authori[sz]ation|cookie|signature/i;

/** Headers that a definition cannot set. */
export function checkHeaders(headers: Readonly<Record<string, string>>): DefinitionProblem[] {
  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, value]) => {
    const field = `headers.${name}`;
    const lower = name.toLowerCase();
    const isRepeated = seen.has(lower);
    seen.add(lower);
    if (!HEADER_NAME.test(name)) return { field, message: 'is no name of a header' };
    if (OWN_HEADERS.includes(lower)) return { field, message: 'is set by the service itself' };
    if (isRepeated) return { field, message: 'is given twice' };
    return /^[ -~]*$/.test(value) ? [] : { field, message: 'must hold printable ASCII only' };
  });
}

/**
 * Credentials that are written out. The definition is shown to operators and kept as it is; only its secrets are sealed.
 */
export function checkLiterals(definition: HttpDefinition): DefinitionProblem[] {
  const parameters = [...queryOf('url', definition.url), ...queryOf('check', definition.check ?? '')];
  const headers = Object.entries(definition.headers ?? {}).map(
    ([name, value]) => [`headers.${name}`, name, value] as const,
  );
  const form = Object.entries(definition.form ?? {}).map(([name, value]) => [`form.${name}`, name, value] as const);
  return [...parameters, ...headers, ...form, ...texts('json', '', definition.json ?? null)].flatMap(
    ([field, name, value]) => {
      if (!CREDENTIAL.test(name) || value === '' || value.includes('{{')) return [];
      const detail = field === 'url' || field === 'check' ? `'${name}' ` : '';
      return { field, message: `${detail}must take its value from secrets, such as {{${SECRET_PREFIX}name}}` };
    },
  );
}

function queryOf(field: string, url: string): (readonly [string, string, string])[] {
  const [, query = ''] = url.split('?', 2);
  return query.split('&').map((pair) => {
    const [name = '', value = ''] = pair.split('=', 2);
    return [field, name, value];
  });
}

function texts(field: string, name: string, value: JsonTemplate): (readonly [string, string, string])[] {
  if (typeof value === 'string') return [[field, name, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([inner, one]) => texts(`${field}.${inner}`, inner, one as JsonTemplate));
}
