/**
 * Sends through a messaging service: one message now, and one in an hour, which is taken back.
 *
 *   ACCOUNT_SID=AC… AUTH_TOKEN=… SERVICE_SID=MG… node examples/schedule.mjs [to]
 */
import twilio from 'twilio';

const { ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID, TRUNKLINE_URL = 'http://127.0.0.1:3000' } = process.env;
const [to = '+15555550100'] = process.argv.slice(2);
const HOUR_MS = 3_600_000;

if (!ACCOUNT_SID || !AUTH_TOKEN || !SERVICE_SID) {
  throw new Error('set ACCOUNT_SID, AUTH_TOKEN and SERVICE_SID to those that `npm run dev` printed');
}

const client = twilio(ACCOUNT_SID, AUTH_TOKEN);
client.api.baseUrl = client.messaging.baseUrl = TRUNKLINE_URL;

const now = await client.messages.create({ to, messagingServiceSid: SERVICE_SID, body: 'Your table is booked' });
console.log(now.sid, now.status, 'from', now.from);

const later = await client.messages.create({
  to,
  messagingServiceSid: SERVICE_SID,
  body: 'See you in an hour',
  scheduleType: 'fixed',
  sendAt: new Date(Date.now() + HOUR_MS),
});
console.log(later.sid, later.status, 'for', later.dateSent.toISOString());

const canceled = await client.messages(later.sid).update({ status: 'canceled' });
console.log(canceled.sid, canceled.status);
