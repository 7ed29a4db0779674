import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { PDU } from 'smpp';
import { BIND_KINDS, type CarrierDefinition } from '../../domain/carrier.js';
import { CONCATENATIONS, type SmppOptions } from '../../domain/smpp-options.js';
import { formatReceipt } from './receipt.js';
import { NpmSmsc } from './test-support/npm-smsc.js';
import { carrierAt, ObservedConnection, outgoingOf } from './test-support/observed-connection.js';
import { until } from './test-support/until.js';
import { TestServer } from './test-support/wire.js';

const DRIVE_SMPP = '/usr/lib/kannel/test/drive_smpp';
const ACCEPTED = { kind: 'accepted' };
const PARTS = ['one ', 'two {€}'];

/** What of a submission tells how it was concatenated. */
const heard = ({ short_message: { message, udh }, message_payload, ...pdu }: PDU) => ({
  text: message_payload?.message ?? message,
  udh: udh?.map((each) => [...each]),
  sar: pdu.sar_msg_ref_num === undefined ? undefined : [pdu.sar_segment_seqnum, pdu.sar_total_segments],
  esm: pdu.esm_class,
});

describe.each(BIND_KINDS)('a %s with the npm package smpp as the SMSC', (bind) => {
  let smsc: NpmSmsc;
  let observed: ObservedConnection;

  beforeEach(async () => {
    smsc = await NpmSmsc.start();
  });

  afterEach(async () => {
    await observed.connection.stop();
    await smsc.stop();
  });

  function bound(smpp: Partial<SmppOptions> = {}, over: Partial<CarrierDefinition> = {}) {
    const definition = carrierAt(smsc.port, { bind, smpp, ...over });
    observed = new ObservedConnection(definition, { enquireLinkIntervalMs: 20 });
    return observed.bound();
  }

  test('texts of both alphabets arrive', async () => {
    const connection = await bound();
    expect(await connection.handOver(outgoingOf(['Hello {world} €']))).toEqual(ACCEPTED);
    const ucs2 = outgoingOf(['Привет'], { encoding: 'UCS-2' });
    expect(await connection.handOver(ucs2)).toEqual(ACCEPTED);
    expect(ucs2.messageIds).toEqual(['0002']);
    expect(smsc.submitted.map((pdu) => heard(pdu).text)).toEqual(['Hello {world} €', 'Привет']);
    expect(smsc.submitted[0]).toMatchObject({ destination_addr: '15555550100', registered_delivery: 1 });
  });

  test.each(CONCATENATIONS)('several segments arrive as %s', async (concatenation) => {
    const connection = await bound({ concatenation });
    const outgoing = outgoingOf(PARTS, { key: '00000000-0000-7000-8000-000000000107' });
    expect(await connection.handOver(outgoing)).toEqual(ACCEPTED);
    const plain = { esm: 0, udh: undefined, sar: undefined };
    const expected = {
      udh: PARTS.map((text, at) => ({ text, esm: 0x40, udh: [[0, 3, 7, 2, at + 1]], sar: undefined })),
      sar: PARTS.map((text, at) => ({ ...plain, text, sar: [at + 1, 2] })),
      payload: [{ ...plain, text: PARTS.join('') }],
    };
    expect(smsc.submitted.map(heard)).toEqual(expected[concatenation]);
    expect(outgoing.messageIds).toEqual(concatenation === 'payload' ? ['0001'] : ['0001', '0002']);
  });

  test('receipts come in as text, in parameters and in both, and messages beside them', async () => {
    await bound();
    const at = new Date('2026-01-02T03:04:00Z');
    const report = { messageId: '00FF', state: 'undelivered', error: '003', submittedAt: at, doneAt: at } as const;
    const { esmClass: esm_class, shortMessage } = formatReceipt(report);
    const short_message = Buffer.from(shortMessage);
    const tlvs = { receipted_message_id: '0100', message_state: 2 };
    for (const fields of [
      { esm_class, short_message },
      { esm_class, short_message: Buffer.alloc(0), ...tlvs },
      { esm_class, short_message, ...tlvs },
      { source_addr: '15551234567', source_addr_ton: 1, short_message: 'Hëllo' },
    ]) {
      expect(await smsc.deliver(fields)).toMatchObject({ command: 'deliver_sm_resp', command_status: 0 });
    }
    expect(observed.receipts.map(({ messageId, state, doneDate }) => [messageId, state, doneDate])).toEqual([
      ['00FF', 'undelivered', '2601020304'],
      ['0100', 'delivered', null],
      ['0100', 'delivered', '2601020304'],
    ]);
    expect(observed.inbound).toMatchObject([{ from: '+15551234567', concatenation: null }]);
  });

  test('one that is throttled, or refused, is told so, and goes on', async () => {
    const connection = await bound({ resultOverrides: { '0x0B': { class: 'permanent', errorCode: 30006 } } });
    const results = [];
    for (const status of [0x58, 0x08, 0x0b, 0]) {
      smsc.status = status;
      results.push(await connection.handOver(outgoingOf()));
    }
    expect(results).toEqual([
      { kind: 'throttled' },
      { kind: 'retryable' },
      { kind: 'rejected', errorCode: 30006 },
      ACCEPTED,
    ]);
  });

  test('the link is kept, in both directions', async () => {
    const connection = await bound();
    let answered = 0;
    for (const session of smsc.bound.keys()) session.enquire_link(() => void answered++);
    await until('each side asked', () => smsc.enquiries >= 2 && answered === smsc.bound.size);
    expect(connection.state.phase).toBe('bound');
  });

  test('either side can unbind: the SMSC gets its client back, the client leaves for good', async () => {
    const connection = await bound({ binds: 2 });
    const all = bind === 'transceiver' ? 2 : 4;
    expect(smsc.bound.size).toBe(all);
    const [first] = smsc.bound.keys();
    let isUnbound = false;
    first!.unbind(() => {
      isUnbound = true;
    });
    await until('it was unbound and came back', () => isUnbound && !smsc.bound.has(first!) && smsc.bound.size === all);
    await until('the client knows', () => connection.state.bound === 2);
    smsc.unbound = 0;
    await connection.stop();
    expect(smsc.unbound).toBe(all);
  });
});

describe("a transmitter and a receiver with Kannel's drive_smpp as the SMSC", () => {
  const isThere = existsSync(DRIVE_SMPP);
  if (!isThere) console.warn(`left out: ${DRIVE_SMPP} is not on this machine`);

  (isThere ? test.each : test.skip.each)(CONCATENATIONS)(
    'binds, submits in parts (%s), takes messages, unbinds',
    async (how) => {
      const reserved = await TestServer.listen(() => undefined);
      const { port } = reserved;
      await reserved.close();
      const smsc = spawn(DRIVE_SMPP, ['-p', `${port}`, '-m', '3', '-v', '4'], { stdio: 'ignore' });
      const ended = once(smsc, 'exit');
      const definition = carrierAt(port, {
        systemId: 'foo',
        bind: 'transmitter_receiver',
        smpp: { concatenation: how },
      });
      const observed = new ObservedConnection(definition, { password: 'bar', systemType: 'VMA' });
      try {
        const connection = await observed.bound();
        expect(await connection.handOver(outgoingOf(PARTS))).toEqual(ACCEPTED);
        await until('its three messages came', () => observed.inbound.length === 3);
        expect(observed.inbound.map(({ octets }) => Buffer.from(octets).toString())).toEqual(['1', '2', '3']);
        expect(observed.receipts).toEqual([]);
      } finally {
        await observed.connection.stop();
        smsc.kill('SIGKILL');
        await ended;
      }
    },
  );
});
