import { fillHistory } from '../lib/history-fill.js';
import { Load, type LoadOutcome, otherAnswers } from '../lib/load.js';
import { Product } from '../lib/product.js';
import { fetchPath, getRequest, listPath, messageRequest, type Sender } from '../lib/requests.js';
import { type Context, inTurn, type Scenario } from '../lib/scenario.js';
import { Smsc } from '../lib/smsc.js';
import { assertNothingLost } from '../lib/verify.js';

const CONNECTIONS = 64;
/** Few, so that what is measured is the request and not its waiting. */
const READERS = 2;
const CREATED = 201;
const OK = 200;
const YIELDING_TPS = 50;
/** So that the empty twin has a page to list, too. */
const OWN_MESSAGES = 2_000;

/** A product, its account, and some messages that it has. */
class Twin {
  private readonly outcomes: LoadOutcome[] = [];

  private constructor(
    private readonly product: Product,
    private readonly sender: Sender,
    private readonly load: Load,
    private sids: readonly string[],
    private readonly stored: number,
  ) {}

  static async start({ redisUrl, profileDir, cleanup, progress }: Context, stored: number): Promise<Twin> {
    const smsc = await Smsc.start({ receiptDelayMs: 0 }, cleanup);
    let product = await Product.start({ redisUrl, profileDir }, cleanup);
    const [sender] = (await product.openTenants(1)) as [Sender];
    await product.addCarrier({ name: 'bench', port: smsc.port });
    let sids: readonly string[] = [];
    if (stored > 0) {
      progress(`storing ${stored} messages`);
      const startedMs = performance.now();
      product = await product.restart({ redisUrl, profileDir }, cleanup, async (url) => {
        sids = await fillHistory(url, sender, stored);
      });
      progress(`stored in ${Math.round((performance.now() - startedMs) / 1_000)} s`);
      await product.bound('bench');
    }
    const twin = new Twin(product, sender, Load.start(product.url, cleanup), sids, stored);
    await twin.begin();
    return twin;
  }

  /** Messages a second answered with 201. */
  async accept(durationMs: number): Promise<number> {
    const requests = [messageRequest(this.sender)];
    const outcome = await this.load.run({ connections: CONNECTIONS, durationMs, requests });
    this.outcomes.push(outcome);
    return outcome.rate(CREATED);
  }

  /** Median of a fetch by SID, in milliseconds. */
  fetch(durationMs: number): Promise<number> {
    return this.read(
      this.sids.map((sid) => getRequest(this.sender, fetchPath(this.sender, sid))),
      durationMs,
    );
  }

  /** Median of the first page of a list, in milliseconds. */
  list(durationMs: number): Promise<number> {
    return this.read([getRequest(this.sender, listPath(this.sender))], durationMs);
  }

  async verify(): Promise<void> {
    const begin = () => this.product.pace('bench', null);
    await assertNothingLost(this.product, [this.sender], this.outcomes, { begin, others: this.stored });
  }

  troubles(): Promise<string[]> {
    return this.product.troubles();
  }

  private async begin(): Promise<void> {
    const requests = [messageRequest(this.sender)];
    const own = await this.load.run({ connections: CONNECTIONS, count: OWN_MESSAGES, requests, collectSids: true });
    this.outcomes.push(own);
    if (this.sids.length === 0) this.sids = own.result.sids;
    await assertNothingLost(this.product, [this.sender], this.outcomes, { others: this.stored });
    await this.product.pace('bench', YIELDING_TPS);
    await this.product.bound('bench');
  }

  private async read(requests: readonly string[], durationMs: number): Promise<number> {
    const outcome = await this.load.run({ connections: READERS, durationMs, requests });
    if (outcome.count(OK) === 0) throw new Error(`nothing could be read: ${otherAnswers([outcome], OK)}`);
    return outcome.latencies.quantileMs(0.5);
  }
}

export const growth: Scenario = {
  name: 'growth',
  what: 'accept, fetch by SID and the first page of a list with many messages stored, against an empty twin',
  async run(context) {
    const { quick, progress } = context;
    const [stored, rounds, acceptMs, readMs] = quick ? [200_000, 2, 3_000, 1_500] : [2_000_000, 3, 4_000, 2_000];
    const full = await Twin.start(context, stored);
    const empty = await Twin.start(context, 0);
    const compare = async (what: 'accept' | 'fetch' | 'list', durationMs: number) => {
      progress(what);
      return inTurn(
        rounds,
        () => empty[what](durationMs),
        () => full[what](durationMs),
      );
    };
    const [fetches, lists] = [await compare('fetch', readMs), await compare('list', readMs)];
    const accepts = await compare('accept', acceptMs);
    progress('draining');
    await Promise.all([full.verify(), empty.verify()]);
    const measure = (name: string, unit: string, { figures, baselines }: typeof accepts, aim: object) => ({
      name,
      unit,
      figures,
      baseline: { name: 'empty', values: baselines },
      aim: { of: 'ratio', ...aim } as const,
    });
    return {
      measures: [
        measure('accept', '/s', accepts, { atLeast: 0.95 }),
        measure('fetch by SID', 'ms p50', fetches, { atMost: 1.5 }),
        measure('first page of 50', 'ms p50', lists, { atMost: 1.5 }),
      ],
      notes: [`${stored} messages stored with their events, entries and submissions`, ...(await full.troubles())],
    };
  },
};
