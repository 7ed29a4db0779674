/**
 * Receives status callbacks and verifies their signatures with Twilio's own package.
 *
 *   AUTH_TOKEN=… node examples/receive-status.mjs
 *   STATUS_CALLBACK=http://127.0.0.1:8080/status ACCOUNT_SID=AC… AUTH_TOKEN=… node examples/send.mjs
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import twilio from 'twilio';

const { AUTH_TOKEN, PORT = '8080' } = process.env;
if (!AUTH_TOKEN) throw new Error('set AUTH_TOKEN to the auth token of the account that sends');
/** The URL as the sender knows it: behind a proxy that is the public one. */
const { RECEIVER_URL = `http://127.0.0.1:${PORT}` } = process.env;

createServer(async (request, response) => {
  const params = Object.fromEntries(new URLSearchParams(await text(request)));
  const signature = String(request.headers['x-twilio-signature'] ?? '');
  const isOurs = twilio.validateRequest(AUTH_TOKEN, signature, RECEIVER_URL + request.url, params);
  console.log(isOurs ? 'signed  ' : 'refused ', params.MessageSid, params.MessageStatus, params.ErrorCode ?? '');
  response.writeHead(isOurs ? 204 : 403).end();
}).listen(Number(PORT), '127.0.0.1', () => console.log(`listening on ${RECEIVER_URL}`));
