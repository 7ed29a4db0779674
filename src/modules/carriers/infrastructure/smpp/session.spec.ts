import { CommandId } from './pdu.js';
import { acceptAll, boundEsme, Connection, ObservedSession, smsc } from './test-support/session-pair.js';
import { until } from './test-support/until.js';
import { bindBody, message, octetsOf } from './test-support/wire.js';

let connection: Connection;

beforeEach(async () => {
  connection = await Connection.open();
});

afterEach(async () => {
  await connection.close();
});

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
    const [esme, peer] = await boundEsme(connection, { window: 2 });
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
    const [esme, peer] = await boundEsme(connection, { responseTimeoutMs: 40 });
    expect(await esme.send(message('submit_sm'))).toEqual({ kind: 'unknown', reason: 'timeout' });
    peer.send({ command: 'submit_sm_resp', messageId: 'late' }, 2);
    peer.send({ command: 'enquire_link' }, 3);
    await peer.next('enquire_link_resp', 3);
    expect(esme.session.answeredRequests).toBe(1);
    expect(esme.session.credit).toBe(10);
  });

  test('answers to nothing, twice, or to another command settle nothing', async () => {
    const [esme, peer] = await boundEsme(connection);
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
    const [esme, peer] = await boundEsme(connection);
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    peer.send({ command: 'generic_nack' }, 2, 3);
    expect(await outcome).toEqual({ kind: 'answered', commandStatus: 3, id: '' });
  });

  test('an answer whose id cannot be read still says that the message was taken', async () => {
    const [esme, peer] = await boundEsme(connection);
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
    const [esme] = await boundEsme(connection);
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
    const [esme, peer] = await boundEsme(connection);
    const left = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    const queued = esme.send(message('submit_sm'));
    esme.session.destroy('cut');
    expect(await left).toEqual({ kind: 'unknown', reason: 'disconnected' });
    expect(await queued).toEqual({ kind: 'unsent', reason: 'cut' });
    expect(esme.closeReasons).toEqual(['cut']);
  });

  test('the end of the peer is the end of the session', async () => {
    const [esme, peer] = await boundEsme(connection);
    const outcome = esme.send(message('submit_sm'));
    await peer.next('submit_sm', 2);
    peer.socket.resetAndDestroy();
    expect(await outcome).toEqual({ kind: 'unknown', reason: 'disconnected' });
    await esme.session.closed;
    expect(esme.closeReasons).toHaveLength(1);
  });

  test('sequence numbers go up from 1 and an answer with any order finds its request', async () => {
    const [esme, peer] = await boundEsme(connection);
    const outcomes = [1, 2, 3].map(() => esme.send(message('submit_sm')));
    await peer.next('submit_sm', 4);
    for (const sequence of [4, 2, 3]) peer.send({ command: 'submit_sm_resp', messageId: `${sequence}` }, sequence);
    const ids = (await Promise.all(outcomes)).map((outcome) => outcome.kind === 'answered' && outcome.id);
    expect(ids).toEqual(['2', '3', '4']);
  });
});

describe('the state of the bind', () => {
  test('what needs a bind is refused without one', async () => {
    const [server, peer] = await smsc(connection);
    peer.send(message('submit_sm'), 7);
    expect(await peer.next('submit_sm_resp', 7)).toMatchObject({ commandStatus: 0x04 });
    expect(server.requests).toEqual([]);
  });

  test('a second bind, and a command of the other side, are refused', async () => {
    const [, peer] = await smsc(connection);
    peer.send(bindBody('bind_transceiver'), 1);
    peer.send(bindBody('bind_receiver'), 2);
    peer.send(message('deliver_sm'), 3);
    expect(await peer.next('bind_transceiver_resp', 1)).toMatchObject({ commandStatus: 0, systemId: 'id' });
    expect(await peer.next('bind_receiver_resp', 2)).toMatchObject({ commandStatus: 0x05 });
    expect(await peer.next('deliver_sm_resp', 3)).toMatchObject({ commandStatus: 0x04 });
  });

  test('a receiver may not submit, and no SMSC may bind to its client', async () => {
    const [server, peer] = await smsc(connection);
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
    const [server, peer] = await smsc(connection, { bindTimeoutMs: 30 });
    await until('the connection was closed', () => peer.closed);
    expect(server.closeReasons).toEqual(['no bind came in time']);
  });
});

test('waiting until a session is idle ends with its work, or with the time', async () => {
  const [esme, peer] = await boundEsme(connection);
  await esme.session.idle(0);
  const outcome = esme.send(message('submit_sm'));
  await esme.session.idle(10);
  expect(esme.session.credit).toBe(9);
  const idle = esme.session.idle(20_000);
  await peer.next('submit_sm', 2);
  peer.send({ command: 'submit_sm_resp', messageId: 'a' }, 2);
  await Promise.all([idle, outcome]);
});
