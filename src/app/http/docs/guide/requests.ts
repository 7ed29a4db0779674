import type { Chapter } from './guide.js';

export const AUTHENTICATION: Chapter = {
  id: 'authentication',
  title: 'Authentication',
  blocks: [
    'Requests of an account carry HTTP Basic: the account SID and its auth token, or an API key (`SK…`) and its secret. Operator routes carry the operator token as a bearer token. Health, metrics and this page need nothing.',
    'Too many failed attempts from one address are answered 429 for a while. An auth token that others know is replaced by the operator; a key is revoked, and works no longer from then on.',
    {
      id: 'authenticated',
      language: 'sh',
      title: 'Are my credentials good?',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/v1/balance"`,
    },
  ],
};

export const REQUESTS: Chapter = {
  id: 'requests',
  title: 'Requests and answers',
  blocks: [
    'There are two dialects. Under `/2010-04-01`, and under `/v1` where the first segment is capitalised, everything is as Twilio has it: forms in, names in PascalCase, errors as `{code, message, more_info, status}`. Under the rest of `/v1` it is JSON in and out, with errors as problem details (RFC 9457).',
    'Every answer has an `X-Request-Id`: yours, if you sent one. Give it to the operator when something went wrong. A `traceparent` of yours is carried on.',
    {
      caption: 'Lists',
      columns: ['Where', 'Parameters', 'Answer'],
      rows: [
        ['/2010-04-01', '`PageSize` (50, at most 1000)', '`next_page_uri`, null at the end'],
        ['/v1', '`limit` (50, at most 1000), `cursor`', '`data`, `has_more`, `next_cursor`'],
      ],
    },
    {
      id: 'list',
      language: 'sh',
      title: 'The messages to one number, newest first',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" --get "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages.json" \\
  --data-urlencode To=+15555550100 --data-urlencode PageSize=10`,
    },
    'A create with an `Idempotency-Key` may be sent again after a lost answer, for 24 hours: the same key with the same request gives the first answer again, marked `Idempotent-Replayed: true`; with another request it is refused with 422, and with 409 while the first is under way.',
    {
      id: 'idempotent',
      language: 'sh',
      title: 'Sent twice, delivered once',
      code: `for attempt in 1 2; do
  curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages.json" \\
    -H 'Idempotency-Key: order-1001' \\
    --data-urlencode To=+15555550100 --data-urlencode "From=$FROM" --data-urlencode 'Body=Your order is on its way'
done`,
    },
  ],
};

export const PRICES: Chapter = {
  id: 'prices',
  title: 'Segments and prices',
  blocks: [
    'A message is charged per segment: 160 characters of the GSM-7 alphabet, or 153 each where there are several; 70 or 67 where a character needs UCS-2. `SmartEncoded=true` replaces typographic quotes, dashes and the like by characters of GSM-7. Amounts are decimal numbers in strings, with up to six decimals.',
    'The price is reserved when a message is created, and charged when it ends: 402 (20402) where the balance does not cover it. A request that is refused costs nothing, nor does a message that failed or was canceled.',
    {
      id: 'preview',
      language: 'sh',
      title: 'What would it cost? Nothing is sent',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/v1/messages/preview" \\
  --json '{"to": "+15555550100", "body": "Grüße aus der Ferne"}'`,
    },
  ],
};
