import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../lib/cleanup.js';
import { Load, type LoadOutcome } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { messageRequest, type Sender } from '../lib/requests.js';
import type { Scenario } from '../lib/scenario.js';
import { type SentMessage, SingleSender } from '../lib/send.js';
import { Smsc } from '../lib/smsc.js';
import { quantile } from '../lib/statistics.js';
import { assertNothingLost } from '../lib/verify.js';
import { waitFor } from '../lib/wait.js';

const CONNECTIONS = 64;
const CREATED = 201;
/** So that what is queued stays queued while it is measured, and all the more while it is queued. */
const TPS = 500;
const FILLING_TPS = 20;
const WATCHED = '+1556';
const ARRIVAL_MS = 60_000;
const CARRIER = 'bench';

export const fairness: Scenario = {
  name: 'fairness',
  what: 'time to the carrier of one message a second, while another tenant, or the bulk lane, has a long queue',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [queued, singles, everyMs] = quick ? [15_000, 20, 500] : [100_000, 45, 1_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const [busy, quiet] = (await product.openTenants(2)) as [Sender, Sender];
    await product.addCarrier({ name: CARRIER, port: smsc.port, tps: TPS });
    const load = Load.start(product.url, cleanup);
    const outcomes: LoadOutcome[] = [];
    const notes: string[] = [];
    let alone = 0;
    const pace = async (tps: number | null) => {
      await product.pace(CARRIER, tps);
      await product.bound(CARRIER);
    };
    const flood = async (intent: string | undefined) => {
      const requests = [messageRequest(busy, intent === undefined ? {} : { intent })];
      await pace(FILLING_TPS);
      const outcome = await load.run({ connections: CONNECTIONS, count: queued, requests });
      outcomes.push(outcome);
      await pace(TPS);
      progress(`${outcome.count(CREATED)} queued`);
    };
    const measure = async (sender: Sender, intent?: string) => {
      const params: Record<string, string> = intent === undefined ? {} : { MessageIntent: intent };
      const times = await timesToCarrier(product.url, smsc, sender, params, singles, everyMs, cleanup);
      alone += singles;
      return times;
    };
    const drain = async () => {
      const left = await product.metric('trunkline_queue_messages');
      if (left === 0) throw new Error('the queue was empty before the measure ended: nothing was competed with');
      const begin = () => pace(null);
      const { seconds } = await assertNothingLost(product, [busy, quiet], outcomes, { begin, others: alone });
      notes.push(
        `${Math.round(left)} or more still queued at the end of a measure, drained in ${seconds.toFixed(1)} s`,
      );
      await pace(TPS);
    };
    const idle = await measure(quiet);
    await flood(undefined);
    const besideTenant = await measure(quiet);
    await drain();
    const idleRealtime = await measure(busy, 'otp');
    await flood('marketing');
    const besideBulk = await measure(busy, 'otp');
    await drain();
    const compared = (name: string, times: number[], base: number[]) => ({
      name,
      unit: 'ms p99',
      figures: [quantile(times, 0.99)],
      baseline: { name: 'idle', values: [quantile(base, 0.99)] },
      aim: { of: 'ratio', atMost: 1.5 } as const,
    });
    return {
      measures: [
        compared(`beside a tenant with ${queued} queued`, besideTenant, idle),
        compared(`realtime beside ${queued} in bulk`, besideBulk, idleRealtime),
      ],
      notes: [
        `medians: ${[idle, besideTenant, idleRealtime, besideBulk].map((times) => quantile(times, 0.5).toFixed(1)).join(', ')} ms (idle, beside a tenant, realtime idle, beside bulk); ${singles} messages each at ${TPS} a second to the carrier`,
        ...notes,
        ...(await product.troubles()),
      ],
    };
  },
};

/** Milliseconds from each request's start to the carrier's sight of its message. */
async function timesToCarrier(
  url: string,
  smsc: Smsc,
  sender: Sender,
  params: Readonly<Record<string, string>>,
  count: number,
  everyMs: number,
  cleanup: Cleanup,
): Promise<number[]> {
  await smsc.watch(WATCHED);
  const single = new SingleSender(url, sender, WATCHED, params);
  cleanup.add(() => single.close());
  const sent: SentMessage[] = [];
  for (let index = 0; index < count; index++) {
    sent.push(await single.send());
    await delay(everyMs);
  }
  const seen = await waitFor(
    async () => {
      const { submitted } = await smsc.sightings();
      return submitted.length >= count && submitted;
    },
    { what: `${count} watched messages reach the carrier`, timeoutMs: ARRIVAL_MS },
  );
  const arrivals = new Map(seen.map(({ to, atMs }) => [to.replace(/^\+/, ''), atMs]));
  return sent.map(({ to, atMs }) => arrivals.get(to.slice(1))! - atMs);
}
