import request from 'supertest';
import { FAILURES, type FailureName } from '../../shared/failure.js';
import { documentedErrors } from './docs/error-catalogue.js';
import { escapeHtml } from './docs/html.js';
import { type EdgeUnderTest, startEdge } from './edge.test-support.js';
import { DOCUMENTED_FAILURES } from './error-status.js';

let edge: EdgeUnderTest;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.app.close());

const get = (path: string) => request(edge.app.getHttpServer()).get(path);

describe('the catalogue of errors', () => {
  const names = Object.keys(FAILURES) as FailureName[];

  it('has for each failure, and for no other, a status and words', () => {
    expect(names.length).toBeGreaterThan(30);
    expect(Object.keys(DOCUMENTED_FAILURES).sort()).toEqual([...names].sort());
    for (const { status, cause, remedy } of Object.values(DOCUMENTED_FAILURES)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(cause.length).toBeGreaterThan(20);
      expect(remedy.length).toBeGreaterThan(10);
    }
  });

  it.each([...new Set(names.map((name) => FAILURES[name].code)), 20500])('has a page for %d', async (code) => {
    const answer = await get(`/docs/errors/${code}`).expect(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const entry of documentedErrors().filter((error) => error.code === code)) {
      expect(answer.text).toContain(escapeHtml(entry.message));
      expect(answer.text).toContain(escapeHtml(entry.remedy));
    }
  });

  it('has none for what is no code', async () => {
    await get('/docs/errors/12345').expect(404);
    await get('/docs/errors/%3Cscript%3E').expect(400);
  });
});

describe('the OpenAPI document', () => {
  interface Operation {
    parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[];
    requestBody?: { content: Record<string, { schema: { properties: object; required?: string[] } }> };
    responses: Record<string, { description: string; content?: object }>;
    security: object[];
  }
  let document: {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: object; securitySchemes: object };
  };

  beforeAll(async () => {
    document = (await get('/openapi.json').expect(200)).body;
  });

  it('describes forms on Twilio’s routes by the schema that validates them', () => {
    const create = document.paths['/2010-04-01/Accounts/{AccountSid}/Messages.json']?.post;
    const body = create?.requestBody?.content['application/x-www-form-urlencoded']?.schema;
    expect(Object.keys(body?.properties ?? {})).toEqual(['To', 'Body', 'MediaUrl', 'From']);
    expect(body?.required).toEqual(['To']);
    expect(create?.parameters).toEqual([
      { name: 'AccountSid', in: 'path', required: true, schema: { type: 'string' } },
    ]);
    expect(create?.security).toEqual([{ basic: [] }]);
    expect(create?.responses.default?.content).toHaveProperty('application/json');
  });

  it('describes JSON and queries on native ones', () => {
    const notes = document.paths['/v1/notes'];
    expect(notes?.post?.requestBody?.content).toHaveProperty('application/json');
    expect(notes?.get?.parameters?.map(({ name, required }) => [name, required ?? false])).toEqual([
      ['limit', false],
      ['cursor', false],
      ['q', false],
    ]);
    expect(notes?.get?.responses.default?.content).toHaveProperty('application/problem+json');
  });

  it('tells who may call what, and names every path parameter', () => {
    expect(document.paths['/v1/operator/things']?.post?.security).toEqual([{ bearer: [] }]);
    expect(document.paths['/open']?.post?.security).toEqual([]);
    expect(document.components.securitySchemes).toHaveProperty('basic');
    expect(document.components.schemas).toHaveProperty('TwilioError');
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, operation })),
    );
    expect(operations.length).toBeGreaterThan(10);
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => `{${name}}`);
      expect([...inPath].sort()).toEqual([...(path.match(/\{\w+\}/g) ?? [])].sort());
      expect(operation).not.toHaveProperty('x-access');
      for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('');
    }
  });
});

describe('the reference page', () => {
  it('shows every operation and error, and runs and loads nothing', async () => {
    const { text, headers } = await get('/docs').expect(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/);
    expect(text).toContain('/2010-04-01/Accounts/{AccountSid}/Messages.json');
    expect(text).toContain('Notes &lt;all&gt; of them');
    expect(text).toContain('at most 1600 characters');
    expect(text).toContain('<a href="docs/errors/21211">21211</a>');
    expect(text).not.toMatch(/<script|<link|<img|src=|@import|url\(|href="(?!#|docs\/errors\/|openapi\.json)/);
    expect(text).not.toContain('undefined');
  });

  it('is well-formed: what is opened is closed', async () => {
    const { text } = await get('/docs');
    const open: string[] = [];
    for (const [, slash, name] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
      if (name === 'meta') continue;
      if (slash === '') open.push(name ?? '');
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});
