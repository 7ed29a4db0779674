import { UNKNOWN_ERROR } from '../error-codes.js';
import type { AnswerResult, AnswerRule, HttpDefinition } from './definition.js';
import { type JsonPointer, parsePointer, textAt } from './json-pointer.js';

/** What an answer says. */
export type AnswerReading =
  /** `id` is the carrier's, null where it gives none. */
  | { readonly result: 'accepted'; readonly id: string | null }
  | { readonly result: 'permanent'; readonly errorCode: number }
  | { readonly result: Exclude<AnswerResult, 'accepted' | 'permanent'>; readonly code: string | null };

/** Longest id that is kept; the index over ids holds no more. */
export const MAX_ID_LENGTH = 255;
/** No spaces at its ends and nothing that is no character: it comes back in receipts, and is compared. */
const ID = /^[!-~](?:[ -~]{0,253}[!-~])?$/;
const MAX_CODE_LENGTH = 64;
/** The codes of messages, which a carrier may speak too. */
const MESSAGE_CODE = /^30\d{3}$/;

/** Reads the answers of one carrier by its definition. */
export class AnswerReader {
  private readonly id: JsonPointer | null;
  private readonly code: JsonPointer | null;
  private readonly rules: readonly AnswerRule[];

  constructor({ answer }: Pick<HttpDefinition, 'answer'>) {
    this.id = answer.id === undefined ? null : parsePointer(answer.id);
    this.code = answer.code === undefined ? null : parsePointer(answer.code);
    this.rules = answer.results ?? [];
  }

  /**
   * What an answer says of the message: by the first rule that fits, else by its HTTP status.
   *
   * @param body the parsed body; undefined where it is no JSON
   */
  read(status: number, body: unknown): AnswerReading {
    const code = this.codeOf(body);
    const rule = this.rules.find((each) => fits(each, status, code));
    const result = rule?.result ?? usual(status);
    if (result === 'permanent') return { result, errorCode: rule?.error_code ?? ownCode(code) };
    if (result !== 'accepted') return { result, code };
    if (!this.id) return { result, id: null };
    const id = textAt(body, this.id);
    // The carrier may well have it; but nobody could tell what its receipts are about.
    return id !== null && ID.test(id) ? { result, id } : { result: 'unknown', code };
  }

  private codeOf(body: unknown): string | null {
    const code = this.code && textAt(body, this.code);
    return code === null || code.length > MAX_CODE_LENGTH ? null : code;
  }
}

function fits(rule: AnswerRule, status: number, code: string | null): boolean {
  if (rule.code !== undefined && rule.code !== code) return false;
  if (rule.status === undefined) return true;
  const text = String(status);
  return rule.status === text || (rule.status.endsWith('xx') && rule.status[0] === text[0]);
}

/**
 * What a status means where no rule says otherwise. With a 5xx other than 503 the message may have been taken before the
 * failure; 401 to 405 and redirects speak of us and of the address, not of the message.
 */
function usual(status: number): AnswerResult {
  if (status >= 200 && status < 300) return 'accepted';
  if (status === 429) return 'throttled';
  if (status === 503) return 'retryable';
  if (status === 408 || status >= 500) return 'unknown';
  if (status < 400 || (status >= 401 && status <= 405) || status === 410) return 'unavailable';
  return 'permanent';
}

function ownCode(code: string | null): number {
  return code !== null && MESSAGE_CODE.test(code) ? Number(code) : UNKNOWN_ERROR;
}
