import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { findPeak } from '../lib/peak.js';
import { Product } from '../lib/product.js';
import { messageRequest } from '../lib/requests.js';
import type { Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';

const CONNECTIONS = 64;
const TENANTS = 8;
const CREATED = 201;
const YIELDING_TPS = 50;
/** One request, then a pause, on a system that does nothing else. */
const IDLE_RATE = 20;

export const latency: Scenario = {
  name: 'latency',
  what: 'accept at half of its peak, at a constant rate; and one request on an idle system',
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    const [rounds, peakMs, roundMs] = quick ? [2, 4_000, 5_000] : [3, 6_000, 8_000];
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const senders = await product.openTenants(TENANTS);
    await product.addCarrier({ name: 'bench', port: smsc.port, tps: YIELDING_TPS });
    const load = Load.start(product.url, cleanup);
    const requests = senders.map((sender) => messageRequest(sender));
    const [halfway, idle, peaks]: LoadOutcome[][] = [[], [], []];
    const drained: LoadOutcome[] = [];
    for (let round = 0; round < rounds; round++) {
      const { rate: peak, outcome } = await findPeak(load, senders, peakMs);
      peaks!.push(outcome);
      const rate = Math.max(1, Math.round(peak / 2));
      halfway!.push(await load.run({ connections: CONNECTIONS, durationMs: roundMs, rate, requests }));
      progress(`round ${round + 1} of ${rounds}: ${rate}/s, p99 ${halfway!.at(-1)!.latencies.quantileMs(0.99)} ms`);
    }
    progress('draining, then idle');
    const taken = await assertNothingLost(product, senders, [...peaks!, ...halfway!], {
      begin: () => product.pace('bench', null),
    });
    for (let round = 0; round < rounds; round++) {
      idle!.push(await load.run({ connections: 1, durationMs: roundMs, rate: IDLE_RATE, requests }));
    }
    drained.push(...peaks!, ...halfway!, ...idle!);
    await assertNothingLost(product, senders, drained);
    const of = (outcomes: readonly LoadOutcome[], share: number) =>
      outcomes.map(({ latencies }) => latencies.quantileMs(share));
    return {
      measures: [
        { name: 'half of peak, p50', unit: 'ms', figures: of(halfway!, 0.5) },
        { name: 'half of peak, p99', unit: 'ms', figures: of(halfway!, 0.99), aim: { of: 'figure', atMost: 25 } },
        { name: 'idle, p50', unit: 'ms', figures: of(idle!, 0.5), aim: { of: 'figure', atMost: 5 } },
        { name: 'idle, p99', unit: 'ms', figures: of(idle!, 0.99) },
      ],
      notes: [
        `peaks of ${peaks!.map((outcome) => Math.round(outcome.rate(CREATED))).join(', ')}/s`,
        `drained ${taken.messages} messages in ${taken.seconds.toFixed(1)} s`,
        ...otherAnswers(drained, CREATED),
        ...(await product.troubles()),
      ],
    };
  },
};
