import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { Logger } from '../../../platform/tokens.js';
import { sidOf } from '../../../shared/sid.js';
import {
  CapacitySignal,
  CarriersApi,
  type Submission,
  type SubmitResult,
} from '../../carriers/contract/carriers.api.js';
import { DispatchRepository } from '../infrastructure/dispatch.repository.js';
import { EndingsRepository } from '../infrastructure/endings.repository.js';
import { Dispatcher } from './dispatcher.js';
import { SendMessage } from './send-message.js';

/** Many at once on a busy machine take longer than the budget of a request. */
const PATIENCE_MS = 30_000;

/** Carriers that take whatever they are offered, unless they are told to fail, and answer nothing. */
class SilentCarriers extends CarriersApi {
  readonly offered: string[] = [];
  readonly refused: string[] = [];
  readonly stranded = new Set<string>();
  strandsAll = false;
  room = 100;
  failures = 0;

  async capacity(): Promise<Record<string, number>> {
    return { nobody: this.room };
  }

  async submit(items: readonly Submission[]): Promise<SubmitResult[]> {
    if (this.failures > 0) {
      this.failures--;
      this.refused.push(...items.map((item) => item.key));
      throw new Error('the way to the carriers is broken');
    }
    return items.map(({ key }) => {
      const isStranded = this.strandsAll || this.stranded.has(key);
      (isStranded ? this.refused : this.offered).push(key);
      return isStranded ? 'stranded' : 'taken';
    });
  }

  timesOffered(id: string): number {
    return this.offered.filter((key) => key === sidOf('SM', id)).length;
  }

  route = () => Promise.resolve(null);
  withdraw = () => Promise.resolve([]);
  digest = () => Promise.resolve([]);
  listSubmissions = () => Promise.resolve([]);
  inboundContents = () => Promise.resolve([]);
  redactInbound = () => Promise.resolve();
}

class NoSignal extends CapacitySignal {
  onRoom(): () => void {
    return () => undefined;
  }
}

describe('the dispatcher', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let carriers: SilentCarriers;
  let dispatcher: Dispatcher;

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  beforeEach(() => {
    carriers = new SilentCarriers();
    const { module } = messaging.running;
    dispatcher = new Dispatcher(
      carriers,
      new NoSignal(),
      module.get(DispatchRepository),
      module.get(EndingsRepository),
      module.get(Logger),
    );
  });

  afterEach(() => dispatcher.stop());

  async function send(request: Record<string, string> = {}): Promise<string> {
    const { message } = await messaging.running.module
      .get(SendMessage)
      .send(
        messaging.principal,
        { To: '+15555550100', From: SENDER, Body: 'hello', ...request },
        { idempotencyKey: null, traceparent: null, waitedMs: -PATIENCE_MS },
      );
    return message.id;
  }

  it('hands over what waits, however much of it, each message once', async () => {
    const ids = await Promise.all(Array.from({ length: 700 }, () => send()));
    dispatcher.start();
    await eventually(() => ids.every((id) => carriers.timesOffered(id) > 0));
    expect(carriers.offered.length).toBe(new Set(carriers.offered).size);
  });

  it('offers again what could not be offered', async () => {
    await send();
    carriers.failures = 1;
    dispatcher.start();
    await eventually(
      () => carriers.refused.length > 0 && carriers.refused.every((key) => carriers.offered.includes(key)),
      {
        timeoutMs: 5_000,
      },
    );
  });

  it('offers again what is with the carriers when it may have missed that they gave it back', async () => {
    const id = await send();
    dispatcher.start();
    await eventually(() => carriers.timesOffered(id) === 1, { timeoutMs: 5_000 });
    dispatcher.reset();
    await eventually(() => carriers.timesOffered(id) === 2, { timeoutMs: 5_000 });
  });

  it('hands over nothing to who has opted out, and notes it for its end', async () => {
    const [unwanted, wanted] = [await send({ To: '+15555550199' }), await send()];
    const notes = () =>
      withClient(database.url, (client) => client.query('select id from messaging.ending where id = $1', [unwanted]));
    await withClient(database.url, (client) =>
      client.query(
        `insert into messaging.opt_out (account_id, recipient, sender, source)
          select account_id, to_number, from_number, 'keyword' from messaging.message where id = $1`,
        [unwanted],
      ),
    );
    dispatcher.start();
    await eventually(async () => {
      const { rows } = await withClient(database.url, (client) =>
        client.query('select status, error_code from messaging.message where id = $1', [unwanted]),
      );
      return (await notes()).rows.length === 1 || rows[0]!.error_code === 21610;
    });
    await eventually(() => carriers.timesOffered(wanted) === 1);
    expect(carriers.timesOffered(unwanted)).toBe(0);
  });

  it('lets others of the same account go before what nobody can carry at present', async () => {
    const stranded = await send();
    carriers.stranded.add(sidOf('SM', stranded));
    dispatcher.start();
    for (let count = 0; count < 3; count++) {
      const next = await send();
      dispatcher.lookSoon();
      await eventually(() => carriers.timesOffered(next) === 1, { timeoutMs: 5_000 });
    }
    expect(carriers.timesOffered(stranded)).toBe(0);
    carriers.stranded.clear();
    await eventually(() => carriers.timesOffered(stranded) === 1, { timeoutMs: 10_000 });
  });

  it('reads past any number of those', async () => {
    carriers.strandsAll = true;
    carriers.room = 25;
    const stranded = await Promise.all(Array.from({ length: 1_300 }, () => send()));
    dispatcher.start();
    await eventually(() => new Set(carriers.refused).size >= stranded.length);
    for (const id of stranded) carriers.stranded.add(sidOf('SM', id));
    carriers.strandsAll = false;
    dispatcher.reset();
    const good = await send();
    await eventually(() => carriers.timesOffered(good) === 1);
  });

  it('reads past what is no longer valid, which waits for its end only', async () => {
    const late = await send({ ValidityPeriod: '1' });
    await withClient(database.url, (client) =>
      client.query(`update messaging.message set valid_until = clock_timestamp() - interval '1 s' where id = $1`, [
        late,
      ]),
    );
    const valid = await send();
    const [first, ...others] = await messaging.running.module
      .get(DispatchRepository)
      .waiting([{ queue: 'nobody', lane: 'normal', accountId: await accountOf(valid) }], [10_000]);
    expect(others).toEqual([]);
    expect(first).toContain(valid);
    expect(first).not.toContain(late);
  });

  it('counts what waits lane by lane: much of one hides nothing of another', async () => {
    await Promise.all(Array.from({ length: 5 }, () => send({ MessageIntent: 'marketing' })));
    await Promise.all(Array.from({ length: 2 }, () => send({ MessageIntent: 'otp' })));
    const depths = await messaging.running.module.get(DispatchRepository).depths(3);
    const countOf = (lane: string) => depths.find((depth) => depth.lane === lane)?.count;
    expect([countOf('realtime'), countOf('bulk')]).toEqual([2, 3]);
    for (const { oldestSeconds } of depths) expect(oldestSeconds).toBeGreaterThanOrEqual(0);
  });

  async function accountOf(id: string): Promise<string> {
    const { rows } = await withClient(database.url, (client) =>
      client.query<{ account_id: string }>('select account_id from messaging.message where id = $1', [id]),
    );
    return rows[0]!.account_id;
  }
});
