import type { OpenAPIObject } from '@nestjs/swagger';
import { FORM } from '../request-content.js';
import { resolveSchema, type Schema, type SchemaOrReference } from './describe-schema.js';
import type { Entry } from './operations.js';

/** A request that a reader can copy: the variables in it are those of the guide, or stand for what a list has told. */
export interface OperationExample {
  readonly command: string;
  /** The shell variables in its path, beside the address and credentials. */
  readonly variables: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

/** What a request carries where its schema alone cannot tell, or where less than all that it names makes sense. */
const GIVEN: Readonly<Record<string, Values>> = {
  'POST /2010-04-01/Accounts/{AccountSid}/Messages.json': { To: '+15555550100', From: '+15005550006', Body: 'Hello' },
  'POST /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json': { Body: '' },
  'POST /v1/opt-outs': { phone_number: '+15555550123', from: '+15005550006' },
  'POST /v1/operator/carriers': {
    name: 'other-smsc',
    type: 'smpp',
    host: '127.0.0.1',
    port: 2775,
    system_id: 'user',
    password: 'secret',
  },
  'PATCH /v1/operator/carriers/{name}': { tps: 50 },
  'POST /v1/operator/consumers/{id}/replay': { from: 0 },
};

/** What none of the readers asks for: it is refused whatever is asked, or called by carriers with what proves who they are. */
const WITHOUT: readonly string[] = [
  'POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json',
  'POST /v1/carriers/{name}/receipts',
  'GET /v1/carriers/{name}/receipts',
];

/** Values by the names that texts have everywhere in this API. */
const TEXTS: Readonly<Record<string, string>> = {
  to: '+15555550100',
  from: '+15005550006',
  body: 'Hello',
  friendly_name: 'Acme',
  phone_number: '+15005550112',
  amount: '100.00',
  key: 'invoice-2',
  reason: 'payment',
  prefix: '+49',
  price: '0.0400',
  name: 'other-smsc',
  carrier: 'sim-smpp-2',
  host: '127.0.0.1',
  system_id: 'user',
  password: 'secret',
};
const PORT = 2775;

/** The operations that the table names: each must exist. */
export const GIVEN_FOR: readonly string[] = [...Object.keys(GIVEN), ...WITHOUT];

/**
 * An example of a request, made from the description of the operation: an `example` in its schema, else what the names
 * in it stand for. Null where a value that it needs is not known: no example is better than one that is refused.
 */
export function operationExample(document: OpenAPIObject, entry: Entry): OperationExample | null {
  const { method, path, operation, audience } = entry;
  if (WITHOUT.includes(`${method} ${path}`)) return null;
  const query = (operation.parameters ?? []).flatMap((parameter) =>
    'name' in parameter && parameter.in === 'query' && parameter.required ? [parameter] : [],
  );
  const asked = query.map(({ name, schema }) => [name, sample(document, name, schema ?? {})] as const);
  const body = bodyOf(document, entry);
  if (body === null || asked.some(([, value]) => value === undefined)) return null;
  const { target, variables } = withVariables(path);
  const search = asked.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
  const parts = [
    'curl',
    ...(method === 'GET' || (method === 'POST' && body !== '') ? [] : [`-X ${method}`]),
    ...credentials(audience),
    `"$TRUNKLINE${target}${search && `?${search}`}"`,
  ];
  return { command: `${parts.join(' ')}${body}`, variables };
}

function credentials(audience: Entry['audience']): string[] {
  if (audience === 'open') return [];
  return audience === 'operator' ? ['-H "Authorization: Bearer $OPERATOR_TOKEN"'] : ['-u "$ACCOUNT_SID:$AUTH_TOKEN"'];
}

/** The path with a shell variable for each parameter, named after what stands before it: `accounts/$ACCOUNT_SID`. */
function withVariables(path: string): { target: string; variables: string[] } {
  const variables: string[] = [];
  const target = path.replace(/(?:([\w-]+)\/)?\{(\w+)\}/g, (_, before: string | undefined, name: string) => {
    const variable = variableOf(before, name);
    variables.push(variable);
    return `${before === undefined ? '' : `${before}/`}$${variable}`;
  });
  return { target, variables };
}

function variableOf(before: string | undefined, name: string): string {
  const upper = (word: string) => word.replace(/(?<=[a-z])(?=[A-Z])|-/g, '_').toUpperCase();
  if (before === undefined || /[a-z][A-Z]/.test(name)) return upper(name);
  return `${upper(before.replace(/ies$/, 'y').replace(/s$/, ''))}_${upper(name)}`;
}

/** What follows the address: nothing, a form or JSON; null where a value is not known. */
function bodyOf(document: OpenAPIObject, { method, path, operation: { requestBody } }: Entry): string | null {
  if (!requestBody || !('content' in requestBody)) return '';
  const [type, media] = Object.entries(requestBody.content)[0] ?? [];
  const schema = resolveSchema(document, media?.schema ?? {});
  const values = GIVEN[`${method} ${path}`] ?? (schema && valuesOf(document, schema));
  if (!values) return null;
  if (type !== FORM) return ` \\\n  --json '${JSON.stringify(values)}'`;
  return Object.entries(values)
    .map(([name, value]) => ` \\\n  --data-urlencode '${name}=${String(value)}'`)
    .join('');
}

/** The members that must be there; where none must, the first that a value is known for. */
function valuesOf(document: OpenAPIObject, schema: Schema): Values | null {
  if (schema.example && typeof schema.example === 'object') return schema.example as Values;
  const members = Object.entries(schema.properties ?? {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  const known = members.flatMap(([name, member]) => {
    const value = sample(document, name, member);
    return value === undefined || String(value).includes("'") ? [] : [[name, value] as const];
  });
  if (required.length === 0) return Object.fromEntries(known.slice(0, 1));
  const chosen = known.filter(([name]) => required.includes(name));
  return chosen.length === required.length ? Object.fromEntries(chosen) : null;
}

/** A value for a parameter; undefined where none is known. */
function sample(document: OpenAPIObject, name: string, member: SchemaOrReference): unknown {
  const schema = resolveSchema(document, member);
  if (!schema) return undefined;
  if (schema.example !== undefined) return schema.example;
  if (schema.enum?.length) return schema.enum[0];
  if (schema.type === 'boolean') return true;
  if (schema.type === 'integer' || schema.type === 'number') return name === 'port' ? PORT : (schema.minimum ?? 1);
  if (schema.type === 'string' || schema.oneOf || schema.anyOf) return TEXTS[name.toLowerCase()];
  return undefined;
}
