import fc from 'fast-check';
import { ObservedClient, TestSmsc } from './test-support/test-smsc.js';
import { until } from './test-support/until.js';
import { bindBody, message, octetsOf, RawPeer, TestServer } from './test-support/wire.js';
import { NO_TLVS } from './tlv.js';

const RUNS = { numRuns: 60 };
const SUBMISSION = { destinationAddress: '15555550100', shortMessage: Buffer.from('hello') };

const valid = fc.constantFrom(
  octetsOf(bindBody('bind_transceiver')),
  octetsOf(message('submit_sm'), 2),
  octetsOf(message('deliver_sm', { tlvs: new Map([[0x001e, Buffer.from('1\0')]]) }), 3),
  octetsOf({ command: 'submit_sm_resp', messageId: 'x' }, 4),
  octetsOf({ command: 'generic_nack' }, 1, 3),
  octetsOf({ command: 'enquire_link' }, 5),
);
/** A PDU with one octet changed. */
const bent = fc.tuple(valid, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([pdu, at, octet]) => {
  const copy = Buffer.from(pdu);
  copy[at % copy.length] = octet;
  return copy;
});
/** A PDU cut short, with or without a length that admits it. */
const cut = fc.tuple(valid, fc.nat(), fc.boolean()).map(([pdu, at, honest]) => {
  const copy = Buffer.from(pdu.subarray(0, at % pdu.length));
  if (honest && copy.length >= 4) copy.writeUInt32BE(copy.length, 0);
  return copy;
});
const noise = fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets));
const garbage = fc.array(fc.oneof(valid, bent, cut, noise), { minLength: 1, maxLength: 8 }).map(Buffer.concat);

test('whatever a client sends to an SMSC, only its own session can end', async () => {
  const smsc = await TestSmsc.start();
  const { client: healthy } = await new ObservedClient(smsc.port).bound();
  await fc.assert(
    fc.asyncProperty(garbage, fc.boolean(), async (octets, binds) => {
      const peer = await RawPeer.connect(smsc.port);
      // What comes back need not be a stream that this test's own peer could read.
      peer.socket.removeAllListeners('data').resume();
      if (binds) peer.send(bindBody('bind_transceiver'));
      peer.socket.end(octets);
      expect(await healthy.submit(SUBMISSION)).toMatchObject({ kind: 'answered', commandStatus: 0 });
      await until('the peer was let go', () => peer.closed);
    }),
    RUNS,
  );
  expect(smsc.sessions).toHaveLength(RUNS.numRuns + 1);
  expect(smsc.bound).toHaveLength(1);
  await healthy.stop();
  await smsc.die();
});

test('whatever an SMSC sends to a client, only that session can end', async () => {
  const smsc = await TestSmsc.start();
  const { client: healthy } = await new ObservedClient(smsc.port).bound();
  let octets = Buffer.alloc(0);
  const evil = await TestServer.listen((socket) => {
    socket.once('data', () => {
      socket.write(octetsOf({ command: 'bind_transceiver_resp', systemId: 'evil', tlvs: NO_TLVS }, 1));
      socket.end(octets);
    });
  });
  await fc.assert(
    fc.asyncProperty(garbage, async (sent) => {
      octets = sent;
      const victim = new ObservedClient(evil.port);
      victim.client.start();
      await until('the session ended', () => victim.client.state.error !== null);
      await victim.client.stop();
      expect(await healthy.submit(SUBMISSION)).toMatchObject({ kind: 'answered', commandStatus: 0 });
    }),
    RUNS,
  );
  await healthy.stop();
  await Promise.all([smsc.die(), evil.close()]);
});
