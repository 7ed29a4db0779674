import { REVENUE_ID } from '../../src/modules/billing/domain/ledger.js';
import { LedgerRepository } from '../../src/modules/billing/infrastructure/ledger.repository.js';
import { charge } from '../../src/modules/billing/infrastructure/ledger.test-support.js';
import { CARRIERS_EVENTS, submissionAnswered } from '../../src/modules/carriers/contract/carriers.events.js';
import {
  BindsLeaseRepository,
  type HeldLease,
} from '../../src/modules/carriers/infrastructure/binds-lease.repository.js';
import { CarriersLog } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import { IntentsRepository } from '../../src/modules/carriers/infrastructure/intents.repository.js';
import { OutcomesRepository } from '../../src/modules/carriers/infrastructure/outcomes.repository.js';
import { MESSAGING_EVENTS } from '../../src/modules/messaging/contract/messaging.events.js';
import { accepted, type Message } from '../../src/modules/messaging/domain/message.js';
import { AccountStatusesRepository } from '../../src/modules/messaging/infrastructure/account-statuses.repository.js';
import { DispatchRepository } from '../../src/modules/messaging/infrastructure/dispatch.repository.js';
import { MessagesRepository, type NewMessage } from '../../src/modules/messaging/infrastructure/messages.repository.js';
import { MessagingLog } from '../../src/modules/messaging/infrastructure/messaging.storage.js';
import { ScheduledRepository } from '../../src/modules/messaging/infrastructure/scheduled.repository.js';
import { SweepRepository } from '../../src/modules/messaging/infrastructure/sweep.repository.js';
import type { DeliveryKey } from '../../src/modules/notifications/domain/delivery.js';
import {
  DeliveriesRepository,
  type Outcome,
  type Selector,
} from '../../src/modules/notifications/infrastructure/deliveries.repository.js';
import { ModuleDatabase } from '../../src/platform/postgres/database.js';
import { ensurePartitions } from '../../src/platform/postgres/partitions.js';
import { idFloor, newId } from '../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { looksOf, type PlanNode, PlanReader } from '../support/plan-reader.js';
import { withClient } from '../support/with-client.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const WEEKS = 3;
const ROWS = 30_000;
const GROUP = 100;
/** Rows of small tables, and those that a group of keys may look at in one partition. */
const MAX_SMALL = 5;
const MAX_LOOKS = 4 * GROUP;
const ACCOUNT = newId();
/** Has as many messages, and may not send. */
const HALTED = newId();
const MODULES = ['billing', 'carriers', 'messaging', 'notifications'] as const;
type Name = (typeof MODULES)[number];

let database: TestDatabase;
const dbs = new Map<Name, ModuleDatabase>();
const readers = new Map<Name, PlanReader>();
/** Keys of the week before this one, which have rows in every table. */
let known: string[];
let lease: HeldLease;

const reader = (name: Name) => readers.get(name)!;
const ID = `(lpad(to_hex($1::bigint - g * $2::bigint), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid`;
const FILL: Readonly<Record<string, string>> = {
  'billing.entry': `insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros)
    select ${ID}, 0, 'pending', 'SM', $3::uuid, '${REVENUE_ID}', 1 from generate_series(1, ${ROWS}) g`,
  'carriers.submission': `insert into carriers.submission (key, account_id, carrier, outcome, segments, message_id, destination)
    select ${ID}, $3::uuid, 'one', 'accepted', 1, g::text, '+1' from generate_series(1, ${ROWS}) g`,
  'messaging.message': `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number,
      to_number, body, encoding, segments, retry_unknown, price_micros, currency, created_at, updated_at, valid_until, send_at, from_asked)
    select $3::uuid, ${ID}, 1, (array['queued', 'scheduled', 'delivered'])[g % 3 + 1], 'outbound-api', 'realtime', 'one', '+1',
      '+1', 'x', 'GSM-7', 1, false, 1, 'USD', now(), now(), now() + interval '1 hour',
      case when g % 3 = 1 then date_trunc('second', now()) + (g - 100) * interval '1 s' end, false
    from generate_series(1, ${ROWS}) g`,
  // Of the account whose messages are written and sent, to others than these go to.
  'messaging.opt_out': `insert into messaging.opt_out (account_id, recipient, sender, source)
    select $3::uuid, '+' || ($1::bigint * $2::bigint + g), '+1', 'keyword' from generate_series(1, ${ROWS}) g`,
  'notifications.delivery': `insert into notifications.delivery (account_id, message_id, version, state, url, params)
    select $3::uuid, ${ID}, 1, case when g % 3 = 0 then 'pending' else 'delivered' end, 'http://x/', '{}'
    from generate_series(1, ${ROWS}) g`,
};

beforeAll(async () => {
  database = await startTestDatabase(MODULES);
  await withClient(database.url, async (client) => {
    await client.query('alter system set autovacuum = off');
    await client.query('select pg_reload_conf()');
    await client.query(`insert into billing.ledger_account (id, kind, currency, balance_micros, reserved_micros, reserved_count)
      values ('${ACCOUNT}', 'customer', 'USD', 1000000000, ${ROWS}, ${ROWS})`);
  });
  for (const name of MODULES) {
    await ensurePartitions(database.url, name, Date.now() - WEEK_MS);
    const db = new ModuleDatabase({ module: name, connectionString: database.url });
    dbs.set(name, db);
    readers.set(name, await PlanReader.of(db));
  }
  lease = (await new BindsLeaseRepository(dbs.get('carriers') as never).acquire(newId(), WEEK_MS))!;
});

afterAll(async () => {
  for (const one of readers.values()) one.release();
  await Promise.all([...dbs.values()].map((db) => db.close()));
  await database?.stop();
});

const newIds = () => Array.from({ length: GROUP }, () => newId());
const delivery = (messageId: string) => ({
  accountId: ACCOUNT,
  messageId,
  version: 2,
  url: 'http://x/',
  callback: {} as never,
  attempts: 0,
  traceparent: null,
});

/** Three weeks of rows, as right after they were written: nothing has analysed them. */
async function fill(): Promise<void> {
  const thisWeekMs = Math.floor(Date.now() / WEEK_MS) * WEEK_MS;
  const step = Math.floor(((WEEKS - 1) * WEEK_MS) / ROWS);
  await withClient(database.url, async (client) => {
    for (const statement of Object.values(FILL)) await client.query(statement, [Date.now(), step, ACCOUNT]);
    await client.query(FILL['messaging.message']!, [Date.now(), step, HALTED]);
    await client.query('insert into messaging.account_status (account_id, version, halted) values ($1, 1, true)', [
      HALTED,
    ]);
    const { rows } = await client.query<{ key: string }>(
      `select key from carriers.submission where key >= $1 and key < $2 and length(message_id) < 10
        order by key desc limit ${GROUP}`,
      [idFloor(thisWeekMs - WEEK_MS), idFloor(thisWeekMs)],
    );
    known = rows.map((row) => row.key);
  });
}

const newMessage = (id: string): NewMessage => {
  const message: Message = {
    id,
    accountId: ACCOUNT,
    version: 1,
    status: 'queued',
    lane: 'realtime',
    queue: 'one',
    from: '+1',
    to: '+1',
    segments: 1,
    serviceId: null,
    callbackUrl: null,
    carrier: null,
    receipts: 0n,
    errorCode: null,
    sentAt: null,
    validUntil: new Date(Date.now() + WEEK_MS),
    traceparent: null,
  };
  const rest = { retryUnknown: false, priceMicros: 1, currency: 'USD', idempotencyKey: null };
  const deadlineMs = Date.now() + WEEK_MS;
  return { message, body: 'x', encoding: 'GSM-7', ...rest, deadlineMs, event: accepted(message) };
};

const placement = (waitsFor: 'turn' | null) => ({ isTaken: waitsFor === null, waitMs: 0, waitsFor });
const ids = (keys: readonly string[]) => keys.map((id) => ({ accountId: ACCOUNT, id }));
const claims = (select: (keys: readonly DeliveryKey[]) => Selector) => () => {
  const keys = known.map((messageId) => ({ accountId: ACCOUNT, messageId, version: 1 }));
  return deliveries().claim(select(keys), (found) => found.map(() => placement('turn')));
};
const ledger = () => new LedgerRepository(reader('billing').database);
const messages = () => {
  const log = new MessagingLog(dbs.get('messaging')!, MESSAGING_EVENTS);
  return new MessagesRepository(reader('messaging').database, log, { count: () => undefined } as never);
};
const scheduled = () => {
  const log = new MessagingLog(dbs.get('messaging')!, MESSAGING_EVENTS);
  return new ScheduledRepository(reader('messaging').database, log, { count: () => undefined } as never);
};
const sweeps = () => new SweepRepository(reader('messaging').database);
const statuses = () => new AccountStatusesRepository(reader('messaging').database);
const dispatch = () => new DispatchRepository(reader('messaging').database);
const outcomes = () =>
  new OutcomesRepository(reader('carriers').database, new CarriersLog(dbs.get('carriers')!, CARRIERS_EVENTS));
const deliveries = () => new DeliveriesRepository(reader('notifications').database, {} as never);

const record = () => {
  const keys = newIds();
  const data = { key: 'SM', carrier: 'one', outcome: 'accepted', errorCode: null, segments: 1 };
  return outcomes().record(lease, {
    answered: keys.map((key) => ({ ...intended(key), outcome: 'accepted', errorCode: null, messageIds: [key, key] })),
    events: keys.map((id) => ({ type: submissionAnswered.type, streamId: id, version: 1, tenantId: ACCOUNT, data })),
    closedIntents: [newId()],
    returnedKeys: [],
    adoptedOrphans: [newId()],
    newOrphans: [],
  });
};
const intended = (key: string) => ({
  key,
  accountId: ACCOUNT,
  carrier: 'one',
  destination: '+1',
  retryUnknown: false,
  segments: 1,
});
const attempted = (messageId: string): Outcome => ({
  accountId: ACCOUNT,
  messageId,
  version: 1,
  state: 'pending',
  attempts: 1,
  nextAttemptMs: 60_000,
  status: 500,
  error: 'x',
  waitsFor: null,
  isReminded: false,
  target: null,
  death: null,
});

/**
 * Each with whether its rows are joined by ids that name their partition; those that are looked up by a parameter take a
 * step or two in every partition instead.
 */
const STATEMENTS: readonly [what: string, name: Name, isPruned: boolean, act: () => Promise<unknown>][] = [
  ['reserve', 'billing', true, () => ledger().reserve(newIds().map((id) => charge(ACCOUNT, 1, id)))],
  ['settle', 'billing', true, () => ledger().settle(known.map((key) => ({ key, kind: 'post' })))],
  [
    'intend',
    'carriers',
    false,
    () => new IntentsRepository(reader('carriers').database).intend(lease, newId(), known.map(intended)),
  ],
  ['record an answer', 'carriers', true, record],
  [
    'match a receipt',
    'carriers',
    false,
    () => outcomes().match(known.map((_, g) => ({ carrier: 'one', messageId: String(g + 1) }))),
  ],
  ['append', 'messaging', true, () => messages().append(newIds().map(newMessage))],
  ['lock', 'messaging', true, () => messages().lock(reader('messaging'), ids(known))],
  ['find what is due', 'messaging', false, () => scheduled().due(GROUP)],
  [
    'let go what is due',
    'messaging',
    true,
    () => {
      const messages = known.map((id) => newMessage(id).message);
      return scheduled().save(reader('messaging'), messages, []);
    },
  ],
  ['look for messages', 'messaging', true, () => messages().existing(ids(known))],
  ['find what is overdue', 'messaging', false, () => sweeps().overdue(0, GROUP)],
  [
    'find what is overdue further on',
    'messaging',
    false,
    () => sweeps().overdue(0, GROUP, newMessage(known[0]!).message),
  ],
  ['find what waits of the halted', 'messaging', false, () => statuses().waitingOfHalted(GROUP, null)],
  ['sendable', 'messaging', true, () => dispatch().sendable(ids(known))],
  ['places', 'messaging', false, () => dispatch().places(GROUP)],
  [
    'waiting',
    'messaging',
    false,
    () => dispatch().waiting([{ queue: 'one', lane: 'realtime', accountId: ACCOUNT }], [GROUP]),
  ],
  [
    'insert deliveries',
    'notifications',
    true,
    () =>
      deliveries().insert(
        reader('notifications'),
        known.map(delivery),
        known.map(() => placement(null)),
      ),
  ],
  ['claim what is due', 'notifications', false, claims(() => ({ due: GROUP }))],
  ['claim by key', 'notifications', true, claims((keys) => ({ keys, slackMs: 60_000 }))],
  ['claim what follows', 'notifications', true, claims((after) => ({ after }))],
  ['record an attempt', 'notifications', true, () => deliveries().record(known.map(attempted))],
];

/** The scans of partitions that were begun, by partition. */
const scans = (nodes: readonly PlanNode[]) =>
  nodes.filter((node) => node['Relation Name'] && node['Actual Loops'] > 0 && /scan/i.test(node['Node Type']));

const described = (node: PlanNode) =>
  `${node['Node Type']} of ${node['Relation Name']} by ${node['Index Name']}: ${looksOf(node)} rows`;

function readsLittle(nodes: readonly PlanNode[], isPruned: boolean): void {
  const begun = scans(nodes);
  const isLong = (node: PlanNode) => looksOf(node) > (node['Node Type'] === 'Seq Scan' ? MAX_SMALL : MAX_LOOKS);
  expect(begun.filter(isLong).map(described)).toEqual([]);
  if (!isPruned) return;
  const weeks = begun.flatMap((node) => /_(\d{8})$/.exec(node['Relation Name']!)?.[1] ?? []);
  expect(new Set(weeks).size).toBeLessThanOrEqual(1);
}

describe('plans that were made while the tables were empty', () => {
  beforeAll(async () => {
    known = newIds();
    for (const [, name, , act] of STATEMENTS) await reader(name).read(act);
    await fill();
  });

  it.each(STATEMENTS)('(%s) read little when they are full', async (_what, name, isPruned, act) => {
    readsLittle(await reader(name).read(act), isPruned);
  });
});

describe('plans of analysed tables', () => {
  beforeAll(async () => {
    await withClient(database.url, async (client) => {
      for (const table of Object.keys(FILL)) await client.query(`analyze ${table}`);
    });
  });

  it.each(STATEMENTS)('(%s) read little', async (_what, name, isPruned, act) => {
    readsLittle(await reader(name).read(act), isPruned);
  });
});
