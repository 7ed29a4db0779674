/**
 * Sends a message with Twilio's own package, pointed at Trunkline, and waits for what becomes of it.
 *
 *   ACCOUNT_SID=AC… AUTH_TOKEN=… node examples/send.mjs [to] [text]
 */
import { setTimeout as delay } from 'node:timers/promises';
import twilio from 'twilio';

const { ACCOUNT_SID, AUTH_TOKEN, TRUNKLINE_URL = 'http://127.0.0.1:3000', STATUS_CALLBACK } = process.env;
const [to = '+15555550100', body = 'Hello from Node.js'] = process.argv.slice(2);
const FINAL = ['delivered', 'undelivered', 'failed', 'canceled'];
const LOOKS = 60;

if (!ACCOUNT_SID || !AUTH_TOKEN) throw new Error('set ACCOUNT_SID and AUTH_TOKEN to those that `npm run dev` printed');

const client = twilio(ACCOUNT_SID, AUTH_TOKEN);
client.api.baseUrl = client.messaging.baseUrl = TRUNKLINE_URL;

let message = await client.messages.create({
  to,
  from: '+15005550006',
  body,
  ...(STATUS_CALLBACK ? { statusCallback: STATUS_CALLBACK } : {}),
});
console.log(message.sid, message.status);
for (let look = 0; look < LOOKS && !FINAL.includes(message.status); look++) {
  await delay(500);
  message = await client.messages(message.sid).fetch();
}
console.log(message.sid, message.status, message.price ?? '', message.priceUnit, message.errorMessage ?? '');
