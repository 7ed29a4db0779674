import type { Chapter } from './guide.js';

export const STATUSES: Chapter = {
  id: 'statuses',
  title: 'Statuses of a message',
  blocks: [
    'A message that was answered with 201 ends in exactly one of the final statuses. `error_code` and `error_message` say why where it did not arrive.',
    {
      caption: 'Statuses',
      columns: ['Status', 'Final', 'Charged', 'Meaning'],
      rows: [
        [
          'queued, accepted',
          'no',
          'reserved',
          'It waits for its carrier; accepted where a messaging service chose the sender.',
        ],
        ['sent', 'no', 'reserved', 'A carrier has taken it.'],
        ['delivered', 'yes', 'yes', 'The carrier reports that it arrived.'],
        [
          'undelivered',
          'yes',
          'yes',
          'The carrier took it and reports that it did not arrive, or never reported (30008).',
        ],
        ['failed', 'yes', 'no', 'No carrier took it, or its validity ended before one could (30036).'],
        ['canceled', 'yes', 'no', 'It was taken back before it was sent.'],
      ],
    },
    '`ValidityPeriod` (seconds, 36000 at most) bounds how long a message may wait. `MessageIntent` says what it is for: `otp`, `fraud` and `security` go before others, `marketing`, `events` and `polling` after them.',
    {
      id: 'events',
      language: 'sh',
      title: 'Everything that happened to one message',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/v1/messages/$MESSAGE_SID/events"`,
    },
    {
      id: 'redact',
      language: 'sh',
      title: 'Remove its text, once it has ended; what remains is who, when and how much',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages/$MESSAGE_SID.json" -d Body=`,
    },
  ],
};

export const WEBHOOKS: Chapter = {
  id: 'webhooks',
  title: 'Status callbacks',
  blocks: [
    "A message with a `StatusCallback` reports each change of its status, after the first, with a form POST to that URL: `MessageSid`, `MessageStatus`, `AccountSid`, `From`, `To`, `ApiVersion`, with `ErrorCode` where it did not arrive and `RawDlrDoneDate` at its end. They come in the order of the message's life.",
    'An answer of 2xx ends it. 408, 429 and 5xx, no answer within 15 seconds and no connection are tried again after 1 min, 5 min, 30 min, 1 h, 6 h and 24 h, `Retry-After` respected; any other answer is final. What is given up stands in the list of dead deliveries and can be sent again. A callback may come twice: `I-Twilio-Idempotency-Token` is the same then. Redirects are not followed, and private addresses are not called.',
    "Each carries `X-Twilio-Signature`: the HMAC-SHA1, with the account's auth token as key, of the URL exactly as you gave it, followed by each parameter's name and value, sorted by name, without anything between; in base64. Twilio's packages verify it.",
    {
      id: 'receive-node',
      language: 'js',
      title: 'An endpoint in Node.js that believes nobody else',
      runsOn: true,
      code: `import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import twilio from 'twilio';

const { AUTH_TOKEN, PORT = '8080', STATUS_CALLBACK = 'http://127.0.0.1:8080/status' } = process.env;

createServer(async (request, response) => {
  const params = Object.fromEntries(new URLSearchParams(await text(request)));
  const signature = request.headers['x-twilio-signature'] ?? '';
  const isOurs = twilio.validateRequest(AUTH_TOKEN, signature, STATUS_CALLBACK, params);
  if (isOurs) console.log(params.MessageSid, params.MessageStatus, params.ErrorCode ?? '');
  response.writeHead(isOurs ? 204 : 403).end();
}).listen(Number(PORT), '127.0.0.1');`,
    },
    {
      id: 'send-with-callback',
      language: 'sh',
      title: 'A message that reports to it. On a development start this number ends undelivered, with 30003',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages.json" \\
  --data-urlencode To=+15555530003 --data-urlencode "From=$FROM" --data-urlencode 'Body=Hello' \\
  --data-urlencode "StatusCallback=\${STATUS_CALLBACK:-http://127.0.0.1:8080/status}"`,
    },
    {
      id: 'dead-deliveries',
      language: 'sh',
      title: 'What was given up, and all of it once more',
      code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/v1/webhook-deliveries?state=dead"
curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/v1/webhook-deliveries/replay" --json '{"state": "dead"}'`,
    },
  ],
};
