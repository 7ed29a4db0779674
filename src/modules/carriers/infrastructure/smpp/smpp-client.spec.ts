import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import type { SmppClientOptions } from './smpp-client.js';
import { acceptAll, ObservedSession } from './test-support/session-pair.js';
import { ObservedClient, TestSmsc } from './test-support/test-smsc.js';
import { until } from './test-support/until.js';
import { message, TestServer } from './test-support/wire.js';

const SUBMISSION = { destinationAddress: '15555550100', shortMessage: Buffer.from('hello') };

let smsc: TestSmsc;
const clients: ObservedClient[] = [];

function client(options: Partial<SmppClientOptions> = {}, onDeliver?: () => Promise<void>): ObservedClient {
  const made = new ObservedClient(smsc.port, options, onDeliver);
  clients.push(made);
  return made;
}

beforeEach(async () => {
  smsc = await TestSmsc.start();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.client.stop()));
  await smsc.die();
});

describe('submitting', () => {
  test('is answered with the id of the carrier; receipts are asked for', async () => {
    const { client: bound } = await client().bound();
    expect(bound.credit).toBe(10);
    const outcome = await bound.submit({ ...SUBMISSION, sourceAddress: 'me', esmClass: 0x40 });
    expect(outcome).toEqual({ kind: 'answered', commandStatus: 0, messageId: 'id-2' });
    expect(smsc.submitted).toMatchObject([{ sourceAddress: 'me', esmClass: 0x40, registeredDelivery: 1 }]);
  });

  test('a refusal is an answer', async () => {
    smsc.answer = (request, responder) => responder.respond(request, 0x58);
    const { client: bound } = await client().bound();
    expect(await bound.submit(SUBMISSION)).toEqual({ kind: 'answered', commandStatus: 0x58, messageId: '' });
  });

  test('without a bind, or beyond the window, nothing is sent', async () => {
    const made = client({ window: 1 });
    expect(await made.client.submit(SUBMISSION)).toEqual({ kind: 'unsent', reason: 'not bound to the carrier' });
    smsc.answer = () => undefined;
    const { client: bound } = await made.bound();
    const first = bound.submit(SUBMISSION);
    expect(bound.credit).toBe(0);
    expect(await bound.submit(SUBMISSION)).toEqual({ kind: 'unsent', reason: 'the window is full' });
    await until('the first one arrived', () => smsc.submitted.length === 1);
    await smsc.die();
    expect(await first).toEqual({ kind: 'unknown', reason: 'disconnected' });
  });

  test('without an answer in time the outcome is unknown and its place in the window is free', async () => {
    smsc.answer = () => undefined;
    const { client: bound } = await client({ window: 1, responseTimeoutMs: 40 }).bound();
    expect(await bound.submit(SUBMISSION)).toEqual({ kind: 'unknown', reason: 'timeout' });
    expect(bound.credit).toBe(1);
  });

  test('a carrier that goes away leaves every submission with one outcome', async () => {
    let taken = 0;
    smsc.answer = (request, responder) => {
      taken += 1;
      if (taken % 2 === 0) responder.respond(request, 0, 'id');
      if (taken === 60) void smsc.die();
    };
    const { client: bound } = await client({ window: 100 }).bound();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => bound.submit(SUBMISSION)));
    const answered = outcomes.filter(({ kind }) => kind === 'answered').length;
    const unknown = outcomes.filter(({ kind }) => kind === 'unknown').length;
    expect(answered + unknown).toBe(100);
    expect(unknown).toBeGreaterThan(0);
  });
});

describe('deliveries', () => {
  test('are answered only when the handler is done', async () => {
    const gate = Promise.withResolvers<void>();
    const observed = await client({}, () => gate.promise).bound();
    const outcome = smsc.bound[0]!.send(message('deliver_sm'));
    await until('it was delivered', () => observed.delivered.length === 1);
    expect(smsc.bound[0]!.session.credit).toBe(99);
    gate.resolve();
    expect(await outcome).toMatchObject({ kind: 'answered', commandStatus: 0 });
  });

  test('are sent again later where the handler fails', async () => {
    await client({}, () => Promise.reject(new Error('no room'))).bound();
    const outcome = await smsc.bound[0]!.send(message('deliver_sm'));
    expect(outcome).toMatchObject({ kind: 'answered', commandStatus: 0x64 });
  });
});

describe('the bind', () => {
  test('comes back by itself after the carrier was gone', async () => {
    const observed = await client().bound();
    await smsc.die();
    await observed.down('ECONNREFUSED');
    expect(observed.client.credit).toBe(0);
    await smsc.listen();
    await observed.bound();
    expect(await observed.client.submit(SUBMISSION)).toMatchObject({ kind: 'answered' });
  });

  test('says in plain words why it is refused', async () => {
    const observed = client({ password: 'wrong' });
    observed.client.start();
    await observed.down('the carrier refused the bind: invalid password (0x0E)');
    expect(observed.client.state.phase).not.toBe('bound');
    smsc.bindStatus = 0x0d;
    const other = client();
    other.client.start();
    await other.down('the carrier refused the bind: bind failed (0x0D)');
  });

  test('says in plain words why there is no connection', async () => {
    const { port } = smsc;
    await smsc.die();
    for (const [host, why] of [
      ['127.0.0.1', 'nothing takes connections there (ECONNREFUSED)'],
      ['localhost', 'nothing takes connections there (ECONNREFUSED)'],
      ['a..b', 'there is no host of that name (ENOTFOUND)'],
    ] as const) {
      const observed = client({ host });
      observed.client.start();
      await observed.down(`cannot connect to ${host}:${port}: ${why}`);
    }
  });

  test.each([
    [0, [20, 40, 80, 80]],
    [0.999, [39, 79, 159, 159]],
  ])('is tried again after longer and longer, spread by chance: %d', async (chance, leastMs) => {
    await smsc.die();
    const observed = client({ reconnect: { baseMs: 40, maxMs: 160 }, random: () => chance });
    observed.client.start();
    await until('it tried five times', () => observed.phases.filter((phase) => phase === 'connecting').length === 5);
    const waits = observed.times.flatMap((at, index) =>
      observed.phases[index] === 'connecting' && index > 0 ? at - observed.times[index - 1]! : [],
    );
    expect(waits).toHaveLength(4);
    // A timer is late at times, and never early by more than its own grain.
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(leastMs[index]! - 2);
  });

  test('waits longest where trying again cannot help', async () => {
    const observed = client({ password: 'wrong', reconnect: { baseMs: 1, maxMs: 60_000 } });
    const patient = client({ reconnect: { baseMs: 1, maxMs: 60_000 } });
    smsc.bindStatus = 0x0d;
    observed.client.start();
    patient.client.start();
    await observed.down('invalid password');
    await until('the other one tried often', () => patient.phases.filter((phase) => phase === 'down').length >= 4);
    expect(observed.phases).toEqual(['connecting', 'down']);
  });

  test('is given up where the carrier does not answer it, or closes', async () => {
    const silent = await TestServer.listen(() => undefined);
    const closing = await TestServer.listen((socket) => socket.destroy());
    const waiting = new ObservedClient(silent.port, { bindTimeoutMs: 40 });
    const rejected = new ObservedClient(closing.port);
    clients.push(waiting, rejected);
    waiting.client.start();
    rejected.client.start();
    await waiting.down('did not answer the bind in time');
    await rejected.down('the session ended during the bind');
    await Promise.all([silent.close(), closing.close()]);
  });

  test('of a transmitter and a receiver is one: both are up, or both down', async () => {
    const observed = await client({ bind: 'transmitter_receiver' }).bound();
    expect(smsc.bound.map(({ session }) => session.bind).toSorted()).toEqual(['bind_receiver', 'bind_transmitter']);
    expect(await observed.client.submit(SUBMISSION)).toMatchObject({ kind: 'answered' });
    const receiver = smsc.bound.find(({ session }) => session.bind === 'bind_receiver')!;
    expect(await receiver.send(message('deliver_sm'))).toMatchObject({ commandStatus: 0 });
    const before = smsc.bound;
    receiver.session.destroy('test');
    await until(
      'both were replaced',
      () => smsc.bound.length === 2 && !smsc.bound.some((each) => before.includes(each)),
    );
    await observed.bound();
    expect(before.every(({ session }) => session.bind === null)).toBe(true);
    expect(observed.delivered).toHaveLength(1);
  });

  test('of a pair fails as one', async () => {
    const observed = client({ bind: 'transmitter_receiver', password: 'wrong' });
    observed.client.start();
    await observed.down('invalid password');
    await until('nothing is left open', () => smsc.sessions.every(({ closeReasons }) => closeReasons.length === 1));
    expect(observed.phases).not.toContain('bound');
  });

  test('with TLS is made only where the certificate is trusted', async () => {
    const files = selfSigned();
    if (files === null) return;
    const server = tls.createServer(files, (socket) => {
      new ObservedSession(socket, { role: 'smsc' }, acceptAll);
    });
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const observed = new ObservedClient((server.address() as AddressInfo).port, { tls: true });
    observed.client.start();
    await observed.down('SELF_SIGNED');
    const trusted = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...trusted, files.cert]);
    await observed.bound();
    expect(await observed.client.submit(SUBMISSION)).toMatchObject({ kind: 'answered', commandStatus: 0 });
    tls.setDefaultCACertificates(trusted);
    await observed.client.stop();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
});

describe('stopping', () => {
  test('waits for the answers that are under way, unbinds and takes no more', async () => {
    const answers: (() => void)[] = [];
    smsc.answer = (request, responder) => answers.push(() => responder.respond(request, 0, 'late'));
    const observed = await client().bound();
    const outcome = observed.client.submit(SUBMISSION);
    await until('it arrived', () => answers.length === 1);
    const stopped = observed.client.stop();
    expect(observed.client.credit).toBe(0);
    expect(await observed.client.submit(SUBMISSION)).toMatchObject({ kind: 'unsent' });
    answers[0]!();
    expect(await outcome).toEqual({ kind: 'answered', commandStatus: 0, messageId: 'late' });
    await stopped;
    await until('the carrier saw it', () => smsc.sessions[0]!.closeReasons.length > 0);
    expect(smsc.sessions[0]!.closeReasons).toEqual(['the peer unbound']);
    expect(observed.client.state).toEqual({ phase: 'down', error: null });
  });

  test('does not wait for ever', async () => {
    smsc.answer = () => undefined;
    const observed = await client({ responseTimeoutMs: 50 }).bound();
    const outcome = observed.client.submit(SUBMISSION);
    await observed.client.stop();
    expect(await outcome).toMatchObject({ kind: 'unknown' });
  });

  test('works at any time', async () => {
    const silent = await TestServer.listen(() => undefined);
    const binding = new ObservedClient(silent.port);
    binding.client.start();
    await until('it connected', () => silent.connections.length === 1);
    await Promise.all([binding.client.stop(), binding.client.stop(), client().client.stop()]);
    const { port } = silent;
    await silent.close();
    const waiting = new ObservedClient(port, { reconnect: { baseMs: 60_000, maxMs: 60_000 } });
    waiting.client.start();
    await waiting.down('ECONNREFUSED');
    await waiting.client.stop();
    expect(waiting.client.state.phase).toBe('down');
  });
});

/** A certificate that nobody trusts yet; null, and said aloud, where this machine has no openssl. */
function selfSigned(): { key: string; cert: string } | null {
  const directory = mkdtempSync(path.join(tmpdir(), 'smpp-tls-'));
  const [key, cert] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=carrier', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-nodes'];
  try {
    const command = ['req', '-x509', '-newkey', 'rsa:2048', ...subject, '-keyout', key, '-out', cert];
    execFileSync('openssl', command, { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    console.warn('left out: the TLS test needs openssl');
    return null;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
