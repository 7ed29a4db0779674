import { checkHeaders, checkLiterals } from './check-credentials.js';
import type { DefinitionProblem, HttpDefinition, HttpSecrets, JsonTemplate, ReceiptDefinition } from './definition.js';
import { parsePointer } from './json-pointer.js';
import { parseTemplate, placeholdersOf, SECRET_PREFIX, TemplateError } from './template.js';

const STATUS = /^[1-5](?:\d\d|xx)$/;
/** A whole origin, with nothing that parsers disagree about, before anything can be filled in. */
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?=[/?]|$)/;
const MAX_JSON_VALUES = 200;
const MIN_RECEIPT_SECRET = 16;

/** Placeholders that are known before there is a message. */
const WITHOUT_MESSAGE = ['receipt_url'];

/** What is wrong with a definition: everything that would only show when a message is sent, or a receipt comes. */
export function checkDefinition(definition: HttpDefinition, secrets: HttpSecrets): DefinitionProblem[] {
  return new DefinitionCheck(definition, secrets).run();
}

class DefinitionCheck {
  private readonly problems: DefinitionProblem[] = [];

  constructor(
    private readonly definition: HttpDefinition,
    private readonly secrets: HttpSecrets,
  ) {}

  run(): DefinitionProblem[] {
    const { definition } = this;
    this.url('url', definition.url);
    if (definition.check !== undefined) this.url('check', definition.check, WITHOUT_MESSAGE);
    for (const [name, value] of Object.entries(definition.headers ?? {})) {
      this.template(`headers.${name}`, value, (placeholder) => placeholder !== 'text');
    }
    this.basicAuth();
    this.body();
    this.answer();
    if (definition.receipts) this.receipts(definition.receipts);
    this.problems.push(...checkHeaders(definition.headers ?? {}), ...checkLiterals(definition));
    return this.problems;
  }

  private add(field: string, message: string): void {
    this.problems.push({ field, message });
  }

  private url(field: string, text: string, allowed?: readonly string[]): void {
    this.template(field, text, (name) => allowed === undefined || allowed.includes(name));
    const origin = ORIGIN.exec(text)?.[0];
    const filled = text.replace(/\{\{[^{}]*\}\}/g, 'x');
    if (origin === undefined || !URL.canParse(filled)) {
      this.add(field, 'must be an http or https URL whose host is written out, without credentials in it');
    } else if (!/^[!-~]*$/.test(text) || text.includes('\\')) this.add(field, 'must hold printable ASCII only');
    else if (text.includes('#')) this.add(field, 'must have no fragment');
  }

  private basicAuth(): void {
    const { basic_auth: auth } = this.definition;
    if (!auth) return;
    const isSecret = (name: string) => name.startsWith(SECRET_PREFIX);
    this.template('basic_auth.username', auth.username, isSecret);
    this.template('basic_auth.password', auth.password, isSecret);
    if (!auth.password.includes(`{{${SECRET_PREFIX}`)) {
      this.add('basic_auth.password', `must name a secret, such as {{${SECRET_PREFIX}password}}`);
    }
  }

  private body(): void {
    const { form, json, method } = this.definition;
    if (form !== undefined && json !== undefined) this.add('json', 'cannot stand beside form: the body is one of both');
    if (method === 'GET' && (form ?? json) !== undefined) this.add('method', 'GET has no body');
    for (const [name, value] of Object.entries(form ?? {})) this.template(`form.${name}`, value);
    if (json !== undefined && this.json('json', json, 0) > MAX_JSON_VALUES) {
      this.add('json', `must have at most ${MAX_JSON_VALUES} values`);
    }
  }

  private json(field: string, value: JsonTemplate, seen: number): number {
    if (typeof value === 'string') this.template(field, value);
    if (typeof value !== 'object' || value === null) return seen + 1;
    let count = seen + 1;
    for (const [name, inner] of Object.entries(value)) {
      if (name.includes('{{')) this.add(`${field}.${name}`, 'a name cannot have placeholders');
      count = this.json(`${field}.${name}`, inner as JsonTemplate, count);
    }
    return count;
  }

  private answer(): void {
    const { answer } = this.definition;
    this.pointer('answer.id', answer.id);
    this.pointer('answer.code', answer.code);
    for (const [index, rule] of (answer.results ?? []).entries()) {
      const field = `answer.results.${index}`;
      if (rule.status === undefined && rule.code === undefined) this.add(field, 'must name a status or a code');
      if (rule.status !== undefined && !STATUS.test(rule.status)) {
        this.add(`${field}.status`, 'must be an HTTP status such as 429, or a class of them such as 5xx');
      }
      if (rule.code !== undefined && answer.code === undefined) {
        this.add(`${field}.code`, 'needs answer.code, which says where the code stands');
      }
      if (rule.error_code !== undefined && rule.result !== 'permanent') {
        this.add(`${field}.error_code`, 'belongs to the result permanent');
      }
    }
  }

  private receipts(receipts: ReceiptDefinition): void {
    for (const name of ['list', 'id', 'state', 'to', 'error', 'done_date'] as const) {
      this.pointer(`receipts.${name}`, receipts[name]);
    }
    const { auth } = receipts;
    const secret = Object.hasOwn(this.secrets, auth.secret) ? this.secrets[auth.secret]! : null;
    if (secret === null) this.add('receipts.auth.secret', `there is no secret ${auth.secret}`);
    else if (secret.length < MIN_RECEIPT_SECRET) {
      this.add(`secrets.${auth.secret}`, `must have at least ${MIN_RECEIPT_SECRET} characters: it keeps forgers out`);
    }
    if (Object.keys(receipts.states).length === 0) this.add('receipts.states', 'must name a state');
  }

  private pointer(field: string, text: string | undefined): void {
    if (text !== undefined && parsePointer(text) === null) {
      this.add(field, 'must be a JSON pointer, such as /messages/0/id');
    }
  }

  private template(field: string, text: string, allows: (placeholder: string) => boolean = () => true): void {
    try {
      for (const name of placeholdersOf(parseTemplate(text))) this.placeholder(field, name, allows);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.add(field, error.message);
    }
  }

  private placeholder(field: string, name: string, allows: (placeholder: string) => boolean): void {
    if (name.startsWith(SECRET_PREFIX)) {
      if (!Object.hasOwn(this.secrets, name.slice(SECRET_PREFIX.length))) this.add(field, `there is no {{${name}}}`);
    } else if (!allows(name)) this.add(field, `{{${name}}} cannot stand here`);
    else if (name === 'receipt_url' && !this.definition.receipts) {
      this.add(field, '{{receipt_url}} needs receipts, which says how they are read');
    }
  }
}
