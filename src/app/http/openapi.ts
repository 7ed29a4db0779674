import { STATUS_CODES } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { ACCESS, type Access, READS_BYTES } from '../../platform/http/decorators.js';
import { type Dialect, dialectOf } from './dialect.js';
import { summaryOf } from './docs/summaries.js';
import { FORM, JSON_TYPE } from './request-content.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Schema = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
const PROBLEM_TYPE = 'application/problem+json';
/** Where the generator's name, that of the controller, is not the best one. */
const TAGS: Readonly<Record<string, string>> = { Docs: 'Documentation' };

/** What the decorators of a route say of it. */
interface RouteMarks {
  readonly access: Access;
  readonly readsBytes: boolean;
}

const UNMARKED: RouteMarks = { access: 'customer', readsBytes: false };
const METRICS_ACCEPT = {
  name: 'Accept',
  in: 'header' as const,
  required: false,
  description: '`application/openmetrics-text` for OpenMetrics',
  schema: { type: 'string' },
};

const TWILIO_ERROR: Schema = {
  type: 'object',
  required: ['code', 'message', 'more_info', 'status'],
  properties: {
    code: { type: 'integer', description: 'Number of the error, documented at more_info' },
    message: { type: 'string' },
    more_info: { type: 'string', format: 'uri' },
    status: { type: 'integer', description: 'The HTTP status again' },
  },
};

const PROBLEM: Schema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'Address of the documentation of the error' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'integer', description: 'Number of the error' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      description: 'The parameters at fault',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/**
 * The OpenAPI description of the application: made from the schemas that validate its requests, completed with what
 * holds for every route of its kind (body type, credentials, errors).
 */
export function describeApi(app: INestApplication, publicUrl: string): OpenAPIObject {
  const frame = new DocumentBuilder()
    .setTitle('Trunkline')
    .setDescription('Messaging with the API of Twilio, and what goes beyond it.')
    .setVersion('1')
    .addServer(publicUrl)
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'Account SID and auth token, or API key' }, 'basic')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Operator token' }, 'bearer')
    .build();
  const document = SwaggerModule.createDocument(app, frame, { standardSchemaConverter: convertSchema });
  const marks = marksOf(app);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation)
        completeOperation(operation, method.toUpperCase(), path, marks.get(operation.operationId ?? '') ?? UNMARKED);
    }
  }
  const schemas = { ...document.components?.schemas, TwilioError: TWILIO_ERROR, Problem: PROBLEM };
  return { ...document, components: { ...document.components, schemas } };
}

/** What a client sends, or is sent, by a zod schema; what JSON Schema cannot say is left open. */
function convertSchema(schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  return { schema: z.toJSONSchema(schema, { target: 'openapi-3.0', io: schemaType, unrepresentable: 'any' }) };
}

/** By the name that the generator gives an operation: that of its controller's class and of the method. */
function marksOf(app: INestApplication): Map<string, RouteMarks> {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  const marks = new Map<string, RouteMarks>();
  for (const { metatype } of controllers) {
    if (typeof metatype !== 'function') continue;
    for (const [name, { value: handler }] of Object.entries(Object.getOwnPropertyDescriptors(metatype.prototype))) {
      if (typeof handler !== 'function') continue;
      marks.set(`${metatype.name}_${name}`, {
        access: reflector.getAllAndOverride(ACCESS, [handler, metatype]) ?? UNMARKED.access,
        readsBytes: reflector.getAllAndOverride(READS_BYTES, [handler, metatype]) ?? UNMARKED.readsBytes,
      });
    }
  }
  return marks;
}

function completeOperation(operation: Operation, method: string, path: string, marks: RouteMarks): void {
  operation.summary ||= summaryOf(method, path);
  operation.tags = operation.tags?.map((tag) => TAGS[tag] ?? tag);
  if (path === '/metrics') operation.parameters = [...(operation.parameters ?? []), METRICS_ACCEPT];
  if (marks.readsBytes && method !== 'GET') operation.requestBody = bytesBody();
  const dialect = dialectOf(path);
  nameBodyType(operation, dialect);
  namePathParameters(operation, path);
  nameCredentials(operation, marks.access);
  nameResponses(operation);
  operation.responses = { ...operation.responses, default: errorResponse(dialect) };
}

/** The generator takes every body for JSON. */
function nameBodyType(operation: Operation, dialect: Dialect): void {
  const body = operation.requestBody;
  if (!body || !('content' in body) || dialect !== 'twilio') return;
  const media = body.content[FORM] ?? body.content[JSON_TYPE];
  if (media) body.content = { [FORM]: media };
}

/** A controller need not take each parameter of its path. */
function namePathParameters(operation: Operation, path: string): void {
  const known = (operation.parameters ?? []).map((parameter) => ('name' in parameter ? parameter.name : ''));
  const missing = [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !known.includes(name));
  const added = missing.map((name) => ({ name, in: 'path' as const, required: true, schema: { type: 'string' } }));
  operation.parameters = [...added, ...(operation.parameters ?? [])];
}

/** What it holds is between the one who sends it and the one who reads it. */
function bytesBody() {
  const schema = { description: 'As the definition of the carrier says' };
  return { required: true, content: { [JSON_TYPE]: { schema }, [FORM]: { schema } } };
}

function nameCredentials(operation: Operation, access: Access): void {
  if (access === 'public') operation.security = [];
  else operation.security = access === 'operator' ? [{ bearer: [] }] : [{ basic: [] }];
}

function nameResponses({ responses }: Operation): void {
  for (const [status, response] of Object.entries(responses)) {
    if (response && 'description' in response) response.description ||= STATUS_CODES[status] ?? status;
  }
}

function errorResponse(dialect: Dialect) {
  const isTwilio = dialect === 'twilio';
  const schema = { $ref: `#/components/schemas/${isTwilio ? 'TwilioError' : 'Problem'}` };
  return { description: 'The request failed', content: { [isTwilio ? JSON_TYPE : PROBLEM_TYPE]: { schema } } };
}
