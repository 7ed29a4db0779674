import type { ClientMethods } from '../lib/http-client.js';
import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { Program } from '../lib/program.js';
import { Receiver } from '../lib/receiver.js';
import { messageRequest } from '../lib/requests.js';
import type { Measure, Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';
import { waitFor } from '../lib/wait.js';

const CONNECTIONS = 64;
const ENDPOINTS = 4;
const TENANTS = 8;
const CREATED = 201;
/** What the product allows itself to one endpoint. */
const CONNECTIONS_PER_ENDPOINT = 32;
const ARRIVAL_MS = 300_000;
const LOOK_MS = 200;

export const callbacks: Scenario = {
  name: 'callbacks',
  what: 'signed callbacks answered at their first attempt, against the HTTP client alone',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [rounds, baselineMs, messages] = quick ? [2, 3_000, 5_000] : [3, 5_000, 20_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const receiver = await Receiver.start(ENDPOINTS, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const client = Program.start<ClientMethods>('http-client');
    cleanup.add(() => client.stop());
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port });
    const load = Load.start(product.url, cleanup);
    const requests = senders.map((sender, index) =>
      messageRequest(sender, { callback: `${receiver.urls[index % ENDPOINTS]}/status` }),
    );
    const outcomes: LoadOutcome[] = [];
    let repeated = 0;
    /** The rate at which so many callbacks come, from the first to the last. */
    const arrivals = async (wanted: number) => {
      const all = async () => (await receiver.counts()).distinct >= wanted;
      await waitFor(all, { what: `${wanted} callbacks came`, timeoutMs: ARRIVAL_MS, everyMs: LOOK_MS });
      const { requests: came, distinct, unsigned, firstMs, lastMs } = await receiver.counts();
      if (unsigned > 0) throw new Error(`${unsigned} callbacks have no signature`);
      repeated += came - distinct;
      await receiver.reset();
      return (distinct * 1_000) / (lastMs - firstMs);
    };
    const call = async (count: number) => {
      await smsc.hold(true);
      const outcome = await load.run({ connections: CONNECTIONS, count, requests });
      outcomes.push(outcome);
      const sent = await arrivals(outcome.count(CREATED));
      await smsc.hold(false);
      return { sent, delivered: await arrivals(outcome.count(CREATED)) };
    };
    await call(messages / 10);
    const [delivered, sent, baselines]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      const plan = { urls: receiver.urls, connectionsPerUrl: CONNECTIONS_PER_ENDPOINT, durationMs: baselineMs };
      baselines.push(await client.call('run', plan));
      await receiver.reset();
      const rates = await call(messages);
      sent.push(rates.sent);
      delivered.push(rates.delivered);
      progress(
        `round ${round + 1} of ${rounds}: ${Math.round(rates.sent)} and ${Math.round(rates.delivered)} callbacks/s`,
      );
    }
    const { messages: all } = await assertNothingLost(product, senders, outcomes);
    return {
      measures: [
        measure('delivered, when receipts come at once', delivered, baselines),
        measure('sent, while messages are accepted and submitted', sent, baselines),
      ],
      notes: [
        `${all} messages, each with a callback when sent and one when delivered, to ${ENDPOINTS} endpoints; ${repeated} repeated`,
        ...otherAnswers(outcomes, CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};

function measure(name: string, figures: readonly number[], values: readonly number[]): Measure {
  return {
    name,
    unit: '/s',
    figures,
    baseline: { name: 'undici alone', values },
    aim: { of: 'ratio', atLeast: 0.3 },
  };
}
