import { join } from 'node:path';
import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { basic, read, send } from '../support/api.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { makeDataDir, type Product, startProduct } from '../support/product.js';

const TEST_MS = 120_000;
const SENDER = '+15550003333';
const PASSWORD = 'secret01';

describe('one database, an api process and a worker process', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let database: TestDatabase;
  let smsc: SimulatedSmsc;
  let api: Product;
  let worker: Product;

  const start = (role: string) =>
    startProduct({ dataDir: join(dir.path, role), env: { DATABASE_URL: database.url, ROLES: role }, args: [] });

  beforeAll(async () => {
    dir = await makeDataDir();
    database = await startTestDatabase([]);
    smsc = await SimulatedSmsc.start({ name: 'field', dir: join(dir.path, 'smsc'), password: PASSWORD });
    // Together: both find an empty database and make the schemas.
    [api, worker] = await Promise.all([start('api'), start('worker')]);
  }, TEST_MS);

  afterAll(async () => {
    await Promise.all([api?.stop(), worker?.stop()]);
    await smsc?.stop();
    await database?.stop();
    await dir?.remove();
  }, TEST_MS);

  it(
    'deliver together what the one accepts and the other carries',
    async () => {
      const account = await api.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
        friendly_name: 'A customer',
        tier: 'pro',
      });
      const { sid, auth_token: token } = account;
      await api.operator('POST', `accounts/${sid}/credits`, { amount: '5.00', key: 'first', reason: 'to begin with' });
      await api.operator('POST', `accounts/${sid}/phone-numbers`, { phone_number: SENDER });
      await api.operator('POST', 'rates', { prefix: '', price: '0.01' });
      await api.operator('POST', 'carriers', {
        name: 'field',
        type: 'smpp',
        host: '127.0.0.1',
        port: smsc.port,
        system_id: 'field',
        password: PASSWORD,
        bind: 'transceiver',
        window: 10,
      });
      await api.operator('POST', 'routes', { prefix: '+44', carrier: 'field', priority: 10, weight: 1 });
      const params = { To: '+447700900123', From: SENDER, Body: 'from one to the other' };
      const message = await send(api.url, params, {}, { sid, token });
      expect(message.status).toBe('queued');
      const path = `/2010-04-01/Accounts/${sid}/Messages/${message.sid}.json`;
      const found = await eventually(
        async () => {
          const now = await read<{ status: string }>(api.url, path, basic(sid, token));
          return now.status === 'delivered' && now;
        },
        { timeoutMs: 60_000, what: () => `it is delivered:\n${worker.output()}` },
      );
      expect(found).toMatchObject({ price: '-0.01000', body: 'from one to the other' });
      expect(smsc.submissions({ after: 0, limit: 10 }).data).toMatchObject([
        { destination: '+447700900123', source: SENDER, text: 'from one to the other' },
      ]);
    },
    TEST_MS,
  );

  it(
    'each do their own part: the worker listens nowhere, the api process binds nothing',
    async () => {
      expect(smsc.snapshot().counters.sessions).toBe(1);
      await api.kill();
      expect(smsc.snapshot().counters.sessions).toBe(1);
      expect(await worker.stop()).toBe(0);
      await eventually(() => smsc.snapshot().counters.sessions === 0, { what: 'the worker has left the carrier' });
    },
    TEST_MS,
  );
});
