import { randomUUID } from 'node:crypto';
import { answerEvent, receiptEvent, returnEvent } from '../../../src/modules/carriers/application/outcome-events.js';
import { CARRIERS_EVENTS } from '../../../src/modules/carriers/contract/carriers.events.js';
import type { Intended } from '../../../src/modules/carriers/domain/submission.js';
import {
  BindsLeaseRepository,
  type HeldLease,
} from '../../../src/modules/carriers/infrastructure/binds-lease.repository.js';
import { CarriersDatabase, CarriersLog } from '../../../src/modules/carriers/infrastructure/carriers.storage.js';
import { IntentsRepository } from '../../../src/modules/carriers/infrastructure/intents.repository.js';
import {
  type OutcomeBatch,
  OutcomesRepository,
} from '../../../src/modules/carriers/infrastructure/outcomes.repository.js';
import { WithdrawalsRepository } from '../../../src/modules/carriers/infrastructure/withdrawals.repository.js';
import { newId } from '../../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../../support/database.js';
import { Random } from '../random.js';
import { BindsLeaseTwin, CarriersTables, IntentsTwin, OutcomesTwin, WithdrawalsTwin } from './carriers.twins.js';
import { LONG_MS, readAll, SEED, STEPS, same, told } from './compare.js';
import { DirectDatabase } from './database.js';
import { LogTable, LogTwin } from './event-log.twin.js';

let random: Random;
beforeEach(() => {
  random = new Random(SEED);
});

describe('the twins of carriers', () => {
  let database: TestDatabase;
  let db: CarriersDatabase;
  beforeAll(async () => {
    database = await startTestDatabase(['carriers']);
    db = new CarriersDatabase({ module: 'carriers', connectionString: database.url });
  });
  afterAll(async () => {
    await db?.close();
    await database?.stop();
  });

  it('keep leases, intents and outcomes as the repositories do, with the same events', async () => {
    const log = new CarriersLog(db, CARRIERS_EVENTS);
    const direct = new DirectDatabase();
    const tables = new CarriersTables(new LogTable('carriers'));
    const real = [new BindsLeaseRepository(db), new IntentsRepository(db), new OutcomesRepository(db, log)] as const;
    const twin = [
      new BindsLeaseTwin(tables, direct),
      new IntentsTwin(tables, direct),
      new OutcomesTwin(tables, direct, new LogTwin(tables.log, direct)),
    ] as const;
    const withdrawals = [new WithdrawalsRepository(db), new WithdrawalsTwin(tables, direct)] as const;
    const withdrawn: string[] = [];
    const owners = [randomUUID(), randomUUID()];
    const leases: HeldLease[] = [];
    const intents: { id: string; items: Intended[] }[] = [];
    for (let step = 0; step < STEPS; step++) {
      const lease = leases.length > 0 && random.chance(0.8) ? leases.at(-1)! : leases[0];
      const choice = lease ? random.below(8) : 0;
      if (choice === 0 || !lease) {
        const [owner, leaseMs] = [random.pick(owners), random.pick([LONG_MS, -LONG_MS])];
        const taken = await same(
          `acquire ${step}`,
          () => real[0].acquire(owner, leaseMs),
          () => twin[0].acquire(owner, leaseMs),
        );
        if (taken) leases.push(taken);
      } else if (choice === 1) {
        await same(
          `renew ${step}`,
          () => real[0].renew(lease, -LONG_MS),
          () => twin[0].renew(lease, -LONG_MS),
        );
      } else if (choice <= 3) {
        const old = intents.length > 0 && random.chance(0.3) ? random.pick(intents).items.slice(0, 1) : [];
        const gone = withdrawn.length > 0 && random.chance(0.5) ? [random.pick(withdrawn)] : [];
        const items = [intended(random), intended(random), ...gone.map((key) => ({ ...intended(random), key }))];
        const intent = { id: newId(), items: [...items, ...old.filter(({ key }) => !gone.includes(key))] };
        await same(
          `intend ${step}`,
          () => real[1].intend(lease, intent.id, intent.items),
          () => twin[1].intend(lease, intent.id, intent.items),
        );
        intents.push(intent);
      } else if (choice === 4) {
        await same(
          `left ${step}`,
          () => real[1].left(lease, newId(0), 50),
          () => twin[1].left(lease, newId(0), 50),
        );
      } else if (choice === 5) {
        const own = intents.length > 0 ? random.pick(intents).items.map(({ key }) => key) : [];
        const keys = [...new Set([...own, ...withdrawn.slice(-2), newId()])];
        await same(
          `withdraw ${step}`,
          () => withdrawals[0].withdraw(keys),
          () => withdrawals[1].withdraw(keys),
        );
        withdrawn.push(...keys);
      } else if (intents.length > 0) {
        const batch = outcomes(random, random.pick(intents));
        await same(
          `record ${step}`,
          () => real[2].record(lease, batch),
          () => twin[2].record(lease, batch),
        );
        const wanted = batch.answered.map(({ carrier, messageIds }) => ({ carrier, messageId: messageIds[0]! }));
        await same(
          `match ${step}`,
          () => real[2].match(wanted),
          () => twin[2].match(wanted),
        );
      }
    }
    expect(told(tables.log.events)).toEqual(told(await readAll(log)));
    const orphans = (await real[2].newestOrphans(1_000)).map(({ receivedAtMs: _, ...orphan }) => orphan);
    expect((await twin[2].newestOrphans(1_000)).map(({ receivedAtMs: _, ...orphan }) => orphan)).toEqual(orphans);
  });
});

function intended(random: Random): Intended {
  const destination = `+1555${random.below(1_000_000)}`;
  return {
    key: newId(),
    accountId: newId(),
    carrier: 'one',
    destination,
    retryUnknown: random.chance(0.5),
    segments: 2,
  };
}

/** What becomes of an intent: one key answered, or given back, with receipts that may be of nobody. */
function outcomes(random: Random, { id, items }: { id: string; items: Intended[] }): OutcomeBatch {
  const item = random.pick(items);
  const isReturned = random.chance(0.3);
  const messageIds = [newId(), newId()];
  const answer = { ...item, outcome: 'accepted' as const, errorCode: null, messageIds };
  const match = { ...item, segment: 1 + random.below(2), messageId: messageIds[0]! };
  const report = { state: random.pick(['enroute', 'delivered'] as const), errorCode: null, doneDate: null };
  const orphan = {
    ...report,
    id: newId(),
    carrier: 'one',
    messageId: String(random.below(5)),
    source: '',
    receivedAtMs: 0,
  };
  const closes = random.chance(0.3);
  return {
    answered: isReturned ? [] : [answer],
    events: isReturned ? [returnEvent(item, newId(), 'so')] : [answerEvent(answer), receiptEvent(match, report)],
    closedIntents: closes ? [id] : [],
    returnedKeys: isReturned && !closes ? [{ intentId: id, key: item.key }] : [],
    adoptedOrphans: [],
    newOrphans: random.chance(0.3) ? [orphan] : [],
  };
}
