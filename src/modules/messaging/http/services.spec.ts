import { eventually } from '../../../../test/support/eventually.js';
import {
  type Customer,
  type MessagingSurface,
  startMessagingSurface,
} from '../../../../test/support/messaging-surface.js';
import { EventBus } from '../../../platform/event-log/event-bus.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { MessagingDemo } from '../contract/messaging.demo.js';

const FORM = 'application/x-www-form-urlencoded';
const ABSENT = sidOf('MG', newId());

let surface: MessagingSurface;
let acme: Customer;
let stranger: Customer;

beforeAll(async () => {
  surface = await startMessagingSurface();
  [acme, stranger] = [await surface.open(), await surface.open()];
}, 60_000);

afterAll(() => surface?.stop());

const services = (of = acme) => of.client.messaging.v1.services;
const create = (friendlyName = 'Any') => services().create({ friendlyName });

/** A request as it stands; the answer with its body. */
async function ask(method: string, path: string, body?: string, { authorization } = acme) {
  const headers = { authorization, ...(body === undefined ? {} : { 'content-type': FORM }) };
  const response = await fetch(surface.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
}

describe('a messaging service, with the official SDK', () => {
  it('is made, read, changed, listed and deleted', async () => {
    const made = await services().create({ friendlyName: 'Alerts', statusCallback: 'https://example.com/status' });
    expect(made).toMatchObject({
      accountSid: acme.sid,
      friendlyName: 'Alerts',
      statusCallback: 'https://example.com/status',
      inboundRequestUrl: null,
      inboundMethod: 'POST',
      stickySender: true,
      areaCodeGeomatch: true,
      smartEncoding: true,
      validityPeriod: 36_000,
      useInboundWebhookOnNumber: false,
      usecase: 'undeclared',
      url: `${surface.url}/v1/Services/${made.sid}`,
      links: { phone_numbers: `${surface.url}/v1/Services/${made.sid}/PhoneNumbers` },
    });
    expect(made.sid).toMatch(/^MG[0-9a-f]{32}$/);
    expect(made.dateCreated).toBeInstanceOf(Date);
    const changed = await services(acme)(made.sid).update({
      stickySender: false,
      validityPeriod: 60,
      statusCallback: '',
    });
    expect(changed).toMatchObject({
      friendlyName: 'Alerts',
      stickySender: false,
      validityPeriod: 60,
      statusCallback: null,
    });
    expect(await services()(made.sid).fetch()).toMatchObject({ sid: made.sid, validityPeriod: 60 });
    expect((await services().list()).map(({ sid }) => sid)).toContain(made.sid);
    expect(await services()(made.sid).remove()).toBe(true);
    await expect(services()(made.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('is listed page by page, by the URLs of its meta', async () => {
    const made: string[] = [];
    for (const name of ['one', 'two', 'three']) made.push((await create(name)).sid);
    const first = await ask('GET', '/v1/Services?PageSize=2');
    const { meta } = first.body as { meta: Record<string, string> };
    expect(meta).toMatchObject({ key: 'services', page: 0, page_size: 2, previous_page_url: null });
    expect(meta.url).toBe(`${surface.url}/v1/Services?PageSize=2&Page=0`);
    const found = await services().list({ pageSize: 2 });
    expect(found.slice(0, 3).map(({ sid }) => sid)).toEqual(made.reverse());
    const { body: second } = await ask('GET', meta.next_page_url!.slice(surface.url.length));
    expect(second).toMatchObject({
      meta: { page: 1 },
      services: [{ sid: made[2] }, ...[{}].slice(found.length < 4 ? 1 : 0)],
    });
  });

  it("is nobody else's: not to be read, changed, deleted or sent through", async () => {
    const { sid } = await create();
    const asStranger = (method: string, body?: string) => ask(method, `/v1/Services/${sid}`, body, stranger);
    for (const answer of [
      await asStranger('GET'),
      await asStranger('POST', 'FriendlyName=x'),
      await asStranger('DELETE'),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 20404, status: 404 } });
    }
    expect((await services(stranger).list()).length).toBe(0);
    const sending = stranger.client.messages.create({ to: '+15555550100', messagingServiceSid: sid, body: 'x' });
    await expect(sending).rejects.toMatchObject({ status: 400, code: 21701 });
    expect(await services()(sid).fetch()).toMatchObject({ friendlyName: 'Any' });
  });
});

describe('the pool of a service', () => {
  it('takes numbers of the account, each in one service only, and gives them back', async () => {
    const [one, two] = [await create('one'), await create('two')];
    const sid = await acme.own('+442071838750');
    const added = await services()(one.sid).phoneNumbers.create({ phoneNumberSid: sid });
    expect(added).toMatchObject({
      sid,
      accountSid: acme.sid,
      serviceSid: one.sid,
      phoneNumber: '+442071838750',
      countryCode: 'GB',
      capabilities: ['SMS'],
      url: `${surface.url}/v1/Services/${one.sid}/PhoneNumbers/${sid}`,
    });
    await expect(services()(one.sid).phoneNumbers.create({ phoneNumberSid: sid })).rejects.toMatchObject({
      code: 21710,
    });
    await expect(services()(two.sid).phoneNumbers.create({ phoneNumberSid: sid })).rejects.toMatchObject({
      code: 21712,
    });
    expect((await services()(one.sid).phoneNumbers.list()).map((number) => number.sid)).toEqual([sid]);
    expect(await services()(one.sid).phoneNumbers(sid).fetch()).toMatchObject({ phoneNumber: '+442071838750' });
    await expect(services()(two.sid).phoneNumbers(sid).fetch()).rejects.toMatchObject({ status: 404 });
    expect(await services()(one.sid).phoneNumbers(sid).remove()).toBe(true);
    await expect(services()(one.sid).phoneNumbers(sid).remove()).rejects.toMatchObject({ status: 404 });
    await services()(two.sid).phoneNumbers.create({ phoneNumberSid: sid });
  });

  it('loses a number that its account gives back or that another gets, also where it comes back later', async () => {
    const { sid } = await create();
    const pool = () => services()(sid).phoneNumbers.list();
    const add = async (number: string) =>
      services()(sid).phoneNumbers.create({ phoneNumberSid: await acme.own(number) });
    const released = await add('+15005551301');
    const moved = await add('+15005551302');
    const kept = await add('+15005551303');
    await acme.client.incomingPhoneNumbers(released.sid).remove();
    await stranger.own(moved.phoneNumber);
    await eventually(async () => (await pool()).length === 1, { what: 'the pool has what the account owns' });
    expect((await pool())[0]).toMatchObject({ sid: kept.sid });
    const again = await acme.own(released.phoneNumber);
    expect(again).not.toBe(released.sid);
    const asked = { to: '+15555550100', body: 'x', messagingServiceSid: sid, from: released.phoneNumber };
    await expect(acme.client.messages.create(asked)).rejects.toMatchObject({ code: 21711 });
    await services()(sid).phoneNumbers.create({ phoneNumberSid: again });
    expect((await pool()).map((number) => number.sid).sort()).toEqual([again, kept.sid].sort());
  });

  it('is refused what is not the account’s, or no number, or too much', async () => {
    const { sid } = await create();
    const add = (phoneNumberSid: string, of = acme) => services(of)(sid).phoneNumbers.create({ phoneNumberSid });
    const theirs = await stranger.own('+15005551234');
    for (const bad of [theirs, sidOf('PN', newId()), 'PN1', 'nonsense']) {
      await expect(add(bad)).rejects.toMatchObject({ status: 400, code: 21421 });
    }
    await expect(add(theirs, stranger)).rejects.toMatchObject({ status: 404 });
    await surface.db.query(
      `insert into messaging.service_number (account_id, id, service_id, phone_number)
        select account_id, gen_random_uuid(), id, '+1500600' || lpad(g::text, 4, '0')
        from messaging.service, generate_series(1, 400) g where friendly_name = 'Any' and id::text = $1`,
      [`${sid.slice(2, 10)}-${sid.slice(10, 14)}-${sid.slice(14, 18)}-${sid.slice(18, 22)}-${sid.slice(22)}`],
    );
    await expect(add(await acme.own('+15005551235'))).rejects.toMatchObject({ status: 400, code: 21714 });
  });
});

describe('what is no service', () => {
  it.each<[string, string, string]>([
    ['no name', '', 'FriendlyName'],
    ['an empty name', 'FriendlyName=', 'FriendlyName'],
    ['a name of blanks', 'FriendlyName=+++', 'FriendlyName'],
    ['a name of 65 letters', `FriendlyName=${'x'.repeat(65)}`, 'FriendlyName'],
    ['two names', 'FriendlyName=a&FriendlyName=b', 'FriendlyName'],
    ['a name with a NUL', 'FriendlyName=a%00b', 'FriendlyName'],
    ['a method of its own', 'FriendlyName=a&InboundMethod=PUT', 'InboundMethod'],
    ['a flag that is neither', 'FriendlyName=a&StickySender=maybe', 'StickySender'],
    ['a validity of none', 'FriendlyName=a&ValidityPeriod=0', 'ValidityPeriod'],
    ['a validity of too long', 'FriendlyName=a&ValidityPeriod=36001', 'ValidityPeriod'],
    ['a validity in letters', 'FriendlyName=a&ValidityPeriod=1e3', 'ValidityPeriod'],
    ['an inbound URL that is none', 'FriendlyName=a&InboundRequestUrl=banana', 'InboundRequestUrl'],
    ['an inbound URL that points inside', 'FriendlyName=a&InboundRequestUrl=http://10.0.0.1/', 'InboundRequestUrl'],
    ['a fallback URL that is none', 'FriendlyName=a&FallbackUrl=ftp://example.com/', 'FallbackUrl'],
    ['a scan of another kind', 'FriendlyName=a&ScanMessageContent=x', 'ScanMessageContent'],
  ])('%s', async (_case, body, field) => {
    const before = (await services().list()).length;
    const answer = await ask('POST', '/v1/Services', body);
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 20001, status: 400, message: expect.stringContaining(field) },
    });
    expect(Object.keys(answer.body!).sort()).toEqual(['code', 'message', 'more_info', 'status']);
    expect((await services().list()).length).toBe(before);
  });

  it('a status callback that cannot be called', async () => {
    const answer = await ask('POST', '/v1/Services', 'FriendlyName=a&StatusCallback=http://127.0.0.1:1/');
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 21609, message: expect.stringContaining('StatusCallback') },
    });
  });

  it.each(['nonsense', 'MG1', `${ABSENT}0`, ABSENT.replace('MG', 'SM'), ABSENT, '%00'])('a SID %s', async (sid) => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/PhoneNumbers'],
      ['GET', `/PhoneNumbers/${sidOf('PN', newId())}`],
      ['DELETE', `/PhoneNumbers/${sidOf('PN', newId())}`],
    ] as const) {
      const { status, body } = await ask(method, `/v1/Services/${sid}${path}`);
      expect([status, body?.status]).toEqual(sid === '%00' ? [400, 400] : [404, 404]);
    }
  });

  it.each(['PageToken=x', 'Page=1', 'PageSize=0', 'PageSize=x'])('a page of %s', async (query) => {
    const answer = await ask('GET', `/v1/Services?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 20001 } });
  });

  it('a service too many', async () => {
    const other = await surface.open();
    const { sid } = await services(other).create({ friendlyName: 'first' });
    await surface.db.query(
      `insert into messaging.service select account_id, gen_random_uuid(), version, friendly_name, use_case,
          inbound_request_url, inbound_method, fallback_url, fallback_method, use_inbound_webhook_on_number,
          status_callback, sticky_sender, area_code_geomatch, smart_encoding, validity_period, mms_converter,
          fallback_to_long_code, synchronous_validation, scan_message_content
        from messaging.service, generate_series(2, 1000) where 'MG' || replace(id::text, '-', '') = $1`,
      [sid],
    );
    await expect(services(other).create({ friendlyName: 'x' })).rejects.toMatchObject({ status: 409 });
  });
});

it('tells of each change once, in the order of the service', async () => {
  const made = await create('told');
  await services()(made.sid).update({ friendlyName: 'again' });
  await services()(made.sid).update({});
  const phoneNumberSid = await acme.own('+15005551236');
  await services()(made.sid).phoneNumbers.create({ phoneNumberSid });
  await services()(made.sid).phoneNumbers(phoneNumberSid).remove();
  await services()(made.sid).remove();
  const log = surface.app.get(EventBus).log('messaging');
  const all = await log.read(0, 1_000);
  const own = all.filter(({ data }) => (data as { serviceSid?: string }).serviceSid === made.sid);
  expect(own.map(({ version, data }) => [version, (data as { change: string }).change])).toEqual([
    [1, 'created'],
    [2, 'updated'],
    [3, 'number_added'],
    [4, 'number_removed'],
    [5, 'deleted'],
  ]);
});

it('is made for the demo account once: what became of it later stays', async () => {
  const demo = await surface.open();
  const phoneNumberSid = await demo.own('+15005551237');
  const ensure = () => surface.app.get(MessagingDemo).ensureDemoService({ accountSid: demo.sid, phoneNumberSid });
  const made = await Promise.all([ensure(), ensure(), ensure()]);
  const { serviceSid } = made[0]!;
  expect([...made, await ensure()].map((one) => one.serviceSid)).toEqual(Array(4).fill(serviceSid));
  const pool = () => services(demo)(serviceSid).phoneNumbers.list();
  expect((await pool()).map(({ sid }) => sid)).toEqual([phoneNumberSid]);
  await services(demo)(serviceSid).phoneNumbers(phoneNumberSid).remove();
  await ensure();
  expect(await pool()).toEqual([]);
  await services(demo)(serviceSid).remove();
  await ensure();
  expect(await services(demo).list()).toEqual([]);
});
