import request from 'supertest';
import {
  ACCOUNT,
  API_KEY,
  type EdgeUnderTest,
  LETTERS,
  OPERATOR_TOKEN,
  PROVISIONING,
  SECRET,
  STRANGER,
  SUBACCOUNT,
  SUSPENDED,
  SUSPENDED_SUBACCOUNT,
  startEdge,
  UNREACHABLE,
} from './edge.test-support.js';

let edge: EdgeUnderTest;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.app.close());

const messages = (account: string) => `/2010-04-01/Accounts/${account}/Messages.json`;
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const get = (path: string) => request(edge.app.getHttpServer()).get(path);
const post = (path: string) => request(edge.app.getHttpServer()).post(path);
const send = (path: string, user: string, password = SECRET) =>
  post(path).auth(user, password).type('form').send({ To: '+15005550010' });

describe('a customer', () => {
  it.each([
    [ACCOUNT, 'auth_token'],
    [API_KEY, 'api_key'],
  ])('is let in with the credentials of %s', async (user, credential) => {
    const answer = await send(messages(ACCOUNT), user).expect(201);
    expect(answer.body).toMatchObject({ account_sid: ACCOUNT, credential, tier: 'pro' });
  });

  it('may write the digits of the SID in its path in capitals', async () => {
    const answer = await send(messages(LETTERS.replaceAll('a', 'A')), LETTERS).expect(201);
    expect(answer.body.account_sid).toBe(LETTERS);
  });

  it.each([
    ['no credentials', undefined],
    ['an empty header', ''],
    ['another scheme', `Digest ${ACCOUNT}`],
    ['the operator token', `Bearer ${OPERATOR_TOKEN}`],
    ['no base64', 'Basic ?!'],
    ['no colon', basic(ACCOUNT + SECRET)],
    ['no password', basic(`${ACCOUNT}:`)],
    ['no user', basic(`:${SECRET}`)],
    ['a wrong password', basic(`${ACCOUNT}:${SECRET}x`)],
    ['a user that is no SID', basic(`admin:${SECRET}`)],
    ['an unknown account', basic(`AC${'9'.repeat(32)}:${SECRET}`)],
    ['a NUL', basic(`${ACCOUNT}\0:${SECRET}`)],
    ['a password beyond all', basic(`${ACCOUNT}:${'x'.repeat(300)}`)],
    ['a header beyond all', `Basic ${'QUFB'.repeat(2_000)}`],
  ])('is refused with %s', async (_, authorization) => {
    const asked = get(messages(ACCOUNT));
    const answer = await (authorization === undefined ? asked : asked.set('authorization', authorization)).expect(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Trunkline", charset="UTF-8"');
    expect(answer.body).toEqual({
      code: 20003,
      message: 'Authentication Error - invalid username or password',
      more_info: 'https://api.example.test/docs/errors/20003',
      status: 401,
    });
  });

  it('is looked up for credentials only that can be somebody’s', async () => {
    const before = edge.accounts.calls;
    await get(messages(ACCOUNT))
      .set('authorization', basic(`admin:${SECRET}`))
      .expect(401);
    expect(edge.accounts.calls).toBe(before);
  });

  it('learns of another account as little as of none', async () => {
    const known = await get(messages(STRANGER)).auth(ACCOUNT, SECRET).expect(401);
    const unknown = await get(messages(`AC${'9'.repeat(32)}`))
      .auth(ACCOUNT, SECRET)
      .expect(401);
    expect(known.body).toEqual(unknown.body);
    expect(known.body.code).toBe(20003);
  });

  it.each(['x', 'AC1', `SM${'1'.repeat(32)}`, `AC${'g'.repeat(32)}`, `AC${'1'.repeat(33)}`])(
    'finds nothing under the account %s',
    async (account) => {
      const answer = await get(messages(account)).auth(ACCOUNT, SECRET).expect(404);
      expect(answer.body.code).toBe(20404);
    },
  );

  it('is told to come back where the accounts are out of reach', async () => {
    const answer = await get(messages(UNREACHABLE)).auth(UNREACHABLE, SECRET).expect(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body.code).toBe(20503);
  });
});

describe('the owner of a subaccount', () => {
  it('acts as the subaccount on its paths', async () => {
    const answer = await send(messages(SUBACCOUNT), ACCOUNT).expect(201);
    expect(answer.body).toMatchObject({ account_sid: SUBACCOUNT, tier: 'free' });
  });

  it('can read a suspended one, and change only what may be changed', async () => {
    await get(messages(SUSPENDED_SUBACCOUNT)).auth(ACCOUNT, SECRET).expect(200);
    await send(messages(SUSPENDED_SUBACCOUNT), ACCOUNT).expect(403);
    const account = `/2010-04-01/Accounts/${SUSPENDED_SUBACCOUNT}.json`;
    const answer = await send(account, ACCOUNT).expect(201);
    expect(answer.body).toEqual({ accountSid: SUSPENDED_SUBACCOUNT, status: 'suspended' });
  });

  it('is nobody to the subaccount', async () => {
    await get(messages(ACCOUNT)).auth(SUBACCOUNT, SECRET).expect(401);
  });
});

describe('an account that is not active', () => {
  it('can read while it is suspended, but change nothing, not even itself', async () => {
    await get(messages(SUSPENDED)).auth(SUSPENDED, SECRET).expect(200);
    const answer = await send(messages(SUSPENDED), SUSPENDED).expect(403);
    expect(answer.body).toMatchObject({ code: 10001, message: 'Account is not active: it is suspended' });
    await send(`/2010-04-01/Accounts/${SUSPENDED}.json`, SUSPENDED).expect(403);
  });

  it('can do nothing before it is set up', async () => {
    const answer = await get(messages(PROVISIONING)).auth(PROVISIONING, SECRET).expect(403);
    expect(answer.body.code).toBe(10001);
  });
});

describe('the operator', () => {
  const things = () => post('/v1/operator/things').send({ name: 'x' });

  it('is let in with the token', async () => {
    await things().set('authorization', `Bearer ${OPERATOR_TOKEN}`).expect(201);
    await things().set('authorization', `bearer ${OPERATOR_TOKEN}`).expect(201);
  });

  it.each([
    ['nothing', undefined],
    ['a customer’s credentials', basic(`${ACCOUNT}:${SECRET}`)],
    ['the token as a password', basic(`operator:${OPERATOR_TOKEN}`)],
    ['a wrong token', `Bearer ${OPERATOR_TOKEN}x`],
    ['a part of the token', `Bearer ${OPERATOR_TOKEN.slice(0, -1)}`],
    ['no token', 'Bearer '],
  ])('is refused with %s', async (_, authorization) => {
    const asked = things();
    const answer = await (authorization === undefined ? asked : asked.set('authorization', authorization)).expect(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="Trunkline operator"');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toMatchObject({ status: 401, code: 20003 });
  });

  it('is nobody on a customer’s routes', async () => {
    await get('/v1/notes').set('authorization', `Bearer ${OPERATOR_TOKEN}`).expect(401);
  });
});

describe('a stranger', () => {
  it('reaches what is public', async () => {
    await post('/open').send({ a: 1 }).expect(201);
  });

  it('is refused before anything that was sent is read', async () => {
    const answer = await post('/v1/notes').type('json').send('{').expect(401);
    expect(answer.body.code).toBe(20003);
    await get('/v1/notes?q=%00').expect(401);
  });
});
