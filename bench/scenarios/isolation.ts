import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { findPeak } from '../lib/peak.js';
import { Product } from '../lib/product.js';
import { getRequest, listPath, messageRequest } from '../lib/requests.js';
import { inTurn, type Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';
import { during } from '../lib/wait.js';

const CONNECTIONS = 64;
const SEARCHERS = 4;
const TENANTS = 8;
const CREATED = 201;
const OK = 200;
/** Of the peak. */
const MODERATE = 0.2;

export const isolation: Scenario = {
  name: 'isolation',
  what: 'p99 of accept at a fifth of its peak while lists, searches and the audit run without pause, against alone',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [rounds, fill, roundMs] = quick ? [2, 5_000, 5_000] : [3, 50_000, 10_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port });
    const [load, searches] = [Load.start(product.url, cleanup), Load.start(product.url, cleanup)];
    const requests = senders.map((sender) => messageRequest(sender));
    progress(`filling with ${fill} messages`);
    const outcomes: LoadOutcome[] = [await load.run({ connections: CONNECTIONS, count: fill, requests })];
    const { rate: peak, outcome } = await findPeak(load, senders, roundMs);
    outcomes.push(outcome);
    await assertNothingLost(product, senders, outcomes);
    const rate = Math.max(1, Math.round(peak * MODERATE));
    const accept = async () => {
      const accepted = await load.run({ connections: CONNECTIONS, durationMs: roundMs, rate, requests });
      outcomes.push(accepted);
      return accepted.latencies.quantileMs(0.99);
    };
    const day = new Date().toISOString().slice(0, 10);
    const queries = ['PageSize=50', `PageSize=1000&DateSent%3E=${day}`, 'PageSize=50&To=%2B15550000###'];
    const looks = senders.flatMap((sender) => queries.map((query) => getRequest(sender, listPath(sender, query))));
    const looked: LoadOutcome[] = [];
    let audits = 0;
    const { baselines, figures } = await inTurn(rounds, accept, async (round) => {
      const searching = searches.run({ connections: SEARCHERS, durationMs: roundMs, requests: looks });
      const p99 = await during(accept(), async () => {
        const audit = await product.audit().catch(() => null);
        if (audit !== null) audits += 1;
      });
      looked.push(await searching);
      progress(`round ${round + 1} of ${rounds}: p99 ${p99} ms`);
      return p99;
    });
    await assertNothingLost(product, senders, outcomes);
    return {
      measures: [
        {
          name: `accept at ${rate}/s`,
          unit: 'ms p99',
          figures,
          baseline: { name: 'alone', values: baselines },
          aim: { of: 'ratio', atMost: 1.2 },
        },
      ],
      notes: [
        `${looked.reduce((sum, look) => sum + look.count(OK), 0)} lists and searches over ${SEARCHERS} connections and ${audits} audits meanwhile`,
        ...otherAnswers(looked, OK).map((note) => `lists and searches, ${note}`),
        ...otherAnswers(outcomes, CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};
