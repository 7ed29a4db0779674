import { FORM, MESSAGES } from '../support/api.js';
import { INTERNAL_URLS, NO_CALLBACK_URLS, UNSTORABLE } from '../support/hostile.js';
import { DEMO_SID } from '../support/product.js';
import { TwilioBench, VALID } from '../support/twilio-bench.js';

const START_MS = 90_000;
const ABSENT = 'f'.repeat(32);

let bench: TwilioBench;

beforeAll(async () => {
  bench = await TwilioBench.start();
}, START_MS);

afterAll(async () => {
  await bench?.stop();
}, START_MS);

const ask: TwilioBench['ask'] = (...request) => bench.ask(...request);
const create: TwilioBench['create'] = (...request) => bench.create(...request);
const createRaw: TwilioBench['createRaw'] = (...request) => bench.createRaw(...request);
const expectRefused: TwilioBench['expectRefused'] = (...expected) => bench.expectRefused(...expected);
const valid = (except: string) =>
  new URLSearchParams(Object.entries(VALID).filter(([name]) => name !== except)).toString();

describe('parameters of a message', () => {
  it.each<[string, Record<string, string | null>, number, string]>([
    ['no To', { To: null }, 21604, 'To'],
    ['an empty To', { To: '' }, 21604, 'To'],
    ['a To of spaces', { To: '   ' }, 21211, 'To'],
    ['a To of letters', { To: 'hello' }, 21211, 'To'],
    ['a To without its country', { To: '5555550100' }, 21211, 'To'],
    ['a To that is too short', { To: '+1' }, 21211, 'To'],
    ['a To that is too long', { To: '+15555550100123456' }, 21211, 'To'],
    ['a To of 10,000 digits', { To: `+${'1'.repeat(10_000)}` }, 21211, 'To'],
    ['a To with an extension', { To: '+15555550100x5' }, 21211, 'To'],
    ['a To with a parameter', { To: '+15555550100;ext=5' }, 21211, 'To'],
    ['a To with a scheme', { To: 'tel:+15555550100' }, 21211, 'To'],
    ['a To with a line break', { To: '+15555550100\n' }, 21211, 'To'],
    ['a To in full-width digits', { To: '＋１５５５５５５０１００' }, 21211, 'To'],
    ['a To with one full-width digit', { To: '+1555555010０' }, 21211, 'To'],
    ['a To in Arabic digits', { To: '+١٥٥٥٥٥٥٠١٠٠' }, 21211, 'To'],
    ['a To with an invisible character', { To: '+1555555\u200b0100' }, 21211, 'To'],
    ['a To that is a test number: invalid', { To: '+15005550001' }, 21211, 'To'],
    ['a To that is a test number: no route', { To: '+15005550002' }, 21612, 'To'],
    ['a To that is a test number: region', { To: '+15005550003' }, 21408, 'To'],
    ['a To that is a test number: opted out', { To: '+15005550004' }, 21610, 'To'],
    ['a To that is a test number: landline', { To: '+15005550009' }, 21614, 'To'],
    ['a To that is the From', { To: '+15005550006' }, 21266, 'To'],
    ['no From', { From: null }, 21603, 'From'],
    ['an empty From', { From: '' }, 21603, 'From'],
    ['a From that is none', { From: 'not a number!!' }, 21212, 'From'],
    ['a From in full-width digits', { From: '＋１５００５５５０００６' }, 21212, 'From'],
    ['a From that nobody owns', { From: '+15005550010' }, 21606, 'From'],
    ['a short code that nobody owns', { From: '12345' }, 21606, 'From'],
    ['a name that nobody owns', { From: 'ACME' }, 21606, 'From'],
    ['a From that is a test number: invalid', { From: '+15005550001' }, 21212, 'From'],
    ['a From that is a test number: not usable', { From: '+15005550007' }, 21606, 'From'],
    ['a service whose SID is none', { MessagingServiceSid: 'MG1' }, 21705, 'MessagingServiceSid'],
    ['a ScheduleType without a service', { ScheduleType: 'fixed' }, 35118, 'MessagingServiceSid'],
    ['a ScheduleType of another kind', { ScheduleType: 'optimal' }, 35126, 'ScheduleType'],
    ['a SendAt alone', { SendAt: '2099-01-01T00:00:00Z' }, 20001, 'ScheduleType'],
    ['a service that is not there', { MessagingServiceSid: `MG${ABSENT}` }, 21701, 'MessagingServiceSid'],
    ['no Body', { Body: null }, 21602, 'body'],
    ['an empty Body', { Body: '' }, 21602, 'body'],
    ['a Body of 1601 characters', { Body: 'x'.repeat(1601) }, 21617, '1600'],
    ['a Body of 801 emoji', { Body: '😀'.repeat(801) }, 21617, '1600'],
    ['a Body of 100,000 characters', { Body: 'x'.repeat(100_000) }, 21617, '1600'],
    ['a ValidityPeriod of none', { ValidityPeriod: '0' }, 20001, 'ValidityPeriod'],
    ['a negative ValidityPeriod', { ValidityPeriod: '-1' }, 20001, 'ValidityPeriod'],
    ['a ValidityPeriod of too long', { ValidityPeriod: '36001' }, 20001, 'ValidityPeriod'],
    ['a ValidityPeriod of a fraction', { ValidityPeriod: '1.5' }, 20001, 'ValidityPeriod'],
    ['a ValidityPeriod in hexadecimal', { ValidityPeriod: '0x10' }, 20001, 'ValidityPeriod'],
    ['a ValidityPeriod in full-width digits', { ValidityPeriod: '６０' }, 20001, 'ValidityPeriod'],
    ['a SmartEncoded of neither', { SmartEncoded: 'maybe' }, 20001, 'SmartEncoded'],
    [
      'parameters by the names of a prototype',
      { To: null, ['__proto__']: '+15555550199', constructor: 'x' },
      21604,
      'To',
    ],
  ])('%s', async (_case, changes, code, says) => {
    expectRefused(await create(changes), 400, code, new RegExp(says, 'i'));
  });

  it('a sender whose queue is full, as a test number has it', async () => {
    expectRefused(await create({ From: '+15005550008' }), 429, 21611, 'From');
  });

  it.each([
    'To',
    'From',
    'Body',
    'StatusCallback',
    'ValidityPeriod',
    'SmartEncoded',
    'MessagingServiceSid',
    'ScheduleType',
    'SendAt',
  ])('%s given twice', async (name) => {
    expectRefused(await createRaw(`${valid(name)}&${name}=%2B15555550100&${name}=x`), 400, 20001, name);
  });

  const NAMES = [
    'To',
    'From',
    'Body',
    'StatusCallback',
    'ValidityPeriod',
    'MessagingServiceSid',
    'SendAt',
    'MessageIntent',
    'X',
  ];
  describe.each(UNSTORABLE)('%s', (_what, encoded) => {
    it.each(NAMES)('in %s', async (name) => {
      expectRefused(await createRaw(`${valid(name)}&${name}=${encoded}`), 400, 20001, name);
    });

    it('in the name of a parameter', async () => {
      expectRefused(await createRaw(`${valid('')}&${encoded}=x`), 400, 20001);
    });
  });
});

describe('callbacks', () => {
  it.each(NO_CALLBACK_URLS)('%s is no URL to call', async (url) => {
    expectRefused(await create({ StatusCallback: url }), 400, 21609, 'StatusCallback');
  });

  it.each(INTERNAL_URLS)('%s points inside', async (url) => {
    expectRefused(await create({ StatusCallback: url }), 400, 21609, 'StatusCallback');
  });
});

describe('bodies', () => {
  it.each<[string, string | Buffer, Record<string, string>, number, number]>([
    ['of JSON', JSON.stringify(VALID), { 'content-type': 'application/json' }, 415, 20415],
    ['of plain text', valid(''), { 'content-type': 'text/plain' }, 415, 20415],
    ['of parts', '--x\r\n\r\n--x--', { 'content-type': 'multipart/form-data; boundary=x' }, 415, 20415],
    ['of XML', '<To/>', { 'content-type': 'application/xml' }, 415, 20415],
    ['of another character set', valid(''), { 'content-type': `${FORM}; charset=utf-16` }, 415, 20415],
    ['that are compressed', valid(''), { 'content-encoding': 'gzip' }, 415, 20415],
    ['that end within an encoding', 'To=%', {}, 400, 20001],
    ['with an encoding that is none', 'To=%zz&From=1&Body=x', {}, 400, 20001],
    ['of bytes that are no UTF-8', Buffer.from([0x54, 0x6f, 0x3d, 0xff, 0xfe]), {}, 400, 20001],
    ['of a thousand and one parameters', `${valid('')}&${'a=1&'.repeat(1001)}`, {}, 400, 20001],
    ['of 50,000 parameters', 'a=1&'.repeat(50_000), {}, 400, 20001],
    ['of a parameter with an endless name', `${valid('')}&${'n'.repeat(100_000)}=1`, {}, 400, 20001],
    ['of a megabyte', `${valid('Body')}&Body=${'x'.repeat(1_000_000)}`, {}, 413, 20413],
    ['of nothing', '', {}, 400, 21604],
    ['of ampersands', '&&&&', {}, 400, 21604],
    ['of names in brackets', 'To[]=%2B15555550100&From[0]=x&Body[a]=x', {}, 400, 21604],
  ])('%s', async (_case, body, headers, status, code) => {
    expectRefused(await createRaw(body, headers), status, code);
  });
});

describe('Idempotency-Key', () => {
  it.each<[string, string]>([
    ['empty', ''],
    ['too long', 'k'.repeat(256)],
    ['with a space', 'a b'],
    ['of no ASCII', 'clé'],
    ['given twice', 'a, b'],
  ])('%s', async (_case, key) => {
    expectRefused(await create({}, { 'idempotency-key': key }), 400, 20001, 'Idempotency-Key');
  });

  it('is free again after a request that was refused', async () => {
    const headers = { 'idempotency-key': 'refused-once' };
    expectRefused(await create({ Body: '' }, headers), 400, 21602);
    expectRefused(await create({ From: '+15005550010' }, headers), 400, 21606);
  });
});

describe('lists', () => {
  const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  it.each<[string, string, string]>([
    ['no rows a page', 'PageSize=0', 'PageSize'],
    ['fewer than none', 'PageSize=-1', 'PageSize'],
    ['half a row', 'PageSize=1.5', 'PageSize'],
    ['rows by name', 'PageSize=many', 'PageSize'],
    ['rows of nothing', 'PageSize=', 'PageSize'],
    ['rows without end', `PageSize=${'9'.repeat(30)}`, 'PageSize'],
    ['rows in full-width digits', 'PageSize=%EF%BC%95', 'PageSize'],
    ['two sizes', 'PageSize=1&PageSize=2', 'PageSize'],
    ['a page before the first', 'Page=-1', 'Page'],
    ['a page without its token', 'Page=7', 'PageToken'],
    ['a token of nothing', 'PageToken=', 'PageToken'],
    ['a token of noise', 'PageToken=PA%21%21', 'PageToken'],
    ['a token without a place', 'PageToken=PA', 'PageToken'],
    ['a token of no JSON', `PageToken=PA${Buffer.from('{').toString('base64url')}`, 'PageToken'],
    ['a token of an object', `PageToken=PA${forged({ id: 1 })}`, 'PageToken'],
    ['a token of a number', `PageToken=PB${forged([7])}`, 'PageToken'],
    ['a token of two', `PageToken=PA${forged(['a', 'b'])}`, 'PageToken'],
    ['a token of SQL', `PageToken=PA${forged(["' or 1=1 --"])}`, 'PageToken'],
    ['a token with a NUL', `PageToken=PA${forged(['\0'])}`, 'PageToken'],
    ['an endless token', `PageToken=PA${'A'.repeat(5_000)}`, 'PageToken'],
    ['a day that is none', 'DateSent=banana', 'DateSent'],
    ['a day of no month', 'DateSent=2026-13-45', 'DateSent'],
    ['an endless day', `DateSent=2026-01-01${'0'.repeat(500)}`, 'DateSent'],
    ['an instant that is none', 'DateSent%3E=2026-01-01Tbanana', 'DateSent>'],
    ['a recipient given twice', 'To=%2B1&To=%2B2', 'To'],
    ['an endless recipient', `To=${'1'.repeat(5_000)}`, 'To'],
  ])('%s', async (_case, query, says) => {
    expectRefused(await ask(`${MESSAGES}?${query}`), 400, 20001, says);
  });

  describe.each(UNSTORABLE)('%s', (_what, encoded) => {
    it.each(['To', 'From', 'DateSent', 'PageToken', 'X'])('in %s', async (name) => {
      expectRefused(await ask(`${MESSAGES}?${name}=${encoded}`), 400, 20001, name);
    });
  });

  it.each(['PageSize=1000000', 'DateSent=0000-01-01', 'DateSent=9999-12-31', 'To=nobody', '__proto__=x&constructor=y'])(
    'reads %s as a question, with an answer',
    async (query) => expect((await ask(`${MESSAGES}?${query}`)).status).toBe(200),
  );
});

describe('changes of a message', () => {
  it.each<[string, string]>([
    ['another text', 'Body=another'],
    ['another status', 'Status=delivered'],
    ['two texts', 'Body=&Body='],
  ])('%s', async (_case, body) => {
    const path = `/2010-04-01/Accounts/${DEMO_SID}/Messages/${bench.own}.json`;
    expectRefused(await ask(path, { headers: { 'content-type': FORM }, body }), 400, 20001);
  });

  it('taking back what was delivered', async () => {
    const path = `/2010-04-01/Accounts/${DEMO_SID}/Messages/${bench.own}.json`;
    expectRefused(await ask(path, { headers: { 'content-type': FORM }, body: 'Status=canceled' }), 409, 30409);
  });
});

it('after all of it nothing was sent, reserved or charged, and nothing was an error of the product', async () => {
  await bench.expectUnharmed();
});
