import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Attack } from './attacks.js';

const CONNECTIONS = 16;
const MAX_TRIES = 40;
const PAUSE_MS = 25;
/** Errors are short whatever was asked; lists are bounded by their pages. */
const MAX_ERROR_BYTES = 8_192;
const MAX_ANSWER_BYTES = 1_000_000;

/** Words that only the inside of the product uses. */
const INSIDE =
  /\n\s+at |node_modules|\.[jt]s:\d+|\bdist\/|file:\/\/|pg_catalog|syntax error|violates|Prisma|ZodError|(Type|Range|Reference)Error|Cannot read prop|ECONN|ENOENT/;

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What an answer must be like. */
export interface Rules {
  readonly url: string;
  /** What no answer may contain. */
  readonly secrets: readonly string[];
  readonly authorization: (attack: Attack) => string | undefined;
  /** What is wrong with an answer besides what is wrong with any; empty where nothing is. */
  readonly judge?: (attack: Attack, answer: Answered) => string;
}

export interface Outcome {
  readonly sent: number;
  readonly refused: number;
  /** One line for each answer that was not as it must be. */
  readonly faults: string[];
}

/** Makes the requests, some at a time, and judges every answer. */
export async function assault(attacks: readonly Attack[], rules: Rules): Promise<Outcome> {
  const pool = new Pool(rules.url, { connections: CONNECTIONS, pipelining: 1 });
  const faults: string[] = [];
  let next = 0;
  let refused = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < attacks.length; at = next++) {
      const attack = attacks[at]!;
      const answer = await ask(pool, attack, rules.authorization(attack)).catch((error: Error) => error);
      const fault = answer instanceof Error ? `no answer: ${answer.message}` : faultOf(attack, answer, rules);
      if (!(answer instanceof Error) && answer.status >= 400) refused++;
      if (fault) faults.push(`${attack.operation.name}, ${attack.at}: ${attack.what}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  await pool.close();
  return { sent: attacks.length, refused, faults };
}

/** Asks until it is answered by more than that the product is too busy. */
async function ask(pool: Pool, attack: Attack, authorization: string | undefined): Promise<Answered> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await pool.request({
        method: attack.method as 'GET',
        path: attack.path,
        headers: { ...(authorization ? { authorization } : {}), ...attack.headers },
        body: attack.body ?? null,
      });
      const answer = { status: response.statusCode, headers: response.headers, text: await response.body.text() };
      const isBusy = answer.status === 503 && answer.headers['retry-after'] !== undefined;
      if (!isBusy || tries === MAX_TRIES) return answer;
    } catch (error) {
      // A connection may end under a body that nobody wants to read to its end.
      if (tries === MAX_TRIES || (attack.body?.length ?? 0) < 100_000) throw error;
    }
    await delay(PAUSE_MS);
  }
}

function faultOf(attack: Attack, answer: Answered, rules: Rules): string {
  const { status, text } = answer;
  const shown = `${status} ${text.slice(0, 300)}`;
  if (status >= 500) return `an error of the product: ${shown}`;
  if (status < 200) return shown;
  if (text.length > (status >= 400 ? MAX_ERROR_BYTES : MAX_ANSWER_BYTES)) return `${text.length} bytes: ${shown}`;
  if (!/^\S+$/.test(String(answer.headers['x-request-id'] ?? ''))) return `no X-Request-Id: ${shown}`;
  if (status >= 400 && INSIDE.test(text)) return `tells of its inside: ${shown}`;
  if (rules.secrets.some((secret) => text.includes(secret))) return `tells a secret: ${shown}`;
  if (attack.isWrong && status < 400) return `accepted: ${shown}`;
  const form = status >= 400 ? formFault(attack, answer, rules) : '';
  if (form) return `${form}: ${shown}`;
  const judged = rules.judge?.(attack, answer) ?? '';
  return judged && `${judged}: ${shown}`;
}

/** What is wrong with the form of an error: Twilio's is exactly so, the native one is RFC 9457's. */
function formFault({ operation, names }: Attack, { status, headers, text }: Answered, { url }: Rules): string {
  const type = String(headers['content-type'] ?? '');
  let error: Record<string, unknown>;
  try {
    error = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return 'no JSON';
  }
  const isTwilio = operation.dialect === 'twilio';
  const members = Object.keys(error).sort().join();
  if (error.status !== status || !Number.isSafeInteger(error.code)) return 'another status, or no code';
  if (isTwilio) {
    if (!/^code,(details,)?message,more_info,status$/.test(members)) return 'not the four members';
    if (error.more_info !== `${url}/docs/errors/${error.code}`) return 'no more_info';
    if (!type.startsWith('application/json')) return `the type ${type}`;
  } else {
    if (!/^code,detail,(errors,)?request_id,status,title,type$/.test(members)) return 'no problem details';
    if (error.type !== `${url}/docs/errors/${error.code}`) return 'no type';
    if (error.request_id !== headers['x-request-id']) return 'another request_id';
    if (!type.startsWith('application/problem+json')) return `the type ${type}`;
  }
  if (names === undefined || status !== 400) return '';
  return isNamed(error, names) ? '' : `does not name ${names}`;
}

function isNamed(error: Record<string, unknown>, name: string): boolean {
  const fields = (error.errors as { field: string }[] | undefined)?.map(({ field }) => field) ?? [];
  const isField = fields.some((field) => field === name || field.startsWith(`${name}.`));
  return isField || (error.errors === undefined && String(error.message ?? '').includes(name));
}
