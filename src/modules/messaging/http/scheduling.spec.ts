import { eventually } from '../../../../test/support/eventually.js';
import {
  type Customer,
  type MessagingSurface,
  startMessagingSurface,
} from '../../../../test/support/messaging-surface.js';
import { newId, sidOf } from '../../../shared/sid.js';

const TO = '+15555550100';
const HOUR_MS = 3_600_000;

interface Own {
  readonly service: string;
  /** PN SIDs of the pool, by number. */
  readonly pool: ReadonlyMap<string, string>;
}

let surface: MessagingSurface;
let acme: Customer;
let lastNumber = 0;

beforeAll(async () => {
  surface = await startMessagingSurface();
  acme = await surface.open();
}, 60_000);

afterAll(() => surface?.stop());

/** A service of its own, with new numbers. */
async function service(numbers: number | readonly string[], settings: object = {}, of = acme): Promise<Own> {
  const { sid } = await of.client.messaging.v1.services.create({ friendlyName: 'A service', ...settings });
  const wanted =
    typeof numbers === 'number'
      ? Array.from({ length: numbers }, () => `+1415556${String(++lastNumber).padStart(4, '0')}`)
      : numbers;
  const pool = new Map<string, string>();
  for (const number of wanted) {
    const phoneNumberSid = await of.own(number);
    await of.client.messaging.v1.services(sid).phoneNumbers.create({ phoneNumberSid });
    pool.set(number, phoneNumberSid);
  }
  return { service: sid, pool };
}

const send = (params: object, of = acme) => of.client.messages.create({ to: TO, body: 'hello', ...params });
const later = (ms = HOUR_MS) => ({ scheduleType: 'fixed' as const, sendAt: new Date(Date.now() + ms) });
const schedule = (own: Own, params: object = {}, of = acme) =>
  send({ messagingServiceSid: own.service, ...later(), ...params }, of);
const fetchOf = (sid: string, of = acme) => of.client.messages(sid).fetch();
const uuid = (column: string) => `replace(${column}::text, '-', '')`;

async function row<T extends object>(sid: string): Promise<T> {
  const { rows } = await surface.db.query<T>(`select * from messaging.message where ${uuid('id')} = $1`, [
    sid.slice(2),
  ]);
  return rows[0]!;
}

/** Lets the time of messages come. */
async function bring(...sids: string[]): Promise<void> {
  await surface.db.query(
    `update messaging.message set send_at = clock_timestamp() - interval '1 s',
      valid_until = valid_until - (send_at - clock_timestamp()) where ${uuid('id')} = any($1)`,
    [sids.map((sid) => sid.slice(2))],
  );
}

const becomes = (sid: string, status: string, of = acme) =>
  eventually(async () => (await fetchOf(sid, of)).status === status, { what: `${sid} becomes ${status}` });

async function phases(sid: string): Promise<string[]> {
  const { rows } = await surface.db.query<{ kind: string }>(
    `select kind from billing.entry where ${uuid('key')} = $1 order by phase`,
    [sid.slice(2)],
  );
  return rows.map(({ kind }) => kind);
}

async function history(sid: string): Promise<string[]> {
  const { rows } = await surface.db.query<{ type: string }>(
    `select type from messaging.event where ${uuid('stream_id')} = $1 order by version`,
    [sid.slice(2)],
  );
  return rows.map(({ type }) => type.replace(/^messaging\.message-|\.v1$/g, ''));
}

describe('a message through a service', () => {
  it('is accepted, and sent by a number of the pool that stays the same for its recipient', async () => {
    const own = await service(5);
    const sent = await send({ messagingServiceSid: own.service });
    expect(sent).toMatchObject({ status: 'accepted', messagingServiceSid: own.service, to: TO });
    expect([...own.pool.keys()]).toContain(sent.from);
    for (let again = 0; again < 5; again++) {
      expect((await send({ messagingServiceSid: own.service })).from).toBe(sent.from);
    }
    const senders = new Set<string>();
    // Each has half a second at most, which a busy machine may not find for many at once.
    for (let n = 0; n < 60; n++) {
      senders.add((await send({ messagingServiceSid: own.service, to: `+1555555${1000 + n}` })).from);
    }
    expect(senders.size).toBe(5);
    expect(await history(sent.sid)).toEqual(['accepted']);
  });

  it('has a sender of its recipient’s country, and of its area where there is one', async () => {
    const own = await service(['+442071838751', '+12125550011', '+13105550012']);
    const from = async (to: string) => (await send({ messagingServiceSid: own.service, to })).from;
    expect(await from('+442071838799')).toBe('+442071838751');
    expect(await from('+13105550099')).toBe('+13105550012');
    expect(await from('+12125550099')).toBe('+12125550011');
    expect(['+12125550011', '+13105550012']).toContain(await from('+16175550099'));
  });

  it('has what the service is set to, where it says nothing itself', async () => {
    const settings = { statusCallback: 'https://example.com/s', validityPeriod: 60, smartEncoding: true };
    const own = await service(1, settings);
    const first = await send({ messagingServiceSid: own.service, body: '“hi”' });
    expect(first.body).toBe('"hi"');
    expect(await row(first.sid)).toMatchObject({ callback_url: 'https://example.com/s' });
    const own2 = { statusCallback: 'https://example.com/own', validityPeriod: 120, smartEncoded: false };
    const second = await send({ messagingServiceSid: own.service, body: '“hi”', ...own2 });
    expect(second.body).toBe('“hi”');
    expect(await row(second.sid)).toMatchObject({ callback_url: 'https://example.com/own' });
    const validity = async (sid: string) => {
      const { valid_until, created_at } = await row<{ valid_until: Date; created_at: Date }>(sid);
      return Math.round((valid_until.getTime() - created_at.getTime()) / 1000 / 10) * 10;
    };
    expect([await validity(first.sid), await validity(second.sid)]).toEqual([60, 120]);
  });

  it('may name its sender, which must be in the pool', async () => {
    const own = await service(2);
    const [, from] = [...own.pool.keys()];
    expect((await send({ messagingServiceSid: own.service, from })).from).toBe(from);
    const outside = '+15005550191';
    await acme.own(outside);
    const messagingServiceSid = own.service;
    await expect(send({ messagingServiceSid, from: outside })).rejects.toMatchObject({ status: 400, code: 21711 });
    await expect(send({ messagingServiceSid, from: '+15005550192' })).rejects.toMatchObject({ code: 21606 });
    expect(await send({ from: own.service })).toMatchObject({ messagingServiceSid, status: 'accepted' });
  });

  it('comes from no number to itself', async () => {
    const pair = await service(2);
    const [one, two] = [...pair.pool.keys()] as [string, string];
    expect(await send({ messagingServiceSid: pair.service, to: one })).toMatchObject({ from: two });
    expect(await send({ messagingServiceSid: pair.service, to: two })).toMatchObject({ from: one });
    await expect(send({ messagingServiceSid: pair.service, to: one, from: one })).rejects.toMatchObject({
      code: 21266,
    });
  });

  it('is refused without a sender, and without a service', async () => {
    const empty = await service(0);
    await expect(send({ messagingServiceSid: empty.service })).rejects.toMatchObject({ status: 400, code: 21703 });
    const lost = await service(1);
    const other = await surface.open();
    await other.own([...lost.pool.keys()][0]!);
    await expect(send({ messagingServiceSid: lost.service })).rejects.toMatchObject({ code: 21703 });
    await expect(send({ messagingServiceSid: sidOf('MG', newId()) })).rejects.toMatchObject({ code: 21701 });
    await expect(send({ messagingServiceSid: 'MG1' })).rejects.toMatchObject({ code: 21705 });
  });
});

describe('what cannot be scheduled', () => {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  it.each<[string, Record<string, string>, number]>([
    ['without a time', { ScheduleType: 'fixed' }, 35111],
    ['in another way', { ScheduleType: 'optimal', SendAt: at(HOUR_MS) }, 35126],
    ['by a time alone', { SendAt: at(HOUR_MS) }, 20001],
    ['in the past', { ScheduleType: 'fixed', SendAt: at(-HOUR_MS) }, 35115],
    ['too soon', { ScheduleType: 'fixed', SendAt: at(290_000) }, 35115],
    ['too late', { ScheduleType: 'fixed', SendAt: at(35 * 24 * HOUR_MS + 60_000) }, 35115],
    ['at no time', { ScheduleType: 'fixed', SendAt: 'tomorrow' }, 35115],
    ['without an offset', { ScheduleType: 'fixed', SendAt: at(HOUR_MS).slice(0, 19) }, 35115],
    ['at 10,000 digits', { ScheduleType: 'fixed', SendAt: '1'.repeat(10_000) }, 35115],
  ])('%s', async (_case, params, code) => {
    const own = await service(1);
    const all = { To: TO, Body: 'x', MessagingServiceSid: own.service, ...params };
    const response = await fetch(`${surface.url}/2010-04-01/Accounts/${acme.sid}/Messages.json`, {
      method: 'POST',
      headers: { authorization: acme.authorization },
      body: new URLSearchParams(all),
    });
    expect([response.status, ((await response.json()) as { code: number }).code]).toEqual([400, code]);
  });

  it('without a service', async () => {
    const from = '+15005550193';
    await acme.own(from);
    await expect(send({ from, ...later() })).rejects.toMatchObject({ status: 400, code: 35118 });
  });
});

describe('a scheduled message', () => {
  it('waits for its time, paid for, and is found by its date', async () => {
    const own = await service(1);
    const to = '+15555557001';
    const made = await schedule(own, { to });
    const sendAt = new Date(Math.floor(Date.now() / 1000) * 1000 + HOUR_MS);
    expect(made).toMatchObject({ status: 'scheduled', price: null, messagingServiceSid: own.service });
    expect(Math.abs(made.dateSent.getTime() - sendAt.getTime())).toBeLessThan(60_000);
    expect(await phases(made.sid)).toEqual(['pending']);
    const { valid_until, send_at } = await row<{ valid_until: Date; send_at: Date }>(made.sid);
    expect(valid_until.getTime() - send_at.getTime()).toBe(36_000_000);
    const found = async (filter: object) => (await acme.client.messages.list(filter)).map(({ sid }) => sid);
    expect(await found({ to })).toEqual([made.sid]);
    expect(await found({ dateSentAfter: new Date(Date.now() + HOUR_MS / 2) })).toContain(made.sid);
    expect(await found({ dateSentBefore: new Date(Date.now() + HOUR_MS / 2) })).not.toContain(made.sid);
    expect(await fetchOf(made.sid)).toMatchObject({ status: 'scheduled' });
    expect(await history(made.sid)).toEqual(['scheduled']);
  });

  it('is sent when its time has come, and from then on is valid', async () => {
    const own = await service(1);
    const made = await schedule(own, { statusCallback: 'https://example.com/s' });
    await bring(made.sid);
    await becomes(made.sid, 'queued');
    expect(await history(made.sid)).toEqual(['scheduled', 'queued']);
    expect(await fetchOf(made.sid)).toMatchObject({ from: made.from, dateSent: null });
    expect(await phases(made.sid)).toEqual(['pending']);
  });

  it('is answered again by its key as it was', async () => {
    const own = await service(1);
    const params = { To: TO, Body: 'x', MessagingServiceSid: own.service, ScheduleType: 'fixed' };
    const body = new URLSearchParams({ ...params, SendAt: new Date(Date.now() + HOUR_MS).toISOString() }).toString();
    const headers = {
      authorization: acme.authorization,
      'idempotency-key': 'once',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const ask = async () => {
      const url = `${surface.url}/2010-04-01/Accounts/${acme.sid}/Messages.json`;
      return (await fetch(url, { method: 'POST', headers, body })).json() as Promise<{ sid: string; status: string }>;
    };
    const first = await ask();
    await bring(first.sid);
    await becomes(first.sid, 'queued');
    expect(await ask()).toMatchObject({ sid: first.sid, status: 'scheduled' });
  });

  it('is taken back for nothing, before its time and in the moment of it', async () => {
    const own = await service(1);
    const made = await Promise.all(Array.from({ length: 20 }, () => schedule(own)));
    const cancel = (sid: string) => acme.client.messages(sid).update({ status: 'canceled' });
    expect(await cancel(made[0]!.sid)).toMatchObject({ status: 'canceled', price: null, dateSent: null });
    await Promise.all([bring(...made.map(({ sid }) => sid)), ...made.slice(1).map(({ sid }) => cancel(sid))]);
    await eventually(
      async () =>
        (await Promise.all(made.map(({ sid }) => phases(sid)))).every((kinds) => kinds.join() === 'pending,void'),
      { what: 'all are paid back' },
    );
    for (const { sid } of made) {
      expect((await fetchOf(sid)).status).toBe('canceled');
      expect((await history(sid)).at(-1)).toBe('canceled');
    }
  });

  it('cannot be deleted or erased before its end', async () => {
    const { sid } = await schedule(await service(1));
    await expect(acme.client.messages(sid).remove()).rejects.toMatchObject({ code: 20009 });
    await expect(acme.client.messages(sid).update({ body: '' })).rejects.toMatchObject({ code: 20009 });
  });

  it('gets another sender where its own has left the pool, unless it had asked for it', async () => {
    const own = await service(2);
    const free = await schedule(own);
    const asked = await schedule(own, { from: free.from });
    await acme.client.messaging.v1.services(own.service).phoneNumbers(own.pool.get(free.from)!).remove();
    await bring(free.sid, asked.sid);
    await becomes(free.sid, 'queued');
    await becomes(asked.sid, 'failed');
    const [other] = [...own.pool.keys()].filter((number) => number !== free.from);
    expect((await fetchOf(free.sid)).from).toBe(other);
    expect(await fetchOf(asked.sid)).toMatchObject({ errorCode: 21711, price: null });
    await eventually(async () => (await phases(asked.sid)).join() === 'pending,void', { what: 'it is paid back' });
  });

  it('fails when its time comes and its service is gone, or has no number left', async () => {
    const [gone, empty] = [await service(1), await service(1)];
    const [one, two] = [await schedule(gone), await schedule(empty)];
    await acme.client.messaging.v1.services(gone.service).remove();
    await acme.client.messaging.v1
      .services(empty.service)
      .phoneNumbers([...empty.pool.values()][0]!)
      .remove();
    await bring(one.sid, two.sid);
    await becomes(one.sid, 'failed');
    await becomes(two.sid, 'failed');
    expect([(await fetchOf(one.sid)).errorCode, (await fetchOf(two.sid)).errorCode]).toEqual([21701, 21703]);
  });

  it('fails with 30002 when its time comes and its account is suspended, and is sent where that is over', async () => {
    const own = await service(1);
    const [now, then] = [await schedule(own), await schedule(own)];
    const halt = (halted: boolean, version: number) =>
      surface.db.query(
        `insert into messaging.account_status (account_id, version, halted)
          select account_id, $2, $3 from messaging.message where ${uuid('id')} = $1
          on conflict (account_id) do update set version = excluded.version, halted = excluded.halted`,
        [now.sid.slice(2), version, halted],
      );
    await halt(true, 100);
    await bring(now.sid);
    await becomes(now.sid, 'failed');
    expect((await fetchOf(now.sid)).errorCode).toBe(30002);
    await halt(false, 101);
    await bring(then.sid);
    await becomes(then.sid, 'queued');
  });

  it('fails with 30036 where nobody was there to send it while it was valid', async () => {
    const { sid } = await schedule(await service(1), { validityPeriod: 5 });
    await surface.db.query(
      `update messaging.message set send_at = now() - interval '60 s', valid_until = now() - interval '55 s'
        where ${uuid('id')} = $1`,
      [sid.slice(2)],
    );
    await becomes(sid, 'failed');
    expect(await fetchOf(sid)).toMatchObject({ errorCode: 30036 });
  });
});
