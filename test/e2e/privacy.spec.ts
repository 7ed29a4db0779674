import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type pg from 'pg';
import { basic, call, FORM, JSON_TYPE, MESSAGES, read, readMessage, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { PlantedText } from '../support/planted-text.js';
import {
  DEMO_NUMBER,
  DEMO_SID,
  DEMO_TOKEN,
  makeReadyDataDir,
  type Product,
  SIMULATORS,
  startProduct,
} from '../support/product.js';
import { connectToDatabaseOf, tablesHolding } from '../support/product-database.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const START_MS = 90_000;
const TEST_MS = 60_000;
/** Planted in every text that is sent, and nowhere else in the world. */
const PLANTED = new PlantedText(`planted${randomBytes(9).toString('hex')}`);
const MARK = PLANTED.mark;
const FAILING = '/failing';

let dir: Awaited<ReturnType<typeof makeReadyDataDir>>;
let product: Product;
let receiver: WebhookReceiver;
let database: pg.Client;
/** Everything that the product answered to requests that were refused. */
const refusals: string[] = [];

beforeAll(async () => {
  dir = await makeReadyDataDir();
  receiver = await WebhookReceiver.start(DEMO_TOKEN);
  receiver.answer = ({ path }) => (path.startsWith(FAILING) ? 500 : 204);
  product = await startProduct({ dataDir: dir.path, env: { LOG_LEVEL: 'debug' } });
  database = await connectToDatabaseOf(dir.path);
}, START_MS);

afterAll(async () => {
  await database?.end();
  await product?.stop();
  await receiver?.stop();
  await dir?.remove();
}, START_MS);

const headers = { authorization: basic(), 'content-type': FORM };
const text = (what: string) => `${what} ${MARK}`;
const callback = (path: string) => `${receiver.url}${path}`;
const pathOf = (sid: string) => `/2010-04-01/Accounts/${DEMO_SID}/Messages/${sid}.json`;

async function sendUntil(status: string, params: Record<string, string>, more: Record<string, string> = {}) {
  const { sid } = await send(product.url, { To: '+15555550100', ...params }, more);
  await eventually(async () => (await readMessage(product.url, sid)).status === status, {
    what: `${sid} is ${status}`,
  });
  return sid;
}

async function refuse(path: string, type: string, body: string | Buffer, more: Record<string, string> = {}) {
  const answer = await call(product.url, path, { headers: { ...headers, 'content-type': type, ...more }, body });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  refusals.push(answer.text, JSON.stringify([...answer.headers]));
}

const tablesWithMark = () => tablesHolding(database, PLANTED.written);

it('knows the text in its disguises', () => {
  const around = `{"a":"${MARK}"}`;
  expect(PLANTED.formsIn(around)).toEqual([MARK]);
  for (const offset of ['', 'x', 'xy']) {
    expect(PLANTED.formsIn(Buffer.from(`${offset}${around}`).toString('base64'))).toHaveLength(1);
  }
  expect(PLANTED.formsIn(Buffer.from(around).toString('hex'))).toHaveLength(1);
});

describe('the text of a message', () => {
  it(
    'is planted in everything that a customer does',
    async () => {
      await sendUntil('delivered', { Body: text('plain') });
      await sendUntil('delivered', { Body: text('ünïcödé 😀') });
      await sendUntil('delivered', { Body: `${'x'.repeat(170)}${text(' in the second segment')}` });
      await sendUntil('undelivered', { Body: text('undelivered'), To: '+15555530003' });
      await sendUntil('delivered', { Body: text('with callbacks'), StatusCallback: callback('/well') });
      await sendUntil('delivered', { Body: text('with failing callbacks'), StatusCallback: callback(FAILING) });
      const key = { 'idempotency-key': 'once' };
      const once = { To: '+15555550100', Body: text('once') };
      const first = await send(product.url, once, key);
      expect(await send(product.url, once, key)).toMatchObject({ sid: first.sid });
      await refuse(
        MESSAGES,
        FORM,
        `To=%2B15555550100&From=${encodeURIComponent(DEMO_NUMBER)}&Body=${MARK}+another`,
        key,
      );
      const preview = await call(product.url, '/v1/messages/preview', {
        headers: { ...headers, 'content-type': JSON_TYPE },
        body: JSON.stringify({ to: '+15555550100', body: text('only asked') }),
      });
      expect(preview.status).toBe(200);
    },
    TEST_MS,
  );

  it(
    'is planted in what is refused',
    async () => {
      const good = `To=%2B15555550100&From=${encodeURIComponent(DEMO_NUMBER)}`;
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}%`);
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}%00`);
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}${'x'.repeat(1600)}`);
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}&Body=${MARK}`);
      await refuse(MESSAGES, FORM, Buffer.from(`${good}&Body=${MARK}\xff`, 'latin1'));
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}&ValidityPeriod=0`);
      await refuse(MESSAGES, FORM, `From=%2B15005550010&To=%2B15555550100&Body=${MARK}`);
      await refuse(MESSAGES, FORM, `From=${MARK}&To=${MARK}&Body=${MARK}`);
      await refuse(MESSAGES, JSON_TYPE, JSON.stringify({ Body: MARK }));
      await refuse(MESSAGES, FORM, `${good}&Body=${MARK}`, { authorization: 'Basic wrong' });
      await refuse('/v1/messages/preview', JSON_TYPE, `{"to": "+15555550100", "body": "${MARK}`);
      await refuse('/v1/messages/preview', JSON_TYPE, JSON.stringify({ to: 'x', body: MARK }));
      await refuse('/v1/messages/preview', JSON_TYPE, JSON.stringify({ to: '+15555550100', body: [MARK] }));
      const { sid } = await send(product.url, { To: '+15555550100', Body: text('to be changed') });
      await refuse(pathOf(sid), FORM, `Body=${MARK}+changed`);
    },
    TEST_MS,
  );

  it(
    'is planted in what waits for a carrier that is gone',
    async () => {
      for (const name of SIMULATORS) {
        await product.operator('PUT', `simulator/carriers/${name}`, { outage: 'refuse' });
      }
      await eventually(async () => {
        const { data } = await product.operator<{ data: { session: { phase: string } }[] }>('GET', 'carriers');
        return data.length > 0 && data.every(({ session }) => session.phase !== 'bound');
      });
      await send(product.url, { To: '+15555550100', Body: text('waiting'), StatusCallback: callback(FAILING) });
      const { sid } = await send(product.url, { To: '+15555550100', Body: text('canceled') });
      await call(product.url, pathOf(sid), { headers, body: 'Status=canceled' });
      expectOnlyMessages(await tablesWithMark());
      for (const name of SIMULATORS) {
        await product.operator('PUT', `simulator/carriers/${name}`, { outage: 'none' });
      }
    },
    TEST_MS,
  );

  it(
    'is planted in what the database refuses',
    async () => {
      await database.query(
        `alter table messaging.message add constraint test_refuses check (body not like '%to be refused%')`,
      );
      try {
        await refuse(MESSAGES, FORM, `To=%2B15555550100&From=%2B15005550006&Body=to+be+refused+${MARK}`);
        await refuse(MESSAGES, FORM, `To=%2B15555550100&From=%2B15005550006&Body=to+be+refused+${MARK}`, {
          'idempotency-key': 'refused by the database',
        });
      } finally {
        await database.query('alter table messaging.message drop constraint test_refuses');
      }
      expect(product.output()).toContain('test_refuses');
    },
    TEST_MS,
  );

  it(
    'is planted in messages whose events a consumer cannot handle',
    async () => {
      await database.query('revoke insert on notifications.delivery from trunkline_notifications');
      try {
        await send(product.url, { To: '+15555550100', Body: text('parked'), StatusCallback: callback('/parked') });
        await eventually(async () => (await database.query('select from notifications.parked_event')).rowCount !== 0, {
          what: 'an event is set aside',
        });
        expectOnlyMessages(await tablesWithMark());
      } finally {
        await database.query('grant insert on notifications.delivery to trunkline_notifications');
      }
    },
    TEST_MS,
  );

  it(
    'stands in the messages, and in no other table: no event, job, delivery, key, parked event or ledger',
    async () => {
      await eventually(
        async () => {
          const { rows } = await database.query(
            `select from notifications.delivery where state = 'pending' and attempts > 0`,
          );
          return rows.length > 0;
        },
        { what: 'a callback waits for its next attempt' },
      );
      expectOnlyMessages(await tablesWithMark());
      const { rows } = await database.query(
        `select id from messaging.message as m where exists (
          select from unnest($1::text[]) as form where strpos((to_jsonb(m) - 'body')::text, form) > 0)`,
        [PLANTED.written],
      );
      expect(rows).toEqual([]);
    },
    TEST_MS,
  );

  it('is in no line of the log, at the most talkative level, and in no answer to what was refused', () => {
    expect(product.output()).toMatch(/ DEBUG /);
    expect(product.output().length).toBeGreaterThan(5_000);
    expect(PLANTED.formsIn(product.output())).toEqual([]);
    expect(refusals.length).toBeGreaterThan(20);
    expect(PLANTED.formsIn(refusals.join('\n'))).toEqual([]);
  });

  it('is in no file but those of the database itself and the records of the simulated carriers', async () => {
    const names = await readdir(dir.path, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const holding = new Set<string>();
    for (const file of files) {
      const content = await readFile(file, 'latin1').catch(() => '');
      if (PLANTED.formsIn(content).length > 0) holding.add(relative(dir.path, file).split('/').slice(0, 3).join('/'));
    }
    const expected = /^(postgres\/data\/(base|pg_wal)|simulator\/[\w-]+\.ndjson)$/;
    expect([...holding].filter((file) => !expected.test(file))).toEqual([]);
    expect([...holding].some((file) => file.startsWith('simulator'))).toBe(true);
    expect(files.some((file) => file.includes('/postgres/data/log/'))).toBe(true);
  });

  it('is in no callback, and in nothing that is shown beside the message', async () => {
    await eventually(() => receiver.received.length > 3, { what: 'some callbacks' });
    expect(PLANTED.formsIn(JSON.stringify(receiver.received))).toEqual([]);
    const { messages } = await read<{ messages: { sid: string }[] }>(product.url, `${MESSAGES}?PageSize=1000`);
    const shown = await Promise.all([
      ...messages.map(({ sid }) => read(product.url, `/v1/messages/${sid}/events`)),
      read(product.url, '/v1/webhook-deliveries'),
      call(product.url, '/metrics').then((answer) => answer.text),
      ...['consumers', 'dead-letters', 'audit', 'carriers'].map((path) => product.operator('GET', path)),
    ]);
    expect(PLANTED.formsIn(JSON.stringify(shown))).toEqual([]);
  });
});

describe('a text that is erased', () => {
  const bodyOf = async (sid: string) => {
    const { rows } = await database.query<{ body: string }>(
      `select body from messaging.message where replace(id::text, '-', '') = $1`,
      [sid.slice(2)],
    );
    return rows.map(({ body }) => body);
  };

  it(
    'is gone from the database after a redaction, and a repeated request shows what is left',
    async () => {
      const params = { To: '+15555550100', Body: text('redacted'), StatusCallback: callback('/well') };
      const sid = await sendUntil('delivered', params, { 'idempotency-key': 'redacted' });
      expect(await bodyOf(sid)).toEqual([params.Body]);
      const before = await tablesWithMark();
      expect((await call(product.url, pathOf(sid), { headers, body: 'Body=' })).status).toBe(200);
      expect(await bodyOf(sid)).toEqual(['']);
      expect(total(await tablesWithMark())).toBe(total(before) - 1);
      const repeated = await send(product.url, params, { 'idempotency-key': 'redacted' });
      expect(repeated).toMatchObject({ sid, body: '' });
    },
    TEST_MS,
  );

  it(
    'is gone from the database after a deletion',
    async () => {
      const sid = await sendUntil('delivered', { Body: text('deleted') });
      const before = await tablesWithMark();
      expect((await call(product.url, pathOf(sid), { method: 'DELETE', headers })).status).toBe(204);
      expect((await bodyOf(sid)).join('')).toBe('');
      expect(total(await tablesWithMark())).toBe(total(before) - 1);
    },
    TEST_MS,
  );
});

function expectOnlyMessages(found: Record<string, number>): void {
  expect(Object.keys(found)).not.toEqual([]);
  expect(Object.keys(found).filter((table) => !/^messaging\.message_\d{8}$/.test(table))).toEqual([]);
}

function total(found: Record<string, number>): number {
  return Object.values(found).reduce((sum, count) => sum + count, 0);
}
