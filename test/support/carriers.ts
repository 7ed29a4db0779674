import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AddCarrier } from '../../src/modules/carriers/application/add-carrier.js';
import { AddRoute } from '../../src/modules/carriers/application/add-route.js';
import { BindsOwner } from '../../src/modules/carriers/application/binds-owner.js';
import { CarrierChanges } from '../../src/modules/carriers/application/carrier-changes.js';
import { CarriersFacade } from '../../src/modules/carriers/application/carriers.facade.js';
import { CarriersMetrics } from '../../src/modules/carriers/application/carriers-metrics.js';
import { ChangeCarrier } from '../../src/modules/carriers/application/change-carrier.js';
import { ForgetOrphans } from '../../src/modules/carriers/application/forget-orphans.js';
import { HandInReceipts } from '../../src/modules/carriers/application/hand-in-receipts.js';
import { HttpReceiptMetrics } from '../../src/modules/carriers/application/http-receipt-metrics.js';
import { LookUpCarriers } from '../../src/modules/carriers/application/look-up-carriers.js';
import { ReportStatus } from '../../src/modules/carriers/application/report-status.js';
import { SIMULATED_KEY, simulatedHttp } from '../../src/modules/carriers/application/simulated-http.js';
import { TakeReceipts } from '../../src/modules/carriers/application/take-receipts.js';
import { WithdrawSubmissions } from '../../src/modules/carriers/application/withdraw-submissions.js';
import type { Submission } from '../../src/modules/carriers/contract/carriers.api.js';
import { CARRIERS_EVENTS } from '../../src/modules/carriers/contract/carriers.events.js';
import type { HttpDefinition } from '../../src/modules/carriers/domain/http/definition.js';
import {
  BindsLeaseRepository,
  type HeldLease,
} from '../../src/modules/carriers/infrastructure/binds-lease.repository.js';
import { CarrierDirectory } from '../../src/modules/carriers/infrastructure/carrier-directory.js';
import { CarrierStatusRepository } from '../../src/modules/carriers/infrastructure/carrier-status.repository.js';
import { CarriersOrm } from '../../src/modules/carriers/infrastructure/carriers.orm.js';
import { CarriersQueries } from '../../src/modules/carriers/infrastructure/carriers.queries.js';
import { CarriersRepository } from '../../src/modules/carriers/infrastructure/carriers.repository.js';
import { CarriersDatabase, CarriersLog } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import { ConnectionsByType } from '../../src/modules/carriers/infrastructure/connections-by-type.js';
import { CarrierHttpClient } from '../../src/modules/carriers/infrastructure/http-carrier/carrier-http-client.js';
import { HttpConnections } from '../../src/modules/carriers/infrastructure/http-carrier/http-connections.js';
import { InboundRepository } from '../../src/modules/carriers/infrastructure/inbound.repository.js';
import { IntentsRepository } from '../../src/modules/carriers/infrastructure/intents.repository.js';
import { OrphansRepository } from '../../src/modules/carriers/infrastructure/orphans.repository.js';
import { OutcomesRepository } from '../../src/modules/carriers/infrastructure/outcomes.repository.js';
import { ReceiptInboxRepository } from '../../src/modules/carriers/infrastructure/receipt-inbox.repository.js';
import type {
  Submission as Recorded,
  SimulatedCarrier,
} from '../../src/modules/carriers/infrastructure/simulator/simulated-carrier.js';
import { SimulatedHttpCarrier } from '../../src/modules/carriers/infrastructure/simulator/simulated-http-carrier.js';
import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { SmppConnections } from '../../src/modules/carriers/infrastructure/smpp-connections.js';
import { SubmissionAuditRepository } from '../../src/modules/carriers/infrastructure/submission-audit.repository.js';
import { WithdrawalsRepository } from '../../src/modules/carriers/infrastructure/withdrawals.repository.js';
import { SecretBox } from '../../src/platform/crypto/secret-box.js';
import { PublicUrl } from '../../src/platform/http/public-url.js';
import { Metrics } from '../../src/platform/telemetry/metrics.js';
import type { Logger } from '../../src/platform/tokens.js';
import type { StoredEvent } from '../../src/shared/define-event.js';
import { newId, sidOf } from '../../src/shared/sid.js';

const SECRETS = new SecretBox('a key for the tests of 32 characters or more');
const PASSWORD = 'secret';
/** What the simulated carriers over HTTP are called with. */
export const HTTP_KEY = 'a key of theirs and ours';
const PAGE = 1000;
const VALIDITY_MS = 600_000;
const ACCOUNT = sidOf('AC', newId());

/** A log that keeps its warnings and errors for the test to look at. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  readonly debug = (): void => undefined;
  readonly notes: string[] = [];
  readonly info = (fields: object, message: string): void =>
    void this.notes.push(`${message} ${JSON.stringify(fields)}`);
  readonly warn = (fields: object, message: string): void => void this.lines.push(`${message} ${describe(fields)}`);
  readonly error = this.warn;
}

/** A lease whose holder can be made to lose touch with the database that keeps it. */
class TestLeases extends BindsLeaseRepository {
  isCut = false;

  override async renew(lease: HeldLease, leaseMs: number): Promise<boolean> {
    if (this.isCut) throw new Error('out of touch');
    return super.renew(lease, leaseMs);
  }

  override async acquire(owner: string, leaseMs: number): Promise<HeldLease | null> {
    if (this.isCut) throw new Error('out of touch');
    return super.acquire(owner, leaseMs);
  }
}

/** An owner of the binds with a shorter lease than in the field. */
class TestOwner extends BindsOwner {
  protected override readonly timing = { leaseMs: 1_500, renewMs: 200, marginMs: 200, lookMs: 50, stopMs: 10_000 };
}

/** One process of the product, as far as carriers go. */
export class CarriersWorker {
  readonly log = new KeptLog();
  readonly db: CarriersDatabase;
  readonly events: CarriersLog;
  readonly leases: TestLeases;
  readonly owner: BindsOwner;
  readonly api: CarriersFacade;
  readonly addCarrier: AddCarrier;
  readonly changeCarrier: ChangeCarrier;
  readonly addRoute: AddRoute;
  readonly lookUp: LookUpCarriers;
  readonly inbound: InboundRepository;
  readonly metrics: Metrics;
  readonly receipts: HandInReceipts;
  readonly takeReceipts: TakeReceipts;
  private readonly orm: CarriersOrm;
  private readonly http = new CarrierHttpClient();

  /** @param base where it takes receipts over HTTP */
  constructor(url: string, base: () => string = () => 'http://127.0.0.1:0') {
    this.db = new CarriersDatabase({ module: 'carriers', connectionString: url });
    this.events = new CarriersLog(this.db, CARRIERS_EVENTS);
    this.orm = new CarriersOrm(this.db);
    this.metrics = new Metrics(this.log);
    this.leases = new TestLeases(this.db);
    const directory = new CarrierDirectory(this.db);
    const changes = new CarrierChanges(this.db, this.events, directory);
    const repository = new CarriersRepository();
    const intents = new IntentsRepository(this.db);
    const queries = new CarriersQueries(this.orm, this.db);
    const metrics = new CarriersMetrics(this.metrics, queries);
    this.inbound = new InboundRepository(this.db, this.events);
    const publicUrl = new PublicUrl({ publicUrl: undefined, host: '', port: 0 }, () => null);
    publicUrl.base = base;
    this.owner = new TestOwner(
      this.leases,
      intents,
      new OutcomesRepository(this.db, this.events),
      directory,
      new ConnectionsByType(
        new SmppConnections(SECRETS, this.log),
        new HttpConnections(SECRETS, this.http, publicUrl, this.log),
      ),
      this.db,
      this.events,
      metrics,
      new ReportStatus(new CarrierStatusRepository(this.db)),
      new ForgetOrphans(new OrphansRepository(this.db), metrics, this.log),
      this.inbound,
      this.log,
    );
    this.receipts = new HandInReceipts(this.owner, new ReceiptInboxRepository(this.db), this.events, this.log);
    const counts = new HttpReceiptMetrics(this.metrics);
    this.takeReceipts = new TakeReceipts(directory, SECRETS, publicUrl, this.receipts, counts);
    const withdraw = new WithdrawSubmissions(new WithdrawalsRepository(this.db));
    const audit = new SubmissionAuditRepository(this.db);
    this.api = new CarriersFacade(directory, this.owner, withdraw, audit, this.inbound);
    this.addCarrier = new AddCarrier(changes, repository, SECRETS);
    this.changeCarrier = new ChangeCarrier(changes, repository, SECRETS);
    this.addRoute = new AddRoute(changes, repository);
    this.lookUp = new LookUpCarriers(queries, this.owner);
  }

  /** Offers submissions until all are taken. */
  async send(items: readonly Submission[]): Promise<void> {
    let left = items;
    await until('all submissions are taken', async () => {
      const results = await this.api.submit(left);
      left = left.filter((_, index) => results[index] !== 'taken');
      return left.length === 0;
    });
  }

  /** What the log says of submissions, once it says that of each. */
  async told(items: readonly Submission[], what: string): Promise<string[][]> {
    let stories: string[][] = [];
    await until(`the log says of all submissions: ${what}`, async () => {
      stories = await this.stories(items);
      return stories.every((lines) => lines.includes(what));
    });
    return stories;
  }

  /** What the log says of each submission, oldest first: `answered accepted`, `receipt 1 delivered`, `returned`. */
  async stories(items: readonly Submission[]): Promise<string[][]> {
    const told = new Map(items.map(({ key }) => [key, [] as string[]]));
    for (const event of await this.allEvents()) {
      const data = event.data as Record<string, string>;
      if (data.key !== undefined) told.get(data.key)?.push(tell(event, data));
    }
    return [...told.values()];
  }

  /** Waits until a carrier is bound and its breaker closed. */
  async bound(carrier: string): Promise<void> {
    await until(`${carrier} is bound`, async () => (await this.fares(carrier)) === 'bound closed');
  }

  /** Closes a carrier's link and opens a new one, which remembers nothing of what was. */
  async renew(carrier: string): Promise<void> {
    await this.changeCarrier.change(carrier, { state: 'disabled' });
    await until(`${carrier} is closed`, async () => (await this.fares(carrier)) === 'absent');
    await this.changeCarrier.change(carrier, { state: 'active' });
    await this.bound(carrier);
  }

  /** The session of a carrier and its breaker, in one word each. */
  async fares(carrier: string): Promise<string> {
    const { status } = await this.lookUp.find(carrier);
    return status && 'phase' in status ? `${status.phase} ${status.breaker}` : 'absent';
  }

  async allEvents(): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (let page = await this.events.read(0); page.length > 0; page = await this.events.read(all.at(-1)!.position)) {
      all.push(...page);
    }
    return all;
  }

  async close(): Promise<void> {
    await this.http.close();
    await this.orm.$disconnect();
    await this.db.close();
  }
}

/** Makes a carrier for a simulated one over HTTP, with a route from a prefix to it. */
export async function addSimulatedHttp(
  worker: CarriersWorker,
  name: string,
  carrier: SimulatedHttpCarrier,
  { prefix = '', priority = 1, over = {} as Partial<HttpDefinition>, key = HTTP_KEY } = {},
): Promise<void> {
  const http = { ...simulatedHttp(carrier.port), ...over };
  await worker.addCarrier.addHttp({ name, windowSize: 50, tps: null, http, secrets: { [SIMULATED_KEY]: key } });
  await worker.addRoute.add({ prefix, carrier: name, priority, weight: 1 });
}

/** Simulated carriers with their records in a directory of their own. */
export class SimulatedCarriers {
  private readonly dir = mkdtempSync(join(tmpdir(), 'carriers-'));
  private readonly all = new Map<string, SimulatedCarrier>();

  async start(name: string): Promise<SimulatedSmsc> {
    const smsc = await SimulatedSmsc.start({ name, dir: this.dir, password: PASSWORD });
    this.all.set(name, smsc);
    return smsc;
  }

  async startHttp(name: string): Promise<SimulatedHttpCarrier> {
    const carrier = await SimulatedHttpCarrier.start({ name, dir: this.dir, password: HTTP_KEY });
    this.all.set(name, carrier);
    return carrier;
  }

  /** Everything that a carrier was given, by its own record. */
  record(name: string): readonly Recorded[] {
    const all: Recorded[] = [];
    for (let hasMore = true; hasMore; ) {
      const page = this.all.get(name)!.submissions({ after: all.length, limit: PAGE });
      all.push(...page.data);
      ({ hasMore } = page);
    }
    return all;
  }

  /** How often a carrier was given something for the destination of each submission. */
  given(name: string, items: readonly Submission[]): number[] {
    const counts = new Map<string, number>();
    for (const { destination } of this.record(name)) counts.set(destination, (counts.get(destination) ?? 0) + 1);
    return items.map(({ to }) => counts.get(to) ?? 0);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.all.values()].map((smsc) => smsc.stop()));
    rmSync(this.dir, { recursive: true });
  }
}

/** Makes a carrier for a simulated one, with a route from a prefix to it. */
export async function addSimulated(
  worker: CarriersWorker,
  name: string,
  smsc: SimulatedSmsc,
  { prefix = '', priority = 1, window = 50, tps = null as number | null } = {},
): Promise<void> {
  await worker.addCarrier.add({
    name,
    type: 'smpp',
    host: '127.0.0.1',
    port: smsc.port,
    systemId: name,
    password: PASSWORD,
    bind: 'transceiver',
    windowSize: window,
    tps,
  });
  await worker.addRoute.add({ prefix, carrier: name, priority, weight: 1 });
}

let numbers = 0;

/** Submissions of one segment, valid for ten minutes, each to a number of its own with a prefix. */
export function submissions(count: number, over: Partial<Submission> = {}, prefix = '+1555'): Submission[] {
  return Array.from({ length: count }, () => ({
    key: sidOf('SM', newId()),
    accountSid: ACCOUNT,
    queue: '',
    from: '+15005550006',
    to: `${prefix}${String(++numbers).padStart(7, '0')}`,
    encoding: 'GSM-7',
    parts: ['hello'],
    weight: 1,
    hops: 0,
    unknownOutcome: 'fail',
    validUntil: new Date(Date.now() + VALIDITY_MS).toISOString(),
    traceparent: null,
    ...over,
  }));
}

function tell(event: StoredEvent, data: Record<string, string>): string {
  if (event.type === 'carriers.submission-returned.v1') return 'returned';
  if (event.type === 'carriers.receipt-received.v1') return `receipt ${data.segment} ${data.state}`;
  return `answered ${data.outcome}`;
}

function describe(fields: object): string {
  const { err, ...rest } = fields as { err?: unknown };
  return `${JSON.stringify(rest)} ${err instanceof Error ? err.message : ''}`;
}
