import type { OpenAPIObject } from '@nestjs/swagger';
import { schemaRows, typeOf } from './describe-schema.js';
import type { DocumentedError } from './error-catalogue.js';
import { escapeHtml, htmlPage, htmlTable } from './html.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const UNTAGGED = 'Other';

/** The reference of the API as one page: operations by tag, then the errors. */
export function referencePage(document: OpenAPIObject, errors: readonly DocumentedError[]): string {
  const groups = groupByTag(document);
  const links = [...groups.keys(), 'Limits', 'Errors'].map(
    (tag) => `<li><a href="#${idOf(tag)}">${escapeHtml(tag)}</a></li>`,
  );
  const sections = [...groups].map(([tag, entries]) => {
    const operations = entries.map((entry) => operationSection(document, entry)).join('');
    return `<section aria-labelledby="${idOf(tag)}"><h2 id="${idOf(tag)}">${escapeHtml(tag)}</h2>${operations}</section>`;
  });
  const { title, description } = document.info;
  const header = `<header><h1>${escapeHtml(title)}: API reference</h1><p>${escapeHtml(description ?? '')} The same <a href="openapi.json">as an OpenAPI document</a>.</p></header>`;
  const nav = `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`;
  return htmlPage(
    `${title}: API reference`,
    `${header}${nav}<main>${sections.join('')}${limitSection()}${errorSection(errors)}</main>`,
  );
}

function groupByTag(document: OpenAPIObject): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? UNTAGGED;
      const group = groups.get(tag);
      const entry = { method: method.toUpperCase(), path, operation };
      if (group) group.push(entry);
      else groups.set(tag, [entry]);
    }
  }
  return new Map([...groups].sort(([a], [b]) => a.localeCompare(b)));
}

function operationSection(document: OpenAPIObject, { method, path, operation }: Entry): string {
  const title = `<span class="method">${method}</span> <span class="path">${escapeHtml(path)}</span>`;
  const summary = operation.summary ? ` - ${escapeHtml(operation.summary)}` : '';
  const description = operation.description ? `<p>${escapeHtml(operation.description)}</p>` : '';
  const parts = [
    `<p>${credentialsOf(operation)}</p>`,
    parameterTable(document, operation),
    bodyTable(document, operation),
    responseTable(document, operation),
  ];
  return `<details><summary>${title}${summary}</summary>${description}${parts.join('')}</details>`;
}

function credentialsOf({ security }: Operation): string {
  const scheme = Object.keys(security?.[0] ?? {})[0];
  if (scheme === undefined) return 'Needs no credentials.';
  return scheme === 'bearer' ? "Needs the operator's bearer token." : "Needs an account's credentials (HTTP Basic).";
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

function limitSection(): string {
  const rows = [
    [
      'X-RateLimit-Limit',
      'How many requests of this kind the window holds: of those that count, the one closest to its limit.',
    ],
    ['X-RateLimit-Remaining', 'How many it still has room for.'],
    [
      'X-RateLimit-Reset',
      'Seconds until there is room again, where there is none; else until the window is empty, if nothing more is sent.',
    ],
    [
      'Retry-After',
      'With a refusal (429): seconds to wait. After the last message of a day, until the day (UTC) ends.',
    ],
  ].map(([name, meaning]) => [code(name!), escapeHtml(meaning!)]);
  const tiers = [
    ['free', '100', '100', '100'],
    ['pro', '1,000', '10,000', '10,000'],
    ['enterprise', '5,000', '100,000', 'any number'],
  ];
  const text = [
    'The windows of a second and a minute slide: none ever holds more than its limit, wherever it begins.',
    'Every request to create a message counts, one that is refused later and one that is answered with an earlier answer too; for the day, only messages that were accepted.',
    'An account may have figures of its own. A subaccount has its own limits. All other requests of an account share 1,000 a second.',
  ];
  const paragraph = `<p>${escapeHtml(text.join(' '))}</p>`;
  const byTier = htmlTable('Messages by tier', ['Tier', 'In a second', 'In a minute', 'In a day (UTC)'], tiers);
  const headers = htmlTable('Headers', ['Header', 'Meaning'], rows);
  return `<section aria-labelledby="limits"><h2 id="limits">Limits</h2>${paragraph}${byTier}${headers}</section>`;
}

function errorSection(errors: readonly DocumentedError[]): string {
  const rows = errors.map(({ code: number, status, message, remedy }) => [
    `<a href="docs/errors/${number}">${number}</a>`,
    String(status),
    escapeHtml(message),
    escapeHtml(remedy),
  ]);
  const table = htmlTable('Error codes', ['Code', 'Status', 'Meaning', 'What to do'], rows);
  return `<section aria-labelledby="errors"><h2 id="errors">Errors</h2>${table}</section>`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

function idOf(tag: string): string {
  return encodeURIComponent(tag.toLowerCase().replace(/\s+/g, '-'));
}
