import type { Block, Chapter, Example } from './guide.js';
import { STATUSES, WEBHOOKS } from './messages.js';
import { OPERATORS } from './operators.js';
import { quickStart } from './quick-start.js';
import { AUTHENTICATION, PRICES, REQUESTS } from './requests.js';

/** The guide that stands before the reference, in the order of a reader's first day. */
export function chapters(baseUrl: string): readonly Chapter[] {
  return [quickStart(baseUrl), AUTHENTICATION, REQUESTS, PRICES, STATUSES, WEBHOOKS, OPERATORS];
}

export function isExample(block: Block): block is Example {
  return typeof block !== 'string' && 'code' in block;
}

/** Every example of the guide, in its order; later ones use what earlier ones made. */
export function examples(baseUrl: string): readonly Example[] {
  return chapters(baseUrl).flatMap(({ blocks }) => blocks.filter(isExample));
}
