import type { CarrierConnection, ConnectionState, HandOver, Outgoing } from '../domain/carrier-connection.js';
import { VALIDITY_EXPIRED } from '../domain/error-codes.js';
import { until } from '../infrastructure/smpp/test-support/until.js';
import { CarrierLink, type LinkSettings } from './carrier-link.js';

const WINDOW = 4;
const TIMED_OUT: HandOver = { kind: 'unknown', reason: 'timeout' };

/** A carrier whose answers the test gives. */
class ScriptedConnection implements CarrierConnection {
  state: ConnectionState = { phase: 'bound', error: null };
  credit = WINDOW;
  stopped = Promise.withResolvers<void>();
  readonly waiting: { readonly outgoing: Outgoing; readonly segments: number; answer(outcome: HandOver): void }[] = [];

  start(): void {}

  stop(): Promise<void> {
    return this.stopped.promise;
  }

  handOver(outgoing: Outgoing): Promise<HandOver> {
    const segments = outgoing.messageIds.filter((id) => id === null).length;
    this.credit -= segments;
    const { promise, resolve } = Promise.withResolvers<HandOver>();
    const answer = (outcome: HandOver): void => {
      this.credit += segments;
      resolve(outcome);
    };
    this.waiting.push({ outgoing, segments, answer });
    return promise;
  }

  /** Answers what waits longest. */
  answer(outcome: HandOver): void {
    this.waiting.shift()!.answer(outcome);
  }
}

interface Told {
  readonly what: 'accepted' | 'rejected' | 'unknown' | 'handed back';
  readonly key: string;
  readonly detail: unknown;
}

let connection: ScriptedConnection;
let link: CarrierLink;
let told: Told[];
let mayLead: boolean;

function open(settings: Partial<LinkSettings> = {}): void {
  connection = new ScriptedConnection();
  told = [];
  mayLead = true;
  const tell = (what: Told['what']) => (outgoing: Outgoing, detail?: unknown) => {
    told.push({ what, key: outgoing.key, detail });
  };
  link = new CarrierLink(
    { name: 'a', windowSize: WINDOW, tps: null, responseTimeoutMs: 1_000, takes: true, ...settings },
    connection,
    {
      onAccepted: tell('accepted'),
      onRejected: tell('rejected'),
      onUnknown: tell('unknown'),
      onHandBack: tell('handed back'),
      onRoom: () => undefined,
      onBreaker: () => undefined,
    },
    () => mayLead,
    () => 0,
  );
}

beforeEach(() => open());

afterEach(async () => {
  connection.stopped.resolve();
  const stopped = link.stop();
  while (connection.waiting.length > 0) connection.answer({ kind: 'unsent' });
  await stopped;
});

function outgoing(key: string, over: Partial<Outgoing> = {}): Outgoing {
  const parts = over.parts ?? ['hello'];
  return {
    key,
    accountId: 'account',
    intentId: 'intent',
    hops: 0,
    from: '+15005550006',
    to: '+15555550100',
    encoding: 'GSM-7',
    parts,
    retryUnknown: false,
    weight: 1,
    validUntilMs: Date.now() + 600_000,
    candidates: ['a', 'b'],
    carrier: 'a',
    attempts: 0,
    exhausted: new Set(),
    messageIds: parts.map(() => null),
    ...over,
  };
}

async function isWaiting(count: number): Promise<void> {
  await until(`${count} wait for an answer`, () => connection.waiting.length === count);
}

async function isTold(count: number): Promise<void> {
  await until(`${count} have an outcome`, () => told.length === count);
}

it('has no more under way than the carrier has credit for, and room for twice its window', () => {
  for (let index = 0; index < WINDOW * 2; index++) link.offer(outgoing(String(index)));
  expect(connection.waiting).toHaveLength(WINDOW);
  expect(link.room).toBe(0);
  expect(link.status).toMatchObject({ queued: WINDOW, inFlight: WINDOW });
});

it('lets one that has more segments than the window leave when nothing else is under way', async () => {
  link.offer(outgoing('small'));
  link.offer(outgoing('large', { parts: Array<string>(WINDOW + 2).fill('x') }));
  link.offer(outgoing('next'));
  expect(connection.waiting).toHaveLength(1);
  connection.answer({ kind: 'accepted' });
  await isTold(1);
  expect(connection.waiting.map(({ outgoing: { key } }) => key)).toEqual(['large']);
});

it('lets what is urgent, and another account, leave before what waits of one that has much', async () => {
  for (let index = 0; index < WINDOW * 2; index++) link.offer(outgoing(`bulk ${index}`));
  link.offer(outgoing('urgent', { weight: 16 }));
  link.offer(outgoing('other', { accountId: 'other' }));
  for (let index = 0; index < 3; index++) connection.answer({ kind: 'accepted' });
  await isTold(3);
  expect(connection.waiting.slice(-3).map(({ outgoing: { key } }) => key)).toEqual(
    expect.arrayContaining(['urgent', 'other']),
  );
});

it('spends no attempt on being throttled, and sends only what is missing', async () => {
  const message = outgoing('m', { parts: ['one', 'two'] });
  link.offer(message);
  for (let round = 0; round < 3; round++) {
    await isWaiting(1);
    message.messageIds[0] = 'id-1';
    connection.answer({ kind: 'throttled' });
  }
  await isWaiting(1);
  expect(connection.waiting[0]!.segments).toBe(1);
  expect(message.attempts).toBe(0);
  connection.answer({ kind: 'accepted' });
  await isTold(1);
  expect(told).toEqual([{ what: 'accepted', key: 'm', detail: undefined }]);
  expect(link.status.counters).toMatchObject({ submitted: 4, throttled: 3, accepted: 1 });
});

it('tries three times what the carrier does not take, then lets another have it', async () => {
  const message = outgoing('m');
  link.offer(message);
  for (let attempt = 0; attempt < 3; attempt++) {
    await isWaiting(1);
    connection.answer({ kind: 'retryable' });
  }
  await isTold(1);
  expect(told[0]).toMatchObject({ what: 'handed back', detail: 'the carrier did not take it' });
  expect([...message.exhausted]).toEqual(['a']);
});

it.each([
  [false, 'unknown', 1],
  [true, 'handed back', 3],
] as const)(
  'with a lost answer and retry %s, the end is %s after %i attempts',
  async (retryUnknown, what, attempts) => {
    link.offer(outgoing('m', { retryUnknown }));
    for (let attempt = 0; attempt < attempts; attempt++) {
      await isWaiting(1);
      connection.answer({ kind: 'unknown', reason: 'disconnected' });
    }
    await isTold(1);
    expect(told[0]!.what).toBe(what);
  },
);

it.each([
  [false, 'unknown'],
  [true, 'handed back'],
] as const)('with retry %s, one that the carrier has in part is %s', async (retryUnknown, what) => {
  const message = outgoing('m', { retryUnknown, parts: ['one', 'two'] });
  link.offer(message);
  message.messageIds[0] = 'id-1';
  connection.answer({ kind: 'unsent' });
  await isTold(1);
  expect(told[0]!.what).toBe(what);
});

it('passes a refusal on', async () => {
  link.offer(outgoing('m'));
  connection.answer({ kind: 'rejected', errorCode: 30005 });
  await isTold(1);
  expect(told).toEqual([{ what: 'rejected', key: 'm', detail: 30005 }]);
});

it('sends nothing whose time is up', async () => {
  link.offer(outgoing('m', { validUntilMs: Date.now() - 1 }));
  expect(told).toEqual([{ what: 'rejected', key: 'm', detail: VALIDITY_EXPIRED }]);
  expect(connection.waiting).toHaveLength(0);
});

it('sends nothing while the lease does not hold, and goes on when it does again', async () => {
  mayLead = false;
  link.offer(outgoing('m'));
  expect(connection.waiting).toHaveLength(0);
  expect(told).toEqual([]);
  mayLead = true;
  await isWaiting(1);
});

it('opens its breaker at once when a full window stays without an answer, and gives back what waits', async () => {
  for (let index = 0; index < WINDOW + 2; index++) link.offer(outgoing(String(index)));
  connection.answer(TIMED_OUT);
  await isTold(3);
  expect(link.status.breaker).toBe('open');
  expect(link.isUsable).toBe(false);
  expect(told.map(({ what }) => what).sort()).toEqual(['handed back', 'handed back', 'unknown']);
  while (connection.waiting.length > 0) connection.answer(TIMED_OUT);
  await isTold(WINDOW + 2);
});

it('does not take a lost answer beside others for a stall', async () => {
  for (let index = 0; index < WINDOW; index++) link.offer(outgoing(String(index)));
  connection.answer({ kind: 'accepted' });
  await isTold(1);
  connection.answer(TIMED_OUT);
  await isTold(2);
  expect(link.status.breaker).toBe('closed');
});

it('gives back what waits when the carrier is down, and takes nothing', () => {
  for (let index = 0; index < WINDOW + 1; index++) link.offer(outgoing(String(index)));
  connection.state = { phase: 'down', error: 'gone' };
  link.onState();
  expect(told).toMatchObject([{ what: 'handed back', key: String(WINDOW) }]);
  expect(link.room).toBe(0);
  link.offer(outgoing('late'));
  expect(told.at(-1)).toMatchObject({ what: 'handed back', key: 'late' });
});

it('takes nothing where it is there for receipts only', () => {
  open({ takes: false });
  expect([link.isUsable, link.room]).toEqual([false, 0]);
  link.offer(outgoing('m'));
  expect(told).toMatchObject([{ what: 'handed back' }]);
});

it('has room for what its pace lets leave in a moment: the others keep their turns', () => {
  open({ tps: 3 });
  expect(link.room).toBe(1);
  link.offer(outgoing('left'));
  expect(link.room).toBe(1);
  link.offer(outgoing('waits'));
  expect(link.room).toBe(0);
});

it.each<HandOver>([{ kind: 'throttled' }, { kind: 'retryable' }, { kind: 'unsent' }])(
  'closes when everything has an outcome, whatever it is: %j',
  async (outcome) => {
    for (let index = 0; index < WINDOW + 1; index++) link.offer(outgoing(String(index)));
    let isClosed = false;
    const closed = link.stop().then(() => {
      isClosed = true;
    });
    expect(told).toMatchObject([{ what: 'handed back', key: String(WINDOW) }]);
    connection.stopped.resolve();
    while (connection.waiting.length > 0) {
      expect(isClosed).toBe(false);
      connection.answer(outcome);
    }
    await closed;
    expect(told).toHaveLength(WINDOW + 1);
    expect(told.every(({ what }) => what === 'handed back')).toBe(true);
    expect(link.status).toMatchObject({ queued: 0, inFlight: 0 });
  },
);
