import { ListCharges } from '../../src/modules/billing/application/list-charges.js';
import { ReserveCharges } from '../../src/modules/billing/application/reserve-charges.js';
import { SettleCharges } from '../../src/modules/billing/application/settle-charges.js';
import type { BillingApi } from '../../src/modules/billing/contract/billing.api.js';
import { byPrefix, RateTable } from '../../src/modules/billing/domain/rates.js';
import { BindsOwner } from '../../src/modules/carriers/application/binds-owner.js';
import { CarriersFacade } from '../../src/modules/carriers/application/carriers.facade.js';
import { WithdrawSubmissions } from '../../src/modules/carriers/application/withdraw-submissions.js';
import type { CarrierDefinition } from '../../src/modules/carriers/domain/carrier.js';
import type { ConnectionHandlers } from '../../src/modules/carriers/domain/carrier-connection.js';
import { ChangeMessage } from '../../src/modules/messaging/application/change-message.js';
import { carriersFeed, messagingFeed } from '../../src/modules/messaging/application/dispatch-feed.js';
import { Dispatcher } from '../../src/modules/messaging/application/dispatcher.js';
import { EndHaltedMessages } from '../../src/modules/messaging/application/end-halted-messages.js';
import { EndWaiting } from '../../src/modules/messaging/application/end-waiting.js';
import { ExpireMessages } from '../../src/modules/messaging/application/expire-messages.js';
import { GiveUpSagas } from '../../src/modules/messaging/application/give-up-sagas.js';
import { KnownOptOuts } from '../../src/modules/messaging/application/known-opt-outs.js';
import { RecordCarrierOutcomes } from '../../src/modules/messaging/application/record-carrier-outcomes.js';
import { ReleaseDue } from '../../src/modules/messaging/application/release-due.js';
import { SagaOutcomes } from '../../src/modules/messaging/application/saga-outcomes.js';
import { SendMessage } from '../../src/modules/messaging/application/send-message.js';
import { SendSaga } from '../../src/modules/messaging/application/send-saga.js';
import { SettleFinalMessages } from '../../src/modules/messaging/application/settle-final-messages.js';
import { SweepReservations } from '../../src/modules/messaging/application/sweep-reservations.js';
import { Sweeper } from '../../src/modules/messaging/application/sweeper.js';
import type { Message } from '../../src/modules/messaging/domain/message.js';
import { countSegments } from '../../src/modules/messaging/domain/segments.js';
import type { DurableConsumer } from '../../src/platform/event-log/consumer.js';
import { ConsumerRunner } from '../../src/platform/event-log/consumer-runner.js';
import { TailRunner } from '../../src/platform/event-log/tail-runner.js';
import type { Logger } from '../../src/platform/tokens.js';
import type { StoredEvent } from '../../src/shared/define-event.js';
import { FakeSession, RESPONSE_TIMEOUT_MS } from './fake-carrier.js';
import { PRICE_MICROS, type Shared } from './shared.js';
import { SimulatedDatabase } from './simulated-database.js';
import { BindsLeaseTwin, IntentsTwin, OutcomesTwin, WithdrawalsTwin } from './twins/carriers.twins.js';
import { ConsumersTwin } from './twins/consumers.twin.js';
import type { Transaction } from './twins/database.js';
import { LogTwin } from './twins/event-log.twin.js';
import { ChargesTwin, LedgerTwin } from './twins/ledger.twin.js';
import { MessagesTwin } from './twins/messages.twin.js';
import {
  DispatchTwin,
  EndingsTwin,
  KeysTwin,
  OptOutsTwin,
  ScheduledTwin,
  StatusesTwin,
  SweepTwin,
  ViewsTwin,
} from './twins/messaging.twins.js';
import type { Host } from './world.js';

const CONSUMERS = { leaseMs: 5_000, pollMs: 500, maxAttempts: 5 };
const RENEW_MS = 1_600;
const RATES = new RateTable(byPrefix([]), byPrefix([{ prefix: '', priceMicros: PRICE_MICROS, currency: 'USD' }]));

/** The repositories and calls that a process is made of; a fault is planted by making one of them otherwise. */
export class Parts {
  readonly db: SimulatedDatabase;
  readonly messagingLog: LogTwin;
  readonly carriersLog: LogTwin;

  constructor(
    readonly shared: Shared,
    readonly host: Host,
  ) {
    this.db = new SimulatedDatabase(shared.world, host, shared.locks, shared.statementFaults);
    this.messagingLog = new LogTwin(shared.messaging.log, this.db);
    this.carriersLog = new LogTwin(shared.carriers.log, this.db);
  }

  ledger(): LedgerTwin {
    return new LedgerTwin(this.shared.ledger, this.db);
  }

  messages(): MessagesTwin {
    return new MessagesTwin(this.shared.messaging, this.db, this.messagingLog);
  }

  consumers(): ConsumersTwin {
    return new ConsumersTwin(this.shared.consumers, this.db, (consumer, error) => {
      this.shared.violation ??= `an event of ${consumer} was set aside: ${error}`;
    });
  }

  intents(): IntentsTwin {
    return new IntentsTwin(this.shared.carriers, this.db);
  }

  withdrawals(): WithdrawalsTwin {
    return new WithdrawalsTwin(this.shared.carriers, this.db);
  }

  outcomes(): OutcomesTwin {
    return new OutcomesTwin(this.shared.carriers, this.db, this.carriersLog);
  }

  billing(): Pick<BillingApi, 'reserve' | 'settle' | 'listCharges'> {
    const ledger = this.ledger();
    const reserve = new ReserveCharges(fits({ of: async () => RATES }), fits(ledger));
    const settle = new SettleCharges(fits(ledger));
    const list = new ListCharges(fits(new ChargesTwin(this.shared.ledger, this.db)));
    return {
      reserve: (items) => reserve.reserve(items),
      settle: (items) => settle.settle(items),
      listCharges: (input) => list.list(input),
    };
  }

  giveUp(billing: ReturnType<Parts['billing']>, messages: MessagesTwin, outcomes: SagaOutcomes): GiveUpSagas {
    return new GiveUpSagas(fits(billing), fits(messages), outcomes);
  }

  settlement(billing: ReturnType<Parts['billing']>): DurableConsumer {
    return new SettleFinalMessages(fits(billing)) as DurableConsumer;
  }

  open(definition: CarrierDefinition, handlers: ConnectionHandlers): FakeSession {
    return new FakeSession(this.shared.networks.get(definition.name)!, this.host, definition, handlers);
  }
}

export type PartsClass = typeof Parts;

/** One process of the product: its own code on twins of its storage. */
export class Product {
  readonly send: SendMessage;
  readonly change: ChangeMessage;
  private readonly starts: (() => void)[] = [];

  constructor(
    readonly host: Host,
    private readonly parts: Parts,
  ) {
    const { shared, db } = parts;
    const logger = quietLogger(shared, host);
    const clock = { now: () => db.nowMs() };
    const outcomes = new SagaOutcomes();
    const [billing, messages, intents] = [parts.billing(), parts.messages(), parts.intents()];
    const giveUp = parts.giveUp(billing, messages, outcomes);
    const sweeps = new SweepTwin(shared.messaging, db);
    const views = new ViewsTwin(shared.messaging, db);
    const keys = new KeysTwin(shared.messaging, db);
    const directory = {
      carriers: async () => shared.definitions,
      routes: async () => shared.routes,
      onChange: () => () => undefined,
    };
    const owner = new BindsOwner(
      fits(new BindsLeaseTwin(shared.carriers, db)),
      fits(intents),
      fits(parts.outcomes()),
      fits(directory),
      fits({ responseTimeoutMs: RESPONSE_TIMEOUT_MS, open: parts.open.bind(parts) }),
      fits(db),
      fits(parts.carriersLog),
      fits({ watch: () => undefined, count: () => undefined }),
      fits({ report: async () => undefined }),
      fits({ step: async () => undefined }),
      fits({ late: async () => [], forgetParts: async () => 0 }),
      logger,
    );
    const withdrawing = new WithdrawSubmissions(fits(parts.withdrawals()));
    const carriers = new CarriersFacade(fits(directory), owner, withdrawing, fits({}), fits({}));
    const endings = fits(new EndingsTwin(shared.messaging, db));
    const endWaiting = new EndWaiting(carriers, endings, fits(messages), fits(db));
    const halted = new EndHaltedMessages(fits(new StatusesTwin(shared.messaging, db)), endWaiting);
    const saga = new SendSaga(
      fits(billing),
      fits(messages),
      giveUp,
      outcomes,
      fits(clock),
      new KnownOptOuts(fits(new OptOutsTwin(shared.messaging, db))),
    );
    this.send = new SendMessage(
      fits({ validate: validation(clock) }),
      saga,
      giveUp,
      fits(keys),
      fits(views),
      fits(clock),
    );
    this.change = new ChangeMessage(endWaiting, fits(messages), fits(views), fits(db));
    const dispatcher = new Dispatcher(carriers, owner, fits(new DispatchTwin(shared.messaging, db)), endings, logger);
    const expire = new ExpireMessages(carriers, fits(sweeps), fits(messages), fits(db));
    const reservations = new SweepReservations(fits(billing), fits(messages), fits(sweeps), giveUp, fits(clock));
    const forgetful = fits({ forgetExpired: async () => 0 });
    const senders = fits({ again: async (message: Message) => message.from });
    const scheduled = fits(new ScheduledTwin(shared.messaging, db, messages));
    const due = new ReleaseDue(scheduled, fits(messages), senders, carriers, fits(db));
    const sweeper = new Sweeper(expire, halted, endWaiting, reservations, forgetful, due, logger);
    this.follow([new RecordCarrierOutcomes(fits(messages)), parts.settlement(billing)], logger);
    for (const feed of [messagingFeed(dispatcher), carriersFeed(dispatcher)]) {
      const log = this.logOf(feed.source);
      this.starts.push(
        () => void new TailRunner(fits(log), [feed], CONSUMERS.pollMs, logger).start().catch(() => host),
      );
    }
    this.starts.push(
      () => dispatcher.start(),
      () => owner.start(),
      () => sweeper.start(),
    );
  }

  start(): void {
    for (const start of this.starts) start();
  }

  get db(): SimulatedDatabase {
    return this.parts.db;
  }

  private follow(consumers: readonly DurableConsumer[], logger: Logger): void {
    const { shared, host } = this.parts;
    const store = this.parts.consumers();
    const runners: ConsumerRunner[] = [];
    for (const consumer of consumers) {
      if (!shared.consumers.has(consumer.id)) {
        shared.consumers.set(consumer.id, {
          position: 0,
          owner: null,
          epoch: 0,
          expiresAtMs: Number.NEGATIVE_INFINITY,
        });
      }
      const log = this.logOf(consumer.source);
      const seen = probe(consumer, log, shared);
      const runner = new ConsumerRunner(seen, fits(log), fits(store), host.name, CONSUMERS, logger);
      this.starts.push(() => runner.start());
      runners.push(runner);
    }
    const renew = () => {
      const forget = (held: string[]) => {
        for (const runner of runners) if (!held.includes(runner.consumer.id)) runner.forget();
      };
      if (runners.some(({ owned }) => owned)) store.renew(host.name, CONSUMERS.leaseMs).then(forget, () => undefined);
    };
    this.starts.push(() => void setInterval(renew, RENEW_MS));
  }

  private logOf(source: string): LogTwin {
    return source === 'carriers' ? this.parts.carriersLog : this.parts.messagingLog;
  }
}

/** A twin, or a stub of what plays no part, in the place of the class that it stands for. */
function fits(part: object): never {
  return part as never;
}

/** Tells the world of every effect that is committed. */
function probe(consumer: DurableConsumer, log: LogTwin, shared: Shared): DurableConsumer {
  const { id, source, types } = consumer;
  const positionsOf = (events: readonly StoredEvent[]) => events.map((event) => event.position);
  const { apply } = consumer;
  if (!apply) {
    const prepare = async (events: readonly StoredEvent[]) => {
      await consumer.prepare?.(events);
      shared.noteRepeatable(id, log.table, types, positionsOf(events));
    };
    return { id, source, types, prepare };
  }
  return {
    id,
    source,
    types,
    prepare: async (events) => consumer.prepare?.(events),
    apply: async (tx, events, prepared) => {
      const { writes } = tx as unknown as Transaction;
      writes.push(() => shared.noteEffect(id, log.table, types, positionsOf(events)));
      return apply.call(consumer, tx, events, prepared);
    },
  };
}

/** What requests ask for has been checked: here they are all good. */
function validation(clock: { now(): number }) {
  return async (_principal: unknown, request: Record<string, string>) => {
    const { encoding, segments } = countSegments(request.Body!);
    const { To: to, Body: body, Validity, SendIn } = request;
    const schedule = SendIn ? { sendAt: new Date(clock.now() + Number(SendIn)), isFromAsked: false } : null;
    const rest = { from: '+15005550006', queue: 'one', callbackUrl: null, serviceId: null, intent: undefined };
    return { to, body, encoding, segments, validitySeconds: Number(Validity), schedule, ...rest };
  };
}

function quietLogger({ world }: Shared, host: Host): Logger {
  const write = (fields: object, message: string) => {
    if (world.isTracing)
      world.note(`  ${host.name} says: ${message} ${(fields as { err?: Error }).err?.message ?? ''}`);
  };
  return { debug: () => undefined, info: () => undefined, warn: write, error: write };
}
