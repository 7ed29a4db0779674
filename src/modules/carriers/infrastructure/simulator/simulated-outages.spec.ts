import { until } from '../smpp/test-support/until.js';
import { bindBody, message, RawPeer } from '../smpp/test-support/wire.js';
import { KnobError } from './knobs.js';
import { idOf, receiptsOf, Simulation, textTo } from './test-support/simulation.js';

const TEXT = textTo('+15555550100');

let simulation: Simulation;

beforeEach(async () => {
  simulation = new Simulation();
  await simulation.start({ random: () => 0.5 });
});

afterEach(async () => {
  await simulation.end();
});

/** A raw client that is bound as a transceiver. */
async function boundPeer(): Promise<RawPeer> {
  const peer = await RawPeer.connect(simulation.smsc.port);
  peer.send({ ...bindBody('bind_transceiver'), systemId: 'sim' }, 1);
  await peer.next('bind_transceiver_resp');
  return peer;
}

test('the snapshot shows the knobs and the counters; a wrong knob changes nothing', async () => {
  const client = await simulation.bound();
  await client.client.submit(TEXT);
  const after = simulation.smsc.put({ latency_ms: 1, error_rate: 0.25 });
  expect(after).toMatchObject({ name: 'sim', type: 'smpp', port: simulation.smsc.port });
  expect(after.knobs).toMatchObject({ outage: 'none', latency_ms: 1, error_rate: 0.25 });
  expect(after.counters).toMatchObject({
    submitted: 1,
    answered: 1,
    accepted: 1,
    throttled: 0,
    failed: 0,
    sessions: 1,
  });
  expect(() => simulation.smsc.put({ latency_ms: 5, outage: 'maybe' })).toThrow(KnobError);
  expect(simulation.smsc.snapshot().knobs.latency_ms).toBe(1);
});

describe('outages', () => {
  test('refuse: who is in is thrown out and nobody gets in, until it is over', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ outage: 'refuse' });
    await until('it was thrown out', () => client.client.state.phase !== 'bound');
    const tries = client.phases.length;
    await until('it tried again in vain', () => client.phases.length > tries + 4);
    expect(client.phases.slice(tries)).not.toContain('bound');
    simulation.smsc.put({ outage: 'none' });
    await client.bound();
    expect(await client.client.submit(TEXT)).toMatchObject({ kind: 'answered', commandStatus: 0 });
  });

  test('reset: traffic cuts the connection and nothing is taken', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ outage: 'reset' });
    expect(client.client.state.phase).toBe('bound');
    expect(await client.client.submit(TEXT)).toEqual({ kind: 'unknown', reason: 'disconnected' });
    await client.down('the session ended during the bind');
    expect(simulation.smsc.snapshot().counters.submitted).toBe(0);
    simulation.smsc.put({ outage: 'none' });
    await client.bound();
    expect(await client.client.submit(TEXT)).toMatchObject({ kind: 'answered', commandStatus: 0 });
  });

  test('blackhole: what is read is never answered, on old connections and new ones', async () => {
    const client = await simulation.bound({ responseTimeoutMs: 50 });
    simulation.smsc.put({ outage: 'blackhole' });
    expect(await client.client.submit(TEXT)).toEqual({ kind: 'unknown', reason: 'timeout' });
    const late = simulation.client({ bindTimeoutMs: 50 });
    late.client.start();
    await late.down('the carrier did not answer the bind in time');
    expect(simulation.smsc.snapshot().counters).toMatchObject({ submitted: 0, sessions: 0 });
    simulation.smsc.put({ outage: 'none' });
    await until('both are back', () => simulation.smsc.snapshot().counters.sessions === 2);
    const fresh = await simulation.bound();
    expect(await fresh.client.submit(TEXT)).toMatchObject({ kind: 'answered', commandStatus: 0 });
  });

  test('receipts wait until the blackhole is over', async () => {
    simulation.smsc.put({ receipt_delay_ms: 50 });
    const client = await simulation.bound();
    await client.client.submit(TEXT);
    simulation.smsc.put({ outage: 'blackhole' });
    simulation.smsc.put({ outage: 'refuse' });
    simulation.smsc.put({ outage: 'none' });
    await until('the receipt came', () => client.delivered.length === 1);
  });
});

describe('answers', () => {
  test('latency_ms: wait, and the receipt still comes after', async () => {
    simulation.smsc.put({ latency_ms: 60_000 });
    const peer = await boundPeer();
    peer.send(message('submit_sm'), 2);
    await until('it was taken', () => simulation.smsc.snapshot().counters.accepted === 1);
    expect(simulation.smsc.snapshot().counters).toMatchObject({ answered: 0, receipts: 0 });
    simulation.smsc.put({ latency_ms: 10 });
    peer.send(message('submit_sm'), 3);
    await peer.next('deliver_sm');
    expect(peer.received.map(({ command }) => command)).toEqual([
      'bind_transceiver_resp',
      'submit_sm_resp',
      'deliver_sm',
    ]);
    peer.socket.destroy();
  });

  test('error_rate: that share is answered with a temporary error and not recorded', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ error_rate: 0.51 });
    expect(await client.client.submit(TEXT)).toEqual({ kind: 'answered', commandStatus: 0x08, messageId: '' });
    simulation.smsc.put({ error_rate: 0.5 });
    expect(await client.client.submit(TEXT)).toMatchObject({ commandStatus: 0 });
    expect(simulation.smsc.submissions({ limit: 10 }).data).toHaveLength(1);
    expect(simulation.smsc.snapshot().counters).toMatchObject({ submitted: 2, failed: 1, accepted: 1 });
  });

  test('throttle_tps: above it the client is told to slow down', async () => {
    const client = await simulation.bound({ window: 100 });
    simulation.smsc.put({ throttle_tps: 10 });
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => client.client.submit(TEXT)));
    const statuses = outcomes.map((outcome) => outcome.kind === 'answered' && outcome.commandStatus);
    const taken = statuses.filter((status) => status === 0).length;
    expect(taken).toBeGreaterThanOrEqual(10);
    // The 60 arrive within one second, which can reach into two of the carrier's.
    expect(taken).toBeLessThanOrEqual(20);
    expect(statuses.filter((status) => status === 0x58)).toHaveLength(60 - taken);
    simulation.smsc.put({ throttle_tps: 0 });
    expect(await client.client.submit(TEXT)).toMatchObject({ commandStatus: 0 });
  });
});

describe('receipts', () => {
  test('receipt_delay_ms: come later', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ receipt_delay_ms: 60_000 });
    await client.client.submit(textTo('+15555550101'));
    expect(simulation.smsc.snapshot().counters).toMatchObject({ receipts: 0, receipts_pending: 1 });
    simulation.smsc.put({ receipt_delay_ms: 10 });
    await client.client.submit(textTo('+15555550102'));
    await until('the receipt came', () => client.delivered.length === 1);
    expect(client.delivered[0]?.sourceAddress).toBe('15555550102');
  });

  test('receipt_loss_rate: that share never comes', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ receipt_loss_rate: 0.51 });
    await client.client.submit(textTo('+15555550101'));
    simulation.smsc.put({ receipt_loss_rate: 0.5 });
    await client.client.submit(textTo('+15555550102'));
    await until('the other one came', () => client.delivered.length === 1);
    expect(client.delivered[0]?.sourceAddress).toBe('15555550102');
    await until('it is settled', () => simulation.smsc.snapshot().counters.receipts_pending === 0);
    expect(simulation.smsc.snapshot().counters).toMatchObject({ receipts: 1, receipts_lost: 1 });
    await client.client.stop();
    await simulation.stopCarrier();
    await simulation.start();
    expect(simulation.smsc.snapshot().counters.receipts_pending).toBe(0);
  });

  test('receipt_duplicate_rate: that share comes twice', async () => {
    const client = await simulation.bound();
    simulation.smsc.put({ receipt_duplicate_rate: 0.51 });
    const id = idOf(await client.client.submit(TEXT));
    await until('two came', () => client.delivered.length === 2);
    expect(receiptsOf(client).map(({ messageId }) => messageId)).toEqual([id, id]);
  });

  test('receipt_before_response: the receipt is first', async () => {
    simulation.smsc.put({ receipt_before_response: true, receipt_delay_ms: 60_000 });
    const peer = await boundPeer();
    peer.send(message('submit_sm'), 2);
    const answer = await peer.next('submit_sm_resp');
    expect(peer.received.map(({ command }) => command)).toEqual([
      'bind_transceiver_resp',
      'deliver_sm',
      'submit_sm_resp',
    ]);
    expect(answer).toMatchObject({
      commandStatus: 0,
      messageId: simulation.smsc.submissions({ limit: 1 }).data[0]?.id,
    });
    peer.socket.destroy();
  });
});
