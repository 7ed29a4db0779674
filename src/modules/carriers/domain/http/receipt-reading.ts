import type { CarrierReceipt } from '../carrier-connection.js';
import { UNKNOWN_ERROR } from '../error-codes.js';
import { MAX_ID_LENGTH } from './answer-reading.js';
import type { ReceiptDefinition } from './definition.js';
import { type JsonPointer, parsePointer, textAt, valueAt } from './json-pointer.js';

/** Most receipts in one body. */
export const MAX_RECEIPTS = 1_000;
const PRINTABLE = /^[!-~](?:[ -~]*[!-~])?$/;
const MAX_ADDRESS_LENGTH = 40;
const MESSAGE_CODE = /^30\d{3}$/;
const DONE_DATE = /^\d{10}(?:\d\d)?$/;

export interface ReceiptFault {
  /** Where in the body. */
  readonly field: string;
  readonly message: string;
}

/** What a body holds; or what is wrong with it, and then it holds nothing. */
export type ReceiptReading =
  | {
      readonly ok: true;
      readonly receipts: readonly CarrierReceipt[];
      /** How many had a state that the definition does not list. */
      readonly unlisted: number;
    }
  | { readonly ok: false; readonly fault: ReceiptFault };

/** Reads the receipts of one carrier by its definition. */
export class ReceiptReader {
  private readonly list: JsonPointer | null;
  private readonly states: ReadonlyMap<string, CarrierReceipt['state']>;
  private readonly errors: ReadonlyMap<string, number>;

  constructor(
    private readonly carrier: string,
    private readonly definition: ReceiptDefinition,
  ) {
    this.list = definition.list === undefined ? null : parsePointer(definition.list);
    this.states = new Map(Object.entries(definition.states));
    this.errors = new Map(Object.entries(definition.errors ?? {}));
  }

  /** @param body a parsed JSON body, or the fields of a form */
  read(body: unknown): ReceiptReading {
    const items = this.list ? valueAt(body, this.list) : [body];
    if (!Array.isArray(items)) return fault(this.definition.list!, 'is no list of receipts');
    if (items.length > MAX_RECEIPTS) return fault(this.definition.list!, `has more than ${MAX_RECEIPTS} receipts`);
    const receipts: CarrierReceipt[] = [];
    let unlisted = 0;
    for (const item of items) {
      const read = this.one(item);
      if (read === null) unlisted++;
      else if ('field' in read) return { ok: false, fault: read };
      else receipts.push(read);
    }
    return { ok: true, receipts, unlisted };
  }

  private one(item: unknown): CarrierReceipt | ReceiptFault | null {
    const messageId = at(item, this.definition.id);
    if (messageId === null || messageId.length > MAX_ID_LENGTH || !PRINTABLE.test(messageId)) {
      return { field: this.definition.id, message: 'is no id of a message' };
    }
    const word = at(item, this.definition.state);
    if (word === null) return { field: this.definition.state, message: 'is no state' };
    const state = this.states.get(word);
    if (state === undefined) return null;
    return {
      carrier: this.carrier,
      messageId,
      source: this.source(item),
      state,
      errorCode: state === 'undelivered' ? this.errorCode(at(item, this.definition.error)) : null,
      doneDate: this.doneDate(item),
    };
  }

  private source(item: unknown): string {
    const to = at(item, this.definition.to) ?? '';
    return to.length <= MAX_ADDRESS_LENGTH && PRINTABLE.test(to) ? to : '';
  }

  private errorCode(own: string | null): number {
    if (own === null) return UNKNOWN_ERROR;
    return this.errors.get(own) ?? (MESSAGE_CODE.test(own) ? Number(own) : UNKNOWN_ERROR);
  }

  private doneDate(item: unknown): string | null {
    const date = at(item, this.definition.done_date);
    return date !== null && DONE_DATE.test(date) ? date : null;
  }
}

function at(item: unknown, pointer: string | undefined): string | null {
  const path = pointer === undefined ? null : parsePointer(pointer);
  return path && textAt(item, path);
}

function fault(field: string, message: string): ReceiptReading {
  return { ok: false, fault: { field, message } };
}
