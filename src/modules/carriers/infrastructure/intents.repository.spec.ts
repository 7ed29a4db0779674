import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { withClient } from '../../../../test/support/with-client.js';
import { ModuleDatabase } from '../../../platform/postgres/database.js';
import { ensurePartitions } from '../../../platform/postgres/partitions.js';
import { newId } from '../../../shared/sid.js';
import { BindsLeaseRepository, type HeldLease } from './binds-lease.repository.js';
import type { CarriersDatabase } from './carriers.storage.js';
import { IntentsRepository } from './intents.repository.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const WEEKS = 3;
const ANSWERED = 30_000;
const ACCOUNT = newId();
const LEASE_MS = 3_600_000;
const WORKERS = 2;
const ROUNDS = 60;

let database: TestDatabase;
let db: CarriersDatabase;
let intents: IntentsRepository;
let leases: BindsLeaseRepository;
let lease: HeldLease;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  await ensurePartitions(database.url, 'carriers', Date.now() - WEEK_MS);
  db = new ModuleDatabase({ module: 'carriers', connectionString: database.url }) as CarriersDatabase;
  // As many as make it worth while to look each key up in its partition.
  await withClient(database.url, async (client) => {
    const step = Math.floor(((WEEKS - 1) * WEEK_MS) / ANSWERED);
    await client.query(
      `insert into carriers.submission (key, account_id, carrier, outcome, segments, destination)
        select (lpad(to_hex($1::bigint - g * $2::bigint), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid, $3, 'one',
          'accepted', 1, '+1' from generate_series(1, ${ANSWERED}) g`,
      [Date.now(), step, ACCOUNT],
    );
    await client.query('analyze carriers.submission');
  });
  intents = new IntentsRepository(db);
  leases = new BindsLeaseRepository(db);
  lease = (await leases.acquire(newId(), LEASE_MS))!;
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

const anyTime = () => newId(Date.now() - Math.floor(Math.random() * WEEKS) * WEEK_MS);
const shuffled = <T>(items: readonly T[]) => [...items].sort(() => Math.random() - 0.5);

it('takes exactly the keys without an answer while the lease is renewed beside it', async () => {
  const { rows } = await db.control.query<{ key: string }>(
    'select key from carriers.submission order by random() limit 500',
  );
  const answered = rows.map((row) => row.key);
  let working = WORKERS;
  const renew = async () => {
    while (working > 0) expect(await leases.renew(lease, LEASE_MS)).toBe(true);
  };
  const work = async () => {
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const fresh = Array.from({ length: 20 }, anyTime);
        const items = shuffled([...fresh, ...shuffled(answered).slice(0, 40)]).map((key) => ({
          key,
          accountId: ACCOUNT,
          carrier: 'one',
          destination: '+1',
          retryUnknown: false,
          segments: 1,
        }));
        const id = newId();
        expect([...(await intents.intend(lease, id, items))].sort()).toEqual([...fresh].sort());
        await intents.close(lease, [id]);
      }
    } finally {
      working--;
    }
  };
  await Promise.all([work(), work(), renew(), renew()]);
});
