import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { newId } from '../../../shared/sid.js';
import { BillingDatabase } from './billing.storage.js';
import { LedgerRepository } from './ledger.repository.js';

let server: TestDatabase;
let db: BillingDatabase;
let ledger: LedgerRepository;
beforeAll(async () => {
  server = await startTestDatabase(['billing']);
  db = new BillingDatabase({ module: 'billing', connectionString: server.url });
  ledger = new LedgerRepository(db);
});
afterAll(async () => {
  await db?.close();
  await server?.stop();
});
async function open(balance: number): Promise<string> {
  const id = newId();
  await db.query(`insert into billing.ledger_account (id, kind, currency, balance_micros) values ($1,'customer','USD',$2)`, [id, balance]);
  return id;
}
const item = (accountId: string, amountMicros: number, id = newId()) => ({ key: { prefix: 'SM', id }, accountId, amountMicros });
it('bench', async () => {
  const id = await open(1_000_000_000_000);
  for (const concurrency of [1, 2, 3]) {
    const ids: string[][] = [];
    let t = performance.now();
    const N = 100;
    let n = 0;
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (n++ < N) {
        const items = Array.from({ length: 200 }, () => item(id, 7900));
        ids.push(items.map((i) => i.key.id));
        const r = await ledger.reserve(items);
        if (!r.every((x) => x.state === 'reserved')) throw new Error('bad');
      }
    }));
    const tr = performance.now() - t;
    t = performance.now();
    const cnt = ids.length;
    await Promise.all(Array.from({ length: concurrency }, async () => {
      for (let b = ids.pop(); b; b = ids.pop()) {
        const r = await ledger.settle(b.map((key) => ({ key, kind: 'post' as const })));
        if (!r.every((x) => x === 'post')) throw new Error('bad');
      }
    }));
    const ts = performance.now() - t;
    console.log(concurrency, `reserve ${(tr / cnt).toFixed(2)} ms/group ${Math.round((cnt * 200) / tr * 1000)}/s; settle ${(ts / cnt).toFixed(2)} ms ${Math.round((cnt * 200) / ts * 1000)}/s`);
  }
}, 120000);
