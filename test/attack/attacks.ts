import type { Operation, Parameter, Schema } from './operations.js';
import { conforms, goodValue, someOf } from './schema.js';
import { type HostileText, hostileJson, hostileTexts, NO_TEXT_ENCODED, NO_TEXT_JSON } from './values.js';

/** One request that means harm. */
export interface Attack {
  readonly operation: Operation;
  readonly what: string;
  /** What is attacked: the name of a parameter, or a part of the request. */
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether it must be refused; the others may be read as what they are, or refused. */
  readonly isWrong: boolean;
  /** What the refusal must name. */
  readonly names?: string;
}

/** What stands for a parameter of a path where it is not the one that is attacked. */
export type Targets = (operation: Operation, parameter: Parameter) => string;

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const SOMETHING = 'surprise';

/** Values of headers that a client may send, as Node lets them pass. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'x-request-id': ['x y', '<script>', "' or 1=1", 'x'.repeat(5_000), '\u00ff'],
  traceparent: [
    '00-0-0-0',
    `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-ff`,
    '-',
  ],
  accept: ['text/html', 'application/xml;q=1', '*/*;q=nonsense', 'x'.repeat(5_000)],
  'accept-encoding': ['gzip', 'br;q=1.0', 'identity;q=0'],
  'x-forwarded-for': ['127.0.0.1', '::1', "' or 1=1", '1.1.1.1,'.repeat(500)],
  'x-forwarded-host': ['198.51.100.7', 'x"><script>'],
  host: ['198.51.100.7', 'a b', 'x'.repeat(1_000)],
  'x-http-method-override': ['DELETE'],
  'if-none-match': ['*', '"x"'],
  range: ['bytes=0-0', 'bytes=-99999999999999999999'],
  cookie: ['__proto__=x; constructor=y'],
};

/** Every attack on an operation's parameters and on its body. */
export function attacksOn(operation: Operation, targets: Targets): Attack[] {
  const builder = new Builder(operation, targets);
  return [
    ...operation.parameters.flatMap((parameter) => builder.onParameter(parameter)),
    ...builder.onHeaders(),
    ...(operation.parameters.some((one) => one.in === 'query') || operation.method === 'GET' ? builder.onQuery() : []),
    ...(operation.body?.kind === 'json' ? [...builder.onJson(operation.body.schema), ...builder.onJsonBody()] : []),
    ...(operation.body?.kind === 'form' ? [...builder.onForm(operation.body.schema), ...builder.onFormBody()] : []),
  ];
}

/** The operation as it would be asked, with nothing wrong: for attacks on what is around it. */
export function plainRequest(operation: Operation, targets: Targets): Attack {
  return new Builder(operation, targets).plain();
}

class Builder {
  private readonly goodBody: Record<string, unknown>;

  constructor(
    private readonly operation: Operation,
    private readonly targets: Targets,
  ) {
    const good = operation.body ? goodValue(operation.body.schema) : {};
    this.goodBody = typeof good === 'object' && good !== null ? (good as Record<string, unknown>) : {};
  }

  plain(): Attack {
    const { body } = this.operation;
    if (!body) return this.make('nothing wrong', 'request', false);
    return body.kind === 'json'
      ? this.withBody('nothing wrong', 'request', false, JSON.stringify(this.goodBody), JSON_TYPE)
      : this.withBody('nothing wrong', 'request', false, this.form(), FORM);
  }

  onParameter(parameter: Parameter): Attack[] {
    const { name, schema } = parameter;
    const good = this.plain();
    const ask = (what: string, encoded: string, isWrong: boolean): Attack => {
      const names = parameter.in === 'query' && isWrong ? { names: name } : {};
      if (parameter.in === 'path') return { ...good, what, at: name, isWrong, path: this.path({ [name]: encoded }) };
      if (parameter.in === 'header')
        return { ...good, what, at: name, isWrong, headers: { ...good.headers, [name]: encoded } };
      return {
        ...good,
        what,
        at: name,
        isWrong,
        path: `${good.path}?${encodeURIComponent(name)}=${encoded}`,
        ...names,
      };
    };
    const texts = hostileTexts(schema)
      // Node refuses to send more in the head of a request, and an empty segment is another path.
      .filter(({ text }) => text.length <= 6_000 && !(parameter.in === 'path' && text === ''))
      .filter(({ text }) => parameter.in !== 'header' || /^[\t\x20-\x7e]*$/.test(text))
      .map(({ what, text }) =>
        ask(what, parameter.in === 'header' ? text : encodeURIComponent(text), !conforms(schema, text)),
      );
    if (parameter.in === 'header') return texts;
    const none = NO_TEXT_ENCODED.map(({ what, text }) => ask(what, text, true));
    if (parameter.in === 'path')
      return [
        ...texts,
        ...none,
        ...['%2e%2e', '%2F', '..%2f..%2f', '%252e', '.'].map((each) => ask(each, each, false)),
      ];
    const twice = ask('two values', `1&${encodeURIComponent(name)}=2`, !conforms(schema, ['1', '2']));
    const inBrackets = ask('a name in brackets', `1&${encodeURIComponent(`${name}[a]`)}=x`, !conforms(schema, '1'));
    return [...texts, ...none, twice, inBrackets];
  }

  /** Headers that every request may have; none of them can do harm to a question. */
  onHeaders(): Attack[] {
    if (this.operation.method !== 'GET') return [];
    const good = this.plain();
    return Object.entries(HEADERS).flatMap(([name, values]) =>
      values.map((value) => ({
        ...good,
        what: value.slice(0, 24),
        at: name,
        headers: { ...good.headers, [name]: value },
      })),
    );
  }

  /** The query as a whole, and names in it that nobody knows. */
  onQuery(): Attack[] {
    const good = this.plain();
    const isRead = this.operation.method === 'GET';
    const ask = (what: string, query: string, isWrong: boolean): Attack[] =>
      isWrong || isRead ? [{ ...good, what, at: 'query', isWrong, path: `${good.path}?${query}` }] : [];
    return [
      ...ask('names of a prototype', '__proto__=x&constructor=y&hasOwnProperty=z&toString=', false),
      ...ask('nothing but ampersands', '&&&&', false),
      ...ask('a question in a question', '??a=b?c', false),
      ...ask('2,000 parameters', 'a=1&'.repeat(2_000), true),
      ...ask('an endless name', `${'n'.repeat(2_000)}=1`, true),
      ...NO_TEXT_ENCODED.flatMap(({ what, text }) => ask(`${what} in a name`, `${text}=1`, true)),
      ...NO_TEXT_ENCODED.flatMap(({ what, text }) =>
        ask(`${what} in a parameter that is not known`, `${SOMETHING}=${text}`, true),
      ),
    ];
  }

  /** Every place in a JSON body, with every value that is none of its own. */
  onJson(schema: Schema): Attack[] {
    return placesOf(schema, this.goodBody).flatMap(({ path, schema: own, good }) => {
      const at = path.join('.');
      const send = ({ what, text }: HostileText, isWrong: boolean): Attack => {
        const isNamed = isWrong && !someOf(schema);
        return {
          ...this.withBody(what, at, isWrong, write(good, path, text), JSON_TYPE),
          ...(isNamed ? { names: path[0]! } : {}),
        };
      };
      const values = hostileJson(own).map((value) => send(value, isRefused(schema, write(good, path, value.text))));
      const none = NO_TEXT_JSON.map((value) => send(value, true));
      const without = isRefused(schema, remove(good, path))
        ? [this.withBody('nothing', at, true, remove(good, path), JSON_TYPE)]
        : [];
      const written = write(good, path, '{"x":[[]]}');
      const twice = this.withBody(
        'the name twice',
        at,
        isRefused(schema, written),
        `${written.slice(0, -1)},${written.slice(1)}`,
        JSON_TYPE,
      );
      return [...values, ...none, ...without, twice];
    });
  }

  /** Bodies that are no JSON, or none that is read. */
  onJsonBody(): Attack[] {
    const send = (what: string, body: string | Buffer, type = JSON_TYPE, more: Record<string, string> = {}): Attack => {
      const attack = this.withBody(what, 'body', true, body, type);
      return { ...attack, headers: { ...attack.headers, ...more } };
    };
    const good = JSON.stringify(this.goodBody);
    const surprising = (name: string) => `${good.slice(0, -1)}${good === '{}' ? '' : ','}${name}:1}`;
    return [
      ...[
        '{',
        '{} {}',
        '[]',
        'null',
        '"x"',
        '1e999',
        'true',
        '{a:1}',
        "{'a':1}",
        '{"a":1,}',
        '\ufeff{}',
        '\0',
        ' ',
        'undefined',
      ].map((text) => send(`the body ${JSON.stringify(text)}`, text)),
      send('10,000 levels', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      send('10,000 levels of arrays', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
      send('100,000 names', `{${Array.from({ length: 100_000 }, (_, at) => `"${at.toString(36)}":1`).join()}}`),
      send('20,000 names', `{${Array.from({ length: 20_000 }, (_, at) => `"${at.toString(36)}":1`).join()}}`),
      send('a megabyte', `{"a":"${'x'.repeat(1_000_000)}"}`),
      send('bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
      send('UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le')),
      send('a name of a prototype', surprising('"__proto__"')),
      send('a name that is not known', surprising(`"${SOMETHING}"`)),
      ...NO_TEXT_JSON.map(({ what, text }) => send(`${what} in a name`, surprising(text))),
      send('another type', good, FORM),
      send('plain text', good, 'text/plain'),
      send('XML', '<a/>', 'application/xml'),
      send('parts', '--x\r\n\r\n--x--', 'multipart/form-data; boundary=x'),
      send('a type that is none', good, 'json'),
      send('another character set', good, `${JSON_TYPE}; charset=utf-16`),
      send('a compression', good, JSON_TYPE, { 'content-encoding': 'gzip' }),
    ];
  }

  /** Every parameter of a form. */
  onForm(schema: Schema): Attack[] {
    return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => {
      const send = (what: string, encoded: string, isWrong: boolean): Attack => ({
        ...this.withBody(what, name, isWrong, this.form(name, encoded), FORM),
        ...(isWrong ? { names: name } : {}),
      });
      return [
        ...hostileTexts(own).map(({ what, text }) => send(what, encodeURIComponent(text), !conforms(own, text))),
        ...NO_TEXT_ENCODED.map(({ what, text }) => send(what, text, true)),
        send('two values', `1&${name}=2`, !conforms(own, ['1', '2'])),
      ];
    });
  }

  /** Bodies that are no form, or none that is read. */
  onFormBody(): Attack[] {
    const send = (what: string, body: string | Buffer, type = FORM, more: Record<string, string> = {}): Attack => {
      const attack = this.withBody(what, 'body', true, body, type);
      return { ...attack, headers: { ...attack.headers, ...more } };
    };
    return [
      ...NO_TEXT_ENCODED.map(({ what, text }) => send(`${what} in a name`, `${this.form()}&${text}=1`)),
      ...NO_TEXT_ENCODED.map(({ what, text }) =>
        send(`${what} in a parameter that is not known`, `${this.form()}&${SOMETHING}=${text}`),
      ),
      send('bytes that are no UTF-8', Buffer.from([0x54, 0x6f, 0x3d, 0xff, 0xfe])),
      send('1,001 parameters', `${this.form()}&${'a=1&'.repeat(1_001)}`),
      send('100,000 parameters', 'a&'.repeat(100_000)),
      send('an endless name', `${this.form()}&${'n'.repeat(100_000)}=1`),
      send('a megabyte', `Body=${'x'.repeat(1_000_000)}`),
      send('JSON', '{}', JSON_TYPE),
      send('plain text', this.form(), 'text/plain'),
      send('parts', '--x\r\n\r\n--x--', 'multipart/form-data; boundary=x'),
      send('another character set', this.form() || 'a=b', `${FORM}; charset=utf-16`),
      send('a compression', this.form() || 'a=b', FORM, { 'content-encoding': 'gzip' }),
    ];
  }

  private make(what: string, at: string, isWrong: boolean): Attack {
    const { operation } = this;
    return { operation, what, at, isWrong, method: operation.method, path: this.path({}), headers: {} };
  }

  private withBody(what: string, at: string, isWrong: boolean, body: string | Buffer, type: string): Attack {
    return { ...this.make(what, at, isWrong), body, headers: { 'content-type': type } };
  }

  private path(encoded: Readonly<Record<string, string>>): string {
    const parameters = this.operation.parameters.filter((parameter) => parameter.in === 'path');
    return parameters.reduce(
      (path, parameter) =>
        path.replace(`{${parameter.name}}`, () => encoded[parameter.name] ?? this.targets(this.operation, parameter)),
      this.operation.path,
    );
  }

  /** The good form with one parameter in place of its own, as it is written. */
  private form(name?: string, encoded?: string): string {
    const others = Object.entries(this.goodBody).filter(([other]) => other !== name);
    const pairs = others.map(([other, value]) => `${other}=${encodeURIComponent(String(value))}`);
    return [...pairs, ...(name === undefined ? [] : [`${name}=${encoded}`])].join('&');
  }
}

interface Place {
  readonly path: readonly string[];
  readonly schema: Schema;
  /** A whole body around it that is good. */
  readonly good: Record<string, unknown>;
}

/** The places in a body: each member, and each member of a member, of every alternative. */
function placesOf(schema: Schema, good: Record<string, unknown>, before: readonly string[] = []): Place[] {
  const choices = someOf(schema);
  if (choices)
    return choices.flatMap((choice) => placesOf(choice, before.length === 0 ? objectOf(choice) : good, before));
  return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => {
    const path = [...before, name];
    const around = JSON.parse(write(good, path, JSON.stringify(goodValue(own) ?? null))) as Record<string, unknown>;
    return [{ path, schema: own, good: around }, ...placesOf(own, around, path)];
  });
}

function objectOf(schema: Schema): Record<string, unknown> {
  const value = goodValue(schema);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A body as JSON with a value, as it is written, at a place. */
function write(body: Record<string, unknown>, path: readonly string[], text: string): string {
  const marker = '@here@';
  const copy = structuredClone(body);
  let at = copy;
  for (const name of path.slice(0, -1)) {
    const next = at[name];
    at[name] = typeof next === 'object' && next !== null ? next : {};
    at = at[name] as Record<string, unknown>;
  }
  at[path.at(-1)!] = marker;
  return JSON.stringify(copy).replace(`"${marker}"`, () => text);
}

function remove(body: Record<string, unknown>, path: readonly string[]): string {
  const copy = structuredClone(body);
  let at = copy;
  for (const name of path.slice(0, -1)) at = (at[name] ?? {}) as Record<string, unknown>;
  Reflect.deleteProperty(at, path.at(-1)!);
  return JSON.stringify(copy);
}

/** Whether the description of the operation rules a body out. */
function isRefused(schema: Schema, text: string): boolean {
  return !conforms(schema, JSON.parse(text));
}
