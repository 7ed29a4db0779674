import request from 'supertest';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import {
  type Customer,
  type NotificationsProcess,
  startNotifications,
} from '../../../../test/support/notifications.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';

let database: TestDatabase;
let running: NotificationsProcess;
let customer: Customer;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  // Nobody attempts anything here: what is replayed stays pending.
  running = await startNotifications(database, { roles: ['api'] });
});

beforeEach(async () => {
  customer = await running.openCustomer();
});

afterAll(async () => {
  await running?.stop();
  await database?.stop();
});

const PATH = '/v1/webhook-deliveries';
const get = (query: string, as = customer) =>
  request(running.app.getHttpServer()).get(`${PATH}${query}`).auth(as.accountSid, as.authToken);
const post = (path: string, body: object | undefined, as = customer) =>
  request(running.app.getHttpServer()).post(`${PATH}${path}`).auth(as.accountSid, as.authToken).send(body);

/** Writes deliveries as they would stand after a while, oldest first; returns their ids. */
async function written(states: readonly string[], owner = customer, createdAt = new Date()): Promise<string[]> {
  const ids = states.map(() => newId());
  await withClient(database.url, (client) =>
    client.query(
      `insert into notifications.delivery (account_id, message_id, version, state, url, params, attempts, next_attempt_at,
          last_status, last_error, created_at)
        select $1, i.message_id, 2, i.state, 'https://example.com/hook', '{"status": "sent"}', 7, clock_timestamp() + '1 hour',
          500, 'HTTP 500', $4 from unnest($2::uuid[], $3::text[]) as i(message_id, state)`,
      [parseSid('AC', owner.accountSid), ids, states, createdAt],
    ),
  );
  return ids.map((id) => `${sidOf('SM', id)}-2`);
}

describe('GET /v1/webhook-deliveries', () => {
  it("shows the account's deliveries, those of the newest messages first", async () => {
    const ids = await written(['delivered', 'dead', 'pending', 'skipped']);
    await written(['dead'], await running.openCustomer());
    const { body } = await get('').expect(200);
    expect(body).toMatchObject({ has_more: false, next_cursor: null });
    expect(body.data.map((delivery: { id: string }) => delivery.id)).toEqual([...ids].reverse());
    expect(body.data[2]).toEqual({
      id: ids[1],
      message_sid: ids[1]!.slice(0, 34),
      message_status: 'sent',
      state: 'dead',
      url: 'https://example.com/hook',
      attempts: 7,
      next_attempt_at: null,
      last_status: 500,
      last_error: 'HTTP 500',
      created_at: expect.stringMatching(/^\d{4}-/),
      updated_at: expect.stringMatching(/^\d{4}-/),
    });
    expect(body.data[1].next_attempt_at).toMatch(/^\d{4}-/);
  });

  it.each(['pending', 'delivered', 'dead', 'skipped'])('filters by the state %s', async (state) => {
    const states = ['delivered', 'dead', 'pending', 'skipped'];
    const ids = await written(states);
    const { body } = await get(`?state=${state}`).expect(200);
    expect(body.data.map((delivery: { id: string }) => delivery.id)).toEqual([ids[states.indexOf(state)]]);
  });

  it('goes on from page to page', async () => {
    const ids = await written(Array(5).fill('delivered'));
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page++) {
      const { body } = await get(`?limit=2${cursor}`).expect(200);
      seen.push(...body.data.map((delivery: { id: string }) => delivery.id));
      cursor = `&cursor=${body.next_cursor}`;
      expect(body.has_more).toBe(page < 2);
    }
    expect(seen).toEqual([...ids].reverse());
  });

  it.each([
    ['state=lost', 'state'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['cursor=x', 'cursor'],
    [`cursor=${Buffer.from('["a",1]').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from(`["${newId()}",1.5]`).toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from(`["${newId()}",99999999999]`).toString('base64url')}`, 'cursor'],
  ])('refuses %s', async (query, field) => {
    const { body } = await get(`?${query}`).expect(400);
    expect(body.errors[0].field).toBe(field);
  });
});

describe('POST /v1/webhook-deliveries/{id}/replay', () => {
  it.each(['dead', 'skipped', 'delivered'])('lets a %s delivery be attempted from the beginning', async (state) => {
    const [id] = await written([state]);
    const { body } = await post(`/${id}/replay`, undefined).expect(202);
    expect(body).toMatchObject({ id, state: 'pending', attempts: 0 });
    expect((await get('?state=pending')).body.data).toHaveLength(1);
  });

  it('is a conflict while the delivery is pending', async () => {
    const [id] = await written(['pending']);
    await post(`/${id}/replay`, {}).expect(409);
  });

  it("does not know another account's delivery, nor what is none", async () => {
    const [foreign] = await written(['dead'], await running.openCustomer());
    for (const id of [
      foreign,
      `SM${'0'.repeat(32)}-2`,
      'SM1-2',
      'x',
      `${foreign}-2`,
      `SM${'0'.repeat(32)}-99999999999`,
    ]) {
      await post(`/${id}/replay`, {}).expect(404);
    }
  });
});

describe('POST /v1/webhook-deliveries/replay', () => {
  it('lets all dead deliveries of the account go', async () => {
    const ids = await written(['dead', 'delivered', 'dead', 'skipped', 'pending']);
    await written(['dead'], await running.openCustomer());
    expect((await post('/replay', undefined).expect(202)).body).toEqual({ queued: 2, has_more: false });
    expect((await post('/replay', {})).body).toEqual({ queued: 0, has_more: false });
    const { body } = await get('?state=pending');
    expect(body.data.map((delivery: { id: string }) => delivery.id)).toEqual([ids[4], ids[2], ids[0]]);
    expect((await post('/replay', { state: 'skipped' })).body).toEqual({ queued: 1, has_more: false });
  });

  it('lets go what matches', async () => {
    const [id] = await written(['dead', 'dead']);
    expect((await post('/replay', { message_sid: id!.slice(0, 34) })).body).toEqual({ queued: 1, has_more: false });
    const day = (offset: number) => new Date(Date.UTC(2026, 0, 10 + offset)).toISOString();
    await written(['dead'], customer, new Date(day(0)));
    expect((await post('/replay', { created_before: day(0) })).body.queued).toBe(0);
    expect((await post('/replay', { created_after: day(1), created_before: day(2) })).body.queued).toBe(0);
    expect((await post('/replay', { created_after: day(0), created_before: day(1) })).body.queued).toBe(1);
    expect((await post('/replay', { created_after: day(1) })).body.queued).toBe(1);
  });

  it('goes on where it stopped when there are many', async () => {
    await written(Array(1_200).fill('dead'));
    expect((await post('/replay', {})).body).toEqual({ queued: 1_000, has_more: true });
    expect((await post('/replay', {})).body).toEqual({ queued: 200, has_more: false });
  });

  it.each([
    [{ message_sid: 'SM1' }, 'message_sid'],
    [{ created_after: 'yesterday' }, 'created_after'],
    [{ created_before: '2026-13-01T00:00:00Z' }, 'created_before'],
    [{ state: 'delivered' }, 'state'],
    [{ account_sid: 'AC' }, 'account_sid'],
  ])('refuses %j', async (body, field) => {
    const answer = await post('/replay', body).expect(400);
    expect(answer.body.errors[0].field).toBe(field);
  });
});
