import { Cleanup } from '../lib/cleanup.js';
import { nowMs } from '../lib/clock.js';
import {
  kannelRequest,
  listenForDriveSmpp,
  PASSWORD,
  requireKannel,
  SYSTEM_ID,
  startDriveSmpp,
  startKannel,
} from '../lib/kannel.js';
import { Load, otherAnswers } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { messageRequest } from '../lib/requests.js';
import { inTurn, type Scenario } from '../lib/scenario.js';
import { waitFor } from '../lib/wait.js';

const CONNECTIONS = 64;
const TENANTS = 8;
const CREATED = 201;
const ACCEPTED = 202;
const WINDOW = 200;
const ANSWERED_MS = 300_000;
const LOOK_MS = 50;

export const submit: Scenario = {
  name: 'submit',
  what: "messages accepted over HTTP and answered by Debian's drive_smpp, no receipts, against Kannel with a file spool",
  async run({ quick, redisUrl, profileDir, cleanup, progress }) {
    requireKannel();
    await listenForDriveSmpp(cleanup);
    const [rounds, messages] = quick ? [2, 10_000] : [5, 40_000];
    const product = await Product.start({ redisUrl, profileDir }, cleanup);
    const senders = await product.openTenants(TENANTS);
    const carrier = {
      name: 'drive-smpp',
      systemId: SYSTEM_ID,
      password: PASSWORD,
      bind: 'transmitter_receiver',
    } as const;
    await product.addCarrier({ ...carrier, port: await startDriveSmpp(cleanup), window: WINDOW });
    const load = Load.start(product.url, cleanup);
    const requests = senders.map((sender) => messageRequest(sender));
    const ours = (count: number) =>
      submitAll(count, {
        send: () => load.run({ connections: CONNECTIONS, count, requests }),
        answered: () => product.metric('trunkline_carrier_submissions_total', 'outcome="accepted"'),
        status: CREATED,
      });
    await ours(messages / 10);
    const { baselines, figures } = await inTurn(
      rounds,
      () => kannelRate(messages, cleanup),
      async (round) => {
        const rate = await ours(messages);
        progress(`round ${round + 1} of ${rounds}: ${Math.round(rate)} messages/s`);
        return rate;
      },
    );
    return {
      measures: [
        {
          name: 'messages/s',
          unit: '/s',
          figures,
          baseline: { name: 'Kannel', values: baselines },
          aim: { of: 'ratio', atLeast: 1 },
        },
      ],
      notes: await product.troubles(),
    };
  },
};

/** A Kannel of its own for each round: what is left in its spool would be another round's work. */
async function kannelRate(count: number, scenario: Cleanup): Promise<number> {
  const cleanup = new Cleanup();
  scenario.add(() => cleanup.run());
  try {
    const kannel = await startKannel(await startDriveSmpp(cleanup), WINDOW, cleanup);
    const load = Load.start(kannel.url, cleanup);
    const requests = [kannelRequest()];
    return await submitAll(count, {
      send: () => load.run({ connections: CONNECTIONS, count, requests }),
      answered: kannel.answered,
      status: ACCEPTED,
    });
  } finally {
    await cleanup.run();
  }
}

interface Gateway {
  send(): ReturnType<Load['run']>;
  answered(): Promise<number>;
  /** What it answers to a message that it takes. */
  readonly status: number;
}

/** Messages a second, from the first request to the last answer of the carrier. */
async function submitAll(count: number, { send, answered, status }: Gateway): Promise<number> {
  const before = await answered();
  const outcome = await send();
  const accepted = outcome.count(status);
  if (accepted < count / 2)
    throw new Error(`only ${accepted} of ${count} were accepted: ${otherAnswers([outcome], status)}`);
  await waitFor(async () => (await answered()) - before >= accepted, {
    what: `${accepted} messages are answered by the carrier`,
    timeoutMs: ANSWERED_MS,
    everyMs: LOOK_MS,
  });
  return (accepted * 1_000) / (nowMs() - outcome.result.startedMs);
}
