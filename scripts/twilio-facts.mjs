/**
 * Writes what the tests of conformance know of Twilio's API, from a file with its operations by path and method as its
 * OpenAPI documents have them, without prose: `node scripts/twilio-facts.mjs <file>`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const METHODS = ['post', 'get', 'delete'];
const target = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'conformance', 'operations.json');

const [source] = process.argv.slice(2);
if (!source) {
  console.error('usage: twilio-facts <file>');
  process.exit(2);
}

/** JSON Schema of what OpenAPI 3.0 says: null is a type there, and every property that is named must be there. */
function jsonSchema({ nullable, properties, items, ...schema }) {
  const known = pick(schema, ['type', 'format', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength']);
  // Patterns say as much, and more.
  if (known.pattern) {
    delete known.minLength;
    delete known.maxLength;
  }
  if (nullable) {
    known.type = [known.type, 'null'];
    if (known.enum) known.enum = [...known.enum, null];
  }
  if (items) known.items = jsonSchema(items);
  if (!properties) return known;
  return {
    ...known,
    required: Object.keys(properties),
    properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, jsonSchema(value)])),
    additionalProperties: false,
  };
}

function pick(object, names) {
  return Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]));
}

function parametersOf(operation) {
  const form = operation.requestBody?.content['application/x-www-form-urlencoded']?.schema ?? {};
  const inBody = Object.entries(form.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'form',
    required: (form.required ?? []).includes(name),
    schema: jsonSchema(schema),
  }));
  const others = (operation.parameters ?? []).map((parameter) => ({
    name: parameter.name,
    in: parameter.in,
    required: parameter.required ?? false,
    schema: jsonSchema(parameter.schema),
  }));
  return [...others, ...inBody];
}

const schemas = {};

/** The name of a schema; schemas that are alike have one. */
function nameOf(schema, wanted) {
  const text = JSON.stringify(schema);
  const known = Object.entries(schemas).find(([, other]) => JSON.stringify(other) === text);
  if (known) return known[0];
  let name = wanted;
  for (let copy = 2; name in schemas; copy++) name = `${wanted} ${copy}`;
  schemas[name] = schema;
  return name;
}

function shortName(path, status) {
  const words = path.replace(/^\/(2010-04-01|v1)\/|\.json|\/?\{\w+\}/g, '').replaceAll('/', ' ');
  return `${words}${path.replace('.json', '').endsWith('}') ? ' one' : ''}${status === '201' ? ' created' : ''}`;
}

const facts = JSON.parse(readFileSync(source, 'utf8'));
const operations = Object.entries(facts).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    method: method.toUpperCase(),
    path,
    parameters: parametersOf(item[method]),
    responses: Object.fromEntries(
      Object.entries(item[method].responses).map(([status, { content }]) => {
        const schema = content?.['application/json']?.schema;
        return [status, schema ? nameOf(jsonSchema(schema), shortName(path, status)) : null];
      }),
    ),
  })),
);
writeFileSync(target, `${JSON.stringify({ schemas, operations })}\n`);
console.log(`wrote ${operations.length} operations and ${Object.keys(schemas).length} schemas`);
