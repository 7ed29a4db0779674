import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import smpp, { type PDU, type Session } from 'smpp';
import { formatReceipt, parseReceipt } from './receipt.js';
import { ObservedClient } from './test-support/test-smsc.js';
import { until } from './test-support/until.js';
import { TestServer } from './test-support/wire.js';
import { decodeText, encodeText } from './text.js';

const DRIVE_SMPP = '/usr/lib/kannel/test/drive_smpp';
const ADDRESSES = { sourceAddress: '15005550006', destinationAddress: '15555550100' };

describe('our client with the npm package smpp as the SMSC', () => {
  const submitted: PDU[] = [];
  let sessions: Session[] = [];
  let server: net.Server;
  let observed: ObservedClient;

  beforeEach(async () => {
    submitted.length = 0;
    sessions = [];
    server = smpp.createServer((session) => {
      sessions.push(session);
      session.on('error', () => undefined);
      session.on('bind_transceiver', (pdu: PDU) => {
        session.send(pdu.response(pdu.password === 'secret' ? { system_id: 'npm' } : { command_status: 0x0e }));
      });
      session.on('submit_sm', (pdu: PDU) => {
        submitted.push(pdu);
        session.send(pdu.response({ message_id: `00${submitted.length.toString(16).toUpperCase()}` }));
      });
      session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
      session.on('unbind', (pdu: PDU) => {
        session.send(pdu.response());
        session.close();
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    observed = new ObservedClient((server.address() as net.AddressInfo).port, { enquireLinkIntervalMs: 20 });
  });

  afterEach(async () => {
    await observed.client.stop();
    const closed = once(server, 'close');
    server.close();
    for (const session of sessions) session.destroy();
    await closed;
  });

  test('texts of both alphabets arrive, alone and in parts', async () => {
    await observed.bound();
    const texts = [
      { encoding: 'GSM-7', parts: ['Hello {world} €'] },
      { encoding: 'UCS-2', parts: ['Привет'] },
      { encoding: 'GSM-7', parts: ['one', 'two'] },
    ] as const;
    for (const { encoding, parts } of texts) {
      for (const part of encodeText({ encoding, parts, concatenation: 'udh', reference: 7 })) {
        const outcome = await observed.client.submit({ ...ADDRESSES, ...part });
        expect(outcome).toEqual({ kind: 'answered', commandStatus: 0, messageId: `00${submitted.length}` });
      }
    }
    const heard = submitted.map(({ short_message: { message, udh } }) => [message, udh?.map((each) => [...each])]);
    expect(heard).toEqual([
      ['Hello {world} €', undefined],
      ['Привет', undefined],
      ['one', [[0, 3, 7, 2, 1]]],
      ['two', [[0, 3, 7, 2, 2]]],
    ]);
    expect(submitted[0]).toMatchObject({ destination_addr: '15555550100', registered_delivery: 1 });
  });

  test('a payload and sar parameters arrive', async () => {
    await observed.bound();
    const parts = ['one ', 'two'];
    const [payload] = encodeText({ encoding: 'GSM-7', parts, concatenation: 'payload', reference: 7 });
    const [sar] = encodeText({ encoding: 'GSM-7', parts, concatenation: 'sar', reference: 0x102 });
    await observed.client.submit({ ...ADDRESSES, ...payload! });
    await observed.client.submit({ ...ADDRESSES, ...sar! });
    expect(submitted[0]?.message_payload?.message).toBe('one two');
    expect(submitted[1]?.sar_msg_ref_num).toBe(0x102);
  });

  test('receipts and texts come in', async () => {
    await observed.bound();
    const report = {
      messageId: '00FF',
      state: 'delivered',
      error: '000',
      submittedAt: new Date(),
      doneAt: new Date(),
    } as const;
    const { esmClass, shortMessage } = formatReceipt(report);
    const answers: PDU[] = [];
    const receipt = {
      esm_class: esmClass,
      short_message: Buffer.from(shortMessage),
      receipted_message_id: '00FF',
      message_state: 2,
    };
    sessions[0]!.deliver_sm(receipt, (pdu) => answers.push(pdu));
    sessions[0]!.deliver_sm({ source_addr: '1', short_message: 'Hëllo' }, (pdu) => answers.push(pdu));
    await until('both were answered', () => answers.length === 2);
    expect(answers.map(({ command_status }) => command_status)).toEqual([0, 0]);
    expect(parseReceipt(observed.delivered[0]!)).toMatchObject({ messageId: '00FF', state: 'delivered' });
    expect(parseReceipt(observed.delivered[1]!)).toBeNull();
    expect(decodeText(observed.delivered[1]!).text).toBe('Hëllo');
  });

  test('the link is kept, in both directions', async () => {
    await observed.bound();
    let asked = 0;
    sessions[0]!.on('enquire_link', () => {
      asked += 1;
    });
    let answered = 0;
    sessions[0]!.enquire_link(() => {
      answered += 1;
    });
    await until('each side asked', () => asked >= 2 && answered === 1);
    expect(observed.client.state.phase).toBe('bound');
  });
});

test("our client with Kannel's drive_smpp as the SMSC: two binds, a submission, deliveries, unbinds", async () => {
  if (!existsSync(DRIVE_SMPP)) {
    console.warn(`left out: ${DRIVE_SMPP} is not on this machine`);
    return;
  }
  const reserved = await TestServer.listen(() => undefined);
  const { port } = reserved;
  await reserved.close();
  const smsc = spawn(DRIVE_SMPP, ['-p', `${port}`, '-m', '3', '-v', '4'], { stdio: 'ignore' });
  const ended = once(smsc, 'exit');
  const observed = new ObservedClient(port, {
    bind: 'transmitter_receiver',
    systemId: 'foo',
    password: 'bar',
    systemType: 'VMA',
  });
  await observed.bound();
  const [part] = encodeText({ encoding: 'GSM-7', parts: ['Hello'], concatenation: 'udh', reference: 1 });
  expect(await observed.client.submit({ ...ADDRESSES, ...part! })).toMatchObject({
    kind: 'answered',
    commandStatus: 0,
  });
  await until('its three messages came', () => observed.delivered.length === 3);
  expect(observed.delivered.map((pdu) => decodeText(pdu).text)).toEqual(['1', '2', '3']);
  expect(observed.delivered.map(parseReceipt)).toEqual([null, null, null]);
  await observed.client.stop();
  smsc.kill('SIGKILL');
  await ended;
});
