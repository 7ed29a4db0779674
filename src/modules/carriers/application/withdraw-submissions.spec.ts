import { randomInt } from 'node:crypto';
import { addSimulated, CarriersWorker, SimulatedCarriers, submissions } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid } from '../../../shared/sid.js';
import { IntentsRepository } from '../infrastructure/intents.repository.js';
import { until } from '../infrastructure/smpp/test-support/until.js';

const ROUNDS = 60;
const PER_ROUND = 20;
const DAY_MS = 24 * 3_600_000;

let database: TestDatabase;
let simulated: SimulatedCarriers;
let worker: CarriersWorker;
/** Another process, which holds no binds. */
let elsewhere: CarriersWorker;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  simulated = new SimulatedCarriers();
  worker = new CarriersWorker(database.url);
  elsewhere = new CarriersWorker(database.url);
  await addSimulated(worker, 'only', await simulated.start('only'), { window: 200 });
  worker.owner.start();
  await worker.bound('only');
});

afterAll(async () => {
  await worker?.owner.stop();
  await worker?.close();
  await elsewhere?.close();
  await simulated?.stop();
  await database?.stop();
});

const idOf = (key: string) => parseSid('SM', key)!;

/** Resolves when a statement that holds this text waits for a lock. */
function waitsForLock(text: string): Promise<void> {
  return withClient(database.url, (client) =>
    until(`a statement with ${text} waits`, async () => {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where pid <> pg_backend_pid() and wait_event_type = 'Lock' and strpos(query, $1) > 0`,
        [text],
      );
      return rowCount! > 0;
    }),
  );
}

it('races with the hand-over, and each key is either withdrawn or given to a carrier', async () => {
  let withdrawn = 0;
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const items = submissions(PER_ROUND);
    const keys = items.map(({ key }) => key);
    const half = randomInt(PER_ROUND);
    const [, early, late] = await Promise.all([
      worker.send(items),
      elsewhere.api.withdraw(keys.slice(0, half)),
      worker.api.withdraw(keys.slice(half)),
    ]);
    const isWithdrawn = [...early, ...late];
    const others = items.filter((_, index) => !isWithdrawn[index]);
    await worker.told(others, 'answered accepted');
    expect(simulated.given('only', items)).toEqual(isWithdrawn.map((is) => (is ? 0 : 1)));
    expect(await elsewhere.api.withdraw(keys)).toEqual(isWithdrawn);
    withdrawn += keys.length - others.length;
    sent += others.length;
  }
  // Otherwise it was no race.
  expect(Math.min(withdrawn, sent)).toBeGreaterThan(0);
});

it('is seen by an intent that began before it and waited for it', async () => {
  const [first, second] = submissions(2);
  const lease = (await worker.db.query<{ owner: string; epoch: string }>('select owner, epoch from carriers.lease'))
    .rows[0]!;
  const intents = new IntentsRepository(worker.db);
  await withClient(database.url, async (client) => {
    await client.query('begin');
    await client.query('select carriers.withdraw(array[$1::uuid])', [idOf(first!.key)]);
    // Its snapshot is older than the commit of the withdrawal, its lock is younger.
    const intending = intents.intend(
      { owner: lease.owner, epoch: Number(lease.epoch) },
      newId(),
      [first!, second!].map(({ key, accountSid, to }) => ({
        key: idOf(key),
        accountId: parseSid('AC', accountSid)!,
        carrier: 'only',
        destination: to,
        retryUnknown: false,
        segments: 1,
      })),
    );
    await waitsForLock('steady');
    await client.query('commit');
    expect([...(await intending)].map(String)).toEqual([idOf(second!.key)]);
  });
});

it('sees an intent that it had to wait for', async () => {
  const [item] = submissions(1);
  await withClient(database.url, async (client) => {
    await client.query('begin');
    await client.query(`select from carriers.lease where name = 'binds' for share`);
    await client.query(
      `insert into carriers.intent (id, epoch, keys, carriers, destinations, account_ids, retry_unknown, segments)
        values ($1, 0, array[$2::uuid], '{only}', '{+15555550100}', array[$3::uuid], '{false}', '{1}')`,
      [newId(), idOf(item!.key), parseSid('AC', item!.accountSid)],
    );
    const withdrawing = elsewhere.api.withdraw([item!.key]);
    await waitsForLock('withdraw(');
    await client.query('commit');
    expect(await withdrawing).toEqual([false]);
    await client.query('delete from carriers.intent where $1 = any(keys)', [idOf(item!.key)]);
  });
});

it('works before any worker has ever held the binds', async () => {
  const fresh = await startTestDatabase(['carriers']);
  const alone = new CarriersWorker(fresh.url);
  try {
    const keys = submissions(2).map(({ key }) => key);
    expect(await alone.api.withdraw(keys)).toEqual([true, true]);
    expect(await alone.leases.acquire(newId(), 1000)).toMatchObject({ epoch: 1 });
  } finally {
    await alone.close();
    await fresh.stop();
  }
});

it('forgets in bounded steps what nobody can have waiting any more', async () => {
  const old = Array.from({ length: 5 }, () => newId(Date.now() - 41 * DAY_MS));
  await worker.db.query('insert into carriers.withdrawn select unnest($1::uuid[])', [old]);
  const left = async () => {
    const { rows } = await worker.db.query<{ count: number }>(
      'select count(*)::int as count from carriers.withdrawn where key = any($1::uuid[])',
      [old],
    );
    return rows[0]!.count;
  };
  const [item] = submissions(1);
  await worker.api.withdraw([item!.key]);
  expect(await left()).toBe(3);
  await worker.api.withdraw(submissions(2).map(({ key }) => key));
  expect(await left()).toBe(0);
  expect(await worker.api.withdraw([item!.key])).toEqual([true]);
});
