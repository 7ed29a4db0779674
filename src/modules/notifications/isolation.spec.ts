import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import {
  answerSometime,
  type Change,
  type Customer,
  Endpoint,
  eventsOf,
  type NotificationsProcess,
  startNotifications,
} from '../../../test/support/notifications.js';
import { withClient } from '../../../test/support/with-client.js';
import { hasRedisServer, RedisServer } from '../../platform/queues/redis-server.test-support.js';
import { newId, parseSid, sidOf } from '../../shared/sid.js';
import { messageDelivered, messageSent } from '../messaging/contract/messaging.events.js';
import { Courier } from './application/courier.js';
import type { Delivery } from './domain/delivery.js';
import { DeliveriesRepository } from './infrastructure/deliveries.repository.js';
import { NotificationsDatabase } from './infrastructure/notifications.storage.js';

const SENT = { definition: messageSent, data: { carrier: 'one' } };
const DELIVERED = { definition: messageDelivered, data: { carrier: 'one', doneDate: '2611201314' } };

/** What an endpoint that has not answered yet may have under way. */
const TRIALS = 4;

let database: TestDatabase;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(() => database?.stop());

async function start(options: Parameters<typeof startNotifications>[1] = {}): Promise<NotificationsProcess> {
  const running = await startNotifications(database, options);
  closers.push(() => running.stop());
  return running;
}

async function listen(customer: Customer): Promise<Endpoint> {
  const endpoint = await Endpoint.start(customer.authToken);
  closers.push(() => endpoint.stop());
  return endpoint;
}

function publish(
  running: NotificationsProcess,
  customer: Customer,
  url: string,
  count: number,
  changes: readonly Change[] = [SENT],
) {
  return running.messaging.append(
    Array.from({ length: count }, () => eventsOf(newId(), customer, url, changes)).flat(),
  );
}

async function states(accountSid: string): Promise<Record<string, number>> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query<{ state: string; count: number }>(
      'select state, count(*)::int as count from notifications.delivery where account_id = $1 group by 1',
      [parseSid('AC', accountSid)],
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.count]));
  });
}

describe('endpoints', () => {
  it('that hang, of however many customers, do not hold up the first attempt at one that is well', async () => {
    const running = await start();
    const hanging = await listen(await running.openCustomer());
    hanging.answer = () => undefined;
    const customers = await Promise.all(Array.from({ length: 200 }, () => running.openCustomer()));
    const busy = await running.openCustomer();
    const well = await listen(busy);
    const told = (customer: Customer) => eventsOf(newId(), customer, hanging.url, [SENT]);
    await running.messaging.append(customers.flatMap((customer) => [1, 2, 3, 4, 5].flatMap(() => told(customer))));
    await eventually(() => new Set(hanging.calls.map(({ params }) => params.AccountSid)).size === customers.length);
    await publish(running, busy, well.url, 300);
    await eventually(() => well.calls.length > 0);
    // It did not wait for a place: as many as before are under way.
    expect(running.app.get(Courier).load.active).toBeGreaterThanOrEqual(customers.length);
    await eventually(() => well.calls.length === 300);
    hanging.answer = (_call, response) => response.writeHead(200).end();
    hanging.hangUp();
  }, 90_000);

  it('that hang take their share of their own customer’s places', async () => {
    const running = await start();
    const customer = await running.openCustomer();
    const hanging = await Promise.all(Array.from({ length: 6 }, () => listen(customer)));
    for (const endpoint of hanging) {
      endpoint.answer = () => undefined;
      await publish(running, customer, endpoint.url, 100);
    }
    await eventually(() => hanging.every((endpoint) => endpoint.calls.length === TRIALS));
    const well = await listen(customer);
    await publish(running, customer, well.url, 300);
    await eventually(() => well.calls.length === 300);
    expect(hanging.map((endpoint) => endpoint.calls.length)).toEqual(hanging.map(() => TRIALS));
    for (const endpoint of hanging) endpoint.hangUp();
  });

  it('of one host have connections of their own, customer by customer', async () => {
    const running = await start();
    const [hanging, well] = [await running.openCustomer(), await running.openCustomer()];
    const host = await listen(well);
    host.answer = (_call, response) => response.writeHead(200).end();
    await publish(running, hanging, `${host.url}/other`, 500);
    await eventually(() => host.calls.length > 0);
    host.answer = (call, response) => call.path === '/good' && response.writeHead(200).end();
    await publish(running, hanging, `${host.url}/other`, 500);
    await publish(running, well, `${host.url}/good`, 100);
    await eventually(() => host.calls.filter(({ path }) => path === '/good').length === 100);
    host.hangUp();
  });

  it('of one host are not judged by what it answers to others', async () => {
    const running = await start({ waitsMs: [60_000] });
    const [failing, well] = [await running.openCustomer(), await running.openCustomer()];
    const host = await listen(well);
    host.answer = (call, response) => response.writeHead(call.path === '/bad' ? 500 : 200).end();
    await publish(running, failing, `${host.url}/bad`, 200);
    await eventually(async () => (await states(failing.accountSid)).pending === 200);
    await publish(running, well, `${host.url}/good`, 200);
    await eventually(async () => (await states(well.accountSid)).delivered === 200);
    const calls = host.calls.filter((call) => call.path === '/bad').length;
    expect(calls).toBeLessThanOrEqual(64);
  });

  it('that are slower than what comes in, which is more than the process holds, get all of it in the end, in order and once', async () => {
    const running = await start();
    const customer = await running.openCustomer();
    const endpoint = await listen(customer);
    endpoint.answer = answerSometime;
    const ids = Array.from({ length: 1_500 }, () => newId());
    for (let at = 0; at < ids.length; at += 500) {
      const some = ids.slice(at, at + 500);
      await running.messaging.append(some.flatMap((id) => eventsOf(id, customer, endpoint.url, [SENT])));
      await running.messaging.append(some.flatMap((id) => eventsOf(id, customer, endpoint.url, [DELIVERED], 3)));
    }
    await eventually(async () => (await states(customer.accountSid)).delivered === 3_000, { timeoutMs: 90_000 });
    const told = new Map(ids.map((id) => [sidOf('SM', id), [] as string[]]));
    for (const { params } of endpoint.calls) told.get(params.MessageSid!)!.push(params.MessageStatus!);
    expect([...told.values()].filter((statuses) => statuses.join() !== 'sent,delivered')).toEqual([]);
  }, 120_000);
});

describe('a process', () => {
  const deliveryOf = (customer: Customer, url: string, version: number, messageId = newId()): Delivery => ({
    accountId: parseSid('AC', customer.accountSid)!,
    messageId,
    version,
    url,
    attempts: 0,
    traceparent: null,
    callback: {
      messageSid: sidOf('SM', messageId),
      accountSid: customer.accountSid,
      status: `version ${version}`,
      from: '+15005550006',
      to: '+15551234567',
      serviceSid: null,
      errorCode: null,
      doneDate: null,
    },
  });

  it('that dies leaves its deliveries to the next, when they are no longer its own', async () => {
    const first = await start({ roles: ['api'] });
    const customer = await first.openCustomer();
    const endpoint = await listen(customer);
    const messages = Array.from({ length: 50 }, () => newId());
    const deliveries = messages.flatMap((id) =>
      [2, 3].map((version) => deliveryOf(customer, endpoint.url, version, id)),
    );
    // What a process has written when it is killed before its first attempt.
    await first.app.get(NotificationsDatabase).transaction((tx) =>
      first.app.get(DeliveriesRepository).insert(
        tx,
        deliveries,
        deliveries.map(() => ({ isTaken: true, waitMs: 500, waitsFor: null })),
      ),
    );
    expect(endpoint.calls).toHaveLength(0);
    await start();
    await eventually(async () => (await states(customer.accountSid)).delivered === 100);
    for (const id of messages) expect(endpoint.statusesOf(sidOf('SM', id))).toEqual(['version 2', 'version 3']);
  });

  it('that stops finishes what it has begun, and gives away the rest', async () => {
    const first = await startNotifications(database);
    const customer = await first.openCustomer();
    const endpoint = await listen(customer);
    const held: (() => void)[] = [];
    endpoint.answer = (_call, response) => held.push(() => response.writeHead(200).end());
    await publish(first, customer, endpoint.url, 100);
    await eventually(() => held.length === TRIALS);
    const stopped = first.app.get(Courier).stop();
    for (const answer of held) answer();
    await stopped;
    await first.stop();
    expect(endpoint.calls).toHaveLength(TRIALS);
    expect(await states(customer.accountSid)).toEqual({ delivered: TRIALS, pending: 100 - TRIALS });
    endpoint.answer = answerSometime;
    await start();
    await eventually(async () => (await states(customer.accountSid)).delivered === 100);
    expect(endpoint.calls).toHaveLength(100);
  });

  it('that stops does not wait for an endpoint that hangs, nor hold that attempt against the delivery', async () => {
    const first = await startNotifications(database);
    const customer = await first.openCustomer();
    const endpoint = await listen(customer);
    endpoint.answer = () => undefined;
    const sid = await first.messaging.change(customer, endpoint.url, [SENT, DELIVERED]);
    await eventually(() => endpoint.calls.length === 1);
    await first.stop();
    const { rows } = await withClient(database.url, (client) =>
      client.query(
        `select state, attempts, last_error, next_attempt_at <= clock_timestamp() as is_due
          from notifications.delivery where message_id = $1 order by version limit 1`,
        [parseSid('SM', sid)],
      ),
    );
    expect(rows).toEqual([{ state: 'pending', attempts: 0, last_error: null, is_due: true }]);
    endpoint.answer = answerSometime;
    await start();
    await eventually(() => endpoint.statusesOf(sid).length === 3);
    expect(endpoint.statusesOf(sid)).toEqual(['sent', 'sent', 'delivered']);
  });

  it('beside another attempts nothing twice', async () => {
    const [first] = [await start(), await start()];
    const customer = await first.openCustomer();
    const endpoint = await listen(customer);
    const flaky = new Set<string>();
    endpoint.answer = (call, response) => {
      const token = String(call.headers['i-twilio-idempotency-token']);
      const isFirst = !flaky.has(token);
      flaky.add(token);
      // Every fifth fails once; never so many that the breaker takes offence.
      response.writeHead(isFirst && flaky.size % 5 === 0 ? 500 : 200).end();
    };
    await publish(first, customer, endpoint.url, 200, [SENT, DELIVERED]);
    await eventually(async () => (await states(customer.accountSid)).delivered === 400);
    expect(endpoint.calls).toHaveLength(400 + 80);
  });
});

if (hasRedisServer()) {
  describe('retries with Redis', () => {
    it('come while it is gone, and after it is back', async () => {
      const redis = await RedisServer.start();
      closers.push(() => redis.stop());
      const running = await start({ redisUrl: redis.url, waitsMs: [200, 200, 200, 200] });
      const customer = await running.openCustomer();
      const endpoint = await listen(customer);
      const failOnce = () => {
        const failed = new Set<string>();
        endpoint.answer = (call, response) => {
          const sid = call.params.MessageSid!;
          response.writeHead(failed.has(sid) ? 200 : 500).end();
          failed.add(sid);
        };
      };
      const round = async () => {
        failOnce();
        const sid = await running.messaging.change(customer, endpoint.url, [SENT, DELIVERED]);
        await eventually(() => endpoint.statusesOf(sid).length === 3);
        expect(endpoint.statusesOf(sid)).toEqual(['sent', 'sent', 'delivered']);
      };
      await round();
      await redis.kill();
      await round();
      await redis.resume();
      await round();
      expect(await states(customer.accountSid)).toEqual({ delivered: 6 });
    });
  });
} else {
  console.warn('redis-server is not installed: retries are tested with the queue on PostgreSQL alone');
}
