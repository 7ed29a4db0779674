import { MESSAGING_EVENTS } from '../../../src/modules/messaging/contract/messaging.events.js';
import { LANES } from '../../../src/modules/messaging/domain/lane.js';
import { accepted, begun, departed, type Message } from '../../../src/modules/messaging/domain/message.js';
import { AccountStatusesRepository } from '../../../src/modules/messaging/infrastructure/account-statuses.repository.js';
import { DispatchRepository } from '../../../src/modules/messaging/infrastructure/dispatch.repository.js';
import { EndingsRepository, type EndReason } from '../../../src/modules/messaging/infrastructure/endings.repository.js';
import {
  MessagesRepository,
  type NewMessage,
} from '../../../src/modules/messaging/infrastructure/messages.repository.js';
import { MessagingDatabase, MessagingLog } from '../../../src/modules/messaging/infrastructure/messaging.storage.js';
import { OptOutsRepository } from '../../../src/modules/messaging/infrastructure/opt-outs.repository.js';
import { ScheduledRepository } from '../../../src/modules/messaging/infrastructure/scheduled.repository.js';
import { newId } from '../../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../../support/database.js';
import { Random } from '../random.js';
import { LONG_MS, SEED, STEPS, same } from './compare.js';
import { DirectDatabase } from './database.js';
import { LogTable, LogTwin } from './event-log.twin.js';
import { MessagesTwin, MessagingTables } from './messages.twin.js';
import { DispatchTwin, EndingsTwin, OptOutsTwin, ScheduledTwin, StatusesTwin } from './messaging.twins.js';

const ACCOUNTS = Array.from({ length: 3 }, () => newId());
const QUEUES = ['one', 'two'];
const SENDERS = ['+15005550006', '+15005550007'];
const RECIPIENTS = ['+15550000001', '+15550000002'];
const REASONS: readonly EndReason[] = ['canceled', 'halted', 'opted_out'];

describe('the twins of what waits', () => {
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

  it('keep endings and halted accounts, and leave these out, as the repositories do', async () => {
    const random = new Random(SEED);
    const direct = new DirectDatabase();
    const tables = new MessagingTables(new LogTable('messaging'));
    const log = new MessagingLog(db, MESSAGING_EVENTS);
    const real = {
      db,
      messages: new MessagesRepository(db, log, { count: () => undefined } as never),
      dispatch: new DispatchRepository(db),
      endings: new EndingsRepository(db),
      statuses: new AccountStatusesRepository(db),
      optOuts: new OptOutsRepository(db),
    };
    const twin = {
      db: direct as never as MessagingDatabase,
      messages: new MessagesTwin(tables, direct, new LogTwin(tables.log, direct)),
      dispatch: new DispatchTwin(tables, direct),
      endings: new EndingsTwin(tables, direct),
      statuses: new StatusesTwin(tables, direct),
      optOuts: new OptOutsTwin(tables, direct),
    };
    const both = <T>(what: string, ask: (one: typeof real | typeof twin) => Promise<T>) =>
      same(
        what,
        () => ask(real),
        () => ask(twin),
      );
    const keys: Message[] = [];
    let after: Message | null = null;
    for (let step = 0; step < STEPS; step++) {
      const some = keys.length > 0 ? [...new Set(Array.from({ length: 3 }, () => random.pick(keys)))] : [];
      switch (random.below(8)) {
        case 0: {
          const items = Array.from({ length: 2 }, () => waiting(random));
          await both(`append ${step}`, async ({ messages }) => {
            const { createdAt, optedOut } = await messages.append(items);
            return [[...createdAt.keys()].sort(), [...optedOut].sort()];
          });
          keys.push(...items.map(({ message }) => message));
          break;
        }
        case 1: {
          const halted = random.chance(0.6);
          const status = { accountId: random.pick(ACCOUNTS), version: 1 + random.below(step + 1), halted };
          await both(`record ${step}`, ({ statuses, db: on }) => on.transaction((tx) => statuses.record(tx, [status])));
          break;
        }
        case 2: {
          const endings = some.map(({ accountId, id }) => ({ accountId, id, reason: random.pick(REASONS) }));
          await both(`note ${step}`, ({ endings: to }) => to.note(endings));
          break;
        }
        case 3:
          await both(`forget ${step}`, ({ endings, db: on }) => on.transaction((tx) => endings.forget(tx, some)));
          break;
        case 4:
          after = await both(`halted ${step}`, async ({ statuses }) => {
            const page = await statuses.waitingOfHalted(3, after);
            return page.at(-1) ?? null;
          });
          break;
        case 5: {
          const { accountId, recipient, sender } = optOut(random);
          const key = { accountId, recipient, sender, serviceId: null };
          await both(`opt out ${step}`, ({ optOuts, db: on }) => on.transaction((tx) => optOuts.add(tx, [key], 'api')));
          await both(`look ${step}`, ({ optOuts }) => optOuts.isOptedOut(accountId, recipient, [sender, 'other']));
          break;
        }
        case 6: {
          const { accountId, recipient, sender } = optOut(random);
          await both(`opt in ${step}`, ({ optOuts, db: on }) =>
            on.transaction((tx) => optOuts.remove(tx, accountId, recipient, [sender])),
          );
          break;
        }
        default: {
          const places = await both(`places ${step}`, ({ dispatch }) => dispatch.places(50));
          const limits = places.map(() => 1 + random.below(5));
          await both(`waiting ${step}`, ({ dispatch }) => dispatch.waiting(places, limits));
          await both(`sendable ${step}`, ({ dispatch }) => dispatch.sendable(some));
        }
      }
      await both(`left ${step}`, async ({ endings }) => {
        const left = await endings.left(-LONG_MS, 1_000);
        return left.sort((a, b) => (a.id < b.id ? -1 : 1));
      });
    }
  });
});

function optOut(random: Random) {
  return { accountId: random.pick(ACCOUNTS), recipient: random.pick(RECIPIENTS), sender: random.pick(SENDERS) };
}

describe('the twin of what is scheduled', () => {
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

  it('gives each instant and tenant its share of what is due, as the repository does', async () => {
    const random = new Random(SEED);
    const direct = new DirectDatabase();
    const tables = new MessagingTables(new LogTable('messaging'));
    const log = new MessagingLog(db, MESSAGING_EVENTS);
    const counts = { count: () => undefined } as never;
    const twinMessages = new MessagesTwin(tables, direct, new LogTwin(tables.log, direct));
    const real = {
      db,
      messages: new MessagesRepository(db, log, counts),
      scheduled: new ScheduledRepository(db, log, counts),
      statuses: new AccountStatusesRepository(db),
    };
    const twin = {
      db: direct as never as MessagingDatabase,
      messages: twinMessages,
      scheduled: new ScheduledTwin(tables, direct, twinMessages),
      statuses: new StatusesTwin(tables, direct),
    };
    const both = <T>(what: string, ask: (one: typeof real | typeof twin) => Promise<T>) =>
      same(
        what,
        () => ask(real),
        () => ask(twin),
      );
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    for (let step = 0; step < STEPS; step++) {
      if (random.chance(0.4)) {
        const items = Array.from({ length: 3 }, () => scheduled(random, nowMs));
        await both(`append ${step}`, async ({ messages }) =>
          [...(await messages.append(items)).createdAt.keys()].sort(),
        );
      } else if (random.chance(0.2)) {
        const status = { accountId: random.pick(ACCOUNTS), version: step + 1, halted: random.chance(0.5) };
        await both(`record ${step}`, ({ statuses, db: on }) => on.transaction((tx) => statuses.record(tx, [status])));
      } else {
        const limit = 1 + random.below(6);
        const due = await both(`due ${step}`, ({ scheduled: from }) => from.due(limit));
        const decided = due.flatMap(({ message, isHalted }) => {
          const going = { from: '+15005550009', queue: random.pick(QUEUES) };
          return departed(message, isHalted ? { errorCode: 30002 } : going) ?? [];
        });
        await both(`save ${step}`, ({ scheduled: to, db: on }) =>
          on.transaction(async (tx) => {
            const [messages, events] = [decided.map((one) => one.message), decided.flatMap((one) => one.event ?? [])];
            (await to.save(tx, messages, events))();
          }),
        );
        const keys = due.map(({ message }) => message);
        await both(`lock ${step}`, ({ messages, db: on }) =>
          on.transaction(async (tx) => [...(await messages.lock(tx, keys)).values()]),
        );
      }
    }
  });
});

function scheduled(random: Random, nowMs: number): NewMessage {
  const item = waiting(random);
  const sendAt = new Date(nowMs + random.pick([-3_000, -2_000, -1_000, LONG_MS]));
  const schedule = { sendAt, isFromAsked: random.chance(0.3) };
  const message: Message = { ...item.message, status: 'scheduled' };
  return { ...item, message, schedule, event: begun(message, schedule) };
}

function waiting(random: Random): NewMessage {
  const place = { id: newId(), accountId: random.pick(ACCOUNTS), lane: random.pick(LANES), queue: random.pick(QUEUES) };
  const texts = { from: random.pick(SENDERS), to: random.pick(RECIPIENTS) };
  const none = { serviceId: null, callbackUrl: null, carrier: null, errorCode: null, sentAt: null, traceparent: null };
  const validUntil = new Date(Math.floor(Date.now()) + LONG_MS);
  const rest = { version: 1, status: 'queued', segments: 1, receipts: 0n, validUntil } as const;
  const message: Message = { ...place, ...texts, ...none, ...rest };
  const text = { body: 'hello', encoding: 'GSM-7', retryUnknown: false, idempotencyKey: null } as const;
  const direction = random.chance(0.2) ? 'outbound-keyword' : 'outbound-api';
  const price = { priceMicros: 10, currency: 'USD', deadlineMs: Date.now() + LONG_MS };
  return { message, direction, ...text, ...price, event: accepted(message) };
}
