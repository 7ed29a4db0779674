import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MalformedPdu } from './octets.js';
import type { BindPdu, MessagePdu } from './pdu.js';
import type { Responder } from './session-options.js';
import { acceptAll, boundEsme, Connection, ObservedSession, smsc } from './test-support/session-pair.js';
import { until } from './test-support/until.js';
import { bindBody, message, octetsOf } from './test-support/wire.js';
import { NO_TLVS } from './tlv.js';

let connection: Connection;

beforeEach(async () => {
  connection = await Connection.open();
});

afterEach(async () => {
  await connection.close();
});

describe('a peer that breaks the standard', () => {
  test('an unknown command gets a generic_nack and the session goes on', async () => {
    const [, peer] = await smsc(connection);
    const query = octetsOf({ command: 'enquire_link' }, 8);
    query.writeUInt32BE(0x03, 4);
    peer.socket.write(query);
    expect(await peer.next('generic_nack', 8)).toMatchObject({ commandStatus: 0x03 });
    peer.send({ command: 'enquire_link' }, 9);
    await peer.next('enquire_link_resp', 9);
  });

  test('a malformed field is answered with its status and the session goes on', async () => {
    const [server, peer] = await smsc(connection);
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
    const [server, peer] = await smsc(connection);
    const header = octetsOf({ command: 'enquire_link' }, 6);
    header.writeUInt32BE(length, 0);
    peer.socket.write(Buffer.concat([header, Buffer.alloc(100_000)]));
    expect(await peer.next('generic_nack', 6)).toMatchObject({ commandStatus: 0x02 });
    await until('the connection was closed', () => peer.closed);
    expect(server.closeReasons).toEqual([`a PDU announced ${length} octets`]);
  });

  test('what a peer sends after the end is read and ignored', async () => {
    const [server, peer] = await smsc(connection);
    server.session.close('enough');
    peer.send(bindBody('bind_transceiver'), 1);
    await server.session.closed;
    expect(server.requests).toEqual([]);
    expect(server.closeReasons).toEqual(['enough']);
  });

  test('an answer that the handler makes wrongly is its own error, not the peer’s', async () => {
    const [server, peer] = await smsc(connection);
    peer.send(bindBody('bind_transceiver'), 1);
    await peer.next('bind_transceiver_resp');
    const request = { ...message('submit_sm'), commandStatus: 0, sequenceNumber: 1 };
    expect(() => server.session.respond(request, 0, 'x'.repeat(65))).toThrow(MalformedPdu);
  });
});

describe('keeping the link', () => {
  test('a silent peer is asked, and one that does not answer is given up', async () => {
    const [esme, peer] = await boundEsme(connection, { enquireLinkIntervalMs: 20, responseTimeoutMs: 1_000 });
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
    const [esme] = await boundEsme(connection, { inactivityTimeoutMs: 30 });
    await until('the session was left', () => esme.closeReasons.length > 0);
    expect(esme.closeReasons).toEqual(['the peer was silent for too long']);
  });

  test('octets that never become a PDU are silence', async () => {
    const [esme, peer] = await boundEsme(connection, { inactivityTimeoutMs: 60 });
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
    const [esme, peer] = await boundEsme(connection, { maxInboundRequests: 1, responseTimeoutMs: 40 });
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
    const answer = (request: BindPdu | MessagePdu, responder: Responder): void => {
      responder.respond(request, 0, 'x'.repeat(64));
    };
    const server = new ObservedSession(socket, { role: 'smsc', inactivityTimeoutMs: 300 }, answer);
    flooder.write(octetsOf(bindBody('bind_transmitter')));
    const flood = Buffer.concat(Array.from({ length: 1_000 }, () => octetsOf(message('submit_sm'))));
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
