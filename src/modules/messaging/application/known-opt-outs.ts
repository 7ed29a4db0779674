import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Failure } from '../../../shared/failure.js';
import type { Message } from '../domain/message.js';
import { OptOutsRepository } from '../infrastructure/opt-outs.repository.js';

const MAX_REMEMBERED = 20_000;

type Pair = Pick<Message, 'accountId' | 'from' | 'to' | 'serviceId'>;

/**
 * Recipients that this process has found to be opted out, so that who is written to in vain again and again costs a look
 * each time and no reservation. A hint and nothing more: the table is asked before anything is refused for it, and what
 * is not remembered here is found by the statement that writes messages.
 */
@Injectable()
export class KnownOptOuts {
  private readonly pairs = new LRUCache<string, true>({ max: MAX_REMEMBERED });

  constructor(private readonly optOuts: OptOutsRepository) {}

  mayHave(pair: Pair): boolean {
    return this.pairs.size > 0 && this.pairs.has(keyOf(pair));
  }

  remember(pair: Pair): void {
    this.pairs.set(keyOf(pair), true);
  }

  /** @throws Failure opted_out where the recipient still is */
  async refuse(pair: Pair): Promise<void> {
    const senders = pair.serviceId === null ? [pair.from] : [pair.from, pair.serviceId];
    if (await this.optOuts.isOptedOut(pair.accountId, pair.to, senders)) throw optedOutFailure();
    this.pairs.delete(keyOf(pair));
  }
}

export function optedOutFailure(): Failure {
  return new Failure('opted_out', { field: 'To' });
}

function keyOf({ accountId, from, to, serviceId }: Pair): string {
  return `${accountId} ${to} ${serviceId ?? from}`;
}
