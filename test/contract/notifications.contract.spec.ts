import { NotificationsApi, notificationsContract } from '../../src/modules/notifications/contract/notifications.api.js';
import { idFloor, newId, sidOf } from '../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { type NotificationsProcess, startNotifications } from '../support/notifications.js';
import { withClient } from '../support/with-client.js';
import { WAYS } from './over-the-wire.js';

const BUCKET_MS = 60_000;

interface Written {
  readonly messageId: string;
  readonly version: number;
  readonly state?: string;
  readonly overdueMs?: number;
}

let database: TestDatabase;
let running: NotificationsProcess;
/** Each test has an hour of its own, so that none sees another's deliveries. */
let hourMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  running = await startNotifications(database, { roles: ['api'] });
});

beforeEach(() => {
  hourMs += 3_600_000;
});

afterAll(async () => {
  await running?.stop();
  await database?.stop();
});

const instant = (offsetMs: number) => new Date(hourMs + offsetMs).toISOString();
const range = () => ({ from: instant(0), to: instant(3_600_000) });
const messageAt = (offsetMs: number) => newId(hourMs + offsetMs);
const idOf = ({ messageId, version }: Written) => `${sidOf('SM', messageId)}-${version}`;

async function write(deliveries: readonly Written[]): Promise<void> {
  await withClient(database.url, async (client) => {
    for (const { messageId, version, state = 'delivered', overdueMs = 0 } of deliveries) {
      await client.query(
        `insert into notifications.delivery
            (account_id, message_id, version, state, url, params, attempts, next_attempt_at, last_error)
          values ($1, $2, $3, $4, 'https://example.com/', '{"status": "sent"}', 3,
            clock_timestamp() - $5 * interval '1 ms', 'HTTP 500')`,
        [newId(), messageId, version, state, overdueMs],
      );
    }
  });
}

describe.each(WAYS)('NotificationsApi %s', (_, reach) => {
  let notifications: NotificationsApi;

  beforeAll(() => {
    notifications = reach<NotificationsApi>(running.app.get(NotificationsApi), notificationsContract);
  });

  describe('digest', () => {
    const digest = () => notifications.digest({ ...range(), bucketMs: BUCKET_MS });

    it('counts the deliveries of each bucket that has any', async () => {
      const message = messageAt(0);
      await write([
        { messageId: message, version: 2 },
        { messageId: message, version: 3 },
        { messageId: messageAt(BUCKET_MS - 1), version: 2 },
        { messageId: messageAt(5 * BUCKET_MS), version: 2 },
        // Of the next hour.
        { messageId: messageAt(60 * BUCKET_MS), version: 2 },
      ]);
      expect(await digest()).toEqual([
        { from: instant(0), count: 3, hash: expect.stringMatching(/^-?\d+$/), overdue: 0 },
        { from: instant(5 * BUCKET_MS), count: 1, hash: expect.any(String), overdue: 0 },
      ]);
      hourMs += 3_600_000;
    });

    it('tells other deliveries by another hash, whatever their state', async () => {
      const message = messageAt(0);
      await write([{ messageId: message, version: 2, state: 'pending' }]);
      const before = (await digest())[0]!.hash;
      await withClient(database.url, (client) =>
        client.query(`update notifications.delivery set state = 'dead' where message_id = $1`, [message]),
      );
      expect((await digest())[0]!.hash).toBe(before);
      await withClient(database.url, async (client) => {
        const { rows } = await client.query<{ hash: string }>(
          `select hashtextextended($1::uuid::text || ':' || 2, 0)::text as hash`,
          [message],
        );
        expect(before).toBe(rows[0]!.hash);
        await client.query('update notifications.delivery set version = 3 where message_id = $1', [message]);
      });
      expect((await digest())[0]!.hash).not.toBe(before);
    });

    it('counts what is long overdue', async () => {
      await write([
        { messageId: messageAt(0), version: 2, state: 'pending', overdueMs: 600_000 },
        { messageId: messageAt(0), version: 3, state: 'delivered', overdueMs: 600_000 },
      ]);
      expect((await digest()).map(({ count, overdue }) => [count, overdue])).toEqual([[2, 1]]);
      hourMs += 3_600_000;
    });

    it('is empty where there is nothing', async () => {
      expect(await digest()).toEqual([]);
    });
  });

  describe('listDeliveries', () => {
    it('names the versions of each message, and those that are forgotten', async () => {
      const [one, two] = [messageAt(0), messageAt(1_000)];
      await write([
        { messageId: one, version: 3, state: 'dead', overdueMs: 600_000 },
        { messageId: one, version: 2, state: 'delivered', overdueMs: 600_000 },
        { messageId: two, version: 2, state: 'pending', overdueMs: 600_000 },
        { messageId: two, version: 3, state: 'pending' },
      ]);
      expect(await notifications.listDeliveries({ ...range(), after: null, limit: 10 })).toEqual([
        { messageSid: sidOf('SM', one), versions: [2, 3], overdueVersions: [] },
        { messageSid: sidOf('SM', two), versions: [2, 3], overdueVersions: [2] },
      ]);
    });

    it('goes on after a message', async () => {
      const messages = [0, 1, 2, 3, 4].map((offset) => messageAt(offset * 1_000));
      await write(messages.map((messageId) => ({ messageId, version: 2 })));
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const page = await notifications.listDeliveries({ ...range(), after, limit: 2 });
        seen.push(...page.map(({ messageSid }) => messageSid));
        if (page.length < 2) break;
        after = page.at(-1)!.messageSid;
      }
      expect(seen).toEqual(messages.map((id) => sidOf('SM', id)));
    });
  });

  describe('dead deliveries', () => {
    const dead = async (after: string | null = null, limit = 1_000) =>
      (await notifications.listDead({ after, limit })).filter(
        ({ messageSid }) => messageSid >= sidOf('SM', idFloor(hourMs)),
      );

    it('of all customers are listed in the order of their messages', async () => {
      const deliveries = [0, 1, 2].map((offset) => ({ messageId: messageAt(offset), version: 2, state: 'dead' }));
      await write([...deliveries, { messageId: messageAt(3), version: 2, state: 'skipped' }]);
      const [first, second, third] = deliveries.map(idOf);
      const listed = await dead();
      expect(listed.map(({ id }) => id)).toEqual([first, second, third]);
      expect(listed[0]).toEqual({
        id: first,
        messageSid: first!.slice(0, 34),
        reason: 'HTTP 500',
        attempts: 3,
        at: expect.any(String),
      });
      expect((await dead(first)).map(({ id }) => id)).toEqual([second, third]);
      expect((await dead(first, 1)).map(({ id }) => id)).toEqual([second]);
    });

    it('are tried again or dropped', async () => {
      const deliveries = [0, 1].map((offset) => ({ messageId: messageAt(offset), version: 2, state: 'dead' }));
      await write(deliveries);
      const api: NotificationsApi = running.app.get(NotificationsApi);
      const [retried, skipped] = deliveries.map(idOf) as [string, string];
      expect(await api.resolveDead({ id: retried, action: 'retry' })).toBe(true);
      // Asked twice, the second finds nothing left to do.
      expect(await notifications.resolveDead({ id: retried, action: 'retry' })).toBe(false);
      await notifications.resolveDead({ id: skipped, action: 'skip' });
      const rows = await withClient(database.url, async (client) => {
        const result = await client.query(
          `select state, attempts, next_attempt_at <= clock_timestamp() as is_due from notifications.delivery
            where message_id = any($1) order by message_id`,
          [deliveries.map(({ messageId }) => messageId)],
        );
        return result.rows;
      });
      expect(rows).toEqual([
        { state: 'pending', attempts: 0, is_due: true },
        { state: 'skipped', attempts: 3, is_due: true },
      ]);
      expect(await dead()).toEqual([]);
    });

    it.each(['SM1-2', `SM${'0'.repeat(32)}-2`, `SM${'0'.repeat(32)}-999999999`, 'x'])(
      'that %s names are none',
      async (id) => {
        expect(await notifications.resolveDead({ id, action: 'retry' })).toBe(false);
      },
    );
  });
});
