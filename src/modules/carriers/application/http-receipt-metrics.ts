import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/telemetry/metrics.js';

/**
 * `taken`: durable; `ignored`: with a state that the definition does not list; `forged`: a request that does not come
 * from the carrier; `unreadable`: one that does, and does not say what the definition says.
 */
export type ReceiptFate = 'taken' | 'ignored' | 'forged' | 'unreadable';

/** What came of the receipts that carriers send over HTTP, in the process that they came to. */
@Injectable()
export class HttpReceiptMetrics {
  private readonly receipts;

  constructor(metrics: Metrics) {
    this.receipts = metrics.counter({
      name: 'trunkline_carrier_http_receipts_total',
      help: 'Receipts that carriers sent over HTTP by what became of them; of forged and unreadable ones, the requests',
      labelNames: ['carrier', 'fate'],
    });
  }

  count(carrier: string, fate: ReceiptFate, receipts: number): void {
    if (receipts > 0) this.receipts.inc({ carrier, fate }, receipts);
  }
}
