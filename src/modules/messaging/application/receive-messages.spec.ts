import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import { inboundReceived } from '../../carriers/contract/carriers.events.js';
import { MessagingApi } from '../contract/messaging.api.js';
import { messageReceived } from '../contract/messaging.events.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { AnswerKeywords } from './answer-keywords.js';
import { AssignArrival } from './assign-arrival.js';
import { ChangeMessage } from './change-message.js';
import { GiveUpSagas } from './give-up-sagas.js';
import { ListMessages } from './list-messages.js';
import { OptOutSettingsOf } from './opt-out-settings-of.js';
import { ReceiveMessages } from './receive-messages.js';
import { Sweeper } from './sweeper.js';

const PHONE = '+15555570100';

interface MessageRow {
  direction: string;
  status: string;
  from_number: string;
  to_number: string;
  body: string;
  price_micros: string;
}

describe('what comes in from phones', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let accountSid: string;
  let accountId: string;
  let position = 0;
  let count = 0;

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
    ({ accountSid } = messaging.principal);
    accountId = parseSid('AC', accountSid)!;
    await messaging.running.module.get(Sweeper).stop();
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  const get = <T>(token: abstract new (...args: never[]) => T) => messaging.running.module.get<T>(token as never);
  const query = <R extends object>(text: string, values: unknown[] = []) =>
    withClient(database.url, async (client) => (await client.query<R>(text, values)).rows);
  const phone = () => `+1555558${String(++count).padStart(4, '0')}`;

  /** A carrier has brought a message in; returns the event that tells of it. */
  async function arrives(text: string, { from = PHONE, to = SENDER, id = newId() } = {}): Promise<StoredEvent> {
    await query(
      `insert into carriers.inbound (id, carrier, sender, recipient, text, encoding, segments, received_at)
        values ($1, 'nobody', $2, $3, $4, 'GSM-7', 1, now())`,
      [id, from, to, text],
    );
    const receivedAt = new Date().toISOString();
    const data = { inboundId: id, carrier: 'nobody', from, to, segments: 1, receivedAt };
    const rest = { streamId: id, version: 1, tenantId: null, position: ++position, occurredAt: new Date() };
    return { type: inboundReceived.type, data, ...rest };
  }

  async function hear(...events: StoredEvent[]): Promise<void> {
    const receiving = get(ReceiveMessages);
    const prepared = await receiving.prepare(events);
    const after = await get(MessagingDatabase).transaction((tx) => receiving.apply(tx, events, prepared));
    after();
  }

  const messageOf = async (id: string) =>
    (await query<MessageRow>('select * from messaging.message where id = $1', [id]))[0];
  const received = async (id: string) =>
    query<StoredEvent & { stream_id: string }>(
      'select type, stream_id, version, tenant_id as "tenantId", data from messaging.event where stream_id = $1',
      [id],
    ).then((rows) => rows.map((row) => ({ ...row, streamId: row.stream_id })));
  const optOuts = (recipient: string) =>
    query<{ sender: string }>('select sender from messaging.opt_out where recipient = $1 order by sender', [
      recipient,
    ]).then((rows) => rows.map((row) => row.sender));
  /** What was sent to a phone, oldest first. */
  const sentTo = (to: string) =>
    query<{ body: string; direction: string; from_number: string }>(
      `select body, direction, from_number from messaging.message
        where to_number = $1 and direction like 'outbound%' and status <> 'abandoned' order by id`,
      [to],
    );

  /** A phone says something to the account's number; keywords are answered. */
  async function says(from: string, text: string): Promise<string> {
    const event = await arrives(text, { from });
    await hear(event);
    const answered = (await received(event.streamId)).filter((one) => get(AnswerKeywords).concerns(one));
    if (answered.length > 0) await get(AnswerKeywords).prepare(answered);
    return event.streamId;
  }

  it('becomes a message of the account that owns the number, once however often it is told', async () => {
    const event = await arrives('Hello there', { from: PHONE.slice(1), to: SENDER.slice(1) });
    await hear(event);
    await hear(event);
    await hear(await arrives('another'), event);
    expect(await messageOf(event.streamId)).toMatchObject({
      direction: 'inbound',
      status: 'received',
      from_number: PHONE,
      to_number: SENDER,
      body: 'Hello there',
      price_micros: '0',
    });
    const events = await received(event.streamId);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: messageReceived.type,
      version: 1,
      data: {
        messageSid: sidOf('SM', event.streamId),
        accountSid,
        from: PHONE,
        to: SENDER,
        optOutType: null,
        webhook: null,
      },
    });
    expect(JSON.stringify(events[0])).not.toContain('Hello there');
  });

  it('is shown, erased and deleted as other messages are', async () => {
    const event = await arrives('Show me', { from: phone() });
    await hear(event);
    const { from } = event.data as { from: string };
    const id = event.streamId;
    const view = await get(ListMessages).one(accountId, id);
    expect(view).toMatchObject({ direction: 'inbound', status: 'received', body: 'Show me', from });
    for (const filter of [{}, { from }, { to: SENDER }]) {
      const page = await get(ListMessages).page(accountId, filter, {}, 100);
      expect(page.map((one) => one.id)).toContain(id);
    }
    await expect(get(ListMessages).one(newId(), id)).rejects.toMatchObject({ failure: 'not_found' });
    expect(await get(ChangeMessage).redact(accountId, id)).toMatchObject({ body: '', status: 'received' });
    expect(await query('select text from carriers.inbound where id = $1', [id])).toEqual([{ text: '' }]);
    expect(await get(MessagingApi).receivedTexts([{ accountSid, messageSid: sidOf('SM', id) }])).toMatchObject([
      { body: '' },
    ]);
    await get(ChangeMessage).delete(accountId, id);
    expect(await get(MessagingApi).receivedTexts([{ accountSid, messageSid: sidOf('SM', id) }])).toEqual([]);
  });

  it('names the webhook of its number, or of the service that the number is in, unless that leaves it to the number', async () => {
    const [own, leaving] = [newId(), newId()];
    await query(
      `insert into messaging.service (account_id, id, version, friendly_name, use_case, inbound_request_url, inbound_method,
          fallback_method, use_inbound_webhook_on_number, sticky_sender, area_code_geomatch, smart_encoding, validity_period,
          mms_converter, fallback_to_long_code, synchronous_validation, scan_message_content)
        select $1, id, 1, 'x', 'x', 'http://service/', 'POST', 'POST', leaves, true, true, true, 100, true, true, false, 'inherit'
        from (values ($2::uuid, false), ($3::uuid, true)) as i(id, leaves)`,
      [accountId, own, leaving],
    );
    const webhooks: unknown[] = [];
    for (const [index, service] of [null, own, leaving].entries()) {
      const [to, id] = [`+1500555077${index}`, newId()];
      await query(
        `insert into accounts.phone_number (id, phone_number, account_id, sms_url, sms_method, sms_fallback_url)
          values ($1, $2, $3, 'http://number/', 'GET', 'http://fallback/')`,
        [id, to, accountId],
      );
      if (service) {
        await query(
          'insert into messaging.service_number (account_id, id, service_id, phone_number) values ($1, $2, $3, $4)',
          [accountId, id, service, to],
        );
      }
      const event = await arrives('hello', { to });
      await hear(event);
      const { webhook, serviceSid } = (await received(event.streamId))[0]!.data as {
        webhook: unknown;
        serviceSid: unknown;
      };
      webhooks.push([serviceSid, webhook]);
    }
    const number = { url: 'http://number/', method: 'GET', fallbackUrl: 'http://fallback/', fallbackMethod: 'POST' };
    expect(webhooks).toEqual([
      [null, number],
      [sidOf('MG', own), { url: 'http://service/', method: 'POST', fallbackUrl: null, fallbackMethod: 'POST' }],
      [sidOf('MG', leaving), number],
    ]);
  });

  it('leaves the audit in peace', async () => {
    await hear(await arrives('audited'));
    const hour = 3_600_000;
    const range = { from: new Date(Date.now() - hour).toISOString(), to: new Date(Date.now() + hour).toISOString() };
    expect((await get(MessagingApi).checkHistories(range)).violations).toEqual([]);
    const lines = await get(MessagingApi).digest({ ...range, bucketMs: hour });
    expect(lines.reduce((sum, line) => sum + line.carried.count, 0)).toBe(0);
  });

  it('to a number that nobody owns is kept, and received when somebody does', async () => {
    const to = '+15005550999';
    const event = await arrives('Anybody?', { to });
    await hear(event);
    await hear(event);
    expect(await messageOf(event.streamId)).toBeUndefined();
    const assign = get(AssignArrival);
    expect(await assign.list(null, 10)).toMatchObject([{ id: event.streamId, to, from: PHONE }]);
    await expect(assign.retry(event.streamId)).rejects.toMatchObject({ failure: 'conflict' });
    await query('insert into accounts.phone_number (id, phone_number, account_id) values ($1, $2, $3)', [
      newId(),
      to,
      accountId,
    ]);
    // Accounts remember for a moment that nobody owned it.
    await eventually(() =>
      assign.retry(event.streamId).then(
        (found) => found.accountId === accountId,
        () => false,
      ),
    );
    expect(await messageOf(event.streamId)).toMatchObject({ body: 'Anybody?', to_number: to });
    expect(await assign.list(null, 10)).toEqual([]);
    await expect(assign.retry(event.streamId)).rejects.toMatchObject({ failure: 'not_found' });
  });

  it('opts its sender out and in by keyword, and says so each time something changes', async () => {
    const from = phone();
    const [stop, again] = [await says(from, ' Stop. '), await says(from, 'UNSUBSCRIBE')];
    expect(await optOuts(from)).toEqual([SENDER]);
    const types = async (id: string) => (await received(id)).map(({ data }) => data as object);
    expect(await types(stop)).toMatchObject([{ optOutType: 'STOP', isAnswered: true }]);
    expect(await types(again)).toMatchObject([{ optOutType: 'STOP', isAnswered: false }]);
    const start = await says(from, 'start');
    expect(await optOuts(from)).toEqual([]);
    expect(await types(start)).toMatchObject([{ optOutType: 'START', isAnswered: true }]);
    expect(await types(await says(from, 'Yes!'))).toMatchObject([{ optOutType: 'START', isAnswered: false }]);
    await says(from, 'help');
    const answers = await sentTo(from);
    expect(answers.map(({ direction, from_number }) => [direction, from_number])).toEqual(
      answers.map(() => ['outbound-keyword', SENDER]),
    );
    expect(answers.map(({ body }) => /unsubscribed|subscribed again|Reply STOP/.exec(body)?.[0])).toEqual([
      'unsubscribed',
      'subscribed again',
      'Reply STOP',
    ]);
  });

  it.each([
    ['00', (number: string) => `00${number}`],
    ['+00', (number: string) => `+00${number}`],
    ['011', (number: string) => `011${number}`],
    ['no country', (number: string) => number.slice(1)],
    ['blanks', (number: string) => `${number[0]} ${number.slice(1, 4)} ${number.slice(4)}`],
  ])('opts its sender out in whatever notation a carrier has of it: with %s', async (_, notation) => {
    const number = `1212555${String(++count).padStart(4, '0')}`;
    const event = await arrives('STOP', { from: notation(number) });
    await hear(event);
    expect(await messageOf(event.streamId)).toMatchObject({ from_number: `+${number}` });
    expect(await optOuts(`+${number}`)).toEqual([SENDER]);
  });

  it('opts both numbers out, and in, that digits without a country may mean', async () => {
    const [abroad, here] = ['+6465550123', '+16465550123'];
    await says(abroad.slice(1), 'STOP');
    expect([await optOuts(abroad), await optOuts(here)]).toEqual([[SENDER], [SENDER]]);
    await says(abroad.slice(1), 'START');
    expect([await optOuts(abroad), await optOuts(here)]).toEqual([[], []]);
    await says(abroad, 'STOP');
    expect([await optOuts(abroad), await optOuts(here)]).toEqual([[SENDER], []]);
  });

  it('says what the customer wants it to say', async () => {
    const settings = {
      STOP: { keywords: ['Abmelden'], reply: 'Abgemeldet.' },
      START: { keywords: ['Anmelden'], reply: null },
      HELP: { keywords: [], reply: 'Hilfe' },
    };
    const [usual, own] = [await get(OptOutSettingsOf).get(accountId, null), phone()];
    expect(usual).toMatchObject({
      updatedAt: null,
      settings: { STOP: { keywords: expect.arrayContaining(['STOP']) } },
    });
    await get(OptOutSettingsOf).set(accountId, SENDER, settings);
    for (const text of ['END', 'abmelden', 'anmelden', 'help']) await says(own, text);
    expect((await sentTo(own)).map(({ body }) => body)).toEqual(['Abgemeldet.', 'Hilfe']);
    await get(OptOutSettingsOf).reset(accountId, SENDER);
    await says(own, 'END');
    expect(await optOuts(own)).toEqual([SENDER]);
    const both = { ...settings, HELP: { keywords: ['stop'], reply: null } };
    await expect(get(OptOutSettingsOf).set(accountId, null, both)).rejects.toMatchObject({
      failure: 'invalid_parameter',
    });
  });

  it('is answered once, however often the answer is repeated and whatever an earlier try has left', async () => {
    const [one, other] = [phone(), phone()];
    const event = await arrives('STOP', { from: one });
    await hear(event);
    const told = await received(event.streamId);
    await Promise.all(
      [1, 2, 3].map(() =>
        get(AnswerKeywords)
          .prepare(told)
          .catch(() => undefined),
      ),
    );
    await get(AnswerKeywords).prepare(told);
    expect(await sentTo(one)).toHaveLength(1);
    const left = await arrives('STOP', { from: other });
    await hear(left);
    // A try that died between its claim and its message, late or not.
    const dead = newId();
    await query('insert into messaging.reply (account_id, inbound_id, ordinal, message_id) values ($1, $2, 0, $3)', [
      accountId,
      left.streamId,
      dead,
    ]);
    await get(AnswerKeywords).prepare(await received(left.streamId));
    expect(await sentTo(other)).toHaveLength(1);
    expect((await get(GiveUpSagas).giveUp([{ accountId, id: dead }])).has(dead)).toBe(true);
  });

  describe('and is replied to by a webhook', () => {
    const text = (body: string, more: object = {}) => ({ to: null, from: null, statusCallback: null, body, ...more });
    const reply = (id: string, replies: ReturnType<typeof text>[]) =>
      get(MessagingApi).reply({ accountSid, messageSid: sidOf('SM', id), traceparent: null, replies });

    it('sends each reply once for its place, from the number that was written to', async () => {
      const from = phone();
      const id = await says(from, 'Question?');
      const first = await reply(id, [text('One'), text('Two')]);
      expect(await reply(id, [text('Other'), text('Words')])).toEqual(first);
      expect(first.every(({ messageId, errorCode }) => messageId !== null && errorCode === null)).toBe(true);
      expect(await sentTo(from)).toMatchObject([
        { body: 'One', direction: 'outbound-reply', from_number: SENDER },
        { body: 'Two', direction: 'outbound-reply' },
      ]);
    });

    it('says why it cannot send one, and sends the others', async () => {
      const [from, third] = [phone(), phone()];
      const id = await says(from, 'Question?');
      const replies = [
        text('x'.repeat(1_601)),
        text('To nobody', { to: 'nobody' }),
        text('From another', { from: '+15005559999' }),
        text('Bad callback', { statusCallback: 'ftp://x' }),
        text('Elsewhere\0', { to: third }),
      ];
      const results = await reply(id, replies);
      expect(results.map(({ errorCode }) => errorCode)).toEqual([21617, 21211, 21606, 21609, null]);
      expect([await sentTo(from), await sentTo(third)]).toMatchObject([[], [{ body: 'Elsewhere' }]]);
    });

    it('sends none to who has opted out', async () => {
      const from = phone();
      const id = await says(from, 'stop');
      expect(await reply(id, [text('Wait!')])).toEqual([{ messageId: null, errorCode: 21610 }]);
    });

    it('sends thirty to a phone that answers each, and no more at once', async () => {
      const [from, patient] = [phone(), phone()];
      const ten = new Array(10).fill(text('Thank you.'));
      for (let count = 0; count < 3; count++) {
        const results = await reply(await says(from, `And ${count}?`), ten);
        expect(results.map(({ errorCode }) => errorCode)).toEqual(new Array(10).fill(null));
      }
      const last = await says(from, 'And now?');
      for (const again of [1, 2]) {
        expect([again, await reply(last, [text('Enough.')])]).toEqual([again, [{ messageId: null, errorCode: 14107 }]]);
      }
      expect(await sentTo(from)).toHaveLength(30);
      expect(await reply(await says(patient, 'Me too'), [text('Of course.')])).toMatchObject([{ errorCode: null }]);
    });

    it('sends none for what did not come in', async () => {
      expect(await reply(newId(), [text('Hello?')])).toEqual([{ messageId: null, errorCode: 20404 }]);
    });
  });
});
