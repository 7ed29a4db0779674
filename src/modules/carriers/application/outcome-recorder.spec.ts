import { randomUUID } from 'node:crypto';
import { KeptLog } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId } from '../../../shared/sid.js';
import { CARRIERS_EVENTS } from '../contract/carriers.events.js';
import type { CarrierReceipt } from '../domain/carrier-connection.js';
import type { AnsweredSubmission, Intended } from '../domain/submission.js';
import { BindsLeaseRepository, BindsLost, type HeldLease } from '../infrastructure/binds-lease.repository.js';
import { CarriersDatabase, CarriersLog } from '../infrastructure/carriers.storage.js';
import { IntentsRepository } from '../infrastructure/intents.repository.js';
import { OutcomesRepository } from '../infrastructure/outcomes.repository.js';
import { WithdrawalsRepository } from '../infrastructure/withdrawals.repository.js';
import { OpenIntents } from './open-intents.js';
import { OutcomeRecorder } from './outcome-recorder.js';

const OWNER = randomUUID();
const ACCOUNT = newId();
const LEASE_MS = 600_000;

let database: TestDatabase;
let db: CarriersDatabase;
let log: CarriersLog;
let leases: BindsLeaseRepository;
let intents: IntentsRepository;
let outcomes: OutcomesRepository;
let lease: HeldLease;
let open: OpenIntents;
let recorder: OutcomeRecorder;
let lost: number;
let kept: KeptLog;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  db = new CarriersDatabase({ module: 'carriers', connectionString: database.url, onError: () => undefined });
  log = new CarriersLog(db, CARRIERS_EVENTS);
  leases = new BindsLeaseRepository(db);
  intents = new IntentsRepository(db);
  outcomes = new OutcomesRepository(db, log);
});

beforeEach(begin);

afterEach(() => recorder.close());

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

/** A new term. */
async function begin(): Promise<void> {
  lease = (await leases.acquire(OWNER, LEASE_MS))!;
  open = new OpenIntents();
  lost = 0;
  kept = new KeptLog();
  recorder = new OutcomeRecorder(lease, outcomes, open, kept, () => {
    lost++;
  });
  await recorder.start();
}

let numbers = 0;

async function intend(count: number, over: Partial<Intended> = {}): Promise<{ id: string; items: Intended[] }> {
  const id = newId();
  const items = Array.from({ length: count }, () => ({
    key: newId(),
    accountId: ACCOUNT,
    carrier: 'a',
    destination: `+1555${String(++numbers).padStart(7, '0')}`,
    retryUnknown: false,
    segments: 1,
    ...over,
  }));
  open.add(id, items);
  await intents.intend(lease, id, items);
  return { id, items };
}

function accepted(item: Intended, ...messageIds: string[]): AnsweredSubmission {
  return { ...item, outcome: 'accepted', errorCode: null, messageIds };
}

function receipt(item: Intended, messageId: string, over: Partial<CarrierReceipt> = {}): CarrierReceipt {
  const { carrier, destination: source } = item;
  return { carrier, messageId, source, state: 'delivered', errorCode: null, doneDate: null, ...over };
}

/** What the log says of a submission. */
async function story(item: Intended): Promise<string[]> {
  const events = await log.readStream(item.key);
  return events.map(({ type, data }) => {
    const { outcome, segment, state } = data as { outcome?: string; segment?: number; state?: string };
    return type === 'carriers.submission-answered.v1' ? `answered ${outcome}` : `receipt ${segment} ${state}`;
  });
}

async function orphans(): Promise<string[]> {
  const { rows } = await db.query<{ message_id: string }>(
    'select message_id from carriers.orphan_receipt order by message_id',
  );
  return rows.map((row) => row.message_id);
}

async function openIntents(): Promise<number> {
  const { rows } = await db.query<{ count: number }>('select count(*)::int as count from carriers.intent');
  return rows[0]!.count;
}

it('writes answers and receipts, in their order, and closes the intent with the last', async () => {
  const { id, items } = await intend(2);
  recorder.answered(id, accepted(items[0]!, 'w-1'));
  await recorder.receipt(receipt(items[0]!, 'w-1', { state: 'enroute' }));
  expect(await openIntents()).toBe(1);
  await recorder.receipt(receipt(items[0]!, 'w-1'));
  recorder.answered(id, { ...accepted(items[1]!), outcome: 'rejected', errorCode: 30005 });
  await recorder.drain();
  expect(await story(items[0]!)).toEqual(['answered accepted', 'receipt 1 enroute', 'receipt 1 delivered']);
  expect(await story(items[1]!)).toEqual(['answered rejected']);
  expect(await openIntents()).toBe(0);
  expect(open.size).toBe(0);
});

it('keeps the first answer and the first final receipt of each segment', async () => {
  const { id, items } = await intend(1, { segments: 2 });
  const [item] = items;
  recorder.answered(id, accepted(item!, 'k-1', 'k-2'));
  for (let round = 0; round < 3; round++) {
    await recorder.receipt(receipt(item!, 'k-2', { state: 'undelivered', errorCode: 30003 }));
    await recorder.receipt(receipt(item!, 'k-1'));
    await recorder.receipt(receipt(item!, 'k-2'));
  }
  expect(await story(item!)).toEqual(['answered accepted', 'receipt 1 delivered', 'receipt 2 undelivered']);
});

it.each([
  ['ABCDEF', 'abcdef'],
  ['0000000123', '123'],
  ['456', '00000456'],
  ['1F', '31'],
  ['0x', '0x'],
  ['789', '315'],
  ['00fe', '254'],
])('finds the message %s by a receipt for %s', async (given, reported) => {
  const { id, items } = await intend(1);
  recorder.answered(id, accepted(items[0]!, given));
  await recorder.drain();
  await recorder.receipt(receipt(items[0]!, reported));
  expect(await story(items[0]!)).toEqual(['answered accepted', 'receipt 1 delivered']);
});

it('goes by the number where an id means another message in another base', async () => {
  const { id, items } = await intend(2);
  recorder.answered(id, accepted(items[0]!, '910'));
  recorder.answered(id, accepted(items[1]!, (910).toString(16)));
  await recorder.receipt(receipt(items[1]!, '910'));
  expect(await story(items[0]!)).toEqual(['answered accepted']);
  expect(await story(items[1]!)).toEqual(['answered accepted', 'receipt 1 delivered']);
});

it('takes the newest message of an id that the carrier used again', async () => {
  const { id, items } = await intend(2);
  recorder.answered(id, accepted(items[0]!, 'again'));
  await recorder.drain();
  recorder.answered(id, accepted(items[1]!, 'again'));
  await recorder.drain();
  await recorder.receipt(receipt(items[0]!, 'again', { source: 'nobody' }));
  expect(await story(items[1]!)).toEqual(['answered accepted', 'receipt 1 delivered']);
  await recorder.receipt(receipt(items[0]!, 'again'));
  expect(await story(items[0]!)).toEqual(['answered accepted', 'receipt 1 delivered']);
});

it('knows a number with and without its prefix, and other carriers not at all', async () => {
  const { id, items } = await intend(1);
  const [item] = items;
  recorder.answered(id, accepted(item!, 'cafe'));
  await recorder.receipt(receipt(item!, 'cafe', { carrier: 'b' }));
  expect(await story(item!)).toEqual(['answered accepted']);
  await recorder.receipt(receipt(item!, (0xcafe).toString(10), { source: item!.destination.slice(2) }));
  expect(await story(item!)).toEqual(['answered accepted', 'receipt 1 delivered']);
  expect(await orphans()).toEqual(['cafe']);
});

it('keeps a receipt that comes before its answer, once, and through a change of owner', async () => {
  const { id, items } = await intend(1, { segments: 2 });
  const [item] = items;
  for (let round = 0; round < 3; round++) await recorder.receipt(receipt(item!, 'EARLY-2'));
  await recorder.receipt(receipt(item!, 'early-1'));
  expect((await orphans()).filter((one) => one.startsWith('early'))).toEqual(['early-1', 'early-2']);
  await begin();
  recorder.answered(id, accepted(item!, 'early-1', 'early-2'));
  await recorder.drain();
  expect(await story(item!)).toEqual(['answered accepted', 'receipt 1 delivered', 'receipt 2 delivered']);
  expect((await orphans()).filter((one) => one.startsWith('early'))).toEqual([]);
});

it('does not take an old receipt for that of a new message with its id', async () => {
  const { id, items } = await intend(1);
  const [item] = items;
  await recorder.receipt(receipt(item!, 'worn-out', { source: '+15550000000' }));
  await db.query(
    `update carriers.orphan_receipt set received_at = received_at - interval '1 hour' where message_id = 'worn-out'`,
  );
  await begin();
  recorder.answered(id, accepted(item!, 'worn-out'));
  await recorder.drain();
  expect(await story(item!)).toEqual(['answered accepted']);
  expect(await orphans()).toContain('worn-out');
});

it('remembers what was given back, so that a crash does not take it for lost', async () => {
  const { id, items } = await intend(3);
  recorder.returned(id, items[0]!, 'no room');
  recorder.answered(id, accepted(items[1]!, 'r-1'));
  await recorder.drain();
  const free = await new WithdrawalsRepository(db).withdraw(items.map(({ key }) => key));
  expect(items.map(({ key }) => free.has(key))).toEqual([true, false, false]);
  await begin();
  const left = await intents.left(lease, '00000000-0000-0000-0000-000000000000', 10);
  expect(left).toEqual([{ id, items: [items[2]] }]);
  open.add(id, left[0]!.items);
  recorder.answered(id, { ...items[2]!, outcome: 'unknown', errorCode: 30008, messageIds: [] });
  await recorder.drain();
  expect(await openIntents()).toBe(0);
});

it('writes a group that it repeats once', async () => {
  const { id, items } = await intend(2);
  const before = await log.head();
  const batch = {
    answered: [accepted(items[0]!, 'twice')],
    events: [
      { type: 'carriers.submission-answered.v1', streamId: items[0]!.key, version: 1, tenantId: ACCOUNT, data: {} },
      { type: 'carriers.submission-returned.v1', streamId: newId(), version: 1, tenantId: ACCOUNT, data: {} },
    ],
    closedIntents: [],
    returnedKeys: [{ intentId: id, key: items[1]!.key }],
    adoptedOrphans: [],
    newOrphans: [{ id: newId(), ...receipt(items[0]!, 'unmatched'), receivedAtMs: 0 }],
  };
  await outcomes.record(lease, batch);
  await outcomes.record(lease, batch);
  expect((await log.head()) - before).toBe(2);
  expect((await orphans()).filter((one) => one === 'unmatched')).toHaveLength(1);
  await intents.close(lease, [id]);
});

it('lets one that the database refuses keep nothing else from being written', async () => {
  const { id, items } = await intend(3);
  recorder.answered(id, accepted(items[0]!, 'p-1'));
  recorder.answered(id, { ...accepted(items[1]!, 'p-2'), destination: 'nul \0' });
  recorder.answered(id, accepted(items[2]!, 'p-3'));
  const refused = recorder.receipt(receipt(items[0]!, 'p-\0'));
  await expect(refused).rejects.toThrow('it could not be written');
  await recorder.receipt(receipt(items[2]!, 'p-3'));
  expect(await story(items[0]!)).toEqual(['answered accepted']);
  expect(await story(items[1]!)).toEqual([]);
  expect(await story(items[2]!)).toEqual(['answered accepted', 'receipt 1 delivered']);
  expect(kept.lines.filter((line) => line.includes(items[1]!.key))).toHaveLength(1);
  expect(await openIntents()).toBe(1);
  await intents.close(lease, [id]);
});

it('writes everything once while its connections are cut', async () => {
  const { id, items } = await intend(200);
  const cut = withClient(database.url, async (client) => {
    for (let round = 0; round < 40; round++) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trunkline/carriers'`,
      );
    }
  });
  const receipts = items.map(async (item, index) => {
    recorder.answered(id, accepted(item, `cut-${index}`));
    await recorder.receipt(receipt(item, `cut-${index}`));
  });
  await Promise.all([cut, ...receipts]);
  await recorder.drain();
  for (const item of items) expect(await story(item)).toEqual(['answered accepted', 'receipt 1 delivered']);
  expect(await openIntents()).toBe(0);
});

it('writes nothing once another worker has the lease', async () => {
  const { id, items } = await intend(1);
  const old = recorder;
  const oldLease = lease;
  lease = (await leases.acquire(OWNER, LEASE_MS))!;
  const head = await log.head();
  old.answered(id, accepted(items[0]!, 'late'));
  await expect(old.receipt(receipt(items[0]!, 'late'))).rejects.toThrow(BindsLost);
  await expect(old.receipt(receipt(items[0]!, 'late'))).rejects.toThrow(BindsLost);
  await old.drain();
  expect(lost).toBeGreaterThan(0);
  await expect(intents.intend(oldLease, newId(), items)).rejects.toThrow(BindsLost);
  expect([await log.head(), await story(items[0]!), (await orphans()).includes('late')]).toEqual([head, [], false]);
  await intents.close(lease, [id]);
});

it('gives up what is not written when it is closed', async () => {
  const { items } = await intend(1);
  recorder.close();
  await expect(recorder.receipt(receipt(items[0]!, 'closed'))).rejects.toThrow(BindsLost);
  await recorder.drain();
  expect(await orphans()).not.toContain('closed');
});
