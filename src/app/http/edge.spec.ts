import request from 'supertest';
import { Failure } from '../../shared/failure.js';
import { BODY_LIMIT_BYTES, createAdapter } from './adapter.js';
import { ACCOUNT, type EdgeUnderTest, NativeTestController, SECRET, startEdge } from './edge.test-support.js';

let edge: EdgeUnderTest;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.app.close());

const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;
const get = (path: string) => request(edge.app.getHttpServer()).get(path).auth(ACCOUNT, SECRET);
const post = (path: string) => request(edge.app.getHttpServer()).post(path).auth(ACCOUNT, SECRET);
const form = (body: string) => post(MESSAGES).type('form').send(body);
const json = (body: string) => post('/v1/notes').type('json').send(body);

const twilio = (status: number, code: number, message: unknown) => ({
  code,
  message,
  more_info: `https://api.example.test/docs/errors/${code}`,
  status,
});
const problem = (status: number, code: number, rest: object) => ({
  type: `https://api.example.test/docs/errors/${code}`,
  title: expect.any(String),
  status,
  detail: expect.any(String),
  code,
  request_id: expect.any(String),
  ...rest,
});

describe('what is sent', () => {
  it('is a form on Twilio’s routes, a repeated name being a list', async () => {
    const answer = await form('To=%2B1500&Body=a+b&MediaUrl=x&MediaUrl=y&Unknown=1&__proto__=z').expect(201);
    expect(answer.body).toMatchObject({ To: '+1500', Body: 'a b', MediaUrl: ['x', 'y'], account_sid: ACCOUNT });
    expect(answer.body).not.toHaveProperty('Unknown');
  });

  it('is JSON on native routes', async () => {
    const answer = await json('{"name":"ü","size":1}').expect(201);
    expect(answer.body).toEqual({ name: 'ü', size: 1 });
  });

  it.each([
    ['To=1&To=2', 20001, "'To': must be one text, given once"],
    ['Body=x', 20001, "'To': is required"],
    ['', 20001, "'To': is required"],
    ['To=%', 20001, "'To' has a broken percent-encoding or is not valid UTF-8"],
    ['To=1&Body=%00', 20001, "'Body' contains a NUL character"],
    ['To=1&From=bad', 21212, "The 'From' number is not a valid phone number"],
  ])('as the form %j is refused in Twilio’s words', async (body, code, message) => {
    const answer = await form(body).expect(400);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toEqual(twilio(400, code, message));
  });

  it.each([
    ['{"name":1}', 'name'],
    ['', 'name'],
    ['{"name":"x","other":1}', 'other'],
    ['{"name":"x","__proto__":{"a":1}}', '__proto__'],
    ['{"name":"x","constructor":1}', 'constructor'],
    ['{"name":"\\u0000"}', 'name'],
    ['{"name":"\\ud800"}', 'name'],
    ['{"name":"x","tags":["a",7]}', 'tags.1'],
    ['[]', 'body'],
  ])('as the JSON %j is refused, naming %s', async (body, field) => {
    const answer = await json(body).expect(400);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toEqual(problem(400, 20001, { errors: [{ field, message: expect.any(String) }] }));
    expect(answer.body.detail).toContain(field);
    expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
  });

  it('may be nothing at all', async () => {
    const answer = await post('/v1/notes').expect(400);
    expect(answer.body.errors).toEqual([{ field: 'name', message: 'is required' }]);
    await request(edge.app.getHttpServer())
      .delete(MESSAGES.replace('.json', '/SM1.json'))
      .auth(ACCOUNT, SECRET)
      .set('content-type', 'application/x-www-form-urlencoded')
      .expect(204);
  });

  it.each([
    ['JSON on a Twilio route', MESSAGES, 'application/json', '{"To":"1"}'],
    ['a form on a native route', '/v1/notes', 'application/x-www-form-urlencoded', 'name=x'],
    ['text', '/v1/notes', 'text/plain', 'x'],
    ['XML', '/open', 'application/xml', '<x/>'],
    ['another character set', MESSAGES, 'application/x-www-form-urlencoded; charset=iso-8859-1', 'To=1'],
    ['no type that can be read', MESSAGES, '???', 'To=1'],
  ])('is refused as %s', async (_, path, type, body) => {
    const answer = await post(path).set('content-type', type).send(body).expect(415);
    expect(answer.body).toMatchObject({ status: 415, code: 20415 });
  });

  it('is refused where it is compressed', async () => {
    await json('x').set('content-encoding', 'gzip').expect(415);
  });

  it('is UTF-8 where it says so', async () => {
    await post(MESSAGES)
      .set('content-type', 'application/x-www-form-urlencoded; charset=UTF-8')
      .send('To=1')
      .expect(201);
  });

  it.each([MESSAGES, '/v1/notes'])('to %s may be large to a bound', async (path) => {
    const body = 'x'.repeat(BODY_LIMIT_BYTES + 1);
    const type = path === MESSAGES ? 'application/x-www-form-urlencoded' : 'application/json';
    const answer = await post(path).set('content-type', type).send(body).expect(413);
    expect(answer.body).toMatchObject({ status: 413, code: 20413 });
  });
});

describe('a path and its query', () => {
  it.each([
    ['/v1/notes?limit=0', 'limit'],
    ['/v1/notes?limit=1&limit=2', 'limit'],
    ['/v1/notes?q=%', 'q'],
    ['/v1/notes?q=%00', 'q'],
    ['/v1/notes?q=%ED%A0%80', 'q'],
    ['/v1/notes/a%00b', 'id'],
  ])('%s is refused, naming %s', async (path, field) => {
    const answer = await get(path).expect(400);
    expect(answer.body.errors[0].field).toBe(field);
  });

  it('reach the handler decoded', async () => {
    expect((await get('/v1/notes?limit=7&q=%C3%BC').expect(200)).body).toMatchObject({ limit: 7, q: 'ü' });
    expect((await get('/v1/notes/a%2Fb').expect(200)).body).toEqual({ id: 'a/b' });
    expect((await get(`${MESSAGES}?DateSent%3E=2026&__proto__=x`).expect(200)).body.query['DateSent>']).toBe('2026');
  });

  it.each(['/%', '/v1/notes/%C3', '/v1/%zz'])('%s cannot be read', async (path) => {
    const answer = await get(path).expect(400);
    expect(answer.body).toEqual(problem(400, 20001, {}));
    expect(answer.headers['x-request-id']).toBe(answer.body.request_id);
  });

  it.each(['/', '/nope', '/v1', '/v1/nope', '/v1//notes', '/v1/notes/', `/v1/notes/${'x'.repeat(200)}`, '/v2/notes'])(
    '%s is not there',
    async (path) => {
      const answer = await get(path).expect(404);
      expect(answer.body).toEqual(problem(404, 20404, {}));
    },
  );

  it.each(['/2010-04-01', '/2010-04-01/nope.json', '/v1/Nope', '/v1/Services/x'])(
    '%s is not there, says Twilio',
    async (path) => {
      const answer = await get(path).expect(404);
      expect(answer.body).toEqual(twilio(404, 20404, 'The requested resource was not found'));
    },
  );

  it('tell which methods they know', async () => {
    const put = await request(edge.app.getHttpServer()).put(MESSAGES).auth(ACCOUNT, SECRET).expect(405);
    expect(put.headers.allow).toBe('GET, HEAD, POST');
    expect(put.body).toEqual(twilio(405, 20004, 'Method not allowed'));
    const remove = await request(edge.app.getHttpServer()).delete('/v1/notes/1').expect(405);
    expect(remove.headers.allow).toBe('GET, HEAD');
    expect(remove.body).toEqual(problem(405, 20004, {}));
  });

  it('answer HEAD as GET, without the body', async () => {
    const answer = await request(edge.app.getHttpServer()).head('/v1/notes').auth(ACCOUNT, SECRET).expect(200);
    expect(answer.text).toBeUndefined();
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(0);
  });
});

describe('an error', () => {
  const fail = (error: unknown) => {
    NativeTestController.error = error;
    return get('/v1/fail');
  };
  const coded = (code: string, rest: object = {}) => Object.assign(new Error('secret'), { code, ...rest });

  it('that nobody foresaw says nothing to the client and all to the log', async () => {
    const answer = await fail(new TypeError('the secret reason')).set('x-request-id', 'unforeseen').expect(500);
    expect(answer.text).not.toContain('secret');
    expect(answer.body).toEqual(problem(500, 20500, { request_id: 'unforeseen' }));
    const line = edge.lines.find(({ request_id, err }) => request_id === 'unforeseen' && err);
    expect(line).toMatchObject({
      level: 50,
      err: { type: 'TypeError', message: 'the secret reason' },
      route: '/v1/fail',
    });
  });

  it.each(['text', null, undefined, 7, {}])('may be %p', async (error) => {
    await fail(error).expect(500);
  });

  it.each([
    ['a value that PostgreSQL cannot hold', coded('22021')],
    ['a number out of range', coded('22003')],
    [
      'the same behind an ORM',
      new Error('x', { cause: coded('P2010', { meta: { driverAdapterError: { cause: { originalCode: '22P02' } } } }) }),
    ],
  ])('that is %s is the request’s', async (_, error) => {
    expect((await fail(error).expect(400)).body).toMatchObject({ code: 20001 });
  });

  it.each([
    ['a database that restarts', coded('57P01')],
    ['a deadlock behind an ORM', coded('P2034', { meta: { driverAdapterError: { cause: { code: '40P01' } } } })],
    ['a connection that is refused', coded('ECONNREFUSED')],
  ])('that is %s passes', async (_, error) => {
    const answer = await fail(error).expect(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.text).not.toContain('secret');
  });

  it('that is a failure is told, with the parameter and the time to wait', async () => {
    const answer = await post('/v1/Services').expect(409);
    expect(answer.headers['retry-after']).toBe('3');
    expect(answer.body).toEqual(twilio(409, 20409, "Taken ('FriendlyName')"));
    const native = await fail(new Failure('conflict', { field: 'name', detail: 'Taken' })).expect(409);
    expect(native.body).toEqual(
      problem(409, 20409, { detail: "Taken ('name')", errors: [{ field: 'name', message: 'Taken' }] }),
    );
  });
});

describe('the proxies that are believed', () => {
  it('must be addresses', () => {
    expect(() => createAdapter({ trustedProxies: ['10.0.0.0/8', '::1', 'loopback'] })).not.toThrow();
    expect(() => createAdapter({ trustedProxies: ['nonsense'] })).toThrow(/^TRUSTED_PROXIES: must be/);
    expect(() => createAdapter({ trustedProxies: ['10.0.0.0/99'] })).toThrow(/^TRUSTED_PROXIES: must be/);
  });
});
