import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import {
  asSuperuser,
  MODULE,
  openBus,
  openHouse,
  recorder,
  type TestHouse,
} from '../platform/event-log/event-log.test-support.js';
import { EVENT_PARTITION_ROWS, ensurePartitions } from '../platform/postgres/partitions.js';
import { dropOldPartitions } from './partition-upkeep.js';

const CONSUMER = `${MODULE}.slow-hearer`;
const logger = { info: () => undefined };

let database: TestDatabase;
let house: TestHouse;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  house = openHouse(database.url);
  await sql(
    `insert into ${MODULE}.event (position, stream_id, version, type, occurred_at, data)
      values (5, gen_random_uuid(), 1, 't', now() - interval '100 days', '{}')`,
  );
  await sql(`update ${MODULE}.event_head set position = ${EVENT_PARTITION_ROWS + 10}`);
  await ensurePartitions(database.url, MODULE, Date.now());
  await house.store.declare(CONSUMER, MODULE);
});

afterAll(async () => {
  await house?.db.close();
  await database?.stop();
});

const sql = (text: string) => asSuperuser(database.url, (client) => client.query(text));

async function isThere(): Promise<boolean> {
  await dropOldPartitions(openBus(house, [recorder(CONSUMER)]), logger);
  const { rows } = await sql(`select to_regclass('${MODULE}.event_0') as found`);
  return rows[0].found !== null;
}

describe('a block of old events', () => {
  it('stays while a consumer has not passed it, or holds an event of it that is parked, and goes then', async () => {
    expect(await isThere()).toBe(true);
    await sql(`update ${MODULE}.consumer set position = ${EVENT_PARTITION_ROWS + 1}`);
    await sql(
      `insert into ${MODULE}.parked_event (consumer, position, stream_id, state, attempts, next_attempt_at)
        values ('${CONSUMER}', 5, gen_random_uuid(), 'parked', 5, now())`,
    );
    expect(await isThere()).toBe(true);
    await sql(`delete from ${MODULE}.parked_event`);
    expect(await isThere()).toBe(false);
  });
});
