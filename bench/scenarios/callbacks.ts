import type { ClientMethods } from '../lib/http-client.js';
import { Load, type LoadOutcome } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { Program } from '../lib/program.js';
import { Receiver } from '../lib/receiver.js';
import { messageRequest } from '../lib/requests.js';
import { inTurn, type Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';
import { waitFor } from '../lib/wait.js';

const CONNECTIONS = 64;
const ENDPOINTS = 4;
const TENANTS = 8;
const CREATED = 201;
/** What the product allows itself to one endpoint. */
const CONNECTIONS_PER_ENDPOINT = 32;
/** Sent and delivered. */
const CALLBACKS_PER_MESSAGE = 2;
const ARRIVAL_MS = 300_000;
const LOOK_MS = 200;

export const callbacks: Scenario = {
  name: 'callbacks',
  what: 'signed callbacks answered at their first attempt, while their messages are sent, against the HTTP client alone',
  async run({ quick, redisUrl, cleanup, progress }) {
    const [rounds, baselineMs, messages] = quick ? [2, 3_000, 5_000] : [5, 5_000, 20_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const receiver = await Receiver.start(ENDPOINTS, cleanup);
    const product = await Product.start({ redisUrl }, cleanup);
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
    const call = async (count: number) => {
      await receiver.reset();
      const outcome = await load.run({ connections: CONNECTIONS, count, requests });
      outcomes.push(outcome);
      const wanted = outcome.count(CREATED) * CALLBACKS_PER_MESSAGE;
      const all = async () => (await receiver.counts()).distinct >= wanted;
      await waitFor(all, { what: `${wanted} callbacks came`, timeoutMs: ARRIVAL_MS, everyMs: LOOK_MS });
      const { requests: came, distinct, unsigned, firstMs, lastMs } = await receiver.counts();
      if (unsigned > 0) throw new Error(`${unsigned} callbacks have no signature`);
      repeated += came - distinct;
      return (distinct * 1_000) / (lastMs - firstMs);
    };
    await call(messages / 10);
    const { baselines, figures } = await inTurn(
      rounds,
      () =>
        client.call('run', {
          urls: receiver.urls,
          connectionsPerUrl: CONNECTIONS_PER_ENDPOINT,
          durationMs: baselineMs,
        }),
      async (round) => {
        const rate = await call(messages);
        progress(`round ${round + 1} of ${rounds}: ${Math.round(rate)} callbacks/s`);
        return rate;
      },
    );
    const { messages: all } = await assertNothingLost(product, senders, outcomes);
    return {
      measures: [
        {
          name: 'callbacks/s',
          unit: '/s',
          figures,
          baseline: { name: 'undici alone', values: baselines },
          aim: { of: 'ratio', atLeast: 0.3 },
        },
      ],
      notes: [
        `${all} messages with ${CALLBACKS_PER_MESSAGE} callbacks each to ${ENDPOINTS} endpoints; ${repeated} repeated`,
        'the rate is that of a product that accepts, submits and settles these messages at the same time',
        ...outcomes.map((outcome) => outcome.others(CREATED)).filter(Boolean),
        ...(await product.troubles()),
      ],
    };
  },
};
