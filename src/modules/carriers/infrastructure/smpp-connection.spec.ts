import type { CarrierDefinition } from '../domain/carrier.js';
import type { HandOver } from '../domain/carrier-connection.js';
import { type ResultOverride, type SmppOptions, statusName } from '../domain/smpp-options.js';
import { carrierAt, ObservedConnection, outgoingOf } from './smpp/test-support/observed-connection.js';
import { TestSmsc } from './smpp/test-support/test-smsc.js';
import { until } from './smpp/test-support/until.js';
import { message } from './smpp/test-support/wire.js';
import { decodeText } from './smpp/text.js';
import type { SmppConnection } from './smpp-connection.js';

let smsc: TestSmsc;
const opened: ObservedConnection[] = [];

beforeEach(async () => {
  smsc = await TestSmsc.start();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ connection }) => connection.stop()));
  await smsc.die();
});

function definition(smpp: Partial<SmppOptions> = {}, over: Partial<CarrierDefinition> = {}): CarrierDefinition {
  return carrierAt(smsc.port, { smpp, ...over });
}

function observe(smpp: Partial<SmppOptions> = {}, over: Partial<CarrierDefinition> = {}): ObservedConnection {
  const observed = new ObservedConnection(definition(smpp, over));
  opened.push(observed);
  return observed;
}

function bound(smpp: Partial<SmppOptions> = {}, over: Partial<CarrierDefinition> = {}): Promise<SmppConnection> {
  return observe(smpp, over).bound();
}

/** How a hand-over ends that is answered with a status. */
async function judged(connection: SmppConnection, status: number): Promise<HandOver> {
  smsc.answer = (request, responder) => responder.respond(request, status, status === 0 ? 'id' : '');
  return connection.handOver(outgoingOf());
}

const overrides = (all: Record<number, ResultOverride['class'] | ResultOverride>) =>
  Object.fromEntries(
    Object.entries(all).map(([status, one]) => [
      statusName(Number(status)),
      typeof one === 'string' ? { class: one, errorCode: null } : one,
    ]),
  );

describe('what an answer means', () => {
  test.each<[number, HandOver]>([
    [0x00, { kind: 'accepted' }],
    [0x58, { kind: 'throttled' }],
    [0x14, { kind: 'throttled' }],
    [0x08, { kind: 'retryable' }],
    [0x64, { kind: 'retryable' }],
    [0x0b, { kind: 'rejected', errorCode: 30005 }],
    [0x0400, { kind: 'rejected', errorCode: 30008 }],
  ])('status %d by itself', async (status, expected) => {
    expect(await judged(await bound(), status)).toEqual(expected);
  });

  test("by the carrier's own table, and what that does not name as usual", async () => {
    const connection = await bound({
      resultOverrides: overrides({
        11: 'throttled',
        88: 'retryable',
        8: { class: 'permanent', errorCode: 30003 },
        20: 'permanent',
        1024: 'unknown',
      }),
    });
    const found = [];
    for (const status of [0x0b, 0x58, 0x08, 0x14, 0x0400, 0x64]) found.push(await judged(connection, status));
    expect(found).toEqual([
      { kind: 'throttled' },
      { kind: 'retryable' },
      { kind: 'rejected', errorCode: 30003 },
      { kind: 'rejected', errorCode: 30008 },
      { kind: 'unknown', reason: 'answered' },
      { kind: 'retryable' },
    ]);
  });

  test('a table that is changed holds for the next answer, through the same session', async () => {
    const connection = await bound();
    expect(await judged(connection, 0x0b)).toEqual({ kind: 'rejected', errorCode: 30005 });
    expect(connection.adopt(definition({ resultOverrides: overrides({ 11: 'retryable' }) }, { version: 2 }))).toBe(
      true,
    );
    expect(await judged(connection, 0x0b)).toEqual({ kind: 'retryable' });
    expect(smsc.sessions).toHaveLength(1);
    for (const other of [definition({ binds: 2 }), definition({ concatenation: 'sar' }), definition({}, { tps: 5 })]) {
      expect(connection.adopt(other)).toBe(false);
    }
  });

  test('one that is fatal to the bind ends it in good order, and the message is with nobody', async () => {
    const connection = await bound();
    const waiting: (() => void)[] = [];
    smsc.answer = (request, responder) => void waiting.push(() => responder.respond(request, 0, 'late'));
    const other = connection.handOver(outgoingOf());
    await until('it has arrived', () => waiting.length === 1);
    expect(await judged(connection, 0x0e)).toEqual({ kind: 'unsent' });
    expect(connection.credit).toBe(0);
    expect(connection.state).toMatchObject({
      phase: 'down',
      error: expect.stringContaining('invalid password (0x0E)'),
    });
    for (const answer of waiting) answer();
    expect(await other).toEqual({ kind: 'accepted' });
    await until('it has unbound', () => smsc.sessions[0]!.closeReasons.length > 0);
    expect(smsc.sessions[0]!.closeReasons).toEqual(['the peer unbound']);
    await until('it is bound again', () => connection.state.phase === 'bound');
  });
});

describe('several segments', () => {
  const PARTS = ['one ', 'two'];

  test.each([
    ['udh', ['one ', 'two'], ['id-2', 'id-3']],
    ['sar', ['one ', 'two'], ['id-2', 'id-3']],
    ['payload', ['one two'], ['id-2']],
  ] as const)('go as the carrier wants them: %s', async (concatenation, texts, ids) => {
    const connection = await bound({ concatenation });
    const given = outgoingOf(PARTS);
    expect(await connection.handOver(given)).toEqual({ kind: 'accepted' });
    expect(smsc.submitted.map((pdu) => decodeText(pdu).text)).toEqual(texts);
    expect(given.messageIds).toEqual(ids);
  });

  test('that were taken in part are completed, and not sent twice', async () => {
    const connection = await bound();
    smsc.answer = (request, responder) => {
      const { part } = decodeText(request).concatenation!;
      responder.respond(request, part === 1 || smsc.submitted.length > 2 ? 0 : 0x58, `part-${part}`);
    };
    const given = outgoingOf(PARTS);
    expect(await connection.handOver(given)).toEqual({ kind: 'throttled' });
    expect(given.messageIds).toEqual(['part-1', null]);
    expect(await connection.handOver(given)).toEqual({ kind: 'accepted' });
    expect(given.messageIds).toEqual(['part-1', 'part-2']);
    expect(smsc.submitted).toHaveLength(3);
  });
});

describe('several binds', () => {
  test('share what there is to send; the loss of one takes the carrier not away', async () => {
    const connection = await bound({ binds: 3 }, { windowSize: 2 });
    expect([smsc.bound.length, connection.credit, connection.state.bound]).toEqual([3, 6, 3]);
    const waiting: (() => void)[] = [];
    smsc.answer = (request, responder) => void waiting.push(() => responder.respond(request, 0, 'id'));
    const all = Array.from({ length: 6 }, () => connection.handOver(outgoingOf()));
    await until('all are there', () => smsc.submitted.length === 6);
    expect(smsc.bound.map(({ requests }) => requests.filter(({ command }) => command === 'submit_sm').length)).toEqual([
      2, 2, 2,
    ]);
    expect([connection.credit, await connection.handOver(outgoingOf())]).toEqual([0, { kind: 'unsent' }]);
    smsc.bound[0]!.socket.destroy();
    expect(await Promise.race(all)).toEqual({ kind: 'unknown', reason: 'disconnected' });
    expect(connection.state.phase).toBe('bound');
    await until('the third is back', () => connection.state.bound === 3);
    for (const answer of waiting) answer();
    const kinds = (await Promise.all(all)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(4).fill('accepted'), 'unknown', 'unknown']);
  });

  test('are pairs where the carrier wants a transmitter and a receiver, and bring in what comes through any', async () => {
    const observed = observe({ binds: 2 }, { bind: 'transmitter_receiver' });
    const { inbound } = observed;
    await observed.bound();
    expect(smsc.bound.map(({ session }) => session.bind).sort()).toEqual([
      'bind_receiver',
      'bind_receiver',
      'bind_transmitter',
      'bind_transmitter',
    ]);
    const receivers = smsc.bound.filter(({ session }) => session.bind === 'bind_receiver');
    for (const receiver of receivers) await receiver.send(message('deliver_sm', { registeredDelivery: 0 }));
    expect(new Set(inbound.map(({ session }) => session)).size).toBe(2);
    for (const one of inbound)
      expect(new Set(one.openSessions)).toEqual(new Set(inbound.map(({ session }) => session)));
  });
});

describe('several addresses', () => {
  test('are used in turn, whenever a bind is lost or not to be had', async () => {
    const other = await TestSmsc.start();
    const connection = await bound({ alternates: [{ host: '127.0.0.1', port: other.port }] });
    expect([smsc.bound.length, other.bound.length]).toEqual([1, 0]);
    await smsc.die();
    await until('it is bound to the other', () => other.bound.length === 1 && connection.state.phase === 'bound');
    await smsc.listen();
    other.bound[0]!.socket.destroy();
    await until('it is back at the first', () => smsc.bound.length === 1 && connection.state.phase === 'bound');
    other.bindStatus = 0x0d;
    await smsc.die();
    await until('it was refused there', () => other.sessions.length > 1);
    await smsc.listen();
    await until('it is bound again', () => smsc.bound.length === 1);
    await connection.stop();
    await other.die();
  });
});

test('receipts and messages from phones are told apart', async () => {
  const observed = observe();
  const { receipts, inbound } = observed;
  await observed.bound();
  const [session] = smsc.bound;
  const text = 'id:7 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:x';
  const shortMessage = Buffer.from(text);
  await session!.send(message('deliver_sm', { esmClass: 0x04, shortMessage }));
  await session!.send(message('deliver_sm', { shortMessage, sourceTon: 1, sourceAddress: '15551234567' }));
  const tlvs = new Map([[0x0424, Buffer.from('x'.repeat(300))]]);
  await session!.send(message('deliver_sm', { esmClass: 0x40, shortMessage: Buffer.alloc(0), tlvs }));
  expect(receipts).toMatchObject([{ messageId: '7', state: 'delivered', doneDate: '2601020305' }]);
  expect(inbound.map(({ octets }) => Buffer.from(octets).toString())).toEqual([text, expect.stringMatching(/^x+$/)]);
  expect(inbound[0]).toMatchObject({ from: '+15551234567', to: '+15555550100', alphabet: 'gsm7', concatenation: null });
});
