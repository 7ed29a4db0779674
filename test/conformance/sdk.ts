import twilio from 'twilio';
import { insist } from '../support/insist.js';
import { DEMO_SID, DEMO_TOKEN } from '../support/product.js';
import { isList, isOfOne, type Operation } from './facts.js';

/** What the official package made of an answer. */
export type SdkOutcome =
  | { readonly ok: true; readonly made: unknown }
  | { readonly ok: false; readonly status: number; readonly code: number };

type Node = Record<string, unknown> & ((sid: string) => Node);
type Method = (parameters?: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Twilio's own package, pointed at the product: nothing else is changed. */
export class Sdk {
  private readonly client: ReturnType<typeof twilio>;

  constructor(url: string) {
    this.client = twilio(DEMO_SID, DEMO_TOKEN);
    this.client.api.baseUrl = url;
    this.client.messaging.baseUrl = url;
  }

  /**
   * Calls what the package has for an operation. How it is named follows from the path: a segment is a property, a
   * parameter is a call.
   */
  async run(
    operation: Operation,
    places: readonly string[],
    parameters: Readonly<Record<string, unknown>>,
  ): Promise<SdkOutcome> {
    const target = this.targetOf(operation, places);
    const method = target[verbOf(operation)] as Method | undefined;
    if (!method) throw new Error(`the package has no ${verbOf(operation)} for ${operation.path}`);
    try {
      const given = Object.keys(parameters).length > 0 ? [parameters] : [];
      return { ok: true, made: await insist(() => method.call(target, ...given)) };
    } catch (error) {
      const refusal = error as { status?: number; code?: number; constructor: { name: string } };
      // The package throws something else where an error has not exactly the form that it expects.
      if (refusal.constructor.name !== 'RestException') throw error;
      return { ok: false, status: refusal.status!, code: refusal.code! };
    }
  }

  private targetOf(operation: Operation, places: readonly string[]): Node {
    const [version, ...segments] = operation.path.replace('.json', '').split('/').filter(Boolean);
    let node = (version === 'v1' ? this.client.messaging.v1 : this.client.api.v2010) as unknown as Node;
    let place = 0;
    for (const segment of segments) {
      node = segment.startsWith('{') ? node(places[place++]!) : (node[camel(segment)] as Node);
    }
    // The package has a list of its own for keys that it makes, because their answer has a secret.
    if (verbOf(operation) === 'create' && segments.at(-1) === 'Keys')
      return this.client.api.v2010.accounts(places[0]!).newKeys as never;
    return node;
  }
}

function verbOf(operation: Operation): string {
  if (operation.method === 'DELETE') return 'remove';
  if (operation.method === 'POST') return isOfOne(operation) ? 'update' : 'create';
  return isList(operation) ? 'page' : 'fetch';
}

/** How the package calls a parameter. */
export function sdkName(parameter: string): string {
  if (parameter === 'Page') return 'pageNumber';
  return camel(parameter.replace('<', 'Before').replace('>', 'After'));
}

/** `FriendlyName` and `friendly_name` as `friendlyName`. */
export function camel(name: string): string {
  const joined = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** What the package did not understand of a resource: properties that it misses, dates and numbers that are none. */
export function misread(made: unknown, answer: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(answer).flatMap(([name, sent]) => {
    const property = camel(name);
    const read = (made as Record<string, unknown>)[property];
    if (read === undefined) return [`${property} is missing`];
    if (sent !== null && /^date_(created|updated|sent)$/.test(name) && !isDate(read)) return [`${property} is no date`];
    if (typeof read === 'number' && Number.isNaN(read)) return [`${property} is no number`];
    return [];
  });
}

function isDate(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Date]' && !Number.isNaN((value as Date).getTime());
}
