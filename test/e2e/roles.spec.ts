import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SIMULATED_KEY, simulatedHttp } from '../../src/modules/carriers/application/simulated-http.js';
import { SimulatedHttpCarrier } from '../../src/modules/carriers/infrastructure/simulator/simulated-http-carrier.js';
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
  let web: SimulatedHttpCarrier;
  let port: number;
  let api: Product;
  let worker: Product;

  const start = (role: string) =>
    startProduct({
      dataDir: join(dir.path, role),
      // Receipts over HTTP are to come to the one, of what the other sent.
      env: { DATABASE_URL: database.url, ROLES: role, PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` },
      args: [],
    });

  beforeAll(async () => {
    dir = await makeDataDir();
    database = await startTestDatabase([]);
    smsc = await SimulatedSmsc.start({ name: 'field', dir: join(dir.path, 'smsc'), password: PASSWORD });
    web = await SimulatedHttpCarrier.start({ name: 'web', dir: join(dir.path, 'web'), password: PASSWORD + PASSWORD });
    port = await freePort();
    // Together: both find an empty database and make the schemas.
    [api, worker] = await Promise.all([start('api'), start('worker')]);
  }, TEST_MS);

  afterAll(async () => {
    await Promise.all([api?.stop(), worker?.stop()]);
    await Promise.all([smsc?.stop(), web?.stop()]);
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
      await api.operator('POST', 'carriers', {
        name: 'web',
        type: 'http',
        ...simulatedHttp(web.port),
        secrets: { [SIMULATED_KEY]: PASSWORD + PASSWORD },
      });
      await api.operator('POST', 'routes', { prefix: '+49', carrier: 'web' });
      for (const [carrier, To] of [
        [smsc, '+447700900123'],
        [web, '+4915123456789'],
      ] as const) {
        const params = { To, From: SENDER, Body: 'from one to the other' };
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
        expect(carrier.submissions({ after: 0, limit: 10 }).data).toMatchObject([
          { destination: To, source: SENDER, text: 'from one to the other' },
        ]);
      }
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

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
