import type { HttpDefinition } from '../domain/http/definition.js';

/** The secret that proves us to it, and that it signs its receipts with. */
export const SIMULATED_KEY = 'key';
/** As with the simulated SMSCs. */
const TIMEOUT_MS = 2_000;
const CHECK_INTERVAL_MS = 1_000;

/** How the simulated carrier over HTTP is called, and what it says. */
export function simulatedHttp(port: number): HttpDefinition {
  const base = `http://127.0.0.1:${port}`;
  return {
    method: 'POST',
    url: `${base}/messages`,
    headers: { Authorization: `Bearer {{secrets.${SIMULATED_KEY}}}` },
    json: { to: '{{to}}', from: '{{from}}', text: '{{text}}', callback: '{{receipt_url}}' },
    timeout_ms: TIMEOUT_MS,
    check: `${base}/account?callback={{receipt_url}}`,
    check_interval_ms: CHECK_INTERVAL_MS,
    answer: {
      id: '/id',
      code: '/error/code',
      results: [
        { code: 'invalid_sender', result: 'permanent', error_code: 30007 },
        { code: 'invalid_recipient', result: 'permanent', error_code: 30005 },
      ],
    },
    receipts: {
      auth: {
        kind: 'hmac',
        name: 'X-Carrier-Signature',
        secret: SIMULATED_KEY,
        algorithm: 'sha256',
        encoding: 'hex',
        prefix: 'sha256=',
      },
      id: '/id',
      state: '/status',
      states: { delivered: 'delivered', undelivered: 'undelivered' },
      to: '/to',
      error: '/error',
      done_date: '/done_at',
    },
  };
}
