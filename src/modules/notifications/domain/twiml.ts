import { ASK_ERRORS } from './ask-errors.js';
import type { AskUrl } from './inbound-ask.js';

/** One message that a TwiML document asks for. Null: to whoever wrote, from the number that was written to. */
export interface TwimlMessage {
  readonly to: string | null;
  readonly from: string | null;
  readonly body: string;
  readonly statusCallback: string | null;
}

/** What a webhook answered. */
export interface Twiml {
  readonly messages: readonly TwimlMessage[];
  /** Where the document goes on; what would follow in this one is never reached. */
  readonly redirect: AskUrl | null;
}

export const NO_ANSWER: Twiml = { messages: [], redirect: null };

/** An answer that cannot be understood. `reason` holds nothing of the answer itself. */
export class BadAnswer extends Error {
  constructor(
    readonly reason: string,
    readonly code: number,
  ) {
    super(reason);
    this.name = 'BadAnswer';
  }
}

const XML_TYPES = ['text/xml', 'application/xml', 'text/html'];
/** Names that stand for UTF-8 or a subset of it need no decoder of their own. */
const CHARSET = /charset\s*=\s*"?([\w.:-]{1,40})/i;

/**
 * How an answer is to be read, by its content type as Twilio reads it: TwiML, or a plain text that is the reply itself.
 *
 * @param parse reads a TwiML document
 * @throws BadAnswer
 */
export function readAnswer(contentType: string | null, body: Buffer, parse: (document: string) => Twiml): Twiml {
  const text = decode(contentType, body);
  if (text.trim() === '') return NO_ANSWER;
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (XML_TYPES.includes(type) || (type === '' && text.trimStart().startsWith('<'))) return parse(text);
  if (type === 'text/plain') {
    return { messages: [{ to: null, from: null, body: text.trim(), statusCallback: null }], redirect: null };
  }
  throw new BadAnswer('the content type of the answer is neither TwiML nor plain text', ASK_ERRORS.content_type);
}

function decode(contentType: string | null, body: Buffer): string {
  const charset = CHARSET.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    throw new BadAnswer('the character set of the answer is unknown', ASK_ERRORS.content_type);
  }
}
