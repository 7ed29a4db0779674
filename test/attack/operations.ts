/** What is read of the product's own description of itself; what is not understood is left open. */
export interface Schema {
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean | number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface DocumentedOperation {
  readonly parameters?: readonly { name: string; in: string; schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

/** One operation as the document describes it. */
export interface Operation {
  /** As people write it: `POST /v1/x/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Whose form its errors have. */
  readonly dialect: 'twilio' | 'native';
  readonly access: 'customer' | 'operator' | 'public';
  readonly parameters: readonly Parameter[];
  readonly body: { readonly kind: 'form' | 'json'; readonly schema: Schema } | null;
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
const FORM = 'application/x-www-form-urlencoded';

/** Every operation of a document. */
export function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [operationOf(method.toUpperCase(), path, item[method])] : [])),
  );
}

function operationOf(method: string, path: string, documented: DocumentedOperation): Operation {
  const content = documented.requestBody?.content ?? {};
  const form = content[FORM];
  const json = content['application/json'];
  const kinds = (documented.security ?? []).flatMap((scheme) => Object.keys(scheme));
  return {
    name: `${method} ${path}`,
    method,
    path,
    // By the convention of the paths: a capitalised first segment under /v1 is Twilio's.
    dialect: /^\/(2010-04-01\/|v1\/[A-Z])/.test(path) ? 'twilio' : 'native',
    access: kinds.includes('bearer') ? 'operator' : kinds.includes('basic') ? 'customer' : 'public',
    parameters: (documented.parameters ?? []).flatMap((parameter) =>
      ['path', 'query', 'header'].includes(parameter.in)
        ? [{ in: parameter.in as Parameter['in'], name: parameter.name, schema: parameter.schema ?? {} }]
        : [],
    ),
    body: form
      ? { kind: 'form', schema: form.schema ?? {} }
      : json
        ? { kind: 'json', schema: json.schema ?? {} }
        : null,
  };
}
