import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { messageRequest } from '../lib/requests.js';
import { inTurn, type Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { TwoInserts } from '../lib/two-inserts.js';
import { assertNothingLost } from '../lib/verify.js';

const CONNECTIONS = 64;
const TENANTS = 8;
const CREATED = 201;
/** The carrier takes this much while the load lasts, so that dispatch works but hardly competes. */
const YIELDING_TPS = 50;
const WARM_UP_MS = 2_000;

export const accept: Scenario = {
  name: 'accept',
  what: 'messages answered with 201, durable, against two-insert transactions of 32 clients',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [rounds, roundMs] = quick ? [2, 4_000] : [5, 6_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const baseline = await TwoInserts.start(cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port, tps: YIELDING_TPS });
    const load = Load.start(product.url, cleanup);
    const outcomes: LoadOutcome[] = [];
    const send = async (durationMs: number) => {
      const requests = senders.map((sender) => messageRequest(sender));
      const outcome = await load.run({ connections: CONNECTIONS, durationMs, requests });
      outcomes.push(outcome);
      return outcome.rate(CREATED);
    };
    await send(WARM_UP_MS);
    const { baselines, figures } = await inTurn(
      rounds,
      () => baseline.rate(roundMs),
      async (round) => {
        const rate = await send(roundMs);
        progress(`round ${round + 1} of ${rounds}: ${Math.round(rate)} messages/s`);
        return rate;
      },
    );
    progress('draining');
    const drained = await assertNothingLost(product, senders, outcomes, { begin: () => product.pace('bench', null) });
    const last = outcomes.at(-1)!;
    return {
      measures: [
        {
          name: 'messages/s',
          unit: '/s',
          figures,
          baseline: { name: 'two inserts', values: baselines },
          aim: { of: 'ratio', atLeast: 2 },
        },
        { name: 'p99', unit: 'ms', figures: outcomes.slice(1).map(({ latencies }) => latencies.quantileMs(0.99)) },
      ],
      notes: [
        `${drained.messages} messages accepted of ${TENANTS} tenants, each final and charged once`,
        `drained in ${drained.seconds.toFixed(1)} s (${Math.round(drained.messages / drained.seconds)}/s)`,
        `the load generator took ${last.cpuMicrosPerRequest.toFixed(1)} µs of CPU a request`,
        ...otherAnswers(outcomes, CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};
