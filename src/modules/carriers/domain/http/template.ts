/**
 * What a template can say beside its own text. The list is closed, and there is nothing else to the language: no
 * conditions, no functions, no way to write an opening `{{` as text.
 */
export const PLACEHOLDERS = {
  to: 'the destination, E.164',
  to_plain: 'the destination without its plus sign',
  from: 'the sender as the message has it',
  from_plain: 'the sender without its plus sign',
  text: 'the whole text of the message',
  key: 'the key of the submission, the SID of the message: the same at every attempt',
  encoding: 'GSM-7 or UCS-2',
  segments: 'how many segments the text has',
  valid_seconds: 'the validity that the message was given, 1 to 36000 seconds',
  hops: 'how many instances it has passed through, the next one included',
  receipt_url: 'where the carrier is to send its receipts',
} as const;
export type Placeholder = keyof typeof PLACEHOLDERS;

/** What the placeholders stand for; `secrets.<name>` are among them where a template may name them. */
export type TemplateValues = ReadonlyMap<string, string>;

/** A text with the names of placeholders in it. */
export type Template = readonly (string | { readonly name: string })[];

/** A text is no template; the message says why. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TemplateError';
  }
}

export const SECRET_PREFIX = 'secrets.';

/**
 * Reads a template: text in which `{{name}}` stands for a value.
 *
 * @throws TemplateError where a brace pair is not closed or opened, or holds no known name
 */
export function parseTemplate(text: string): Template {
  const parts: (string | { name: string })[] = [];
  let at = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', at)) {
    const close = text.indexOf('}}', open);
    if (close === -1) throw new TemplateError('a {{ is not closed');
    pushText(parts, text.slice(at, open));
    parts.push({ name: checkName(text.slice(open + 2, close)) });
    at = close + 2;
  }
  pushText(parts, text.slice(at));
  return parts;
}

/** The names of the placeholders in a template. */
export function placeholdersOf(template: Template): string[] {
  return template.flatMap((part) => (typeof part === 'string' ? [] : part.name));
}

/**
 * The template with its values, each written so as its place needs it.
 *
 * @param written writes a value so that it cannot leave its place
 * @throws Error where a value is missing, which the check of the definition rules out
 */
export function render(
  template: Template,
  values: TemplateValues,
  written: (value: string) => string = String,
): string {
  let text = '';
  for (const part of template) text += typeof part === 'string' ? part : written(look(values, part.name));
  return text;
}

function look(values: TemplateValues, name: string): string {
  const value = values.get(name);
  if (value === undefined) throw new Error(`there is no value for {{${name}}}`);
  return value;
}

function pushText(parts: (string | { name: string })[], text: string): void {
  if (text.includes('}}')) throw new TemplateError('a }} has no {{ before it');
  if (text !== '') parts.push(text);
}

function checkName(name: string): string {
  if (Object.hasOwn(PLACEHOLDERS, name) || /^secrets\.[a-z][a-z0-9_]{0,31}$/.test(name)) return name;
  const known = [...Object.keys(PLACEHOLDERS), 'secrets.<name>'].join(', ');
  throw new TemplateError(`{{${name.slice(0, 40)}}} is no placeholder; there are ${known}`);
}
