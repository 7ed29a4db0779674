import { randomUUID } from 'node:crypto';
import { CarriersWorker } from '../../../../test/support/carriers.js';
import { startTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { CarrierInbound } from '../domain/inbound.js';
import { TestSmsc } from '../infrastructure/smpp/test-support/test-smsc.js';
import { until } from '../infrastructure/smpp/test-support/until.js';
import { message } from '../infrastructure/smpp/test-support/wire.js';
import { encodeText } from '../infrastructure/smpp/text.js';
import { InboundRecorder, WAIT_FOR_PARTS_MS } from './inbound-recorder.js';

const NUMBERS = { sourceTon: 1, sourceAddress: '15551234567', destinationTon: 1, destinationAddress: '15005550006' };

let database: TestDatabase;
let smsc: TestSmsc;
let worker: CarriersWorker;

beforeAll(async () => {
  database = await startTestDatabase(['carriers']);
  smsc = await TestSmsc.start();
  worker = new CarriersWorker(database.url);
  await worker.addCarrier.add({
    name: 'only',
    type: 'smpp',
    host: '127.0.0.1',
    port: smsc.port,
    systemId: 'someone',
    password: 'secret',
    bind: 'transceiver',
    windowSize: 10,
    tps: null,
  });
  await start();
});

afterAll(async () => {
  await worker?.owner.stop();
  await worker?.close();
  await smsc?.die();
  await database?.stop();
});

async function start(): Promise<void> {
  worker.owner.start();
  await until('it is bound', () => worker.owner.current !== null && smsc.bound.length === 1);
}

/** Another process, after the end of the first. */
async function restart(): Promise<void> {
  await worker.owner.stop();
  await worker.close();
  worker = new CarriersWorker(database.url);
  await start();
}

/** The deliver_sm of a text. */
function deliveries(parts: string[], reference: number) {
  const encoded = encodeText({ encoding: 'GSM-7', parts, concatenation: 'udh', reference });
  return encoded.map((fields) => message('deliver_sm', { ...NUMBERS, ...fields, registeredDelivery: 0 }));
}

/** Hands one over through the session that is bound now; the status of its answer. */
async function deliver(pdu: ReturnType<typeof deliveries>[number]): Promise<number> {
  const outcome = await smsc.bound[0]!.send(pdu);
  return outcome.kind === 'answered' ? outcome.commandStatus : -1;
}

async function texts(): Promise<[string, number, number][]> {
  const rows = await worker.lookUp.inbound('only', null, 100);
  return rows.map(({ text, segments, missing }) => [text, segments, missing] as [string, number, number]).reverse();
}

async function told(): Promise<string[]> {
  const events = await worker.allEvents();
  return events.flatMap(({ type, streamId }) => (type === 'carriers.inbound-received.v1' ? streamId : []));
}

it('a part that was confirmed waits for the others through a restart', async () => {
  const [first, second] = deliveries(['Hello ', 'world'], 1);
  expect(await deliver(second!)).toBe(0);
  expect(await texts()).toEqual([]);
  await restart();
  expect(await deliver(first!)).toBe(0);
  expect(await texts()).toEqual([['Hello world', 2, 0]]);
  expect(await told()).toEqual((await worker.lookUp.inbound('only', null, 10)).map(({ id }) => id));
});

it('what the carrier brings again after the end of its session is there once', async () => {
  const [single] = deliveries(['once'], 0);
  const parts = deliveries(['one ', 'two'], 2);
  for (const pdu of [single!, ...parts]) expect(await deliver(pdu)).toBe(0);
  await restart();
  for (const pdu of [single!, ...parts]) expect(await deliver(pdu)).toBe(0);
  expect((await texts()).slice(1)).toEqual([
    ['once', 1, 0],
    ['one two', 2, 0],
  ]);
  expect(await worker.metrics.render()).toContain('trunkline_carrier_inbound_total{carrier="only",kind="repeated"} 3');
  expect(await deliver(single!)).toBe(0);
  expect((await texts()).slice(3)).toEqual([['once', 1, 0]]);
});

it('parts that wait for too long become a message as they are', async () => {
  const before = (await texts()).length;
  const [first, , third] = deliveries(['a', 'b', 'c'], 3);
  expect([await deliver(third!), await deliver(first!)]).toEqual([0, 0]);
  let aheadMs = WAIT_FOR_PARTS_MS - 60_000;
  const counted: string[] = [];
  const handlers = {
    onCounted: (_: string, what: string) => void counted.push(what),
    onLost: () => undefined,
  };
  const { lease } = worker.owner.current!;
  const later = new InboundRecorder(lease, worker.inbound, worker.log, handlers, () => Date.now() + aheadMs);
  later.step();
  await later.drain();
  expect(await texts()).toHaveLength(before);
  aheadMs += 120_000;
  later.step();
  await later.drain();
  expect((await texts()).slice(before)).toEqual([['ac', 2, 1]]);
  expect(counted).toEqual(['incomplete']);
  const { rows } = await worker.db.query<{ parts: number }>('select count(*)::int as parts from carriers.inbound_part');
  expect(rows[0]!.parts).toBe(0);
});

it('many at once are all there, each with one event', async () => {
  const before = (await told()).length;
  const pdus = Array.from({ length: 30 }, (_, index) => deliveries([`${index} `, 'x'], index)).flat();
  // Parts of all of them under way, as far as a session lets them.
  const statuses: number[] = [];
  for (let from = 0; from < pdus.length; from += 10) {
    statuses.push(...(await Promise.all(pdus.slice(from, from + 10).map(deliver))));
  }
  expect(statuses).toEqual(pdus.map(() => 0));
  const found = await told();
  expect([found.length - before, new Set(found).size]).toEqual([30, found.length]);
});

it('nothing is confirmed that another worker should have', async () => {
  const { lease } = worker.owner.current!;
  let losses = 0;
  const handlers = { onCounted: () => undefined, onLost: () => void losses++ };
  const late = new InboundRecorder({ ...lease, epoch: lease.epoch - 1 }, worker.inbound, worker.log, handlers);
  const inbound: CarrierInbound = {
    carrier: 'only',
    from: '+1',
    to: '+2',
    alphabet: 'gsm7',
    octets: Buffer.from('late'),
    concatenation: null,
    session: randomUUID(),
    openSessions: [],
  };
  const before = (await texts()).length;
  await expect(late.take(inbound)).rejects.toThrow('another worker');
  expect([losses, (await texts()).length]).toEqual([1, before]);
});

it('empties no text but the one that is to be emptied', async () => {
  const [newest] = await worker.lookUp.inbound('only', null, 1);
  await expect(worker.db.query(`update carriers.inbound set sender = 'x' where id = $1`, [newest!.id])).rejects.toThrow(
    'permission denied',
  );
  await until('its text can be emptied', async () => {
    const { rowCount } = await worker.db.query(`update carriers.inbound set text = '' where id = $1`, [newest!.id]);
    return rowCount === 1;
  });
});
