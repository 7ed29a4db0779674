import request from 'supertest';
import { CarriersApi } from '../../src/modules/carriers/contract/carriers.api.js';
import { CarriersDatabase } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { CarriersHouse, PASSWORD } from '../support/carriers-house.js';

let house: CarriersHouse;

beforeAll(async () => {
  house = await CarriersHouse.start();
});

afterAll(() => house?.stop());

describe('carriers', () => {
  it('are added, bound, and shown with how they fare, never with their password', async () => {
    const added = await house.operator('post', 'carriers', house.carrier('shown', { window: 10, tps: 100 }));
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      name: 'shown',
      type: 'smpp',
      host: '127.0.0.1',
      port: house.smsc.port,
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
    const show = async () => (await house.operator('get', 'carriers/shown')).body;
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
    expect(await house.history('shown')).toEqual(['carrier-changed 1']);
    const { rows } = await house.app
      .get(CarriersDatabase)
      .query<{ password: Buffer }>(`select password from carriers.carrier where name = 'shown'`);
    expect(rows[0]!.password.toString('latin1')).not.toContain(PASSWORD);
  });

  it('say in plain words why they are not bound', async () => {
    await house.add('locked-out', { password: 'wrong' });
    const show = async () => (await house.operator('get', 'carriers/locked-out')).body.session;
    await until('it is refused', async () => (await show()).error !== null);
    expect((await show()).error).toBe('the carrier refused the bind: invalid password (0x0E)');
    await house.operator('patch', 'carriers/locked-out', { password: PASSWORD });
    await until('it is bound', async () => (await show()).phase === 'bound');
  });

  it('are changed one by one, each change with a version and an event', async () => {
    await house.add('changing');
    const changed = await house.operator('patch', 'carriers/changing', {
      window: 7,
      tps: 5,
      bind: 'transmitter_receiver',
    });
    expect(changed.body).toMatchObject({ window: 7, tps: 5, bind: 'transmitter_receiver', version: 2 });
    expect((await house.operator('patch', 'carriers/changing', { window: 7 })).body.version).toBe(2);
    expect((await house.operator('patch', 'carriers/changing', { tps: null })).body).toMatchObject({
      tps: null,
      version: 3,
    });
    const drained = await house.operator('post', 'carriers/changing/drain');
    expect([drained.status, drained.body.state, drained.body.version]).toEqual([200, 'draining', 4]);
    await house.operator('patch', 'carriers/changing', { state: 'disabled' });
    const show = async () => (await house.operator('get', 'carriers/changing')).body;
    await until('it is closed', async () => (await show()).session.error === 'the carrier is disabled');
    expect(await show()).toMatchObject({ breaker: null, bulkhead: null, pace: null, quality: null });
    const versions = [1, 2, 3, 4, 5].map((version) => `carrier-changed ${version}`);
    expect(await house.history('changing')).toEqual(versions);
  });

  it('say how they want SMPP, and what their answers mean is changed while they stay bound', async () => {
    const alternates = [{ host: 'smsc-2.example.com', port: 2776 }];
    await house.add('particular', {
      window: 5,
      binds: 2,
      alternates,
      concatenation: 'sar',
      result_overrides: { '0x0b': 'retryable', '0x400': { class: 'permanent', error_code: 30005 } },
    });
    const show = async () => (await house.operator('get', 'carriers/particular')).body;
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
    const sessions = () => house.smsc.snapshot().counters.sessions;
    const before = sessions();
    const changed = await house.operator('patch', 'carriers/particular', { result_overrides: { '0x08': 'unknown' } });
    expect(changed.body).toMatchObject({ result_overrides: { '0x08': 'unknown' }, concatenation: 'sar', version: 2 });
    expect(
      (await house.operator('patch', 'carriers/particular', { binds: 2, concatenation: 'sar' })).body.version,
    ).toBe(2);
    expect([(await show()).session.bound, sessions()]).toEqual([2, before]);
    await house.operator('patch', 'carriers/particular', { binds: 1, result_overrides: {} });
    await until('one is bound', async () => (await show()).session.bound === 1 && sessions() === before - 1);
    expect(await show()).toMatchObject({ binds: 1, result_overrides: {}, alternates, version: 3 });
  });

  it('are listed by name, page by page', async () => {
    for (const name of ['list-c', 'list-a', 'list-b']) await house.add(name, { port: 1 });
    const names: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await house.operator('get', `carriers?limit=2${cursor}`);
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
    const answer = await house.operator('post', 'carriers', house.carrier('bad', over));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((each: { field: string }) => each.field)).toEqual([field]);
  });

  it('are refused where their name is taken, or nothing is changed, or there are none', async () => {
    await house.add('taken', { port: 1 });
    const again = await house.operator('post', 'carriers', house.carrier('taken'));
    expect([again.status, again.body.errors[0].field]).toEqual([409, 'name']);
    expect((await house.operator('patch', 'carriers/taken', {})).status).toBe(400);
    expect((await house.operator('patch', 'carriers/taken', { name: 'other' })).status).toBe(400);
    for (const answer of [
      await house.operator('get', 'carriers/nobody'),
      await house.operator('patch', 'carriers/nobody', { window: 1 }),
      await house.operator('post', 'carriers/nobody/drain'),
      await house.operator('get', 'carriers/nobody/orphan-receipts'),
    ]) {
      expect(answer.status).toBe(404);
    }
    expect((await house.operator('get', 'carriers?cursor=forged')).status).toBe(400);
  });

  it('are for operators only', async () => {
    for (const path of ['carriers', 'routes', 'simulator/carriers/sim']) {
      expect((await request(house.server).get(`/v1/operator/${path}`)).status).toBe(401);
    }
  });

  it('show the receipts that match no submission', async () => {
    await house.add('orphaned', { port: 1 });
    await house.app.get(CarriersDatabase).query(
      `insert into carriers.orphan_receipt (id, carrier, message_id, source, state, error_code)
        select uuidv7(), 'orphaned', 'm-' || n, '+15550000000', 'undelivered', 30003 from generate_series(1, 3) as n`,
    );
    expect((await house.operator('get', 'carriers/orphaned')).body.orphan_receipts).toBe(3);
    const page = await house.operator('get', 'carriers/orphaned/orphan-receipts?limit=2');
    expect(page.body).toMatchObject({ has_more: true, data: [{ message_id: 'm-3' }, { message_id: 'm-2' }] });
    const next = await house.operator(
      'get',
      `carriers/orphaned/orphan-receipts?limit=2&cursor=${page.body.next_cursor}`,
    );
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

describe('routes', () => {
  it('are added, listed and removed, each with an event, and hold at once', async () => {
    await house.add('routed', { port: 1 });
    const added = await house.operator('post', 'routes', {
      prefix: '+4479',
      carrier: 'routed',
      priority: 5,
      weight: 2,
    });
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
    expect(await house.app.get(CarriersApi).route({ to: '+447912345678' })).toEqual({ queue: 'routed' });
    const listed = await house.operator('get', 'routes?limit=1');
    expect(listed.body.data).toEqual([added.body]);
    expect((await house.operator('delete', `routes/${id}`)).status).toBe(204);
    expect((await house.operator('delete', `routes/${id}`)).status).toBe(404);
    expect(await house.app.get(CarriersApi).route({ to: '+447912345678' })).toBeNull();
    expect(await house.history('routed')).toEqual(['carrier-changed 1', 'route-changed 1', 'route-changed 2']);
  });

  it.each([
    ['prefix', 400, { prefix: '44', carrier: 'x' }],
    ['prefix', 400, { prefix: '+1234567890123456', carrier: 'x' }],
    ['priority', 400, { prefix: '', carrier: 'x', priority: -1 }],
    ['weight', 400, { prefix: '', carrier: 'x', weight: 0 }],
    ['carrier', 404, { prefix: '', carrier: 'nobody' }],
  ])('are refused with a bad %s (%i): %j', async (field, status, body) => {
    const answer = await house.operator('post', 'routes', body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([status, field]);
  });

  it('are refused twice, and with ids that are none', async () => {
    await house.add('twice', { port: 1 });
    const body = { prefix: '+77', carrier: 'twice', priority: 1, weight: 1 };
    expect((await house.operator('post', 'routes', body)).status).toBe(201);
    expect((await house.operator('post', 'routes', { ...body, weight: 2 })).status).toBe(409);
    expect((await house.operator('delete', 'routes/nonsense')).status).toBe(404);
  });
});
