import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { makeReadyDataDir, OPERATOR_TOKEN, startProduct } from '../support/product.js';
import { connectToDatabaseOf, tablesHolding, tablesOf } from '../support/product-database.js';

const SECRETS_KEY = 'a-key-for-the-secrets-of-these-tests';

it('keeps secrets out of every table and of the log, at its most talkative level', async () => {
  const dir = await makeReadyDataDir();
  const product = await startProduct({ dataDir: dir.path, env: { LOG_LEVEL: 'debug', SECRETS_KEY } });
  const database = await connectToDatabaseOf(dir.path);
  try {
    const account = await product.operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
      friendly_name: 'With secrets',
      tier: 'free',
    });
    const key = await product.operator<{ secret: string }>('POST', `accounts/${account.sid}/keys`, {});
    const rotated = await product.operator<{ auth_token: string }>('POST', `accounts/${account.sid}/auth-token`);
    const password = randomBytes(4).toString('hex');
    await product.operator('POST', 'carriers', {
      name: 'secretive',
      type: 'smpp',
      host: '127.0.0.1',
      port: 1,
      system_id: 'somebody',
      password,
    });
    await eventually(() => product.output().includes('secretive'), { what: 'the carrier cannot be reached' });
    const told = [account.auth_token, rotated.auth_token, key.secret, password];
    for (const secret of told) expect(secret).toMatch(/^\S{8,}$/);
    const written = [...told, SECRETS_KEY, OPERATOR_TOKEN].flatMap((secret) => [
      secret,
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64'),
    ]);
    expect((await tablesOf(database)).length).toBeGreaterThan(40);
    expect(await tablesHolding(database, written)).toEqual({});
    // Development shows the demo account's and the operator's, and only those.
    for (const secret of [...told, SECRETS_KEY]) expect(product.output()).not.toContain(secret);
    expect(JSON.stringify(await product.operator('GET', 'carriers'))).not.toContain(password);
  } finally {
    await database.end();
    await product.stop();
    await dir.remove();
  }
}, 120_000);
