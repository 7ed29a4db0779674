import {
  ACCOUNT,
  API_KEY,
  type EdgeUnderTest,
  OPERATOR_TOKEN,
  SECRET,
  STRANGER,
  SUBACCOUNT,
  SUSPENDED,
  startEdge,
} from './edge.test-support.js';

let edge: EdgeUnderTest;

beforeEach(async () => {
  edge = await startEdge();
});

afterEach(() => edge.app.close());

const basic = (user: string, password = SECRET) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Creates a message, as the owner of the account or of the one that owns it. */
const create = (account: string, user = account, payload = 'To=x') =>
  edge.server.inject({
    method: 'POST',
    url: `/2010-04-01/Accounts/${account}/Messages.json`,
    headers: { authorization: basic(user), 'content-type': 'application/x-www-form-urlencoded' },
    payload,
  });
const get = (url: string, authorization: string, remoteAddress = '203.0.113.1') =>
  edge.server.inject({ method: 'GET', url, headers: { authorization }, remoteAddress });

describe('messages created', () => {
  it('are told what is left, of the window that is closest to its limit', async () => {
    const { statusCode, headers } = await create(ACCOUNT);
    expect(statusCode).toBe(201);
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '999' });
    expect(Number(headers['x-ratelimit-reset'])).toBe(2);
  });

  it('count with those that are refused for their body, and for the account whatever credentials are used', async () => {
    expect((await create(ACCOUNT, API_KEY, '')).statusCode).toBe(400);
    expect((await create(ACCOUNT, API_KEY)).headers['x-ratelimit-remaining']).toBe('998');
    expect((await create(STRANGER)).headers['x-ratelimit-remaining']).toBe('999');
  });

  it('are refused over the limit, in the words of the path; a subaccount counts for itself', async () => {
    const answers = await Promise.all(Array.from({ length: 101 }, () => create(SUBACCOUNT, ACCOUNT)));
    const refused = answers.filter(({ statusCode }) => statusCode === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.json()).toEqual({
      code: 20429,
      message: 'Too many requests',
      more_info: 'https://api.example.test/docs/errors/20429',
      status: 429,
    });
    const { headers } = refused[0]!;
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0' });
    expect(headers['retry-after']).toBe(headers['x-ratelimit-reset']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(50);
    expect((await create(ACCOUNT)).statusCode).toBe(201);
    expect((await get(`/2010-04-01/Accounts/${SUBACCOUNT}/Messages.json`, basic(ACCOUNT))).statusCode).toBe(200);
  });
});

describe('other requests', () => {
  it('have a limit of their own', async () => {
    const answer = await get('/v1/notes', basic(ACCOUNT));
    expect(answer.headers).toMatchObject({ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '999' });
    expect((await create(ACCOUNT)).headers['x-ratelimit-remaining']).toBe('999');
    const suspended = await edge.server.inject({
      method: 'POST',
      url: '/v1/notes',
      headers: { authorization: basic(SUSPENDED) },
      payload: { name: 'x' },
    });
    expect([suspended.statusCode, suspended.headers['x-ratelimit-remaining']]).toEqual([403, '999']);
  });

  it('without an account have none', async () => {
    expect((await get('/health/live', basic(ACCOUNT))).headers['x-ratelimit-limit']).toBeUndefined();
    expect((await get('/v1/notes', basic(ACCOUNT, 'wrong'))).headers['x-ratelimit-limit']).toBeUndefined();
  });
});

describe('failed authentications', () => {
  const guess = (address: string, n = 0) => get('/v1/notes', basic(ACCOUNT, `guess-${n}`), address);

  it('are refused unseen when an address has had too many, and good credentials are not', async () => {
    const [attacker, neighbour] = ['2001:db8:1:2::1', '2001:db8:1:2::ffff'];
    expect((await get('/v1/notes', basic(ACCOUNT), neighbour)).statusCode).toBe(200);
    const first = await Promise.all(Array.from({ length: 60 }, (_, n) => guess(attacker, n)));
    expect(first.every(({ statusCode }) => statusCode === 401)).toBe(true);
    const calls = edge.accounts.calls;
    const refused = await guess(neighbour);
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ code: 20429, status: 429 });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Good ones that are new from there have to wait, too: else each guess would be tried.
    expect((await get('/v1/notes', basic(STRANGER), attacker)).statusCode).toBe(429);
    expect(edge.accounts.calls).toBe(calls);
    expect((await get('/v1/notes', basic(ACCOUNT), attacker)).statusCode).toBe(200);
    expect((await get('/v1/notes', basic(STRANGER), '2001:db8:1:3::1')).statusCode).toBe(200);
  });

  it('count for the operator’s token, and not where there are no credentials', async () => {
    const operator = (authorization?: string) =>
      edge.server.inject({
        method: 'POST',
        url: '/v1/operator/things',
        ...(authorization ? { headers: { authorization } } : {}),
        payload: { name: 'x' },
      });
    await Promise.all(Array.from({ length: 100 }, () => operator()));
    expect((await operator()).statusCode).toBe(401);
    await Promise.all(Array.from({ length: 60 }, (_, n) => operator(`Bearer guess-${n}`)));
    expect((await operator('Bearer guess')).statusCode).toBe(429);
    expect((await operator()).statusCode).toBe(401);
    expect((await operator(`Bearer ${OPERATOR_TOKEN}`)).statusCode).toBe(429);
  });
});
