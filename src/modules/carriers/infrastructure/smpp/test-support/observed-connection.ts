import { newId } from '../../../../../shared/sid.js';
import type { CarrierDefinition } from '../../../domain/carrier.js';
import type { CarrierReceipt, Outgoing } from '../../../domain/carrier-connection.js';
import type { CarrierInbound } from '../../../domain/inbound.js';
import { SmppConnection, type SmppTimings } from '../../smpp-connection.js';
import { until } from './until.js';

const ignore = (): void => undefined;

/** A carrier at a port of this machine. */
export function carrierAt(port: number, over: Partial<CarrierDefinition> = {}): CarrierDefinition {
  return {
    name: 'carrier',
    type: 'smpp',
    host: '127.0.0.1',
    port,
    systemId: 'someone',
    password: Buffer.from('sealed'),
    bind: 'transceiver',
    windowSize: 10,
    tps: null,
    state: 'active',
    version: 1,
    ...over,
  };
}

/** A message to a number, of these segments. */
export function outgoingOf(parts: readonly string[] = ['hello'], over: Partial<Outgoing> = {}): Outgoing {
  return {
    key: newId(),
    accountId: newId(),
    intentId: newId(),
    from: '+15005550006',
    to: '+15555550100',
    encoding: 'GSM-7',
    parts,
    retryUnknown: false,
    hops: 0,
    weight: 1,
    validUntilMs: Number.POSITIVE_INFINITY,
    candidates: [],
    carrier: 'carrier',
    attempts: 0,
    exhausted: new Set(),
    messageIds: parts.map(() => null),
    ...over,
  };
}

/** A connection with quick timings, and what it was told. */
export class ObservedConnection {
  readonly receipts: CarrierReceipt[] = [];
  readonly inbound: CarrierInbound[] = [];
  readonly connection: SmppConnection;

  constructor(
    carrier: CarrierDefinition,
    { password = 'secret', ...timings }: Partial<SmppTimings & { password: string }> = {},
  ) {
    this.connection = new SmppConnection(
      carrier,
      password,
      {
        responseTimeoutMs: 10_000,
        enquireLinkIntervalMs: 60_000,
        bindTimeoutMs: 10_000,
        reconnect: { baseMs: 5, maxMs: 20 },
        random: () => 0.5,
        ...timings,
      },
      {
        onReceipt: async (receipt) => void this.receipts.push(receipt),
        onInbound: async (inbound) => void this.inbound.push(inbound),
        onState: () => undefined,
      },
      { debug: ignore, info: ignore, warn: ignore, error: ignore },
    );
  }

  /** Waits until all its binds are there. */
  async bound(): Promise<SmppConnection> {
    const { connection } = this;
    connection.start();
    await until('all its binds are there', () => connection.state.bound === connection.state.binds);
    return connection;
  }
}
