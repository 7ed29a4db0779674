import { nowMs } from '../lib/clock.js';
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

export const endToEnd: Scenario = {
  name: 'end-to-end',
  what: 'messages accepted, submitted, receipted, final and settled, against two-insert transactions of 32 clients',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [rounds, baselineMs, messages] = quick ? [2, 4_000, 10_000] : [5, 6_000, 40_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const baseline = await TwoInserts.start(cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port });
    const load = Load.start(product.url, cleanup);
    const outcomes: LoadOutcome[] = [];
    const settle = async (count: number) => {
      const requests = senders.map((sender) => messageRequest(sender));
      const outcome = await load.run({ connections: CONNECTIONS, count, requests });
      outcomes.push(outcome);
      await product.settled(senders);
      return (outcome.count(CREATED) * 1_000) / (nowMs() - outcome.result.startedMs);
    };
    await settle(messages / 10);
    const { baselines, figures } = await inTurn(
      rounds,
      () => baseline.rate(baselineMs),
      async (round) => {
        const rate = await settle(messages);
        progress(`round ${round + 1} of ${rounds}: ${Math.round(rate)} messages/s`);
        return rate;
      },
    );
    const { messages: all } = await assertNothingLost(product, senders, outcomes);
    const last = outcomes.at(-1)!;
    return {
      measures: [
        {
          name: 'messages/s',
          unit: '/s',
          figures,
          baseline: { name: 'two inserts', values: baselines },
          aim: { of: 'ratio', atLeast: 0.8 },
        },
      ],
      notes: [
        `${all} messages of ${TENANTS} tenants, each delivered and charged once; accepted at ${Math.round(last.rate(CREATED))}/s meanwhile`,
        ...otherAnswers(outcomes, CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};
