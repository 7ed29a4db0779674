import { randomUUID } from 'node:crypto';
import { FUNDING_ID } from '../../../src/modules/billing/domain/ledger.js';
import type { Reservation, Resolution } from '../../../src/modules/billing/infrastructure/ledger.repository.js';
import { charge, LedgerUnderTest } from '../../../src/modules/billing/infrastructure/ledger.test-support.js';
import { MESSAGING_EVENTS } from '../../../src/modules/messaging/contract/messaging.events.js';
import { accepted, answered, type Message, receipted } from '../../../src/modules/messaging/domain/message.js';
import {
  type Appended,
  MessagesRepository,
  type NewMessage,
} from '../../../src/modules/messaging/infrastructure/messages.repository.js';
import {
  MessagingConsumers,
  MessagingDatabase,
  MessagingLog,
} from '../../../src/modules/messaging/infrastructure/messaging.storage.js';
import type { Lease } from '../../../src/platform/event-log/consumer-store.js';
import { newId } from '../../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../../support/database.js';
import { Random } from '../random.js';
import { LONG_MS, readAll, SEED, STEPS, same, told } from './compare.js';
import { ConsumersTwin, type ConsumerTable } from './consumers.twin.js';
import { DirectDatabase } from './database.js';
import { LogTable, LogTwin } from './event-log.twin.js';
import { accountWith, LedgerTable, LedgerTwin } from './ledger.twin.js';
import { MessagesTwin, MessagingTables } from './messages.twin.js';

let random: Random;
beforeEach(() => {
  random = new Random(SEED);
});

describe("the ledger's twin", () => {
  let bench: LedgerUnderTest;
  beforeAll(async () => {
    bench = await LedgerUnderTest.start();
  });
  afterAll(() => bench?.stop());

  it('answers as the ledger does, and keeps the same balances and counts', async () => {
    const table = new LedgerTable();
    const twin = new LedgerTwin(table, new DirectDatabase());
    const kinds = [
      { credit: 100, quota: null, mostOpen: Number.POSITIVE_INFINITY },
      { credit: 1_000, quota: null, mostOpen: Number.POSITIVE_INFINITY },
      { credit: 1_000, quota: 12, mostOpen: Number.POSITIVE_INFINITY },
      { credit: 1_000, quota: null, mostOpen: 4 },
      { credit: 150, quota: 9, mostOpen: 3 },
    ];
    const accounts: string[] = [];
    for (const { credit, ...bounds } of kinds) {
      const id = await bench.openWith(credit);
      await bench.setQuota(id, bounds.quota);
      if (Number.isFinite(bounds.mostOpen)) {
        const bound = 'update billing.ledger_account set outstanding_limit = $2 where id = $1';
        await bench.db.query(bound, [id, bounds.mostOpen]);
      }
      table.accounts.set(id, accountWith(credit, bounds));
      accounts.push(id);
    }
    const known: Reservation[] = [];
    for (let step = 0; step < STEPS; step++) {
      if (random.chance(0.5)) {
        const place = () => (random.chance(0.05) ? FUNDING_ID : random.pick(accounts));
        const one = place();
        // Often several of one account, so that one stands before another in line.
        const isAlike = random.chance(0.5);
        const fresh = Array.from({ length: 1 + random.below(6) }, () =>
          charge(isAlike ? one : place(), 1 + random.below(40)),
        );
        const items = known.length > 0 && random.chance(0.3) ? [random.pick(known), ...fresh] : fresh;
        await same(
          `reserve ${step}`,
          () => bench.ledger.reserve(items),
          () => twin.reserve(items),
        );
        known.push(...fresh);
      } else {
        const keys = new Set(Array.from({ length: 3 }, () => (known[0] ? random.pick(known).key.id : newId())));
        const resolutions: Resolution['kind'][] = ['post', 'void', 'undo'];
        const items = [...keys, newId()].map((key) => ({ key, kind: random.pick(resolutions) }));
        await same(
          `settle ${step}`,
          () => bench.ledger.settle(items),
          () => twin.settle(items),
        );
      }
    }
    for (const id of accounts) {
      const { balance, reserved, used, open } = table.accounts.get(id)!;
      const real = { ...(await bench.balanceOf(id)), ...(await bench.countsOf(id)) };
      expect({ seed: SEED, balance, reserved, used, open }).toEqual({ seed: SEED, ...real });
    }
    expect(table.revenue).toBe(await bench.revenue());
  });
});

describe('the twins of messaging', () => {
  let database: TestDatabase;
  let db: MessagingDatabase;
  beforeAll(async () => {
    database = await startTestDatabase(['messaging']);
    db = new MessagingDatabase({ module: 'messaging', connectionString: database.url });
  });
  afterAll(async () => {
    await db?.close();
    await database?.stop();
  });

  it('write, decide and give up messages as the repository does, with the same events', async () => {
    const log = new MessagingLog(db, MESSAGING_EVENTS);
    const real = new MessagesRepository(db, log, { count: () => undefined } as never);
    const direct = new DirectDatabase();
    const tables = new MessagingTables(new LogTable('messaging'));
    const twin = new MessagesTwin(tables, direct, new LogTwin(tables.log, direct));
    const keys: { accountId: string; id: string }[] = [];
    const some = () => [...new Set(Array.from({ length: 3 }, () => random.pick(keys)))];
    for (let step = 0; step < STEPS; step++) {
      const choice = keys.length < 3 ? 0 : random.below(4);
      if (choice === 0) {
        const items = Array.from({ length: 1 + random.below(3) }, () => newMessage(random, keys));
        const ids = async (appended: Promise<Appended>) => {
          const { createdAt, optedOut } = await appended;
          return [[...createdAt.keys()].sort(), [...optedOut].sort()];
        };
        await same(
          `append ${step}`,
          () => ids(real.append(items)),
          () => ids(twin.append(items)),
        );
        keys.push(...items.map(({ message }) => ({ accountId: message.accountId, id: message.id })));
      } else if (choice === 1) {
        const given = [...some(), { accountId: newId(), id: newId() }];
        const sorted = async (ids: Promise<string[]>) => (await ids).sort();
        await same(
          `abandon ${step}`,
          () => sorted(real.abandon(given)),
          () => sorted(twin.abandon(given)),
        );
        keys.push(given.at(-1)!);
      } else if (choice === 2) {
        const given = some();
        await same(
          `existing ${step}`,
          () => real.existing(given),
          () => twin.existing(given),
        );
      } else {
        const given = some();
        const at = new Date(Math.floor(Date.now()));
        const isAnswer = random.chance(0.5);
        const change = async (one: Pick<MessagesRepository, 'lock' | 'save'>, transact: MessagingDatabase) =>
          transact.transaction(async (tx) => {
            const locked = await one.lock(tx, given);
            const decisions = [...locked.values()].flatMap((message) => decide(message, isAnswer, at) ?? []);
            const events = decisions.flatMap(({ event }) => event ?? []);
            await one.save(
              tx,
              decisions.map(({ message }) => message),
              events,
            );
            return [...locked.values()].map(({ validUntil: _, ...message }) => message);
          });
        await same(
          `decide ${step}`,
          () => change(real, db),
          () => change(twin, direct as never),
        );
      }
    }
    expect(told(tables.log.events)).toEqual(told(await readAll(log)));
  });

  it('move a cursor as the rows of consumers do', async () => {
    const real = new MessagingConsumers(db);
    const table: ConsumerTable = new Map();
    const twin = new ConsumersTwin(table, new DirectDatabase());
    const owners = [randomUUID(), randomUUID()];
    const leases: Lease[] = [];
    for (const one of [real, twin]) await one.declare('messaging.twin', 'messaging');
    for (let step = 0; step < STEPS; step++) {
      const owner = random.pick(owners);
      const leaseMs = random.pick([LONG_MS, -LONG_MS]);
      const choice = leases.length === 0 ? 0 : random.below(4);
      if (choice === 0) {
        const lease = await same(
          `acquire ${step}`,
          () => real.acquire('messaging.twin', owner, leaseMs),
          () => twin.acquire('messaging.twin', owner, leaseMs),
        );
        if (lease) leases.push(lease);
      } else if (choice === 1) {
        await same(
          `renew ${step}`,
          () => real.renew(owner, leaseMs),
          () => twin.renew(owner, leaseMs),
        );
      } else {
        const lease = random.chance(0.7) ? leases.at(-1)! : random.pick(leases);
        const from = random.chance(0.8) ? table.get('messaging.twin')!.position : random.below(100);
        await same(
          `advance ${step}`,
          () => real.advance(db, lease, from, from + 1),
          () => twin.advance(twin.db, lease, from, from + 1),
        );
      }
    }
  });
});

function newMessage(random: Random, known: readonly { accountId: string; id: string }[]): NewMessage {
  const place = known.length > 0 && random.chance(0.2) ? random.pick(known) : { accountId: newId(), id: newId() };
  const texts = { lane: 'normal', queue: 'one', from: '+15005550006', to: '+15550000001' } as const;
  const none = { serviceId: null, callbackUrl: null, carrier: null, errorCode: null, sentAt: null, traceparent: null };
  const validUntil = new Date(Date.now() + LONG_MS);
  const rest = { version: 1, status: 'queued', segments: 1 + random.below(2), receipts: 0n, validUntil } as const;
  const message: Message = { ...place, ...texts, ...none, ...rest };
  const text = { body: 'hello', encoding: 'GSM-7', retryUnknown: false, idempotencyKey: null } as const;
  const price = { priceMicros: 10, currency: 'USD' };
  return {
    message,
    ...text,
    ...price,
    deadlineMs: random.chance(0.2) ? 1 : Date.now() + LONG_MS,
    event: accepted(message),
  };
}

function decide(message: Message, isAnswer: boolean, at: Date) {
  if (isAnswer) return answered(message, { outcome: 'accepted', carrier: 'one', errorCode: null }, at);
  const report = { segment: 1, state: 'delivered', errorCode: null, carrier: 'one', doneDate: null } as const;
  return receipted(message, { ...report, segments: message.segments });
}
