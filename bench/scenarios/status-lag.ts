import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../lib/clock.js';
import { Product } from '../lib/product.js';
import { Receiver } from '../lib/receiver.js';
import { fetchPath, getJson, type Sender } from '../lib/requests.js';
import type { Scenario } from '../lib/scenario.js';
import { SingleSender } from '../lib/send.js';
import { Smsc } from '../lib/smsc.js';
import { quantile } from '../lib/statistics.js';
import { waitFor } from '../lib/wait.js';

const WATCHED = '+1556';
/** Long after the answer, so that the message is known as sent by then. */
const RECEIPT_DELAY_MS = 300;
const RATE = 50;
const LOOK_MS = 2;
const ARRIVAL_MS = 60_000;

export const statusLag: Scenario = {
  name: 'status-lag',
  what: "from the carrier's receipt to the status that a fetch shows, and to the arrival of the callback",
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const count = quick ? 500 : 3_000;
    const smsc = await Smsc.start({ receiptDelayMs: RECEIPT_DELAY_MS }, cleanup);
    const receiver = await Receiver.start(1, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const [sender] = (await product.openTenants(1)) as [Sender];
    await product.addCarrier({ name: 'bench', port: smsc.port });
    const single = new SingleSender(product.url, sender, WATCHED, { StatusCallback: `${receiver.urls[0]}/status` });
    cleanup.add(() => single.close());
    const sids = new Map<string, string>();
    const left = new Map<string, number>();
    const shown: number[] = [];
    const looks: Promise<void>[] = [];
    const early = new Map<string, number>();
    const look = (sid: string, atMs: number) => {
      left.set(sid, atMs);
      looks.push(untilDelivered(product.url, sender, sid).then((seenMs) => void shown.push(seenMs - atMs)));
    };
    await smsc.watch(WATCHED, ({ to, atMs }) => {
      const sid = sids.get(to.replace(/^\+/, ''));
      if (sid === undefined) early.set(to.replace(/^\+/, ''), atMs);
      else look(sid, atMs);
    });
    /** On a slow machine the answer to the client can come after the receipt. */
    const known = (sid: string, to: string) => {
      sids.set(to, sid);
      const atMs = early.get(to);
      if (atMs !== undefined) look(sid, atMs);
    };
    progress(`${count} messages at ${RATE}/s`);
    const sends: Promise<void>[] = [];
    for (let index = 0; index < count; index++) {
      sends.push(single.send().then(({ sid, to }) => known(sid, to.slice(1))));
      await delay(1_000 / RATE);
    }
    await Promise.all(sends);
    await waitFor(() => left.size >= count, { what: 'every receipt has left', timeoutMs: ARRIVAL_MS });
    await Promise.all(looks);
    const arrived = await waitFor(
      async () => {
        const delivered = (await receiver.callbacks()).filter(({ status }) => status === 'delivered');
        return new Set(delivered.map(({ messageSid }) => messageSid)).size >= count && delivered;
      },
      { what: 'every callback has come', timeoutMs: ARRIVAL_MS, everyMs: 200 },
    );
    const called = arrived.map(({ messageSid, atMs }) => atMs - left.get(messageSid)!);
    return {
      measures: [
        { name: 'status shown', unit: 'ms p99', figures: [quantile(shown, 0.99)], aim: { of: 'figure', atMost: 100 } },
        { name: 'callback', unit: 'ms p99', figures: [quantile(called, 0.99)], aim: { of: 'figure', atMost: 300 } },
      ],
      notes: [
        `medians: ${quantile(shown, 0.5).toFixed(1)} ms to the status, ${quantile(called, 0.5).toFixed(1)} ms to the callback; ${count} messages at ${RATE}/s, each fetched every ${LOOK_MS} ms from its receipt on`,
        ...(await product.troubles()),
      ],
    };
  },
};

/** When a fetch shows it as delivered: the end of the first that does. */
async function untilDelivered(url: string, sender: Sender, sid: string): Promise<number> {
  await waitFor(
    async () => {
      const message = await getJson<{ status: string }>(url, fetchPath(sender, sid), sender);
      return message.status === 'delivered';
    },
    { what: `${sid} is delivered`, timeoutMs: ARRIVAL_MS, everyMs: LOOK_MS },
  );
  return nowMs();
}
