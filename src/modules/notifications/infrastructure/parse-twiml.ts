import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { ASK_ERRORS } from '../domain/ask-errors.js';
import { BadAnswer, type Twiml, type TwimlMessage } from '../domain/twiml.js';

const MAX_LENGTH = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 1_000;
const MESSAGE_VERBS = ['Message', 'Sms'];

/** A message as it is read; `own` is the text between its nouns, `bodies` that of `<Body>`. */
interface Draft {
  readonly attributes: Readonly<Record<string, string>>;
  own: string;
  bodies: string;
  hasBody: boolean;
}

/**
 * Reads a TwiML document: `<Message>` (also `<Sms>`) and `<Redirect>` in their order, up to the first redirect. Other verbs and
 * nouns are passed over. The document must be well-formed, without a document type, so that there are no entities but XML's
 * own five, and keep within the bounds on length, depth and number of elements.
 *
 * @param baseUrl what relative URLs in it are relative to
 * @throws BadAnswer
 */
export function parseTwiml(document: string, baseUrl: string): Twiml {
  if (document.length > MAX_LENGTH) throw bad('the document is too long');
  const reader = new TwimlReader(baseUrl);
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  parser.on('error', () => {
    // The parser's own words quote the document, which may hold the text of a message.
    throw bad('the document is not well-formed XML');
  });
  parser.on('doctype', () => {
    throw bad('the document has a document type');
  });
  parser.on('opentag', (tag) => reader.open(tag));
  parser.on('closetag', (tag) => reader.close(tag.name));
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  parser.write(document.trimStart()).close();
  return reader.result();
}

/** What the parser finds, as the verbs that are known. */
class TwimlReader {
  private readonly path: string[] = [];
  private readonly messages: TwimlMessage[] = [];
  private draft: Draft | null = null;
  private redirect: { method: 'GET' | 'POST'; url: string } | null = null;
  private isRedirected = false;
  private elements = 0;

  constructor(private readonly baseUrl: string) {}

  open({ name, attributes }: SaxesTagPlain): void {
    if (this.path.length === 0 && name !== 'Response') throw bad('the document is no <Response>');
    if (this.path.length >= MAX_DEPTH) throw bad('the document is nested too deep');
    this.elements += 1;
    if (this.elements > MAX_ELEMENTS) throw bad('the document has too many elements');
    this.path.push(name);
    if (this.isRedirected) return;
    if (this.path.length === 2 && MESSAGE_VERBS.includes(name)) {
      this.draft = { attributes, own: '', bodies: '', hasBody: false };
    } else if (this.path.length === 2 && name === 'Redirect') {
      this.redirect = { method: attributes.method?.toUpperCase() === 'GET' ? 'GET' : 'POST', url: '' };
    } else if (this.path.length === 3 && name === 'Body' && this.draft) {
      this.draft.hasBody = true;
    }
  }

  text(text: string): void {
    const { draft, redirect } = this;
    if (this.path.length === 2 && redirect && !this.isRedirected) redirect.url += text;
    else if (this.path.length === 2 && draft) draft.own += text;
    else if (this.path.length === 3 && draft && this.path[2] === 'Body') draft.bodies += text;
  }

  close(name: string): void {
    if (this.path.length === 2) this.finish(name);
    this.path.pop();
  }

  result(): Twiml {
    return { messages: this.messages, redirect: this.isRedirected ? this.redirect : null };
  }

  private finish(name: string): void {
    if (this.draft) {
      const { attributes, own, bodies, hasBody } = this.draft;
      const body = (hasBody ? bodies : own).trim();
      const callback = (attributes.statusCallback ?? attributes.action ?? '').trim();
      if (body !== '') {
        this.messages.push({
          to: attributes.to?.trim() || null,
          from: attributes.from?.trim() || null,
          body,
          statusCallback: callback === '' ? null : this.absolute(callback),
        });
      }
      this.draft = null;
    } else if (name === 'Redirect' && this.redirect && !this.isRedirected) {
      // Empty: the same URL again.
      this.redirect.url = this.absolute(this.redirect.url.trim());
      this.isRedirected = true;
    }
  }

  private absolute(url: string): string {
    if (!URL.canParse(url, this.baseUrl)) throw bad('the document has a URL that is none');
    return new URL(url, this.baseUrl).href;
  }
}

function bad(reason: string): BadAnswer {
  return new BadAnswer(reason, ASK_ERRORS.document);
}
