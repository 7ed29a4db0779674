import type { Server } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { createAdapter } from '../../src/app/http/adapter.js';
import { Edge } from '../../src/app/http/edge.js';
import { EdgeModule } from '../../src/app/http/edge.module.js';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import {
  noSimulatedCarrier,
  SimulatorControl,
  simulatorFailure,
} from '../../src/modules/carriers/application/simulator-control.js';
import { CarriersModule } from '../../src/modules/carriers/carriers.module.js';
import { CarriersApi } from '../../src/modules/carriers/contract/carriers.api.js';
import { CarriersDemo } from '../../src/modules/carriers/contract/carriers.demo.js';
import { CarriersDatabase, CarriersLog } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import type {
  CarrierSnapshot,
  InboundRequest,
  SentInbound,
  SubmissionPage,
} from '../../src/modules/carriers/infrastructure/simulator/simulated-carrier.js';
import type { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import type { StoredEvent } from '../../src/shared/define-event.js';
import { SimulatedCarriers, submissions } from '../support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { surroundings, TEST_OPERATOR_TOKEN, testSettings } from '../support/modules.js';

/** One simulated carrier, in this process. */
class OneSimulator extends SimulatorControl {
  constructor(private readonly smsc: () => SimulatedSmsc) {
    super();
  }

  async get(name: string): Promise<CarrierSnapshot> {
    if (name !== 'sim') throw noSimulatedCarrier(name);
    return this.smsc().snapshot();
  }

  async put(name: string, knobs: unknown): Promise<CarrierSnapshot> {
    await this.get(name);
    try {
      return this.smsc().put(knobs);
    } catch (error) {
      throw simulatorFailure(error);
    }
  }

  async inbound(name: string, request: InboundRequest): Promise<SentInbound> {
    await this.get(name);
    return this.smsc()
      .inbound(request)
      .catch((error) => {
        throw simulatorFailure(error);
      });
  }

  async submissions(name: string, query: { after: number; limit: number }): Promise<SubmissionPage> {
    await this.get(name);
    return this.smsc().submissions(query);
  }
}

const PASSWORD = 'secret';

let database: TestDatabase;
let simulated: SimulatedCarriers;
let smsc: SimulatedSmsc;
let app: NestFastifyApplication;
let server: Server;

beforeAll(async () => {
  database = await startTestDatabase(['accounts', 'carriers']);
  simulated = new SimulatedCarriers();
  smsc = await simulated.start('sim');
  const settings = testSettings(database.url);
  const module = await Test.createTestingModule({
    imports: [surroundings(settings), TelemetryModule, AccountsModule, CarriersModule, EdgeModule],
  })
    .overrideProvider(SimulatorControl)
    .useValue(new OneSimulator(() => smsc))
    .compile();
  app = module.createNestApplication<NestFastifyApplication>(createAdapter(settings), { logger: false });
  app.get(Edge).attach(app);
  await app.listen(0, '127.0.0.1');
  await app.get(EventBus).startTails();
  server = app.getHttpServer();
});

afterAll(async () => {
  await app?.get(EventBus).stop();
  await app?.close();
  await simulated?.stop();
  await database?.stop();
});

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

function operator(method: Method, path: string, body?: object) {
  const asked = request(server)[method](`/v1/operator/${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' });
  return body === undefined ? asked : asked.send(body);
}

function carrier(name: string, over: object = {}): object {
  return { name, type: 'smpp', host: '127.0.0.1', port: smsc.port, system_id: 'sim', password: PASSWORD, ...over };
}

async function add(name: string, over: object = {}): Promise<void> {
  expect((await operator('post', 'carriers', carrier(name, over))).status).toBe(201);
}

/** Disables all carriers that are bound to a simulated one, but for one. */
async function disable(simulator: string, but = ''): Promise<void> {
  const { data } = (await operator('get', 'carriers?limit=1000')).body as {
    data: { name: string; system_id: string }[];
  };
  for (const { name } of data.filter((each) => each.system_id === simulator && each.name !== but)) {
    await operator('patch', `carriers/${name}`, { state: 'disabled' });
  }
  await until('they are closed', () => smsc.snapshot().counters.sessions === (but === '' ? 0 : 1));
}

async function history(carrierName: string): Promise<string[]> {
  const log = app.get(CarriersLog);
  const head = await log.head();
  let events: StoredEvent[] = [];
  // What was read lately is kept, and need not have the newest.
  await until('the log was read to its head', async () => {
    events = await log.read(0);
    return head === 0 || (events.at(-1)?.position ?? 0) >= head;
  });
  return events
    .filter(({ data }) => (data as { carrier?: string }).carrier === carrierName)
    .map(({ type, version }) => `${type.split('.')[1]} ${version}`);
}

describe('carriers', () => {
  it('are added, bound, and shown with how they fare, never with their password', async () => {
    const added = await operator('post', 'carriers', carrier('shown', { window: 10, tps: 100 }));
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      name: 'shown',
      type: 'smpp',
      host: '127.0.0.1',
      port: smsc.port,
      system_id: 'sim',
      bind: 'transceiver',
      window: 10,
      tps: 100,
      binds: 1,
      alternates: [],
      concatenation: 'udh',
      result_overrides: {},
      state: 'active',
      version: 1,
      orphan_receipts: 0,
    });
    const show = async () => (await operator('get', 'carriers/shown')).body;
    await until('it is bound', async () => (await show()).session.phase === 'bound');
    const shown = await show();
    expect(shown).toMatchObject({
      stale: false,
      session: { phase: 'bound', error: null, binds: 1, bound: 1 },
      breaker: { state: 'closed', open_ms: 0 },
      bulkhead: { queued: 0, in_flight: 0, window: 10 },
      pace: { tps: 100, share: 1 },
      quality: { recent_calls: 0, recent_failures: 0, response_ms: null, submitted: 0, accepted: 0 },
    });
    expect(JSON.stringify(shown)).not.toContain(PASSWORD);
    expect(await history('shown')).toEqual(['carrier-changed 1']);
    const { rows } = await app
      .get(CarriersDatabase)
      .query<{ password: Buffer }>(`select password from carriers.carrier where name = 'shown'`);
    expect(rows[0]!.password.toString('latin1')).not.toContain(PASSWORD);
  });

  it('say in plain words why they are not bound', async () => {
    await add('locked-out', { password: 'wrong' });
    const show = async () => (await operator('get', 'carriers/locked-out')).body.session;
    await until('it is refused', async () => (await show()).error !== null);
    expect((await show()).error).toBe('the carrier refused the bind: invalid password (0x0E)');
    await operator('patch', 'carriers/locked-out', { password: PASSWORD });
    await until('it is bound', async () => (await show()).phase === 'bound');
  });

  it('are changed one by one, each change with a version and an event', async () => {
    await add('changing');
    const changed = await operator('patch', 'carriers/changing', { window: 7, tps: 5, bind: 'transmitter_receiver' });
    expect(changed.body).toMatchObject({ window: 7, tps: 5, bind: 'transmitter_receiver', version: 2 });
    expect((await operator('patch', 'carriers/changing', { window: 7 })).body.version).toBe(2);
    expect((await operator('patch', 'carriers/changing', { tps: null })).body).toMatchObject({ tps: null, version: 3 });
    const drained = await operator('post', 'carriers/changing/drain');
    expect([drained.status, drained.body.state, drained.body.version]).toEqual([200, 'draining', 4]);
    await operator('patch', 'carriers/changing', { state: 'disabled' });
    const show = async () => (await operator('get', 'carriers/changing')).body;
    await until('it is closed', async () => (await show()).session.error === 'the carrier is disabled');
    expect(await show()).toMatchObject({ breaker: null, bulkhead: null, pace: null, quality: null });
    const versions = [1, 2, 3, 4, 5].map((version) => `carrier-changed ${version}`);
    expect(await history('changing')).toEqual(versions);
  });

  it('say how they want SMPP, and what their answers mean is changed while they stay bound', async () => {
    const alternates = [{ host: 'smsc-2.example.com', port: 2776 }];
    await add('particular', {
      window: 5,
      binds: 2,
      alternates,
      concatenation: 'sar',
      result_overrides: { '0x0b': 'retryable', '0x400': { class: 'permanent', error_code: 30005 } },
    });
    const show = async () => (await operator('get', 'carriers/particular')).body;
    await until('both are bound', async () => (await show()).session.bound === 2);
    expect(await show()).toMatchObject({
      binds: 2,
      alternates,
      concatenation: 'sar',
      result_overrides: { '0x0B': 'retryable', '0x400': { class: 'permanent', error_code: 30005 } },
      session: { phase: 'bound', binds: 2, bound: 2 },
      bulkhead: { window: 10 },
      version: 1,
    });
    const sessions = () => smsc.snapshot().counters.sessions;
    const before = sessions();
    const changed = await operator('patch', 'carriers/particular', { result_overrides: { '0x08': 'unknown' } });
    expect(changed.body).toMatchObject({ result_overrides: { '0x08': 'unknown' }, concatenation: 'sar', version: 2 });
    expect((await operator('patch', 'carriers/particular', { binds: 2, concatenation: 'sar' })).body.version).toBe(2);
    expect([(await show()).session.bound, sessions()]).toEqual([2, before]);
    await operator('patch', 'carriers/particular', { binds: 1, result_overrides: {} });
    await until('one is bound', async () => (await show()).session.bound === 1 && sessions() === before - 1);
    expect(await show()).toMatchObject({ binds: 1, result_overrides: {}, alternates, version: 3 });
  });

  it('are listed by name, page by page', async () => {
    for (const name of ['list-c', 'list-a', 'list-b']) await add(name, { port: 1 });
    const names: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await operator('get', `carriers?limit=2${cursor}`);
      names.push(...page.body.data.map((each: { name: string }) => each.name));
      if (!page.body.has_more) break;
      cursor = `&cursor=${page.body.next_cursor}`;
    }
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(['list-a', 'list-b', 'list-c']));
  });

  it.each([
    ['name', { name: 'Upper' }],
    ['name', { name: '-a' }],
    ['name', { name: 'x'.repeat(64) }],
    ['type', { type: 'carrier-pigeon' }],
    ['host', { host: 'no host' }],
    ['host', { host: '' }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: '2775' }],
    ['system_id', { system_id: '' }],
    ['system_id', { system_id: 'ümlaut' }],
    ['password', { password: 'x'.repeat(65) }],
    ['bind', { bind: 'receiver' }],
    ['window', { window: 0 }],
    ['window', { window: 1001 }],
    ['window', { window: 1.5 }],
    ['tps', { tps: 0 }],
    ['colour', { colour: 'red' }],
    ['binds', { binds: 0 }],
    ['binds', { binds: 21 }],
    ['alternates.0.port', { alternates: [{ host: 'a' }] }],
    ['alternates', { alternates: Array(11).fill({ host: 'a', port: 1 }) }],
    ['concatenation', { concatenation: 'glue' }],
    ['result_overrides', { result_overrides: 'all' }],
    ['result_overrides.0x0B', { result_overrides: { '0x0B': 'fine' } }],
    ['result_overrides.0x0B', { result_overrides: { '0x0B': { class: 'throttled', error_code: 30005 } } }],
    ['result_overrides.0x0B.error_code', { result_overrides: { '0x0B': { class: 'permanent', error_code: 1 } } }],
    ['result_overrides.11', { result_overrides: { '11': 'permanent' } }],
    ['result_overrides.0x00', { result_overrides: { '0x00': 'permanent' } }],
    ['result_overrides.0xB', { result_overrides: { '0x0B': 'permanent', '0xB': 'permanent' } }],
  ])('are refused with a bad %s: %j', async (field, over) => {
    const answer = await operator('post', 'carriers', carrier('bad', over));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((each: { field: string }) => each.field)).toEqual([field]);
  });

  it('are refused where their name is taken, or nothing is changed, or there are none', async () => {
    await add('taken', { port: 1 });
    const again = await operator('post', 'carriers', carrier('taken'));
    expect([again.status, again.body.errors[0].field]).toEqual([409, 'name']);
    expect((await operator('patch', 'carriers/taken', {})).status).toBe(400);
    expect((await operator('patch', 'carriers/taken', { name: 'other' })).status).toBe(400);
    for (const answer of [
      await operator('get', 'carriers/nobody'),
      await operator('patch', 'carriers/nobody', { window: 1 }),
      await operator('post', 'carriers/nobody/drain'),
      await operator('get', 'carriers/nobody/orphan-receipts'),
    ]) {
      expect(answer.status).toBe(404);
    }
    expect((await operator('get', 'carriers?cursor=forged')).status).toBe(400);
  });

  it('are for operators only', async () => {
    for (const path of ['carriers', 'routes', 'simulator/carriers/sim']) {
      expect((await request(server).get(`/v1/operator/${path}`)).status).toBe(401);
    }
  });

  it('show the receipts that match no submission', async () => {
    await add('orphaned', { port: 1 });
    await app.get(CarriersDatabase).query(
      `insert into carriers.orphan_receipt (id, carrier, message_id, source, state, error_code)
        select uuidv7(), 'orphaned', 'm-' || n, '+15550000000', 'undelivered', 30003 from generate_series(1, 3) as n`,
    );
    expect((await operator('get', 'carriers/orphaned')).body.orphan_receipts).toBe(3);
    const page = await operator('get', 'carriers/orphaned/orphan-receipts?limit=2');
    expect(page.body).toMatchObject({ has_more: true, data: [{ message_id: 'm-3' }, { message_id: 'm-2' }] });
    const next = await operator('get', `carriers/orphaned/orphan-receipts?limit=2&cursor=${page.body.next_cursor}`);
    expect(next.body).toEqual({
      data: [
        {
          id: expect.any(String),
          message_id: 'm-1',
          source: '+15550000000',
          state: 'undelivered',
          error_code: 30003,
          done_date: null,
          received_at: expect.any(String),
        },
      ],
      next_cursor: null,
      has_more: false,
    });
  });
});

describe('carriers over HTTP', () => {
  const SECRET = 'hush hush hush hush';
  const RECEIPTS = {
    auth: { kind: 'token', secret: 'hook' },
    id: '/id',
    state: '/state',
    states: { done: 'delivered', lost: 'undelivered' },
  };
  const web = (name: string, over: object = {}): object => ({
    name,
    type: 'http',
    url: 'http://127.0.0.1:1/send',
    headers: { Authorization: 'Bearer {{secrets.key}}' },
    json: { to: '{{to}}', text: '{{text}}', hook: '{{receipt_url}}' },
    answer: { id: '/id', code: '/error', results: [{ code: '7', result: 'permanent', error_code: 30005 }] },
    receipts: RECEIPTS,
    secrets: { key: SECRET, hook: SECRET },
    ...over,
  });

  it('are added and shown as they were defined, never with their secrets, and with how they fare', async () => {
    const added = await operator('post', 'carriers', web('web', { window: 5, tps: 7 }));
    expect(added.status).toBe(201);
    const { secrets: _, ...defined } = web('web', { window: 5, tps: 7 }) as Record<string, unknown>;
    expect(added.body).toMatchObject({ ...defined, method: 'POST', timeout_ms: 5000, state: 'active', version: 1 });
    for (const foreign of ['host', 'system_id', 'bind', 'secrets', 'http'])
      expect(added.body).not.toHaveProperty(foreign);
    const show = async () => (await operator('get', 'carriers/web')).body;
    await until('it is down', async () => (await show()).session.error?.startsWith('cannot reach 127.0.0.1:1'));
    expect(await show()).toMatchObject({
      session: { phase: 'down' },
      breaker: { state: 'closed' },
      bulkhead: { queued: 0, in_flight: 0, window: 5 },
      pace: { tps: 7 },
    });
    expect(JSON.stringify((await operator('get', 'carriers?limit=1000')).body)).not.toContain(SECRET);
    const { rows } = await app.get(CarriersDatabase).query(`select * from carriers.carrier where name = 'web'`);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    expect(rows[0]!.password.toString('latin1')).not.toContain(SECRET);
  });

  it('are changed part by part, checked as a whole', async () => {
    await operator('post', 'carriers', web('amended'));
    const patch = (body: object) => operator('patch', 'carriers/amended', body);
    const changed = await patch({
      url: 'http://127.0.0.1:2/x?k={{secrets.new}}',
      json: null,
      secrets: { new: 'a', key: 'b' },
    });
    expect(changed.body).toMatchObject({ url: 'http://127.0.0.1:2/x?k={{secrets.new}}', version: 2 });
    expect(changed.body).not.toHaveProperty('json');
    expect((await patch({ secrets: { key: 'b' } })).body.version).toBe(2);
    expect((await patch({ form: { to: '{{to}}' } })).body).toMatchObject({ form: { to: '{{to}}' }, version: 3 });
    expect((await patch({ state: 'disabled' })).body).toMatchObject({ state: 'disabled', version: 4 });
    for (const [field, body] of [
      ['url', { url: 'http://127.0.0.1:2/{{nothing}}' }],
      ['json', { json: {} }],
      ['form.hook', { receipts: null, form: { hook: '{{receipt_url}}' } }],
      ['port', { port: 3 }],
      ['password', { password: 'x' }],
      ['base_url', { base_url: 'http://127.0.0.1:2' }],
    ] as const) {
      const refused = await patch(body);
      expect([refused.status, refused.body.errors[0].field]).toEqual([400, field]);
    }
    const smpp = await operator('patch', 'carriers/shown', { url: 'http://127.0.0.1:2/' });
    expect([smpp.status, smpp.body.errors[0].field]).toEqual([400, 'url']);
  });

  it.each([
    ['type', { type: 'mail' }],
    ['preset', { preset: 'other' }],
    ['url', { url: undefined }],
    ['url', { url: 'http://{{to}}/' }],
    ['url', { url: 'http://127.0.0.1/{{to' }],
    ['url', { url: 7 }],
    ['method', { method: 'PUT' }],
    ['headers.Authorization', { headers: { Authorization: 'Bearer written out' } }],
    ['json.hook', { json: { hook: '{{hook}}' } }],
    ['json', { json: { long: 'x'.repeat(17_000) } }],
    ['timeout_ms', { timeout_ms: 60_000 }],
    ['answer.id', { answer: { id: 'id' } }],
    ['answer.results.0.result', { answer: { results: [{ status: '500', result: 'maybe' }] } }],
    ['answer.results.0.status', { answer: { results: [{ status: 'abc', result: 'unknown' }] } }],
    ['receipts.state', { receipts: { ...RECEIPTS, state: 'a' } }],
    ['receipts.states.done', { receipts: { ...RECEIPTS, states: { done: 'gone' } } }],
    ['receipts.auth.kind', { receipts: { ...RECEIPTS, auth: { kind: 'trust' } } }],
    ['receipts.auth.secret', { receipts: { ...RECEIPTS, auth: { kind: 'token', secret: 'none' } } }],
    ['secrets.hook', { secrets: { key: SECRET, hook: 'short' } }],
    ['secrets.key', { secrets: { key: 7, hook: SECRET } }],
    ['host', { host: '127.0.0.1' }],
    ['account_sid', { preset: 'twilio' }],
  ])('are refused with a bad %s: %j', async (field, over) => {
    const answer = await operator('post', 'carriers', web('bad', over));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((each: { field: string }) => each.field)).toContain(field);
    expect((await operator('get', 'carriers/bad')).status).toBe(404);
  });

  it('made from the preset say what is wrong by the names that were given', async () => {
    const preset = { name: 'preset', type: 'http', preset: 'twilio', account_sid: `AC${'0'.repeat(32)}` };
    const refused = await operator('post', 'carriers', {
      ...preset,
      auth_token: SECRET.replaceAll(' ', '-'),
      base_url: 'nowhere',
    });
    expect(refused.body.errors[0].field).toBe('base_url');
    expect((await operator('post', 'carriers', { ...preset, auth_token: 'short' })).body.errors[0].field).toBe(
      'auth_token',
    );
    const added = await operator('post', 'carriers', {
      ...preset,
      auth_token: 'x'.repeat(32),
      base_url: 'http://127.0.0.1:1',
    });
    expect(added.body).toMatchObject({
      preset: 'twilio',
      account_sid: preset.account_sid,
      base_url: 'http://127.0.0.1:1',
    });
    const changed = await operator('patch', 'carriers/preset', { auth_token: 'y'.repeat(32) });
    expect(changed.body.version).toBe(2);
    expect(JSON.stringify([added.body, changed.body])).not.toMatch(/xxxx|yyyy/);
  });

  it('send their receipts to a route of their own, which believes nobody else', async () => {
    await operator('post', 'carriers', web('hooked'));
    const post = (name: string, token: string, type = 'application/json', body = '{"id":"h-1","state":"lost"}') =>
      request(server).post(`/v1/carriers/${name}/receipts${token}`).type(type).send(body);
    const good = `?token=${encodeURIComponent(SECRET)}`;
    for (const [name, token] of [
      ['hooked', ''],
      ['hooked', '?token=guess'],
      ['hooked', `${good}&token=guess`],
      ['nobody', good],
      ['shown', good],
    ] as const) {
      const answer = await post(name, token);
      expect([answer.status, answer.body.code]).toEqual([401, 20003]);
    }
    expect((await post('hooked', good, 'application/json', '{')).body.code).toBe(20001);
    expect((await post('hooked', good, 'application/json', '{"id":"h-1"}')).body.errors[0].field).toBe('/state');
    expect((await post('hooked', good, 'application/json', `{"id":"${'x'.repeat(140_000)}"}`)).status).toBe(413);
    expect((await post('hooked', good, 'text/plain')).status).toBe(415);
    expect((await post('hooked', good)).status).toBe(204);
    expect((await post('hooked', good, 'application/x-www-form-urlencoded', 'id=h-2&state=done')).status).toBe(204);
    const get = (query: string) => request(server).get(`/v1/carriers/hooked/receipts${query}`);
    expect((await get('?id=h-3&state=done')).status).toBe(401);
    expect((await get('')).status).toBe(401);
    expect((await get(`${good}&state=done`)).body.errors[0].field).toBe('/id');
    expect((await get(`${good}&id=h+3&state=done`)).status).toBe(204);
    const orphans = await operator('get', 'carriers/hooked/orphan-receipts');
    expect(orphans.body.data).toMatchObject([
      { message_id: 'h 3', state: 'delivered' },
      { message_id: 'h-2', state: 'delivered' },
      { message_id: 'h-1', state: 'undelivered', error_code: 30008 },
    ]);
    const { paths } = (await request(server).get('/openapi.json')).body;
    for (const method of ['post', 'get']) expect(paths['/v1/carriers/{name}/receipts'][method].security).toEqual([]);
  });
});

describe('routes', () => {
  it('are added, listed and removed, each with an event, and hold at once', async () => {
    await add('routed', { port: 1 });
    const added = await operator('post', 'routes', { prefix: '+4479', carrier: 'routed', priority: 5, weight: 2 });
    expect(added.status).toBe(201);
    const { id } = added.body as { id: string };
    expect(added.body).toEqual({
      id: expect.any(String),
      prefix: '+4479',
      carrier: 'routed',
      priority: 5,
      weight: 2,
      created_at: expect.any(String),
    });
    expect(await app.get(CarriersApi).route({ to: '+447912345678' })).toEqual({ queue: 'routed' });
    const listed = await operator('get', 'routes?limit=1');
    expect(listed.body.data).toEqual([added.body]);
    expect((await operator('delete', `routes/${id}`)).status).toBe(204);
    expect((await operator('delete', `routes/${id}`)).status).toBe(404);
    expect(await app.get(CarriersApi).route({ to: '+447912345678' })).toBeNull();
    expect(await history('routed')).toEqual(['carrier-changed 1', 'route-changed 1', 'route-changed 2']);
  });

  it.each([
    ['prefix', 400, { prefix: '44', carrier: 'x' }],
    ['prefix', 400, { prefix: '+1234567890123456', carrier: 'x' }],
    ['priority', 400, { prefix: '', carrier: 'x', priority: -1 }],
    ['weight', 400, { prefix: '', carrier: 'x', weight: 0 }],
    ['carrier', 404, { prefix: '', carrier: 'nobody' }],
  ])('are refused with a bad %s (%i): %j', async (field, status, body) => {
    const answer = await operator('post', 'routes', body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([status, field]);
  });

  it('are refused twice, and with ids that are none', async () => {
    await add('twice', { port: 1 });
    const body = { prefix: '+77', carrier: 'twice', priority: 1, weight: 1 };
    expect((await operator('post', 'routes', body)).status).toBe(201);
    expect((await operator('post', 'routes', { ...body, weight: 2 })).status).toBe(409);
    expect((await operator('delete', 'routes/nonsense')).status).toBe(404);
  });
});

describe('the simulated carriers', () => {
  it('show their knobs, and turn them', async () => {
    expect((await operator('get', 'simulator/carriers/sim')).body).toMatchObject({
      name: 'sim',
      knobs: { outage: 'none', latency_ms: 0 },
      counters: { submitted: expect.any(Number), answered: expect.any(Number), receipts: expect.any(Number) },
    });
    const put = await operator('put', 'simulator/carriers/sim', { latency_ms: 5, error_rate: 0.5 });
    expect([put.status, put.body.knobs]).toEqual([200, expect.objectContaining({ latency_ms: 5, error_rate: 0.5 })]);
    await operator('put', 'simulator/carriers/sim', { latency_ms: 0, error_rate: 0 });
  });

  it.each([
    ['outage', { outage: 'sometimes' }],
    ['error_rate', { error_rate: 2 }],
    ['volume', { volume: 11 }],
  ])('refuse a bad %s: %j', async (field, body) => {
    const answer = await operator('put', 'simulator/carriers/sim', body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('keep their own record of what they were given', async () => {
    await add('recorded');
    await operator('post', 'routes', { prefix: '+4420', carrier: 'recorded', priority: 1, weight: 1 });
    const items = submissions(3, {}, '+4420');
    await until('it takes them', async () => {
      const results = await app.get(CarriersApi).submit(items);
      return results.every((result) => result === 'taken');
    });
    await until('they have arrived', () => simulated.given('sim', items).every((count) => count === 1));
    const page = await operator('get', 'simulator/carriers/sim/submissions?limit=2');
    expect(page.body.data).toHaveLength(2);
    const next = await operator('get', `simulator/carriers/sim/submissions?cursor=${page.body.next_cursor}`);
    expect(next.body).toMatchObject({ has_more: false, next_cursor: null, data: [{ text: 'hello' }] });
    expect((await operator('get', 'simulator/carriers/sim/submissions?cursor=WyJhIl0')).status).toBe(400);
  });

  it('let phones write, in parts where it takes several, and operators see what came in', async () => {
    await add('inbound');
    await until('it is bound', async () => (await operator('get', 'carriers/inbound')).body.session.phase === 'bound');
    await disable('sim', 'inbound');
    const phone = { from: '+15551234567', to: '+15005550006' };
    const send = (text: string, more: object = {}) =>
      operator('post', 'simulator/carriers/sim/inbound', { ...phone, text, ...more });
    const texts = ['Hëllo €', `${'x'.repeat(200)}{end}`, 'Привет 😀 '.repeat(20)];
    const sent = [];
    for (const text of texts) {
      const answer = await send(text);
      expect(answer.status).toBe(201);
      sent.push(answer.body);
    }
    expect(sent).toEqual([
      { encoding: 'UCS-2', parts: 1 },
      { encoding: 'GSM-7', parts: 2 },
      { encoding: 'UCS-2', parts: 3 },
    ]);
    for (const concatenation of ['sar', 'payload']) await send(texts[1]!, { concatenation });
    const page = await operator('get', 'carriers/inbound/inbound?limit=3');
    const next = await operator('get', `carriers/inbound/inbound?cursor=${page.body.next_cursor}`);
    const shown = [...page.body.data, ...next.body.data].reverse();
    const received_at = expect.any(String);
    const rows = [
      [texts[0], 'UCS-2', 1],
      [texts[1], 'GSM-7', 2],
      [texts[2], 'UCS-2', 3],
      [texts[1], 'GSM-7', 2],
      [texts[1], 'GSM-7', 1],
    ].map(([text, encoding, segments]) => ({ ...phone, text, encoding, segments, missing_segments: 0, received_at }));
    expect(shown).toEqual(rows.map((row) => ({ id: expect.any(String), ...row })));
    const contents = await app.get(CarriersApi).inboundContents(shown.map(({ id }: { id: string }) => id));
    expect(contents.map(({ text }) => text).sort()).toEqual(rows.map(({ text }) => text).sort());
    const events = await history('inbound');
    expect(events.filter((event) => event === 'inbound-received 1')).toHaveLength(5);
  });

  it.each([
    ['from', { from: '' }],
    ['to', { to: 'x'.repeat(21) }],
    ['text', { text: 'x'.repeat(10_001) }],
    ['text', { text: 1 }],
    ['concatenation', { concatenation: 'glue' }],
    ['subject', { subject: 'x' }],
  ])('refuse a message from a phone with a bad %s', async (field, over) => {
    const message = { from: '+15551234567', to: '+15005550006', text: 'hi', ...over };
    const answer = await operator('post', 'simulator/carriers/sim/inbound', message);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('say so where nobody is bound to receive', async () => {
    await disable('sim');
    const message = { from: '+15551234567', to: '+15005550006', text: 'hi' };
    const answer = await operator('post', 'simulator/carriers/sim/inbound', message);
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('no client is bound')]);
    expect((await operator('post', 'simulator/carriers/nobody/inbound', message)).status).toBe(404);
    expect((await operator('get', 'carriers/nobody/inbound')).status).toBe(404);
  });

  it('are none but those that there are', async () => {
    for (const method of ['get', 'put'] as const) {
      expect((await operator(method, 'simulator/carriers/nobody')).status).toBe(404);
    }
    expect((await operator('get', 'simulator/carriers/nobody/submissions')).status).toBe(404);
  });
});

it('makes the carriers of the demo once, and points them to where they listen', async () => {
  const demo = app.get(CarriersDemo);
  await demo.ensureDemoCarriers([
    { name: 'demo-1', type: 'smpp', port: 4001, password: 'one' },
    { name: 'demo-2', type: 'http', port: 4002, password: 'one' },
  ]);
  const routes = async () => {
    const { data } = (await operator('get', 'routes?limit=1000')).body as { data: Record<string, unknown>[] };
    return data.filter(({ prefix }) => prefix === '').map(({ carrier: name, priority }) => [priority, name]);
  };
  expect((await routes()).sort()).toEqual([
    [1, 'demo-1'],
    [2, 'demo-2'],
  ]);
  await operator('patch', 'carriers/demo-1', { window: 9 });
  const { data } = (await operator('get', 'routes')).body as { data: { id: string; carrier: string }[] };
  await operator('delete', `routes/${data.find((each) => each.carrier === 'demo-2')!.id}`);
  await demo.ensureDemoCarriers([
    { name: 'demo-1', type: 'smpp', port: 5001, password: 'two' },
    { name: 'demo-2', type: 'http', port: 5002, password: 'two' },
  ]);
  expect((await operator('get', 'carriers/demo-1')).body).toMatchObject({ port: 5001, window: 9, version: 3 });
  const http = (await operator('get', 'carriers/demo-2')).body;
  expect(http).toMatchObject({ type: 'http', url: 'http://127.0.0.1:5002/messages', version: 2 });
  expect(await routes()).toEqual([[1, 'demo-1']]);
});
