import type { CarrierDefinition } from '../../src/modules/carriers/domain/carrier.js';
import { RouteTable } from '../../src/modules/carriers/domain/route-table.js';
import { newId } from '../../src/shared/sid.js';
import { type CarrierFaults, FakeCarrier } from './fake-carrier.js';
import type { Random } from './random.js';
import type { Locks, StatementFaults } from './simulated-database.js';
import { CarriersTables } from './twins/carriers.twins.js';
import type { ConsumerTable } from './twins/consumers.twin.js';
import { LogTable } from './twins/event-log.twin.js';
import { accountWith, LedgerTable } from './twins/ledger.twin.js';
import { MessagingTables } from './twins/messages.twin.js';
import type { World } from './world.js';

export const PRICE_MICROS = 10;
export const CREDIT_MICROS = 35;

/** What outlives every process: the database, the carriers, the accounts. */
export class Shared {
  readonly locks: Locks = new Map();
  readonly messaging = new MessagingTables(new LogTable('messaging'));
  readonly carriers = new CarriersTables(new LogTable('carriers'));
  readonly ledger = new LedgerTable();
  readonly consumers: ConsumerTable = new Map();
  readonly routes = new RouteTable([
    { prefix: '', carrier: 'one', priority: 1, weight: 1 },
    { prefix: '', carrier: 'two', priority: 2, weight: 1 },
  ]);
  readonly definitions: ReadonlyMap<string, CarrierDefinition>;
  readonly networks: ReadonlyMap<string, FakeCarrier>;
  readonly accounts: readonly { readonly id: string; readonly unknownOutcome: 'retry' | 'fail' }[];
  readonly applied = new Map<string, number>();
  violation: string | null = null;

  constructor(
    readonly world: World,
    random: Random,
    readonly statementFaults: StatementFaults,
    carrierFaults: CarrierFaults,
  ) {
    const names = ['one', 'two'];
    this.definitions = new Map(names.map((name) => [name, definition(name)]));
    this.networks = new Map(names.map((name) => [name, new FakeCarrier(world, name, carrierFaults)]));
    const unknownOutcome = random.chance(0.3) ? ('retry' as const) : ('fail' as const);
    this.accounts = [
      { id: newId(), unknownOutcome: 'fail' },
      { id: newId(), unknownOutcome },
    ];
    for (const { id } of this.accounts) this.ledger.accounts.set(id, accountWith(CREDIT_MICROS));
  }

  /** The effect of events, which may come again, has happened: those that are new must be the next ones. */
  noteRepeatable(consumer: string, log: LogTable, types: readonly string[], positions: readonly number[]): void {
    const last = this.applied.get(consumer) ?? 0;
    this.noteEffect(
      consumer,
      log,
      types,
      positions.filter((position) => position > last),
    );
  }

  /** The effect of events was committed by a consumer: each must be the next one that concerns it. */
  noteEffect(consumer: string, log: LogTable, types: readonly string[], positions: readonly number[]): void {
    for (const position of positions) {
      let expected = (this.applied.get(consumer) ?? 0) + 1;
      while (expected < log.events.length && !types.includes(log.events[expected - 1]!.type)) expected++;
      if (position !== expected) {
        this.violation ??= `${consumer} had the effect of event ${position} where ${expected} is the next`;
      }
      this.applied.set(consumer, Math.max(position, this.applied.get(consumer) ?? 0));
    }
  }
}

function definition(name: string): CarrierDefinition {
  const address = { host: '', port: 0, systemId: '', password: new Uint8Array(), bind: 'transceiver' as const };
  return { name, type: 'smpp', ...address, windowSize: 5, tps: null, state: 'active', version: 1 };
}
