import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { AwaitProvisioning } from '../../src/modules/accounts/application/await-provisioning.js';
import { ChangeAccount } from '../../src/modules/accounts/application/change-account.js';
import { OpenAccount } from '../../src/modules/accounts/application/open-account.js';
import { CreditAccount } from '../../src/modules/billing/application/credit-account.js';
import { GetBalance } from '../../src/modules/billing/application/get-balance.js';
import { SetRate } from '../../src/modules/billing/application/set-rate.js';
import { BillingModule } from '../../src/modules/billing/billing.module.js';
import { BillingApi, billingContract, type DigestLine } from '../../src/modules/billing/contract/billing.api.js';
import { BillingDatabase } from '../../src/modules/billing/infrastructure/billing.storage.js';
import { RemoteClient } from '../../src/platform/remote/remote-client.js';
import { RemoteServer } from '../../src/platform/remote/remote-server.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type RunningModules, startModules } from '../support/modules.js';
import { type Reach, WAYS } from './over-the-wire.js';

const HOUR_MS = 3_600_000;
const PRICE = 10_000;

let database: TestDatabase;
let running: RunningModules;
let server: RemoteServer;
let client: RemoteClient;

const SECRET = 'a secret of 32 characters or more';
/** As billing is reached when it runs in a process of its own. */
const remote: Reach = (_, schemas) => client.contract(BillingApi, 'billing', schemas as never) as never;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'billing']);
  running = await startModules(database.url, [AccountsModule, BillingModule], { consumers: true });
  await running.module.get(SetRate).set({ prefix: '+1', priceMicros: PRICE, accountSid: null });
  server = new RemoteServer(SECRET, { warn: () => undefined, error: () => undefined });
  server.expose<BillingApi>('billing', running.module.get(BillingApi), billingContract);
  client = new RemoteClient({ origin: `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`, secret: SECRET });
});

afterAll(async () => {
  await client?.close();
  await server?.close();
  await running?.close();
  await database?.stop();
});

const keyAt = (ms: number, prefix: 'SM' | 'MM' = 'SM') => sidOf(prefix, newId(ms));
const iso = (ms: number) => new Date(ms).toISOString();

describe.each([...WAYS, ['remote', remote] as [string, Reach]])('BillingApi %s', (way, reach) => {
  let billing: BillingApi;

  beforeAll(() => {
    billing = reach<BillingApi>(running.module.get(BillingApi), billingContract);
  });

  /** An account that can pay for `segments`. */
  async function openWith(segments: number): Promise<string> {
    const { account } = await running.module.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
    await running.module.get(AwaitProvisioning).wait(account.sid, 20_000);
    if (segments > 0) {
      const amountMicros = BigInt(segments * PRICE);
      await running.module
        .get(CreditAccount)
        .credit({ accountSid: account.sid, key: 'first', amountMicros, reason: '' });
    }
    return account.sid;
  }
  const item = (accountSid: string, change: object = {}) => ({
    key: keyAt(Date.now()),
    accountSid,
    to: '+15005550100',
    segments: 1,
    ...change,
  });
  const outcomes = async (items: ReturnType<typeof item>[]) =>
    (await billing.reserve(items)).map((result) => result.outcome);

  it('reserves the price of what is sent', async () => {
    const accountSid = await openWith(3);
    expect(await billing.reserve([item(accountSid, { segments: 3 })])).toEqual([
      { outcome: 'reserved', amountMicros: 3 * PRICE, currency: 'USD' },
    ]);
    expect(await outcomes([item(accountSid)])).toEqual(['insufficient_balance']);
  });

  it('answers in order, and lets each item fail alone', async () => {
    const [poor, rich] = [await openWith(1), await openWith(100)];
    const now = Date.now();
    const items = [
      item(poor),
      item(rich),
      item(poor),
      item(rich, { to: '+447700900123' }),
      item(sidOf('AC', newId())),
      item('nonsense'),
      item(rich, { key: 'nonsense' }),
      item(rich, { key: keyAt(now - 30 * 24 * HOUR_MS) }),
      item(rich, { key: keyAt(now + 30 * 24 * HOUR_MS) }),
      item(rich, { segments: 2 }),
    ];
    expect(await outcomes(items)).toEqual([
      'reserved',
      'reserved',
      'insufficient_balance',
      'no_rate',
      'no_ledger',
      'no_ledger',
      'invalid_key',
      'invalid_key',
      'invalid_key',
      'reserved',
    ]);
    expect(await billing.reserve([])).toEqual([]);
  });

  it('settles each reservation once', async () => {
    const accountSid = await openWith(3);
    const [posted, voided, open] = [item(accountSid), item(accountSid), item(accountSid)];
    await billing.reserve([posted, voided, open]);
    expect(
      await billing.settle([
        { key: posted.key, outcome: 'post' },
        { key: keyAt(Date.now()), outcome: 'post' },
        { key: voided.key, outcome: 'void' },
        { key: 'nonsense', outcome: 'void' },
      ]),
    ).toEqual(['settled', 'unknown', 'settled', 'unknown']);
    expect(
      await billing.settle([
        { key: posted.key, outcome: 'void' },
        { key: voided.key, outcome: 'post' },
        { key: posted.key, outcome: 'post' },
      ]),
    ).toEqual(['contradicted', 'contradicted', 'settled']);
    expect(await outcomes([posted, open, item(accountSid), item(accountSid)])).toEqual([
      'already_resolved',
      'reserved',
      'reserved',
      'insufficient_balance',
    ]);
    expect(await billing.settle([])).toEqual([]);
  });

  it('takes an undo for a void, and gives the place in the quota back', async () => {
    const accountSid = await openWith(3);
    const [undone, voided] = [item(accountSid), item(accountSid)];
    await billing.reserve([undone, voided]);
    expect(
      await billing.settle([
        { key: undone.key, outcome: 'undo' },
        { key: voided.key, outcome: 'void' },
      ]),
    ).toEqual(['settled', 'settled']);
    expect(
      await billing.settle([
        { key: undone.key, outcome: 'void' },
        { key: voided.key, outcome: 'undo' },
        { key: undone.key, outcome: 'post' },
      ]),
    ).toEqual(['settled', 'settled', 'contradicted']);
    await running.module.get(ChangeAccount).change(accountSid, { messagesPerDay: 2 });
    await eventually(async () => (await running.module.get(GetBalance).of(accountSid)).quotaLimit === 2);
    expect(await outcomes([item(accountSid), item(accountSid)])).toEqual(['reserved', 'quota_exhausted']);
  });

  it('keeps the price that was reserved when rates change', async () => {
    const accountSid = await openWith(10);
    const first = item(accountSid);
    await billing.reserve([first]);
    await running.module.get(SetRate).set({ prefix: '+1500', priceMicros: 4 * PRICE, accountSid });
    expect(await billing.reserve([first, item(accountSid)])).toMatchObject([
      { outcome: 'reserved', amountMicros: PRICE },
      { outcome: 'reserved', amountMicros: 4 * PRICE },
    ]);
  });

  it('quotes, and reserves nothing', async () => {
    const accountSid = await openWith(0);
    const quote = (to: string, segments = 1) => billing.quote({ accountSid, to, segments });
    expect(await quote('+15005550100', 2)).toEqual({ amountMicros: 2 * PRICE, currency: 'USD' });
    expect(await quote('+447700900123')).toBeNull();
    expect(await billing.quote({ accountSid: 'nonsense', to: '+15005550100', segments: 1 })).toBeNull();
  });

  describe('for the audit', () => {
    // Hours of the past that no other test reserves in, nor this one another way.
    const hoursAgo = 30 + 10 * [...WAYS.map(([name]) => name), 'remote'].indexOf(way);
    const start = (Math.floor(Date.now() / HOUR_MS) - hoursAgo) * HOUR_MS;
    const range = { from: iso(start), to: iso(start + 5 * HOUR_MS) };
    let accountSid: string;
    let keys: Record<'pending' | 'posted' | 'voided' | 'late', string>;

    beforeAll(async () => {
      accountSid = await openWith(20);
      keys = {
        pending: keyAt(start, 'MM'),
        posted: keyAt(start + 1),
        voided: keyAt(start + HOUR_MS - 2000),
        late: keyAt(start + 3 * HOUR_MS),
      };
      const items = Object.values(keys).map((key, index) => item(accountSid, { key, segments: index + 1 }));
      expect(await outcomes(items)).toEqual(['reserved', 'reserved', 'reserved', 'reserved']);
      await billing.settle([
        { key: keys.posted, outcome: 'post' },
        { key: keys.voided, outcome: 'void' },
      ]);
    });

    it('lists reservations in the order of their keys', async () => {
      const list = async (after: string | null, limit: number, state: 'pending' | 'any' = 'any') =>
        (await billing.listCharges({ ...range, after, limit, state })).filter((row) => row.accountSid === accountSid);
      expect(await list(null, 100)).toEqual([
        row(keys.pending, 'pending', 1),
        row(keys.posted, 'posted', 2),
        row(keys.voided, 'voided', 3),
        row(keys.late, 'pending', 4),
      ]);
      expect((await list(keys.posted, 1)).map(({ key }) => key)).toEqual([keys.voided]);
      expect((await list(null, 100, 'pending')).map(({ key }) => key)).toEqual([keys.pending, keys.late]);
      await expect(billing.listCharges({ ...range, after: 'nonsense', limit: 1, state: 'any' })).rejects.toMatchObject({
        failure: 'invalid_parameter',
        field: 'after',
      });
    });

    function row(key: string, state: string, segments: number) {
      return { key, accountSid, state, amountMicros: segments * PRICE, changedAt: expect.any(String) };
    }

    it('adds reservations up by state and bucket', async () => {
      const digest = await billing.digest({ ...range, bucketMs: HOUR_MS });
      expect(digest.map((bucket) => bucket.from)).toEqual([iso(start), iso(start + 3 * HOUR_MS)]);
      const charges = await billing.listCharges({ ...range, after: null, limit: 1000, state: 'any' });
      for (const state of ['pending', 'posted', 'voided'] as const) {
        const rows = charges.filter((charge) => charge.state === state);
        const lines = digest.map((bucket) => bucket[state]);
        expect(total(lines)).toEqual({
          count: rows.length,
          sumMicros: rows.reduce((sum, { amountMicros }) => sum + amountMicros, 0),
          hash: await hashOf(rows.map(({ key }) => key)),
        });
      }
    });

    function total(lines: readonly DigestLine[]): DigestLine {
      return {
        count: lines.reduce((sum, { count }) => sum + count, 0),
        sumMicros: lines.reduce((sum, { sumMicros }) => sum + sumMicros, 0),
        hash: String(lines.reduce((hash, line) => hash ^ BigInt(line.hash), 0n)),
      };
    }

    async function hashOf(sids: string[]): Promise<string> {
      const { rows } = await running.module.get(BillingDatabase).query<{ hash: string }>(
        `select coalesce(bit_xor(hashtextextended(substr(sid, 3)::uuid::text, 0)), 0) as hash
          from unnest($1::text[]) as s(sid)`,
        [sids],
      );
      return rows[0]!.hash;
    }

    it('cuts a range into ten thousand buckets, and no more', async () => {
      const to = iso(start + 10_000);
      const counts = (await billing.digest({ from: range.from, to, bucketMs: 1 })).map(
        ({ pending, posted, voided }) => pending.count + posted.count + voided.count,
      );
      expect(counts.length).toBeGreaterThanOrEqual(2);
      expect(counts.every((count) => count === 1)).toBe(true);
      await expect(billing.digest({ from: range.from, to: iso(start + 10_001), bucketMs: 1 })).rejects.toMatchObject({
        failure: 'invalid_parameter',
        field: 'bucketMs',
      });
      await expect(billing.digest({ from: range.to, to: range.from, bucketMs: HOUR_MS })).rejects.toMatchObject({
        failure: 'invalid_parameter',
        field: 'to',
      });
      expect(await billing.digest({ from: range.from, to: range.from, bucketMs: HOUR_MS })).toEqual([]);
    });

    it('finds the ledger in order', async () => {
      const check = await billing.checkLedger();
      expect(check).toEqual({ entries: expect.any(Number), sumMicros: '0', violations: [] });
      expect(check.entries).toBeGreaterThan(6);
    });
  });
});
