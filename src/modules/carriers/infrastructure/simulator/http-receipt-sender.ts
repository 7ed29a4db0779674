import { createHmac } from 'node:crypto';
import { OutboundHttpClient } from '../../../../platform/http-client/outbound-http-client.js';
import type { OutboundResult } from '../../../../platform/http-client/outbound-result.js';
import { deliveryOf } from './delivery-rule.js';
import type { ReceiptFate, ReceiptReceiver, ReceiptSubject } from './receipt-dispatcher.js';

const MOST_UNDER_WAY = 50;
/** What another attempt would not change. */
const REFUSALS = [400, 410, 413, 415, 422];

/** Posts receipts, signed, to the address that the carrier was told. */
export class HttpReceiptSender implements ReceiptReceiver {
  url: string | null = null;
  private readonly http = new OutboundHttpClient({
    // A simulated carrier runs beside the product, and tells nobody else.
    allowedCidrs: ['127.0.0.0/8', '::1/128'],
    timeoutMs: 10_000,
    maxResponseBytes: 64 * 1024,
    maxHeaderBytes: 16 * 1024,
    connectionsPerOrigin: MOST_UNDER_WAY,
    userAgent: 'simulated-carrier',
  });
  private underWay = 0;

  constructor(private readonly key: string) {}

  get credit(): number {
    return this.url === null ? 0 : MOST_UNDER_WAY - this.underWay;
  }

  send({ id, destination }: ReceiptSubject, done: (fate: ReceiptFate) => void): void {
    const { state, error } = deliveryOf(destination);
    const report = { id, to: destination, status: state, ...(state === 'delivered' ? {} : { error }) };
    const body = JSON.stringify({ ...report, done_at: doneAt(new Date()) });
    const signature = createHmac('sha256', this.key).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-carrier-signature': `sha256=${signature}` };
    this.underWay += 1;
    void this.http.request({ url: this.url!, method: 'POST', headers, body }).then((result) => {
      this.underWay -= 1;
      done(fateOf(result));
    });
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.http.close();
  }
}

function fateOf(result: OutboundResult): ReceiptFate {
  if (result.kind === 'failure') return 'again';
  if (result.status >= 200 && result.status < 300) return 'taken';
  return REFUSALS.includes(result.status) ? 'refused' : 'again';
}

/** YYMMDDhhmm. */
function doneAt(now: Date): string {
  return now.toISOString().replace(/\D/g, '').slice(2, 12);
}
