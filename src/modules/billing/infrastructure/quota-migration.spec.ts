import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { migrate } from '../../../platform/postgres/migrate.js';
import { ensurePartitions } from '../../../platform/postgres/partitions.js';
import { newId } from '../../../shared/sid.js';
import { CURRENCY, FUNDING_ID, REVENUE_ID } from '../domain/ledger.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository } from './ledger.repository.js';
import { LedgerCheckRepository } from './ledger-check.repository.js';

const MIGRATIONS = join(process.cwd(), 'prisma', 'billing', 'migrations');
const FIRST = '20261120000000_init';
const log = { info: () => undefined, warn: () => undefined };

let server: TestDatabase;
let before: string;

beforeAll(async () => {
  server = await startTestDatabase([]);
  before = await mkdtemp(join(tmpdir(), 'trunkline-migrations-'));
  await cp(join(MIGRATIONS, FIRST), join(before, FIRST), { recursive: true });
});

afterAll(async () => {
  await server?.stop();
  await rm(before, { recursive: true, force: true });
});

it('a ledger of before there were quotas goes on with what is open and what was reserved today', async () => {
  await migrate({ connectionString: server.url, module: 'billing', dir: before, log });
  await ensurePartitions(server.url, 'billing', Date.now());
  const db = new BillingDatabase({ module: 'billing', connectionString: server.url });
  try {
    const [id, open, settled] = [newId(), newId(), newId()];
    await db.query(
      `insert into billing.ledger_account (id, kind, currency, balance_micros, reserved_micros)
        values ($1, 'customer', $2, 93, 5)`,
      [id, CURRENCY],
    );
    await db.query(
      `insert into billing.entry (key, phase, kind, key_prefix, debit_id, credit_id, amount_micros) values
        ($1, 1, 'credit', '', $4, $2, 100), ($3, 0, 'pending', 'SM', $2, $5, 5),
        ($6, 0, 'pending', 'SM', $2, $5, 7), ($6, 1, 'post', 'SM', $2, $5, 7)`,
      [newId(), id, open, FUNDING_ID, REVENUE_ID, settled],
    );
    await db.query(
      `update billing.ledger_account set balance_micros = case id when $1::uuid then 7 else -100 end
        where id in ($1, $2)`,
      [REVENUE_ID, FUNDING_ID],
    );
    await db.query(`insert into billing.consumer (id, source, position) values ('billing.provision-accounts', 'a', 9)`);
    await migrate({ connectionString: server.url, module: 'billing', dir: MIGRATIONS, log });
    expect(await new LedgerCheckRepository(db).check()).toMatchObject({ accounts: [], resolutions: [] });
    const { rows } = await db.query<{ used: number; open: string; quota: number | null; position: string }>(
      `select quota_used as used, reserved_count as open, quota_limit as quota,
          (select position from billing.consumer) as position
        from billing.ledger_account where id = $1`,
      [id],
    );
    expect(rows).toEqual([{ used: 2, open: '1', quota: null, position: '0' }]);
    expect(await new LedgerRepository(db).settle([{ key: open, kind: 'undo' }])).toEqual(['void']);
    expect(await new LedgerCheckRepository(db).check()).toMatchObject({ accounts: [], resolutions: [] });
  } finally {
    await db.close();
  }
});
