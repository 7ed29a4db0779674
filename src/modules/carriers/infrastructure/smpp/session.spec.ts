import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MalformedPdu } from './octets.js';
import { CommandId } from './pdu.js';
import type { SessionOptions } from './session-options.js';
import { acceptAll, Connection, ObservedSession } from './test-support/session-pair.js';
import { until } from './test-support/until.js';
import { bindBody, message, octetsOf, type RawPeer } from './test-support/wire.js';
import { NO_TLVS } from './tlv.js';

let connection: Connection;

beforeEach(async () => {
  connection = await Connection.open();
});

afterEach(async () => {
  await connection.close();
});

/** A bound session over the connection and the raw peer that it talks to. */
async function boundEsme(options: Partial<SessionOptions> = {}): Promise<[ObservedSession, RawPeer]> {
  const peer = connection.peer();
  const esme = new ObservedSession(connection.client, options);
  const outcome = esme.bind('bind_transceiver');
  await peer.next('bind_transceiver');
  peer.send({ command: 'bind_transceiver_resp', systemId: 'smsc', tlvs: NO_TLVS }, 1);
  expect(await outcome).toEqual({ kind: 'answered', commandStatus: 0, id: 'smsc' });
  return [esme, peer];
}

/** A session in the part of the SMSC and the raw peer that is its client. */
async function smsc(options: Partial<SessionOptions> = {}): Promise<[ObservedSession, RawPeer]> {
  const server = new ObservedSession(connection.client, { ...options, role: 'smsc' }, acceptAll);
  return [server, connection.peer()];
}

describe('two sessions', () => {
  test('bind, submit, deliver and unbind', async () => {
    const server = new ObservedSession(connection.accepted, { role: 'smsc' }, acceptAll);
    const esme = new ObservedSession(connection.client, {}, acceptAll);
    expect(esme.session.credit).toBe(0);
    expect(await esme.bind('bind_transceiver')).toEqual({ kind: 'answered', commandStatus: 0, id: 'id' });
    expect([esme.session.bind, server.session.bind]).toEqual(['bind_transceiver', 'bind_transceiver']);
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'answered', commandStatus: 0, id: 'id' });
    expect(await server.send(message('deliver_sm'))).toMatchObject({ kind: 'answered', commandStatus: 0 });
    await esme.session.unbind();
    expect(esme.closeReasons).toEqual(['unbound']);
    await server.session.closed;
    expect(server.closeReasons).toEqual(['the peer unbound']);
  });

  test('thousands of messages are each answered once', async () => {
    new ObservedSession(connection.accepted, { role: 'smsc' }, acceptAll);
    const esme = new ObservedSession(connection.client, { window: 100 });
    await esme.bind('bind_transmitter');
    let answered = 0;
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 50; i += 1) {
        const outcome = await esme.send(message('submit_sm'));
        if (outcome.kind === 'answered') answered += 1;
      }
    };
    await Promise.all(Array.from({ length: 100 }, worker));
    expect(answered).toBe(5_000);
    expect(esme.session.credit).toBe(100);
  });
});

describe('requests', () => {
  test('the window limits what waits for an answer', async () => {
    const [esme, peer] = await boundEsme({ window: 2 });
    const sent = [esme.send(message('submit_sm')), esme.send(message('submit_sm'))];
    expect(esme.session.credit).toBe(0);
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unsent', reason: 'the window is full' });
    await peer.next('submit_sm', 3);
    peer.send({ command: 'submit_sm_resp', messageId: 'b' }, 3);
    expect(await sent[1]).toEqual({ kind: 'answered', commandStatus: 0, id: 'b' });
    expect(esme.session.credit).toBe(1);
    peer.send({ command: 'submit_sm_resp', messageId: 'a' }, 2);
    expect(await sent[0]).toEqual({ kind: 'answered', commandStatus: 0, id: 'a' });
  });

  test('without an answer in time the outcome is unknown; the late answer changes nothing', async () => {
    const [esme, peer] = await boundEsme({ responseTimeoutMs: 40 });
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unknown', reason: 'timeout' });
    peer.send({ command: 'submit_sm_resp', messageId: 'late' }, 2);
    peer.send({ command: 'enquire_link' }, 3);
    await peer.next('enquire_link_resp', 3);
    expect(esme.session.answeredRequests).toBe(1);
    expect(esme.session.credit).toBe(10);
  });

  test('answers to nothing, twice, or to another command settle nothing', async () => {
    const [esme, peer] = await boundEsme();
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    peer.send({ command: 'submit_sm_resp', messageId: 'stray' }, 99);
    peer.send({ command: 'enquire_link_resp' }, 2);
    peer.send({ command: 'deliver_sm_resp', messageId: 'other' }, 2);
    peer.send({ command: 'generic_nack' }, 0, 3);
    const unknown = octetsOf({ command: 'enquire_link' }, 2);
    unknown.writeUInt32BE(0x80000103, 4);
    peer.socket.write(unknown);
    peer.send({ command: 'submit_sm_resp', messageId: 'mine' }, 2);
    peer.send({ command: 'submit_sm_resp', messageId: 'again' }, 2);
    expect(await outcome).toEqual({ kind: 'answered', commandStatus: 0, id: 'mine' });
  });

  test('generic_nack answers whatever it names', async () => {
    const [esme, peer] = await boundEsme();
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    peer.send({ command: 'generic_nack' }, 2, 3);
    expect(await outcome).toEqual({ kind: 'answered', commandStatus: 3, id: '' });
  });

  test('an answer whose id cannot be read still says that the message was taken', async () => {
    const [esme, peer] = await boundEsme();
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    const endless = Buffer.alloc(90, 'x');
    endless.writeUInt32BE(90, 0);
    endless.writeUInt32BE(CommandId.submit_sm_resp, 4);
    endless.writeUInt32BE(0, 8);
    endless.writeUInt32BE(2, 12);
    peer.socket.write(endless);
    expect(await outcome).toEqual({ kind: 'answered', commandStatus: 0, id: '' });
  });

  test('a message that cannot be encoded or carried is not sent', async () => {
    const [esme] = await boundEsme();
    const long = await esme.send(message('submit_sm', { destinationAddress: 'x'.repeat(30) }));
    expect(long).toEqual({ kind: 'unsent', reason: 'destination_addr exceeds 20 characters' });
    esme.session.destroy('over');
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unsent', reason: 'the session is over' });
  });

  test('a session carries only what its bind allows', async () => {
    new ObservedSession(connection.accepted, { role: 'smsc' }, acceptAll);
    const esme = new ObservedSession(connection.client);
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unsent', reason: 'the session is not bound' });
    await esme.bind('bind_receiver');
    const reason = 'a bind_receiver session does not carry submit_sm';
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unsent', reason });
  });

  test('a lost connection settles everything once: what had left is unknown, the rest unsent', async () => {
    const [esme, peer] = await boundEsme();
    const left = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    const queued = esme.send(message('submit_sm'));
    esme.session.destroy('cut');
    expect(await left).toEqual({ kind: 'unknown', reason: 'disconnected' });
    expect(await queued).toEqual({ kind: 'unsent', reason: 'cut' });
    expect(esme.closeReasons).toEqual(['cut']);
  });

  test('the end of the peer is the end of the session', async () => {
    const [esme, peer] = await boundEsme();
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    peer.socket.resetAndDestroy();
    expect(await outcome).toEqual({ kind: 'unknown', reason: 'disconnected' });
    await esme.session.closed;
    expect(esme.closeReasons).toHaveLength(1);
  });

  test('sequence numbers go up from 1 and an answer with any order finds its request', async () => {
    const [esme, peer] = await boundEsme();
    const outcomes = [1, 2, 3].map(() => esme.send(message('submit_sm')));
    await peer.next('submit_sm', 4);
    for (const sequence of [4, 2, 3]) peer.send({ command: 'submit_sm_resp', messageId: `${sequence}` }, sequence);
    const ids = (await Promise.all(outcomes)).map((outcome) => outcome.kind === 'answered' && outcome.id);
    expect(ids).toEqual(['2', '3', '4']);
  });
});

describe('the state of the bind', () => {
  test('what needs a bind is refused without one', async () => {
    const [server, peer] = await smsc();
    peer.send(message('submit_sm'), 7);
    expect(await peer.next('submit_sm_resp', 7)).toMatchObject({ commandStatus: 0x04 });
    expect(server.requests).toEqual([]);
  });

  test('a second bind, and a command of the other side, are refused', async () => {
    const [, peer] = await smsc();
    peer.send(bindBody('bind_transceiver'), 1);
    peer.send(bindBody('bind_receiver'), 2);
    peer.send(message('deliver_sm'), 3);
    expect(await peer.next('bind_transceiver_resp', 1)).toMatchObject({ commandStatus: 0, systemId: 'id' });
    expect(await peer.next('bind_receiver_resp', 2)).toMatchObject({ commandStatus: 0x05 });
    expect(await peer.next('deliver_sm_resp', 3)).toMatchObject({ commandStatus: 0x04 });
  });

  test('a receiver may not submit, and no SMSC may bind to its client', async () => {
    const [server, peer] = await smsc();
    peer.send(bindBody('bind_receiver'), 1);
    peer.send(message('submit_sm'), 2);
    expect(await peer.next('submit_sm_resp', 2)).toMatchObject({ commandStatus: 0x04 });
    expect(server.requests).toHaveLength(1);
    const other = await Connection.open();
    new ObservedSession(other.client);
    const bold = other.peer();
    bold.send(bindBody('bind_transceiver'), 5);
    expect(await bold.next('bind_transceiver_resp', 5)).toMatchObject({ commandStatus: 0x04 });
    await other.close();
  });

  test('a connection that does not bind in time is closed', async () => {
    const [server, peer] = await smsc({ bindTimeoutMs: 30 });
    await until('the connection was closed', () => peer.closed);
    expect(server.closeReasons).toEqual(['no bind came in time']);
  });
});

describe('a peer that breaks the standard', () => {
  test('an unknown command gets a generic_nack and the session goes on', async () => {
    const [, peer] = await smsc();
    const query = octetsOf({ command: 'enquire_link' }, 8);
    query.writeUInt32BE(0x03, 4);
    peer.socket.write(query);
    expect(await peer.next('generic_nack', 8)).toMatchObject({ commandStatus: 0x03 });
    peer.send({ command: 'enquire_link' }, 9);
    await peer.next('enquire_link_resp', 9);
  });

  test('a malformed field is answered with its status and the session goes on', async () => {
    const [server, peer] = await smsc();
    peer.send(bindBody('bind_transceiver'), 1);
    const frame = octetsOf(message('submit_sm'), 2);
    frame[frame.length - 'hello'.length - 1] = 200;
    peer.socket.write(frame);
    expect(await peer.next('submit_sm_resp', 2)).toMatchObject({ commandStatus: 0x01 });
    peer.send(message('submit_sm'), 3);
    expect(await peer.next('submit_sm_resp', 3)).toMatchObject({ commandStatus: 0, messageId: 'id' });
    expect(server.requests).toHaveLength(2);
  });

  test.each([0, 3, 15, 65_537, 0xffffffff])('a length of %d costs the session and nothing else', async (length) => {
    const [server, peer] = await smsc();
    const header = octetsOf({ command: 'enquire_link' }, 6);
    header.writeUInt32BE(length, 0);
    peer.socket.write(Buffer.concat([header, Buffer.alloc(100_000)]));
    expect(await peer.next('generic_nack', 6)).toMatchObject({ commandStatus: 0x02 });
    await until('the connection was closed', () => peer.closed);
    expect(server.closeReasons).toEqual([`a PDU announced ${length} octets`]);
  });

  test('what a peer sends after the end is read and ignored', async () => {
    const [server, peer] = await smsc();
    server.session.close('enough');
    peer.send(bindBody('bind_transceiver'), 1);
    await server.session.closed;
    expect(server.requests).toEqual([]);
    expect(server.closeReasons).toEqual(['enough']);
  });

  test('an answer that the handler makes wrongly is its own error, not the peer’s', async () => {
    const [server, peer] = await smsc();
    peer.send(bindBody('bind_transceiver'), 1);
    await peer.next('bind_transceiver_resp');
    const request = { ...message('submit_sm'), commandStatus: 0, sequenceNumber: 1 };
    expect(() => server.session.respond(request, 0, 'x'.repeat(65))).toThrow(MalformedPdu);
  });
});

describe('keeping the link', () => {
  test('a silent peer is asked, and one that does not answer is given up', async () => {
    const [esme, peer] = await boundEsme({ enquireLinkIntervalMs: 20, responseTimeoutMs: 1_000 });
    peer.send({ command: 'enquire_link_resp' }, (await peer.next('enquire_link', 2)).sequenceNumber);
    await peer.next('enquire_link', 3);
    await until('the link was given up', () => esme.closeReasons.length > 0);
    expect(esme.closeReasons).toEqual(['the peer did not answer an enquire_link']);
  });

  test('two sessions that ask each other stay', async () => {
    const often = { enquireLinkIntervalMs: 10, responseTimeoutMs: 5_000 };
    const server = new ObservedSession(connection.accepted, { ...often, role: 'smsc' }, acceptAll);
    const esme = new ObservedSession(connection.client, often);
    await esme.bind('bind_transceiver');
    await until(
      'each was asked thrice',
      () => Math.min(esme.session.answeredRequests, server.session.answeredRequests) >= 3,
    );
    expect([esme.closeReasons, server.closeReasons]).toEqual([[], []]);
  });

  test('a peer that is silent for too long is left', async () => {
    const [esme] = await boundEsme({ inactivityTimeoutMs: 30 });
    await until('the session was left', () => esme.closeReasons.length > 0);
    expect(esme.closeReasons).toEqual(['the peer was silent for too long']);
  });

  test('octets that never become a PDU are silence', async () => {
    const [esme, peer] = await boundEsme({ inactivityTimeoutMs: 60 });
    const drip = setInterval(() => peer.socket.write(Buffer.of(0)), 5);
    const frame = octetsOf(message('deliver_sm', { tlvs: new Map([[0x0424, Buffer.alloc(60_000)]]) }));
    peer.socket.write(frame.subarray(0, 20));
    await until('the session was left', () => esme.closeReasons.length > 0);
    clearInterval(drip);
    expect(esme.closeReasons).toEqual(['the peer was silent for too long']);
  });
});

describe('back-pressure', () => {
  test('no more is taken at a time than the limit, and the rest when there is room', async () => {
    const esme = new ObservedSession(connection.client, { maxInboundRequests: 3 });
    const peer = connection.peer();
    const bound = esme.bind('bind_receiver');
    await peer.next('bind_receiver');
    peer.send({ command: 'bind_receiver_resp', systemId: '', tlvs: NO_TLVS }, 1);
    await bound;
    for (let i = 1; i <= 10; i += 1) peer.send(message('deliver_sm'), i);
    await until('the limit was reached', () => esme.requests.length === 3);
    for (let i = 0; i < 10; i += 1) {
      await until('another one came', () => esme.requests.length > i);
      expect(esme.requests.length - i).toBeLessThanOrEqual(3);
      esme.session.respond(esme.requests[i]!, 0);
    }
    await peer.next('deliver_sm_resp', 10);
  });

  test('answers that wait behind a full inbox do not time out', async () => {
    const [esme, peer] = await boundEsme({ maxInboundRequests: 1, responseTimeoutMs: 40 });
    peer.send(message('deliver_sm'), 1);
    await until('the inbox was full', () => esme.requests.length === 1);
    const outcome = esme.send(message('submit_sm'));
    const sequenceNumber = (await peer.next('submit_sm')).sequenceNumber;
    peer.send(message('deliver_sm'), 2);
    peer.send({ command: 'submit_sm_resp', messageId: 'waited' }, sequenceNumber);
    const start = performance.now();
    await until('its time was long over', () => performance.now() > start + 120);
    esme.session.respond(esme.requests[0]!, 0);
    await until('the second one came', () => esme.requests.length === 2);
    esme.session.respond(esme.requests[1]!, 0);
    expect(await outcome).toMatchObject({ kind: 'answered', id: 'waited' });
  });

  test('a peer that takes no answers is not read for ever', async () => {
    // A local socket, because the kernel buffers a fiftieth of what it does for TCP.
    const directory = await mkdtemp(path.join(tmpdir(), 'smpp-'));
    const arrived = Promise.withResolvers<net.Socket>();
    const listener = net.createServer((socket) => arrived.resolve(socket)).listen(path.join(directory, 'socket'));
    const flooder = net.connect(path.join(directory, 'socket')).pause();
    const socket = await arrived.promise;
    const server = new ObservedSession(socket, { role: 'smsc', inactivityTimeoutMs: 300 }, acceptAll);
    const flood = Buffer.concat(Array.from({ length: 4_096 }, () => octetsOf({ command: 'enquire_link' })));
    const pour = (): void => {
      while (!flooder.destroyed && flooder.write(flood));
    };
    flooder.on('error', () => undefined).on('drain', pour);
    pour();
    await until('the session was given up', () => server.closeReasons.length > 0);
    expect(server.closeReasons).toEqual(['the peer was silent for too long']);
    expect(socket.writableLength).toBeLessThan(1024 * 1024);
    const closed = once(listener, 'close');
    listener.close();
    flooder.destroy();
    await closed;
    await rm(directory, { recursive: true });
  });
});

test('waiting until a session is idle ends with its work, or with the time', async () => {
  const [esme, peer] = await boundEsme();
  await esme.session.idle(0);
  const outcome = esme.send(message('submit_sm'));
  await esme.session.idle(10);
  expect(esme.session.credit).toBe(9);
  const idle = esme.session.idle(20_000);
  await peer.next('submit_sm', 2);
  peer.send({ command: 'submit_sm_resp', messageId: 'a' }, 2);
  await Promise.all([idle, outcome]);
});
