import { types } from 'node:util';

const SECRET_NAME =
  /^(authorization|cookie|set-cookie|body|.*password|.*secrets?|.*token|.*private_?key|.*signing_?keys?|secrets_?key)$/i;
const CENSORED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_MEMBERS = 100;
const MAX_TEXT_LENGTH = 2_048;
const MAX_STACK_LENGTH = 8_192;
const MAX_CAUSES = 4;

/** What a log line may hold of an error. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly [detail: string]: unknown;
}

/**
 * A copy of a log line's fields without what must not be logged: members with the name of a secret or of a message's
 * body are censored at any depth, errors are reduced to safeError, long texts and large or deep values are cut.
 */
export function safeFields(fields: object): Record<string, unknown> {
  return copyMembers(fields, 0);
}

/**
 * An error as it may be logged. Only known members are taken: others may hold what the error was about, as PostgreSQL's
 * `detail` does, which quotes the failing row with the text of a message.
 */
export function safeError(error: unknown, causes = MAX_CAUSES): LoggedError {
  if (!isError(error)) return { type: typeof error, message: 'something that is no Error was thrown' };
  const known = error as Error & Record<string, unknown>;
  const { code } = known;
  const type = known.constructor?.name ?? known.name;
  const message = cut(messageOf(known), MAX_TEXT_LENGTH);
  return {
    type,
    message,
    stack: cut(`${type}: ${message}\n${framesOf(known)}`, MAX_STACK_LENGTH),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...pickTexts(known, ['failure', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'syscall']),
    ...(isError(known.cause) && causes > 0 ? { cause: safeError(known.cause, causes - 1) } : {}),
  };
}

/** Prisma prints the arguments of the failed call, values included, and its own message in the last line. */
function messageOf(error: Error): string {
  if (!error.name.startsWith('PrismaClient')) return error.message;
  return error.message.trimEnd().split('\n').at(-1) ?? '';
}

/** The stack without its head, which repeats the message. */
function framesOf(error: Error): string {
  const lines = error.stack?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith('    at ')).join('\n');
}

function copyMembers(value: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value).slice(0, MAX_MEMBERS)) {
    copy[name] = SECRET_NAME.test(name) && member != null ? CENSORED : copyValue(member, depth + 1);
  }
  return copy;
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value, MAX_TEXT_LENGTH);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (isError(value)) return safeError(value);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((item) => copyValue(item, depth + 1));
  return copyMembers(value, depth);
}

function pickTexts(from: Record<string, unknown>, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'string') picked[name] = cut(value, MAX_TEXT_LENGTH);
  }
  return picked;
}

/** Also of an error from another realm, as Node's own are to code that runs in a context of its own. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
