import type { ReceiptReport } from '../smpp/receipt.js';

/** A destination whose last five digits are one of the message error codes, 30000 to 30999. */
const ERROR_CODE = /30\d{3}$/;

/** How a simulated delivery ends: with the error that the destination ends in, else well. */
export function deliveryOf(destination: string): Pick<ReceiptReport, 'state' | 'error'> {
  const [error] = ERROR_CODE.exec(destination) ?? [];
  return error === undefined ? { state: 'delivered', error: '000' } : { state: 'undelivered', error };
}
