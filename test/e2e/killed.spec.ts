import { eventually } from '../support/eventually.js';
import { isFinal, type ListedMessage, messagesOf } from '../support/messages-of.js';
import { DEMO_TOKEN, makeReadyDataDir, type Product, startProduct } from '../support/product.js';
import { Traffic } from '../support/traffic.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const KILLS = 10;
const PER_ROUND = 60;

describe('killed with kill -9, everything at once, ten times under load', () => {
  let dir: Awaited<ReturnType<typeof makeReadyDataDir>>;
  let receiver: WebhookReceiver;
  let product: Product;

  beforeAll(async () => {
    dir = await makeReadyDataDir();
    receiver = await WebhookReceiver.start(DEMO_TOKEN);
    product = await startProduct({ dataDir: dir.path });
  }, 90_000);

  afterAll(async () => {
    await product?.stop();
    await receiver?.stop();
    await dir?.remove();
  }, 60_000);

  it('loses nothing, charges once, calls back, and gives nothing to a carrier twice', async () => {
    const traffic = new Traffic({
      url: () => product.url,
      callbackUrl: `${receiver.url}/callback`,
      clients: 8,
    });
    traffic.start();
    for (let kill = 1; kill <= KILLS; kill++) {
      const goal = traffic.accepted + PER_ROUND;
      await eventually(() => traffic.accepted >= goal, { timeoutMs: 60_000, what: `round ${kill} has its load` });
      await product.killEverything();
      product = await startProduct({ dataDir: dir.path });
    }
    await traffic.stop();
    expect(traffic.orders.length).toBeGreaterThanOrEqual(KILLS * PER_ROUND);
    const messages = await everythingIsFinal(product, traffic);
    // One order, one message: however often it was repeated, through whatever death.
    for (const order of traffic.orders) {
      expect([order.key, order.sids.size]).toEqual([order.key, 1]);
      expect(messages.filter((message) => message.to === order.to).map((message) => message.sid)).toEqual([
        ...order.sids,
      ]);
    }
    expect(messages).toHaveLength(traffic.orders.length);
    const given = await product.givenToCarriers();
    for (const message of messages) {
      const times = given.get(message.to) ?? 0;
      const unknown = message.status === 'failed' && message.error_code === 30008;
      expect([message.sid, message.status, times <= 1]).toEqual([message.sid, message.status, true]);
      if (!unknown) expect([message.sid, message.status, times]).toEqual([message.sid, message.status, 1]);
    }
    await eventually(() => messages.every((message) => receiver.statusesOf(message.sid).includes(message.status)), {
      timeoutMs: 120_000,
      everyMs: 500,
      what: 'every final state is called back',
    });
    for (const message of messages) {
      const statuses = receiver.statusesOf(message.sid);
      expect([message.sid, statuses]).toEqual([
        message.sid,
        message.status === 'failed' ? ['failed'] : ['sent', message.status],
      ]);
    }
    expect(receiver.received.every((callback) => callback.signatureValid)).toBe(true);
    expect(await product.audited()).toMatchObject({ ok: true, violations: [] });
  }, 420_000);
});

async function everythingIsFinal(product: Product, traffic: Traffic): Promise<ListedMessage[]> {
  return eventually(
    async () => {
      const messages = await messagesOf(product.url);
      const areFinal = messages.every(isFinal);
      return messages.length >= traffic.orders.length && areFinal && messages;
    },
    { timeoutMs: 120_000, everyMs: 1_000, what: 'every message is final' },
  ) as Promise<ListedMessage[]>;
}
