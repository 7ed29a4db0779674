import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { findPeak } from '../lib/peak.js';
import { Product } from '../lib/product.js';
import { messageRequest } from '../lib/requests.js';
import type { Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';

/** More than the product lets in at once, so that it is the product that refuses, not a line before it. */
const CONNECTIONS = 2_048;
const TENANTS = 8;
const CREATED = 201;
const YIELDING_TPS = 50;
/** What a client waits before it gives up; an answer after that is no good to it. */
const PATIENCE_MS = 2_000;
const FACTOR = 2;

export const overload: Scenario = {
  name: 'overload',
  what: 'messages answered with 201 within 2 s at twice the peak, against the peak; and every accepted message final',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [peakMs, overMs] = quick ? [5_000, 15_000] : [10_000, 60_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port, tps: YIELDING_TPS });
    const load = Load.start(product.url, cleanup);
    const requests = senders.map((sender) => messageRequest(sender));
    const outcomes: LoadOutcome[] = [];
    const peakOf = async () => {
      const { rate, outcome } = await findPeak(load, senders, peakMs);
      outcomes.push(outcome);
      return rate;
    };
    await peakOf();
    const before = await peakOf();
    const rate = Math.round(before * FACTOR);
    progress(`offering ${rate}/s for ${overMs / 1_000} s`);
    const over = await load.run({
      connections: CONNECTIONS,
      durationMs: overMs,
      rate,
      patienceMs: PATIENCE_MS,
      requests,
    });
    outcomes.push(over);
    const goodput = (over.count(CREATED) * 1_000) / overMs;
    progress('draining');
    const { messages, seconds } = await assertNothingLost(product, senders, outcomes, {
      begin: () => product.pace('bench', null),
    });
    return {
      measures: [
        {
          name: `goodput at ${FACTOR} × peak`,
          unit: '/s',
          figures: [goodput],
          baseline: { name: 'peak', values: [before] },
          aim: { of: 'ratio', atLeast: 0.8 },
        },
      ],
      notes: [
        `offered ${Math.round((rate * overMs) / 1_000)}: ${over.count(CREATED)} × 201 (p50 ${over.latencies.quantileMs(0.5)} ms, p99 ${over.latencies.quantileMs(0.99)} ms)`,
        ...otherAnswers([over], CREATED),
        `${messages} messages accepted in all, each final and charged once, drained in ${seconds.toFixed(1)} s`,
        ...(await product.troubles()),
      ],
    };
  },
};
