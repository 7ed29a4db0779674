import type { OpenAPIObject } from '@nestjs/swagger';
import { schemaRows, typeOf } from './describe-schema.js';
import type { DocumentedError } from './error-catalogue.js';
import { chapters } from './guide/chapters.js';
import { chapterSection, codeBlock } from './guide/render.js';
import { escapeHtml, htmlPage, htmlTable } from './html.js';
import { limitSection } from './limit-section.js';
import { operationExample } from './operation-example.js';
import { type Audience, type Entry, entriesOf, type Operation } from './operations.js';

const AUDIENCES: readonly (readonly [Audience, string, string])[] = [
  ['compatible', "Twilio's API", 'Forms in, JSON out; with the credentials of an account.'],
  ['native', 'Native API', 'JSON in and out; with the credentials of an account.'],
  ['operator', 'Operator API', 'JSON in and out; with the operator token.'],
  ['open', 'Open to all', 'No credentials.'],
];

/** The page that a reader opens first: a guide, then every operation with an example, then limits and errors. */
export function referencePage(document: OpenAPIObject, errors: readonly DocumentedError[], baseUrl: string): string {
  const { title, description } = document.info;
  const guide = chapters(baseUrl);
  const entries = entriesOf(document);
  const groups = AUDIENCES.map(([audience, name, about]) => ({
    audience,
    name,
    about,
    entries: entries.filter((entry) => entry.audience === audience),
  })).filter((group) => group.entries.length > 0);
  const links = [
    ...guide.map(({ id, title: name }) => [id, name] as const),
    ['limits', 'Limits'] as const,
    ...groups.map(({ audience, name }) => [`api-${audience}`, name] as const),
    ['errors', 'Errors'] as const,
  ].map(([id, name]) => `<li><a href="#${id}">${escapeHtml(name)}</a></li>`);
  const header = `<header><h1>${escapeHtml(title)}: API reference</h1><p>${escapeHtml(description ?? '')} The same <a href="openapi.json">as an OpenAPI document</a>.</p></header>`;
  const nav = `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`;
  const sections = [
    ...guide.map(chapterSection),
    limitSection(),
    ...groups.map((group) => audienceSection(document, group)),
    errorSection(errors),
  ];
  return htmlPage(
    `${title}: API reference`,
    `${header}<div class="columns">${nav}<main>${sections.join('')}</main></div>`,
  );
}

interface Group {
  readonly audience: Audience;
  readonly name: string;
  readonly about: string;
  readonly entries: readonly Entry[];
}

function audienceSection(document: OpenAPIObject, { audience, name, about, entries }: Group): string {
  const resources = [...new Set(entries.map(({ resource }) => resource))].sort((a, b) => a.localeCompare(b));
  const parts = resources.map((resource) => {
    const id = idOf(`${audience}-${resource}`);
    const operations = entries.filter((entry) => entry.resource === resource);
    return `<h3 id="${id}">${escapeHtml(wordsOf(resource))}</h3>${operations.map((entry) => operationSection(document, entry)).join('')}`;
  });
  const head = `<h2 id="api-${audience}">${escapeHtml(name)}</h2><p>${escapeHtml(about)}</p>`;
  return `<section aria-labelledby="api-${audience}">${head}${parts.join('')}</section>`;
}

function operationSection(document: OpenAPIObject, entry: Entry): string {
  const { method, path, operation } = entry;
  const title = `<span class="method">${method}</span> <span class="path">${escapeHtml(path)}</span>`;
  const summary = `<span class="what">${escapeHtml(operation.summary ?? '')}</span>`;
  const description = operation.description ? `<p>${escapeHtml(operation.description)}</p>` : '';
  const example = operationExample(document, entry);
  const parts = [
    example ? codeBlock('Example', example.command) : '',
    parameterTable(document, operation),
    bodyTable(document, operation),
    responseTable(document, operation),
  ];
  const id = idOf(`${method}-${path}`);
  return `<details id="${id}"><summary>${title} ${summary}</summary>${description}${parts.join('')}</details>`;
}

function parameterTable(document: OpenAPIObject, operation: Operation): string {
  const rows = (operation.parameters ?? []).flatMap((parameter) => {
    if (!('name' in parameter)) return [];
    const { name, in: place, required, schema, description } = parameter;
    const type = typeOf(document, schema ?? {});
    return [[code(name), place, escapeHtml(type), required ? 'yes' : 'no', escapeHtml(description ?? '')]];
  });
  return htmlTable('Parameters', ['Name', 'In', 'Type', 'Required', 'Meaning'], rows);
}

function bodyTable(document: OpenAPIObject, { requestBody }: Operation): string {
  if (!requestBody || !('content' in requestBody)) return '';
  return Object.entries(requestBody.content)
    .map(([type, { schema }]) => {
      const rows = schemaRows(document, schema ?? {}).map((row) => [
        code(row.name),
        escapeHtml(row.type),
        row.required ? 'yes' : 'no',
        escapeHtml(row.description),
      ]);
      return htmlTable(`Body (${type})`, ['Name', 'Type', 'Required', 'Meaning'], rows);
    })
    .join('');
}

function responseTable(document: OpenAPIObject, { responses }: Operation): string {
  const rows = Object.entries(responses).flatMap(([status, response]) => {
    if (!response || !('description' in response)) return [];
    const types = Object.entries(response.content ?? {}).map(
      ([type, { schema }]) => `${type}: ${typeOf(document, schema ?? {})}`,
    );
    return [[escapeHtml(status), escapeHtml(response.description), escapeHtml(types.join(', '))]];
  });
  return htmlTable('Responses', ['Status', 'Meaning', 'Content'], rows);
}

function errorSection(errors: readonly DocumentedError[]): string {
  const rows = errors.map(({ code: number, status, message, remedy }) => [
    `<a href="docs/errors/${number}">${number}</a>`,
    String(status),
    escapeHtml(message),
    escapeHtml(remedy),
  ]);
  const text =
    'Each has a page of its own, to which more_info (in Twilio’s dialect) or type (in the native one) leads. A 4xx changed nothing; after a 5xx or a lost answer, repeat a create with the same Idempotency-Key.';
  const table = htmlTable('Error codes', ['Code', 'Status', 'Meaning', 'What to do'], rows);
  return `<section aria-labelledby="errors"><h2 id="errors">Errors</h2><p>${escapeHtml(text)}</p>${table}</section>`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

function wordsOf(resource: string): string {
  const words = resource.replace(/(?<=[a-z])(?=[A-Z])|-/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function idOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
