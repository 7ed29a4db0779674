import twilio from 'twilio';
import { eventually } from '../support/eventually.js';
import { insist } from '../support/insist.js';
import { DEMO_NUMBER, DEMO_SID, DEMO_TOKEN, makeReadyDataDir, type Product, startProduct } from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const MESSAGES = 1000;
const CONCURRENCY = 25;
/** 0.0079 USD, in micro-units. */
const PRICE_MICROS = 7_900n;

describe('a thousand messages with callbacks, sent with the official SDK', () => {
  let dir: Awaited<ReturnType<typeof makeReadyDataDir>>;
  let product: Product;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    dir = await makeReadyDataDir();
    [product, receiver] = await Promise.all([startProduct({ dataDir: dir.path }), WebhookReceiver.start(DEMO_TOKEN)]);
  }, 90_000);

  afterAll(async () => {
    await product?.stop();
    await receiver?.stop();
    await dir?.remove();
  }, 60_000);

  it('are all delivered once, called back in order, and charged to the micro-unit', async () => {
    const client = twilio(DEMO_SID, DEMO_TOKEN);
    client.api.baseUrl = product.url;
    const before = micros((await client.balance.fetch()).balance);
    const sids: string[] = [];
    const numbers = Array.from({ length: MESSAGES }, (_, index) => `+1555${String(6_000_000 + index)}`);
    const queue = [...numbers];
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let to = queue.pop(); to !== undefined; to = queue.pop()) {
          const message = {
            to,
            from: DEMO_NUMBER,
            body: `message to ${to}`,
            statusCallback: `${receiver.url}/callback`,
          };
          sids.push((await insist(() => client.messages.create(message))).sid);
        }
      }),
    );
    expect(new Set(sids).size).toBe(MESSAGES);
    await eventually(() => sids.every((sid) => receiver.statusesOf(sid).length === 2), {
      timeoutMs: 60_000,
      everyMs: 200,
      what: () => `every callback; ${receiver.received.length} came`,
    });
    for (const sid of sids) expect(receiver.statusesOf(sid)).toEqual(['sent', 'delivered']);
    expect(receiver.received.every((callback) => callback.signatureValid)).toBe(true);
    await eventually(
      async () => {
        const after = micros((await client.balance.fetch()).balance);
        return before - after === PRICE_MICROS * BigInt(MESSAGES);
      },
      { what: 'the balance is right to the micro-unit' },
    );
    const given = await product.givenToCarriers();
    expect(new Map(numbers.map((number) => [number, given.get(number) ?? 0]))).toEqual(
      new Map(numbers.map((number) => [number, 1])),
    );
    expect(await product.audited()).toMatchObject({ ok: true, violations: [] });
  }, 180_000);
});

function micros(balance: string): bigint {
  const [whole, decimals = ''] = balance.split('.');
  return BigInt(whole!) * 1_000_000n + BigInt(decimals.padEnd(6, '0'));
}
