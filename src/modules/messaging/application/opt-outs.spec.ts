import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { type MessagingUnderTest, SENDER, startMessaging } from '../../../../test/support/messaging.js';
import { withClient } from '../../../../test/support/with-client.js';
import { newId, parseSid, sidOf } from '../../../shared/sid.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { optOutKeys } from '../domain/opt-out.js';
import { DispatchRepository } from '../infrastructure/dispatch.repository.js';
import { EndingsRepository } from '../infrastructure/endings.repository.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { OptOutsRepository } from '../infrastructure/opt-outs.repository.js';
import { EndWaiting } from './end-waiting.js';
import { ManageOptOuts } from './manage-opt-outs.js';
import { SendMessage } from './send-message.js';
import { Sweeper } from './sweeper.js';

/** Many at once on a busy machine take longer than the budget of a request. */
const PATIENCE_MS = 30_000;

describe('who has opted out', () => {
  let database: TestDatabase;
  let messaging: MessagingUnderTest;
  let accountId: string;
  let count = 0;

  beforeAll(async () => {
    database = await startTestDatabase();
    messaging = await startMessaging(database, false);
    accountId = parseSid('AC', messaging.principal.accountSid)!;
    // Only what a test starts dispatches and sweeps.
    await messaging.running.module.get(Sweeper).stop();
  }, 60_000);

  afterAll(async () => {
    await messaging?.close();
    await database?.stop();
  });

  const get = <T>(token: abstract new (...args: never[]) => T) => messaging.running.module.get<T>(token as never);
  const query = <R extends object>(text: string, values: unknown[] = []) =>
    withClient(database.url, async (client) => (await client.query<R>(text, values)).rows);
  const recipient = () => `+1555556${String(++count).padStart(4, '0')}`;
  const send = (to: string, more: Record<string, string> = {}, key: string | null = null) =>
    get(SendMessage)
      .send(
        messaging.principal,
        { To: to, From: SENDER, Body: 'hello', ...more },
        { idempotencyKey: key, traceparent: null, waitedMs: -PATIENCE_MS },
      )
      .then(({ message }) => message.id);
  const stop = (to: string, sender = SENDER) =>
    get(OptOutsRepository).add(
      get(MessagingDatabase),
      [{ accountId, recipient: to, sender, serviceId: null }],
      'keyword',
    );
  const start = (to: string) => get(OptOutsRepository).remove(get(MessagingDatabase), accountId, to, [SENDER]);
  const reserved = async () =>
    (
      await query<{ reserved: string }>(
        'select reserved_micros as reserved from billing.ledger_account where id = $1',
        [accountId],
      )
    )[0]!.reserved;
  const ends = (ids: readonly string[]) =>
    query<{ end: string }>(
      `select concat_ws(' ', status, error_code) as end from messaging.message where id = any($1::uuid[]) order by id`,
      [ids],
    ).then((rows) => rows.map((row) => row.end));
  const unwanted = async (ids: readonly string[]) => {
    const found = await get(DispatchRepository).sendable(ids.map((id) => ({ accountId, id })));
    return ids.filter((id) => found.get(id)?.isOptedOut);
  };

  it('is sent nothing: 21610 with the first try and with each later one, and nothing stays reserved', async () => {
    const to = recipient();
    await stop(to);
    const before = await reserved();
    for (let round = 0; round < 3; round++) {
      await expect(send(to, {}, `key-${round}`)).rejects.toMatchObject({ failure: 'opted_out', code: 21610 });
    }
    expect(await reserved()).toBe(before);
    const [row] = await query<{ rows: number }>(
      `select count(*)::int as rows from messaging.message where to_number = $1 and status <> 'abandoned'`,
      [to],
    );
    expect(row!.rows).toBe(0);
  });

  it('can be written to again at once when it has opted in', async () => {
    const to = recipient();
    await stop(to);
    await expect(send(to)).rejects.toMatchObject({ code: 21610 });
    await expect(send(to)).rejects.toMatchObject({ code: 21610 });
    expect(await start(to)).toBe(1);
    expect(await ends([await send(to)])).toEqual(['queued']);
  });

  it.each([' ', '-', '(1) '])('cannot be reached by another notation (%j)', async (separator) => {
    const to = recipient();
    await stop(to);
    const written = separator.startsWith('(')
      ? `+${to.slice(1)}`.replace('+1', '+1 (').replace(/(\(\d{3})/, '$1) ')
      : to.replace(/(\d{3})(\d{4})$/, `${separator}$1${separator}$2`);
    await expect(send(written)).rejects.toMatchObject({ code: 21610 });
  });

  it.each(['\uff11', '\u0000', ';ext=1', 'x1', '\u200b'])('cannot be reached with %j in its number', async (odd) => {
    await expect(send(`${recipient()}${odd}`)).rejects.toMatchObject({ code: 21211 });
  });

  it('does not stop those who write to others, nor others who write to it', async () => {
    const [to, other] = [recipient(), recipient()];
    await stop(to);
    await stop(other, '+15005559999');
    expect(await ends([await send(other)])).toEqual(['queued']);
  });

  it('while its message waits fails that message with 21610 when its turn comes, and its money is given back', async () => {
    const [to, other] = [recipient(), recipient()];
    const ids = [await send(to), await send(to), await send(other)];
    expect(await unwanted(ids)).toEqual([]);
    await stop(to);
    expect(await unwanted(ids)).toEqual(ids.slice(0, 2));
    await get(EndingsRepository).note(ids.slice(0, 2).map((id) => ({ accountId, id, reason: 'opted_out' })));
    await get(EndWaiting).step();
    expect(await ends(ids)).toEqual(['failed 21610', 'failed 21610', 'queued']);
    const events = await query<{ type: string }>(
      `select type from messaging.event where stream_id = $1 order by version`,
      [ids[0]],
    );
    expect(events.map(({ type }) => type)).toEqual(['messaging.message-accepted.v1', 'messaging.message-failed.v1']);
    // Never to be given to a carrier any more.
    expect(await get(CarriersApi).withdraw(ids.slice(0, 2).map((id) => sidOf('SM', id)))).toEqual([true, true]);
  });

  it('too late for a message that a carrier has been given changes nothing about it', async () => {
    const to = recipient();
    const [given, waiting] = [await send(to), await send(to)];
    await query(
      `insert into carriers.intent (id, epoch, keys, carriers, destinations, account_ids, retry_unknown, segments)
        values ($1, 0, array[$2::uuid], array['nobody'], array[$3], array[$4::uuid], array[false], array[1::smallint])`,
      [newId(), given, to, accountId],
    );
    await stop(to);
    await get(EndingsRepository).note([given, waiting].map((id) => ({ accountId, id, reason: 'opted_out' })));
    await get(EndWaiting).step();
    expect(await ends([given, waiting])).toEqual(['queued', 'failed 21610']);
  });

  it('of a service gets nothing through it from any of its numbers, and still from numbers outside it', async () => {
    const service = newId();
    await query(
      `insert into messaging.service (account_id, id, version, friendly_name, use_case, inbound_method, fallback_method,
          use_inbound_webhook_on_number, sticky_sender, area_code_geomatch, smart_encoding, validity_period, mms_converter,
          fallback_to_long_code, synchronous_validation, scan_message_content)
        values ($1, $2, 1, 'x', 'x', 'POST', 'POST', false, true, true, true, 100, true, true, false, 'inherit')`,
      [accountId, service],
    );
    const [asked, another] = ['+15005550771', '+15005550772'] as const;
    for (const number of [asked, another]) {
      const id = newId();
      await query('insert into accounts.phone_number (id, phone_number, account_id) values ($1, $2, $3)', [
        id,
        number,
        accountId,
      ]);
      await query(
        'insert into messaging.service_number (account_id, id, service_id, phone_number) values ($1, $2, $3, $4)',
        [accountId, id, service, number],
      );
    }
    const to = recipient();
    const through = { MessagingServiceSid: sidOf('MG', service) };
    const waiting = await send(to, { From: another, ...through });
    await get(OptOutsRepository).add(get(MessagingDatabase), optOutKeys(accountId, to, asked, service), 'keyword');
    expect(await unwanted([waiting])).toEqual([waiting]);
    for (const From of [asked, another, '']) {
      await expect(send(to, { From, ...through })).rejects.toMatchObject({ code: 21610 });
    }
    await expect(send(to, { From: asked })).rejects.toMatchObject({ code: 21610 });
    expect(await ends([await send(to)])).toEqual(['queued']);
    await get(OptOutsRepository).remove(get(MessagingDatabase), accountId, to, [another, service]);
    expect(await ends([await send(to, { From: asked, ...through })])).toEqual(['accepted']);
  });

  it('in the very moment of an accept is either refused or found at dispatch, never sent', async () => {
    for (let round = 0; round < 20; round++) {
      const to = recipient();
      const [sent] = await Promise.all([send(to).catch((error) => error.code as number), stop(to)]);
      if (sent === 21610) continue;
      expect(await unwanted([sent as string])).toEqual([sent]);
    }
  });

  it('is listed, added and removed by its customer, and by nobody else', async () => {
    const manage = get(ManageOptOuts);
    const to = recipient();
    const added = await manage.add(accountId, `${to.slice(0, 2)} ${to.slice(2)}`, { from: SENDER });
    expect(added).toMatchObject({ recipient: to, sender: SENDER, serviceId: null, source: 'api' });
    expect(await manage.add(accountId, to, { from: SENDER })).toEqual(added);
    await expect(send(to)).rejects.toMatchObject({ code: 21610 });
    expect(await manage.list(accountId, { phoneNumber: to }, null, 10)).toEqual([added]);
    expect(await manage.list(newId(), { phoneNumber: to }, null, 10)).toEqual([]);
    await expect(manage.remove(newId(), to, {})).rejects.toMatchObject({ failure: 'not_found' });
    await expect(manage.remove(accountId, to, { from: '+15005559999' })).rejects.toMatchObject({
      failure: 'not_found',
    });
    await manage.remove(accountId, to, { from: SENDER });
    await expect(manage.remove(accountId, to, {})).rejects.toMatchObject({ failure: 'not_found' });
    await send(to);
  });

  it('can only be of senders that the customer has', async () => {
    const add = (choice: object) => get(ManageOptOuts).add(accountId, recipient(), choice);
    await expect(add({ from: '+15005559999' })).rejects.toMatchObject({ failure: 'from_not_usable' });
    await expect(add({ from: 'no number' + '!' })).rejects.toMatchObject({ failure: 'invalid_from' });
    await expect(add({ messagingServiceSid: sidOf('MG', newId()) })).rejects.toMatchObject({
      failure: 'service_not_found',
    });
    await expect(get(ManageOptOuts).add(accountId, 'x', { from: SENDER })).rejects.toMatchObject({
      failure: 'invalid_to',
    });
  });
});
