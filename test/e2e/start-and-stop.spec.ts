import { spawnSync } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { basic, call, read, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { processesUsing } from '../support/processes.js';
import { DEMO_SID, makeDataDir, type Product, readyUrl, spawnProduct, startProduct } from '../support/product.js';

const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('curl is not installed: the command that the product prints is read but not run');

const NONE_GIVEN = { OPERATOR_TOKEN: '', SECRETS_KEY: '', DEMO_ACCOUNT_SID: '', DEMO_AUTH_TOKEN: '' };
const START_MS = 90_000;
const REFUSED_MS = 30_000;

/** Starts the product where it must refuse to start; what it says, and how it ends. */
async function refusal(env: Readonly<Record<string, string>>, dataDir: string) {
  const { child, output, exited } = spawnProduct({ dataDir, env });
  const refused = eventually(() => child.exitCode !== null || readyUrl(output()) !== null, {
    timeoutMs: REFUSED_MS,
    what: () => `it refuses to start:\n${output()}`,
  });
  await refused.finally(() => child.kill('SIGINT'));
  return { code: await exited, output: output() };
}

/** What the product tells a newcomer. */
function printed(output: string) {
  const word = (label: string) => new RegExp(`${label} +(\\S+)`).exec(output)?.[1] ?? '';
  const curl = /curl -u.*?\n\n/s.exec(output)?.[0].trim() ?? '';
  return { sid: word('account SID'), token: word('auth token'), operatorToken: word('operator token'), curl };
}

describe('the first start, with no settings at all, and the second', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let product: Product;

  beforeAll(async () => {
    dir = await makeDataDir();
    product = await startProduct({ dataDir: dir.path, env: NONE_GIVEN });
  }, START_MS);

  afterAll(async () => {
    await product?.stop();
    await dir?.remove();
  }, START_MS);

  const balance = () => {
    const { sid, token } = printed(product.output());
    return read<{ balance: string; reserved: string }>(product.url, '/v1/balance', basic(sid, token));
  };

  it('says where it is, and with which credentials', async () => {
    const { sid, token, operatorToken } = printed(product.output());
    expect(product.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(sid).toMatch(/^AC[0-9a-f]{32}$/);
    expect(token).toMatch(/^[0-9a-zA-Z]{32}$/);
    expect(operatorToken).toMatch(/^\S{32,}$/);
    expect(await balance()).toMatchObject({ balance: '10000.00' });
    const operator = await call(product.url, '/v1/operator/accounts', {
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    expect([operator.status, operator.text]).toEqual([200, expect.stringContaining(sid)]);
    expect((await call(product.url, '/health/ready')).status).toBe(200);
  });

  it('prints a curl command that sends a message, as it stands', async () => {
    const { curl, sid, token } = printed(product.output());
    expect(curl).toContain(`${product.url}/2010-04-01/Accounts/${sid}/Messages.json`);
    expect(curl).toContain(`${sid}:${token}`);
    if (!hasCurl) return;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', curl], { encoding: 'utf8' });
    expect([status, stderr.includes('error')]).toEqual([0, false]);
    const message = JSON.parse(stdout) as { sid: string };
    expect(message).toMatchObject({ status: 'queued', body: 'Hello from Trunkline' });
    const path = `/2010-04-01/Accounts/${sid}/Messages/${message.sid}.json`;
    await eventually(
      async () => (await read<{ status: string }>(product.url, path, basic(sid, token))).status === 'delivered',
    );
  });

  it('refuses a second instance on the same data, and the first goes on unharmed', async () => {
    const second = await refusal(NONE_GIVEN, dir.path);
    expect(second.code).toBe(1);
    expect(second.output).toContain(`the data directory ${dir.path} is in use by the process ${product.pid}`);
    expect(second.output).not.toContain('    at ');
    expect((await call(product.url, '/health/ready')).status).toBe(200);
    expect((await balance()).balance).toMatch(/^\d+\.\d+$/);
  });

  it(
    'names a port that is taken, and leaves nothing running',
    async () => {
      const other = await makeDataDir();
      const port = new URL(product.url).port;
      const { code, output } = await refusal({ PORT: port }, other.path);
      expect(code).toBe(1);
      expect(output).toContain(`port ${port} is taken`);
      expect(output).not.toContain('    at ');
      expect(await processesUsing(other.path)).toEqual([]);
      await other.remove();
    },
    START_MS,
  );

  it(
    'keeps messages, balance and credentials over a stop and a start, and credits the demo once',
    async () => {
      const first = printed(product.output());
      const { sid } = await send(product.url, { To: '+15555550123', Body: 'kept' }, {}, first);
      const message = () =>
        read<{ status: string }>(
          product.url,
          `/2010-04-01/Accounts/${first.sid}/Messages/${sid}.json`,
          basic(first.sid, first.token),
        );
      await eventually(async () => (await message()).status === 'delivered');
      const settled = await eventually(async () => {
        const now = await balance();
        return Number(now.reserved) === 0 && now;
      });
      expect(Number(settled.balance)).toBeLessThan(10_000);
      expect(await product.stop()).toBe(0);
      product = await startProduct({ dataDir: dir.path, env: NONE_GIVEN });
      const { sid: account, token, operatorToken } = printed(product.output());
      expect({ account, token, operatorToken }).toEqual({
        account: first.sid,
        token: first.token,
        operatorToken: first.operatorToken,
      });
      expect(await message()).toMatchObject({ status: 'delivered', body: 'kept', price: '-0.00790' });
      expect(await balance()).toEqual(settled);
      const credits = await call(product.url, `/v1/operator/accounts/${account}/credits`, {
        headers: { authorization: `Bearer ${operatorToken}` },
      });
      expect((JSON.parse(credits.text) as { data: unknown[] }).data).toHaveLength(1);
    },
    START_MS,
  );
});

describe('a production start without a database', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;
  let product: Product;
  /** The operator's, from the first start: no later one tells it again. */
  let token: string;
  const start = () => startProduct({ dataDir: dir.path, env: { OPERATOR_TOKEN: '', SECRETS_KEY: '' }, args: [] });

  beforeAll(async () => {
    dir = await makeDataDir();
    product = await start();
    token = printed(product.output()).operatorToken;
  }, START_MS);

  afterAll(async () => {
    await product?.stop();
    await dir?.remove();
  }, START_MS);

  const operator = (path: string, method = 'GET') =>
    call(product.url, `/v1/operator/${path}`, { method, headers: { authorization: `Bearer ${token}` } });

  it('makes its secrets, keeps them for their owner alone, and prints the operator token', async () => {
    const path = join(dir.path, 'secrets.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(token).toMatch(/^\S{32,}$/);
    expect(product.output()).toContain(path);
    expect((await operator('accounts')).status).toBe(200);
  });

  it('logs JSON lines', () => {
    const lines = product
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('ready');
  });

  it('has no demo account and no simulated carriers', async () => {
    expect(JSON.parse((await operator('accounts')).text)).toMatchObject({ data: [] });
    expect(JSON.parse((await operator('carriers')).text)).toMatchObject({ data: [] });
    expect((await operator('simulator/carriers/sim-smpp-1')).status).toBe(404);
    expect((await operator('simulator/carriers/sim-smpp-1', 'PUT')).status).toBe(404);
    const demo = await call(product.url, `/2010-04-01/Accounts/${DEMO_SID}/Balance.json`, {
      headers: { authorization: basic() },
    });
    expect(demo.status).toBe(401);
  });

  it(
    'finds its secrets again',
    async () => {
      expect(await product.stop()).toBe(0);
      product = await start();
      expect(product.output()).not.toContain(token);
      expect((await operator('accounts')).status).toBe(200);
    },
    START_MS,
  );
});

describe('what it cannot start with', () => {
  let dir: Awaited<ReturnType<typeof makeDataDir>>;

  beforeAll(async () => {
    dir = await makeDataDir();
  });

  afterAll(async () => {
    await dir.remove();
  });

  const SECRETS = { OPERATOR_TOKEN: 'x'.repeat(32), SECRETS_KEY: 'k'.repeat(32) };
  const DATABASE = 'postgres://nobody:hidden-password@127.0.0.1:1/none';

  it.each<[string, Record<string, string>, string[]]>([
    ['a port that is no number', { PORT: 'abc' }, ['PORT']],
    ['a port that no machine has', { PORT: '65536' }, ['PORT']],
    ['a port of spaces', { PORT: ' ' }, ['PORT']],
    [
      'a database without secrets',
      { DATABASE_URL: DATABASE, OPERATOR_TOKEN: '', SECRETS_KEY: '' },
      ['OPERATOR_TOKEN', 'SECRETS_KEY'],
    ],
    ['a database without one secret', { DATABASE_URL: DATABASE, ...SECRETS, SECRETS_KEY: '' }, ['SECRETS_KEY']],
    ['a key that is short', { SECRETS_KEY: 'short' }, ['SECRETS_KEY']],
    ['a token that is short', { OPERATOR_TOKEN: 'short' }, ['OPERATOR_TOKEN']],
    ['a network that is none', { WEBHOOK_ALLOWED_CIDRS: 'banana' }, ['WEBHOOK_ALLOWED_CIDRS', 'banana']],
    ['a proxy that is none', { TRUSTED_PROXIES: 'banana' }, ['TRUSTED_PROXIES', 'banana']],
    ['a role that is none', { ROLES: 'x' }, ['ROLES']],
    ['a log level that is none', { LOG_LEVEL: 'loud' }, ['LOG_LEVEL']],
    ['a public URL that is none', { PUBLIC_URL: 'ftp://x' }, ['PUBLIC_URL']],
    ['a database at no URL', { DATABASE_URL: 'postgres://user:hidden-password@[', ...SECRETS }, ['DATABASE_URL']],
    ['a database of another kind', { DATABASE_URL: 'mysql://x/y', ...SECRETS }, ['DATABASE_URL']],
    ['a queue store of another kind', { REDIS_URL: 'http://x' }, ['REDIS_URL']],
    ['a demo account that is none', { DEMO_ACCOUNT_SID: 'AC1' }, ['DEMO_ACCOUNT_SID']],
    ['several at once', { PORT: 'abc', ROLES: 'x', SECRETS_KEY: 'short' }, ['PORT', 'ROLES', 'SECRETS_KEY']],
    ['a database that is not there', { DATABASE_URL: DATABASE, ...SECRETS }, ['DATABASE_URL', '127.0.0.1:1']],
    [
      "a module's database that is not there",
      { BILLING_DATABASE_URL: DATABASE },
      ['BILLING_DATABASE_URL', '127.0.0.1:1'],
    ],
  ])(
    '%s',
    async (_case, env, named) => {
      const { code, output } = await refusal(env, join(dir.path, 'data'));
      expect(code).toBe(1);
      for (const name of named) expect(output).toContain(name);
      expect(output).not.toContain('    at ');
      for (const secret of ['hidden-password', SECRETS.SECRETS_KEY]) expect(output).not.toContain(secret);
      expect(await processesUsing(dir.path)).toEqual([]);
    },
    START_MS,
  );

  it(
    'a data directory below a file',
    async () => {
      const file = join(dir.path, 'file');
      await writeFile(file, 'in the way');
      const { code, output } = await refusal({}, join(file, 'data'));
      expect(code).toBe(1);
      expect(output).toContain(`the data directory ${join(file, 'data')} cannot be used`);
      expect(output).not.toContain('    at ');
    },
    START_MS,
  );
});
