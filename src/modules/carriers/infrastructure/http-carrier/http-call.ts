import type { OutboundRequest } from '../../../../platform/http-client/outbound-http-client.js';
import { MAX_URL_LENGTH } from '../../../../platform/http-client/target-url.js';
import { idTimeMs, sidOf } from '../../../../shared/sid.js';
import type { Outgoing } from '../../domain/carrier-connection.js';
import type { HttpDefinition, HttpSecrets, JsonTemplate } from '../../domain/http/definition.js';
import { parseTemplate, render, SECRET_PREFIX, type Template } from '../../domain/http/template.js';

const HOPS_HEADER = 'x-trunkline-hops';
const MAX_VALIDITY_SECONDS = 36_000;

type Filled = string | number | boolean | null | Filled[] | { [name: string]: Filled };
type Fill = (values: ReadonlyMap<string, string>) => Filled;

/** What a carrier's definition comes to: its templates are read once, its secrets stand in their places. */
export class HttpCall {
  private readonly url: Template;
  private readonly check: Template | null;
  private readonly headers: readonly (readonly [name: string, value: Template])[];
  private readonly authorization: string | null;
  private readonly form: readonly (readonly [name: string, value: Template])[] | null;
  private readonly json: Fill | null;
  private readonly secrets: readonly (readonly [name: string, value: string])[];

  /** @param definition checked; one that is not throws here or when it is used */
  constructor(
    private readonly definition: HttpDefinition,
    secrets: HttpSecrets,
  ) {
    const { url, check, headers = {}, basic_auth: auth, form, json } = definition;
    this.secrets = Object.entries(secrets).map(([name, value]) => [SECRET_PREFIX + name, value] as const);
    this.url = parseTemplate(url);
    this.check = check === undefined ? null : parseTemplate(check);
    this.headers = templates(headers);
    this.form = form === undefined ? null : templates(form);
    this.json = json === undefined ? null : filler(json);
    const known = new Map(this.secrets);
    const credentials =
      auth && `${render(parseTemplate(auth.username), known)}:${render(parseTemplate(auth.password), known)}`;
    this.authorization = credentials ? `Basic ${Buffer.from(credentials).toString('base64')}` : null;
  }

  /** The host and port that are called, for people. */
  get host(): string {
    return new URL(this.definition.url.replace(/\{\{[^{}]*\}\}/g, 'x')).host;
  }

  /** The request that hands a message over; null where this carrier cannot be asked to carry it. */
  handOver(outgoing: Outgoing, receiptUrl: string): OutboundRequest | null {
    const values = new Map([...this.secrets, ...valuesOf(outgoing, receiptUrl)]);
    const url = render(this.url, values, encode);
    if (url.length > MAX_URL_LENGTH) return null;
    const body = this.body(values);
    const headers = { ...this.common(values), ...body?.headers, [HOPS_HEADER]: values.get('hops')! };
    return { url, method: this.definition.method, headers, ...(body ? { body: body.text } : {}) };
  }

  /** The request that asks whether the carrier is there. */
  probe(receiptUrl: string): OutboundRequest {
    const values = new Map([...this.secrets, ['receipt_url', receiptUrl] as const]);
    if (!this.check)
      return { url: `${new URL(this.definition.url.replace(/\{\{[^{}]*\}\}/g, 'x')).origin}/`, method: 'GET' };
    const needsMessage = (template: Template) =>
      template.some((part) => typeof part !== 'string' && !values.has(part.name));
    const headers = this.headers.filter(([, value]) => !needsMessage(value));
    return { url: render(this.check, values, encode), method: 'GET', headers: this.common(values, headers) };
  }

  /** Whether any answer at all proves that the carrier is there: the definition names nothing to ask. */
  get isProbeBlind(): boolean {
    return this.check === null;
  }

  private common(values: ReadonlyMap<string, string>, headers = this.headers): Record<string, string> {
    const common: Record<string, string> = { accept: 'application/json' };
    if (this.authorization !== null) common.authorization = this.authorization;
    for (const [name, value] of headers) common[name.toLowerCase()] = render(value, values);
    return common;
  }

  private body(values: ReadonlyMap<string, string>): { headers: Record<string, string>; text: string } | null {
    if (this.form) {
      const fields: [string, string][] = this.form.map(([name, value]) => [name, render(value, values)]);
      const text = new URLSearchParams(fields).toString();
      return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, text };
    }
    if (!this.json) return null;
    return { headers: { 'content-type': 'application/json' }, text: JSON.stringify(this.json(values)) };
  }
}

function templates(texts: Readonly<Record<string, string>>): (readonly [string, Template])[] {
  return Object.entries(texts).map(([name, value]) => [name, parseTemplate(value)] as const);
}

/** Values go into the tree and not into its text, so that none can end the string that it stands in. */
function filler(template: JsonTemplate): Fill {
  if (typeof template === 'string') {
    const parsed = parseTemplate(template);
    return (values) => render(parsed, values);
  }
  if (typeof template !== 'object' || template === null) return () => template;
  if (Array.isArray(template)) {
    const items = template.map((item: JsonTemplate) => filler(item));
    return (values) => items.map((item) => item(values));
  }
  const members = Object.entries(template).map(([name, value]) => [name, filler(value as JsonTemplate)] as const);
  return (values) => Object.fromEntries(members.map(([name, fill]) => [name, fill(values)]));
}

function valuesOf(outgoing: Outgoing, receiptUrl: string): (readonly [string, string])[] {
  const { to, from, parts, key, encoding } = outgoing;
  return [
    ['to', to],
    ['to_plain', to.replace(/^\+/, '')],
    ['from', from],
    ['from_plain', from.replace(/^\+/, '')],
    ['text', parts.join('')],
    ['key', sidOf('SM', key)],
    ['encoding', encoding],
    ['segments', String(parts.length)],
    ['valid_seconds', String(validSeconds(outgoing))],
    ['hops', String(outgoing.hops + 1)],
    ['receipt_url', receiptUrl],
  ];
}

/** Of the whole validity and not of what is left, so that every attempt asks for the same. */
function validSeconds({ key, validUntilMs }: Outgoing): number {
  const seconds = Math.round((validUntilMs - idTimeMs(key)) / 1_000);
  return Math.min(Math.max(seconds, 1), MAX_VALIDITY_SECONDS);
}

function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}
