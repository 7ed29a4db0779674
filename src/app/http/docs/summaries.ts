/** What operations do, in a few words, where method and path do not say it. */
const SUMMARIES: Readonly<Record<string, string>> = {
  'GET /health/live': 'Whether the process runs',
  'GET /health/ready': 'Whether the process can serve: 200 or 503, with the state of each thing it needs',
  'GET /metrics': "Metrics in Prometheus' text format, or in OpenMetrics, with exemplars, where `Accept` names it",
  'GET /openapi.json': 'This API as an OpenAPI document',
  'GET /docs': 'This API as a page to read',
  'GET /docs/errors/{code}': 'What an error code means and what to do about it',
  'POST /2010-04-01/Accounts/{AccountSid}/Messages.json': 'Send a message',
  'GET /2010-04-01/Accounts/{AccountSid}/Messages.json': 'List messages, newest first',
  'GET /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json': 'Read a message',
  'POST /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json': 'Remove the text of a message, or cancel it',
  'DELETE /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json': 'Delete a message that has ended',
  'GET /2010-04-01/Accounts/{AccountSid}/Balance.json': 'Read the balance',
  'GET /v1/balance': 'Read the balance, what is reserved of it, and the messages of the day',
  'POST /v1/messages/preview': 'Encoding, segments, route and price of a message that is not sent',
  'GET /v1/messages/{sid}/events': 'Everything that happened to a message',
  'GET /v1/opt-outs': 'List who has opted out of which sender or service',
  'POST /v1/opt-outs': 'Opt a recipient out of a sender or service',
  'DELETE /v1/opt-outs/{phone_number}': 'Opt a recipient in again',
  'GET /v1/opt-out-settings': 'Read the keywords of opting out and in, and their answers',
  'PUT /v1/opt-out-settings': 'Set keywords and answers of the account',
  'DELETE /v1/opt-out-settings': 'Have the usual keywords and answers again',
  'GET /v1/opt-out-settings/{sender}': 'Read the keywords and answers of a number or service',
  'PUT /v1/opt-out-settings/{sender}': 'Set keywords and answers of a number or service',
  'DELETE /v1/opt-out-settings/{sender}': "Have the account's keywords and answers again",
  'GET /v1/webhook-deliveries': 'List callbacks: pending, delivered or dead',
  'POST /v1/webhook-deliveries/replay': 'Send again all callbacks that fit',
  'POST /v1/webhook-deliveries/{id}/replay': 'Send one callback again',
  'POST /v1/operator/accounts': 'Open an account; its auth token is told here only',
  'PATCH /v1/operator/accounts/{sid}': 'Change tier, status, limits, or what an unknown outcome means',
  'POST /v1/operator/accounts/{sid}/auth-token': 'Replace the auth token, at once',
  'POST /v1/operator/accounts/{sid}/phone-numbers': 'Give an account a number',
  'POST /v1/operator/accounts/{sid}/keys': 'Make an API key; its secret is told here only',
  'DELETE /v1/operator/accounts/{sid}/keys/{keySid}': 'Revoke an API key',
  'POST /v1/operator/accounts/{sid}/credits': 'Credit an account; the same key credits once',
  'POST /v1/operator/carriers': 'Connect a carrier',
  'GET /v1/operator/carriers': 'List carriers, with sessions, breakers and pace',
  'GET /v1/operator/carriers/{name}': 'How one carrier is',
  'PATCH /v1/operator/carriers/{name}': 'Change a carrier, or bring it back',
  'POST /v1/operator/carriers/{name}/drain': 'Let a carrier run out',
  'GET /v1/operator/carriers/{name}/orphan-receipts': 'List receipts that match no submission',
  'GET /v1/operator/unassigned-messages': 'List messages from phones to numbers that nobody owned',
  'POST /v1/operator/unassigned-messages/{sid}/retry': 'Receive one, now that somebody owns its number',
  'POST /v1/operator/routes': 'Send a prefix the way of a carrier',
  'POST /v1/operator/rates': 'Set the price of a segment to a prefix',
  'GET /v1/operator/simulator/carriers/{name}': 'Knobs and counters of a simulated carrier',
  'PUT /v1/operator/simulator/carriers/{name}': 'Turn the knobs of a simulated carrier',
  'GET /v1/operator/simulator/carriers/{name}/submissions': 'What a simulated carrier was given, by its own record',
  'GET /v1/operator/audit': 'Checks the invariants: on all messages, or on those made from one instant to another',
  'GET /v1/operator/consumers': 'List consumers, with position, lag and events set aside',
  'POST /v1/operator/consumers/{id}/replay': 'Set a consumer back; effects that happened stay single',
  'GET /v1/operator/dead-letters': 'List events set aside and callbacks given up',
  'POST /v1/operator/dead-letters/{id}/retry': 'Try it again',
  'POST /v1/operator/dead-letters/{id}/skip': 'Go on without it',
};
/** What an operation does: by the table, else by its method and the last word of its path. */
export function summaryOf(method: string, path: string): string {
  const known = SUMMARIES[`${method} ${path}`];
  if (known) return known;
  const words = path.replace(/\.json$/, '').split('/');
  const name = wordsOf(words.findLast((word) => /^\w/.test(word)) ?? '');
  const isOne = words.at(-1)?.startsWith('{') ?? false;
  const one = `${/^[aeio]/.test(name) ? 'an' : 'a'} ${name.replace(/ies$/, 'y').replace(/s$/, '')}`;
  if (method === 'GET') return isOne ? `Read ${one}` : `${name.endsWith('s') ? 'List' : 'Read'} ${name}`;
  if (method === 'DELETE') return `Remove ${one}`;
  if (method === 'POST' && !isOne) return name.endsWith('s') ? `Add ${one}` : capitalised(name);
  return `Change ${one}`;
}

function wordsOf(segment: string): string {
  return segment.replace(/(?<=[a-z])(?=[A-Z])|-/g, ' ').toLowerCase();
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The operations that the table names: each must exist. */
export const SUMMARISED: readonly string[] = Object.keys(SUMMARIES);
