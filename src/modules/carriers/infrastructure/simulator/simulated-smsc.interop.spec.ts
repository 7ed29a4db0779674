import { once } from 'node:events';
import smpp, { type Fields, type PDU, type Session } from 'smpp';
import { until } from '../smpp/test-support/until.js';
import { RawPeer } from '../smpp/test-support/wire.js';
import { Simulation, textTo } from './test-support/simulation.js';

let simulation: Simulation;
let session: Session;

beforeEach(async () => {
  simulation = new Simulation();
  const { port } = await simulation.start();
  session = await new Promise<Session>((resolve) => {
    const connecting: Session = smpp.connect({ host: '127.0.0.1', port }, () => resolve(connecting));
  });
  session.on('error', () => undefined);
});

afterEach(async () => {
  const closed = session.socket.destroyed ? Promise.resolve() : once(session, 'close');
  session.destroy();
  await closed;
  await simulation.end();
});

function ask(command: 'bind_transceiver' | 'submit_sm', fields: Fields): Promise<PDU> {
  return new Promise((resolve) => session[command](fields, resolve));
}

const CREDENTIALS = { system_id: 'sim', password: 'secret' };

test('the npm package smpp binds, submits and gets its receipt', async () => {
  const receipts: PDU[] = [];
  session.on('deliver_sm', (pdu: PDU) => {
    receipts.push(pdu);
    session.send(pdu.response());
  });
  expect(await ask('bind_transceiver', CREDENTIALS)).toMatchObject({ command_status: 0, system_id: 'sim' });
  const { message_id } = await ask('submit_sm', {
    source_addr: '15005550006',
    dest_addr_ton: 1,
    destination_addr: '15555530003',
    short_message: 'Hëllo €',
    registered_delivery: 1,
  });
  await until('the receipt came', () => receipts.length === 1);
  expect(receipts[0]).toMatchObject({ receipted_message_id: message_id, message_state: 5, esm_class: 4 });
  expect(receipts[0]?.short_message.message).toContain(`id:${message_id} sub:001 dlvrd:000`);
  expect(receipts[0]?.short_message.message).toContain('stat:UNDELIV err:30003');
  await until('the carrier knows', () => simulation.smsc.snapshot().counters.receipts_confirmed === 1);
  const { data } = simulation.smsc.submissions({ limit: 10 });
  expect(data).toMatchObject([{ id: message_id, destination: '+15555530003', source: '15005550006', text: 'Hëllo €' }]);
});

test('it is refused, asked and let go in the same language', async () => {
  expect(await ask('bind_transceiver', { ...CREDENTIALS, password: 'no' })).toMatchObject({ command_status: 0x0e });
  expect(await ask('submit_sm', { destination_addr: '1', short_message: 'x' })).toMatchObject({ command_status: 0x04 });
  expect(await ask('bind_transceiver', CREDENTIALS)).toMatchObject({ command_status: 0 });
  const nack = new Promise<PDU>((resolve) => session.query_sm({ message_id: '1' }, resolve));
  expect(await nack).toMatchObject({ command: 'generic_nack', command_status: 0x03 });
  expect(await new Promise<PDU>((resolve) => session.enquire_link(resolve))).toMatchObject({ command_status: 0 });
  const closed = once(session, 'close');
  expect(await new Promise<PDU>((resolve) => session.unbind(resolve))).toMatchObject({ command_status: 0 });
  await closed;
});

test('an oversized PDU ends its session; the others go on', async () => {
  const client = await simulation.bound();
  const peer = await RawPeer.connect(simulation.smsc.port);
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x7fffffff, 0);
  header.writeUInt32BE(4, 4);
  header.writeUInt32BE(77, 12);
  peer.socket.write(Buffer.concat([header, Buffer.alloc(200_000, 0xff)]));
  expect(await peer.next('generic_nack', 77)).toMatchObject({ commandStatus: 0x02 });
  await until('it was let go', () => peer.closed);
  expect(await client.client.submit(textTo('+15555550100'))).toMatchObject({ kind: 'answered', commandStatus: 0 });
});
