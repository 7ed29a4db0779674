import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { basic, call, MESSAGES, readMessage, send } from '../support/api.js';
import { cli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { Load } from '../support/load.js';
import { isFinal, messagesOf } from '../support/messages-of.js';
import { DEMO_TOKEN, makeDataDir, OPERATOR_TOKEN, type Product, startProduct } from '../support/product.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const run = promisify(execFile);
const CONNECTIONS = 4;
const BEFORE = 60;
const AFTER = 30;
const START_MS = 90_000;
/** The key of the secrets is made at the first start and kept in the data directory alone. */
const OWN_KEY = { SECRETS_KEY: '' };

describe('a backup taken under load, and restored elsewhere', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let receiver: WebhookReceiver;
  let product: Product;
  let restored: Product;

  beforeAll(async () => {
    dir = await makeDataDir();
    receiver = await WebhookReceiver.start(DEMO_TOKEN);
    product = await startProduct({ dataDir: join(dir.path, 'first'), env: OWN_KEY });
  }, START_MS);

  afterAll(async () => {
    await Promise.all([product?.stop(), restored?.stop()]);
    await receiver?.stop();
    await dir?.remove();
  }, START_MS);

  const file = () => join(dir.path, 'trunkline.backup');
  const built = (...args: string[]) => [join(process.cwd(), 'dist', 'cli.js'), ...args];

  it(
    'holds every message that was answered before it began, and goes on from there with a clean audit',
    async () => {
      const load = new Load(product.url, CONNECTIONS);
      await eventually(() => load.accepted.length >= BEFORE, { what: 'the load is under way' });
      const promised = [...load.accepted];
      const env = { PATH: process.env.PATH, DATA_DIR: product.dataDir };
      const { stderr } = await run(process.execPath, built('backup', file()), { env });
      expect(stderr).toMatch(/as of \d{4}-.*: \d+ files, .*\nIt holds the keys/s);
      expect((await stat(file())).mode & 0o777).toBe(0o600);
      const later = load.accepted.length;
      await eventually(() => load.accepted.length >= later + AFTER, { what: 'the load goes on' });
      await load.stop();

      const target = join(dir.path, 'second');
      expect(await cli({ DATA_DIR: target }, ['restore', file()])).toMatchObject({ code: 0 });
      expect(await cli({ DATA_DIR: target }, ['restore', file()])).toMatchObject({ code: 1 });
      restored = await startProduct({ dataDir: target, env: OWN_KEY });
      const there = await eventually(async () => {
        const messages = await messagesOf(restored.url);
        return messages.every(isFinal) && new Set(messages.map(({ sid }) => sid));
      });
      expect(promised.filter((sid) => !there.has(sid))).toEqual([]);
      // It is the state of then, and no later one.
      expect(load.accepted.slice(-AFTER).some((sid) => there.has(sid))).toBe(false);
      expect(await restored.audited()).toMatchObject({ ok: true, violations: [] });
      expect((await readMessage(restored.url, promised[0]!)).status).toBe('delivered');
    },
    START_MS * 2,
  );

  it('brings the keys: the restored product sends, and signs with what was encrypted then', async () => {
    const { sid } = await send(restored.url, { To: '+15555550100', Body: 'x', StatusCallback: `${receiver.url}/s` });
    await eventually(() => receiver.statusesOf(sid).includes('delivered'));
    expect(receiver.received.filter(({ signatureValid }) => !signatureValid)).toEqual([]);
  });

  it('lets operators work from the command line', async () => {
    const env = { OPERATOR_TOKEN };
    const at = (...args: string[]) => cli(env, [...args, '--url', product.url]);
    const opened = await at('accounts', 'create', 'Acme', '--tier', 'pro');
    const { sid, auth_token: token } = JSON.parse(opened.stdout) as { sid: string; auth_token: string };
    const credit = () => at('credits', 'add', sid, '100.00', '--key', 'invoice-1', '--reason', 'first payment');
    expect([(await credit()).code, (await credit()).code]).toEqual([0, 0]);
    const balance = await call(product.url, '/v1/balance', { headers: { authorization: basic(sid, token) } });
    expect(JSON.parse(balance.text)).toMatchObject({ balance: '100.00' });
    expect((await at('accounts', 'list', '--limit', '1')).stdout).toContain('"next_cursor"');
    expect((await at('carriers', 'list')).stdout).toContain('sim-smpp-1');
    expect(JSON.parse((await at('api', 'PATCH', `accounts/${sid}`, '{"tier": "free"}')).stdout).tier).toBe('free');
    expect(await at('audit', '--from', new Date(0).toISOString())).toMatchObject({ code: 0, stderr: '' });
    expect(await at('credits', 'add', sid, 'much')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('amount'),
    });
    const wrong = await cli({ OPERATOR_TOKEN: 'x'.repeat(20) }, ['carriers', 'list', '--url', product.url]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('401')]);
    expect((await call(product.url, MESSAGES, { headers: { authorization: basic() } })).status).toBe(200);
  });
});
