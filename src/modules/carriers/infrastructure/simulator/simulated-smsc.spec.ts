import { encodeAddresses } from '../smpp/address.js';
import { until } from '../smpp/test-support/until.js';
import { bindBody, message, RawPeer } from '../smpp/test-support/wire.js';
import { encodeText } from '../smpp/text.js';
import { idOf, receiptsOf, Simulation, textTo } from './test-support/simulation.js';

let simulation: Simulation;

beforeEach(() => {
  simulation = new Simulation();
});

afterEach(async () => {
  await simulation.end();
});

describe('as an SMSC', () => {
  test('takes its own clients only, in whichever way they bind', async () => {
    await simulation.start({ systemId: 'me' });
    const wrongPassword = simulation.client({ systemId: 'me', password: 'wrong' });
    const wrongId = simulation.client({ systemId: 'sim' });
    wrongPassword.client.start();
    wrongId.client.start();
    await wrongPassword.down('invalid password (0x0E)');
    await wrongId.down('invalid system id (0x0F)');
    await simulation.bound({ systemId: 'me' });
    await simulation.bound({ systemId: 'me', bind: 'transmitter_receiver' });
    expect(simulation.smsc.snapshot().counters.sessions).toBe(3);
  });

  test('delivers, and says so with the id that it gave', async () => {
    await simulation.start();
    const client = await simulation.bound();
    const id = idOf(await client.client.submit(textTo('+15555550100')));
    await until('the receipt came', () => client.delivered.length === 1);
    expect(receiptsOf(client)).toMatchObject([{ messageId: id, state: 'delivered', error: '000' }]);
    expect(client.delivered[0]).toMatchObject({ sourceAddress: '15555550100', destinationAddress: '15005550006' });
    const text = Buffer.from(client.delivered[0]!.shortMessage).toString();
    expect(text).toMatch(
      new RegExp(`^id:${id} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 text:`),
    );
    expect(client.delivered[0]!.tlvs.size).toBe(2);
  });

  test.each([
    ['+15555530003', 'undelivered', '30003'],
    ['+15555530999', 'undelivered', '30999'],
    ['+15555530000', 'undelivered', '30000'],
    ['+15555531000', 'delivered', '000'],
    ['+13000355501', 'delivered', '000'],
  ])('%s ends %s with %s', async (destination, state, error) => {
    await simulation.start();
    const client = await simulation.bound();
    await client.client.submit(textTo(destination));
    await until('the receipt came', () => client.delivered.length === 1);
    expect(receiptsOf(client)).toMatchObject([{ state, error }]);
  });

  test('receipts are sent where they are asked for', async () => {
    await simulation.start();
    const client = await simulation.bound();
    await client.client.submit({ ...textTo('+15555550101'), registeredDelivery: 0 });
    await client.client.submit({ ...textTo('+15555550102'), registeredDelivery: 2 });
    await client.client.submit({ ...textTo('+15555530003'), registeredDelivery: 2 });
    await client.client.submit({ ...textTo('+15555550103'), registeredDelivery: 1 });
    await until('two came', () => client.delivered.length === 2);
    expect(client.delivered.map(({ sourceAddress }) => sourceAddress)).toEqual(['15555530003', '15555550103']);
    expect(simulation.smsc.snapshot().counters).toMatchObject({ submitted: 4, accepted: 4, receipts: 2 });
  });

  test('receipts go to whoever can receive, or wait for one', async () => {
    await simulation.start();
    const peer = await RawPeer.connect(simulation.smsc.port);
    peer.send({ ...bindBody('bind_transmitter'), systemId: 'sim' }, 1);
    peer.send(message('submit_sm'), 2);
    await peer.next('submit_sm_resp', 2);
    await until('the receipt waits', () => simulation.smsc.snapshot().counters.receipts_pending === 1);
    const client = await simulation.bound({ bind: 'transmitter_receiver' });
    await until('it came', () => client.delivered.length === 1);
    await until('it is settled', () => simulation.smsc.snapshot().counters.receipts_pending === 0);
    expect(peer.received.map(({ command }) => command)).not.toContain('deliver_sm');
    peer.socket.destroy();
  });

  test('a receipt that the client cannot take comes again until it can', async () => {
    await simulation.start();
    let refusals = 2;
    const client = await simulation.bound({}, async () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('not now');
    });
    await client.client.submit(textTo('+15555550100'));
    await until('it was taken', () => simulation.smsc.snapshot().counters.receipts_confirmed === 1);
    expect(client.delivered).toHaveLength(3);
    expect(simulation.smsc.snapshot().counters).toMatchObject({ receipts: 3, receipts_pending: 0 });
  });

  test('a receipt that the client refuses for good is given up', async () => {
    await simulation.start();
    const peer = await RawPeer.connect(simulation.smsc.port);
    peer.send({ ...bindBody('bind_transceiver'), systemId: 'sim' }, 1);
    peer.send(message('submit_sm'), 2);
    const receipt = await peer.next('deliver_sm');
    peer.send({ command: 'deliver_sm_resp', messageId: '' }, receipt.sequenceNumber, 0x66);
    await until('it was given up', () => simulation.smsc.snapshot().counters.receipts_refused === 1);
    expect(simulation.smsc.snapshot().counters.receipts_pending).toBe(0);
    peer.socket.destroy();
  });

  test('a destination that is none is refused and not recorded', async () => {
    await simulation.start();
    const client = await simulation.bound();
    const empty = await client.client.submit({ ...textTo('+1'), destinationAddress: '' });
    expect(empty).toEqual({ kind: 'answered', commandStatus: 0x0b, messageId: '' });
    const control = await client.client.submit({ ...textTo('+1'), destinationAddress: '1\n2' });
    expect(control).toMatchObject({ commandStatus: 0x0b });
    expect(await client.client.submit({ ...textTo('+1'), sourceAddress: '\u0001' })).toMatchObject({
      commandStatus: 0x0a,
    });
    expect(simulation.smsc.submissions({ limit: 10 })).toEqual({ data: [], hasMore: false });
  });
});

describe('its record', () => {
  test('has what it was given, decoded, with the place of each part', async () => {
    await simulation.start();
    const client = await simulation.bound();
    const addresses = encodeAddresses('Trunkline', '+15555550100');
    const parts = encodeText({ encoding: 'UCS-2', parts: ['При', 'вет'], concatenation: 'udh', reference: 300 });
    const ids: string[] = [];
    for (const part of parts) ids.push(idOf(await client.client.submit({ ...addresses, ...part })));
    ids.push(idOf(await client.client.submit(textTo('+15555550101', 'price: 5 € {net}'))));
    const { data } = simulation.smsc.submissions({ limit: 10 });
    const first = { destination: '+15555550100', source: 'Trunkline', reference: 44, parts: 2 };
    expect(data).toMatchObject([
      { sequence: 1, id: ids[0], text: 'При', part: 1, ...first },
      { sequence: 2, id: ids[1], text: 'вет', part: 2, ...first },
      { sequence: 3, id: ids[2], text: 'price: 5 € {net}', destination: '+15555550101', reference: null, part: null },
    ]);
    expect(Math.abs(Date.parse(data[0]!.time) - Date.now())).toBeLessThan(60_000);
  });

  test('is paged by sequence number', async () => {
    await simulation.start();
    const client = await simulation.bound();
    for (let i = 0; i < 7; i += 1) await client.client.submit(textTo(`+1555555010${i}`));
    const page = simulation.smsc.submissions({ after: 2, limit: 3 });
    expect([page.data.map(({ sequence }) => sequence), page.hasMore]).toEqual([[3, 4, 5], true]);
    expect(() => simulation.smsc.submissions({ limit: 0 })).toThrow(/limit/);
    expect(() => simulation.smsc.submissions({ after: -1, limit: 1 })).toThrow(/after/);
  });

  test('goes on after a restart: new ids, and the receipts that were still owed', async () => {
    await simulation.start();
    simulation.smsc.put({ receipt_delay_ms: 60_000 });
    const before = await simulation.bound();
    const owed = idOf(await before.client.submit(textTo('+15555530007')));
    await before.client.stop();
    await simulation.stopCarrier();
    await simulation.start();
    const after = await simulation.bound();
    await until('the receipt came', () => after.delivered.length === 1);
    expect(receiptsOf(after)).toMatchObject([{ messageId: owed, state: 'undelivered', error: '30007' }]);
    expect(idOf(await after.client.submit(textTo('+15555550100')))).not.toBe(owed);
    await until('both are settled', () => simulation.smsc.snapshot().counters.receipts_confirmed === 2);
    await after.client.stop();
    await simulation.stopCarrier();
    await simulation.start();
    expect(simulation.smsc.snapshot().counters.receipts_pending).toBe(0);
    expect(simulation.smsc.submissions({ limit: 10 }).data).toHaveLength(2);
  });
});

test('a taken port is replaced by another one', async () => {
  const { port } = await simulation.start();
  const other = new Simulation();
  await other.start({ port });
  expect(other.smsc.port).not.toBe(port);
  await other.end();
});

test.each(['', '../up', 'a b', 'x'.repeat(65)])('%p is no name for a carrier', async (name) => {
  await expect(simulation.start({ name })).rejects.toThrow(/name/);
});
