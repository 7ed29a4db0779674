import type { Server } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { createAdapter } from '../../src/app/http/adapter.js';
import { Edge } from '../../src/app/http/edge.js';
import { EdgeModule } from '../../src/app/http/edge.module.js';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import {
  noSimulatedCarrier,
  SimulatorControl,
  simulatorFailure,
} from '../../src/modules/carriers/application/simulator-control.js';
import { CarriersModule } from '../../src/modules/carriers/carriers.module.js';
import { CarriersLog } from '../../src/modules/carriers/infrastructure/carriers.storage.js';
import type {
  CarrierSnapshot,
  InboundRequest,
  SentInbound,
  SubmissionPage,
} from '../../src/modules/carriers/infrastructure/simulator/simulated-carrier.js';
import type { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';
import { until } from '../../src/modules/carriers/infrastructure/smpp/test-support/until.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import type { StoredEvent } from '../../src/shared/define-event.js';
import { SimulatedCarriers } from './carriers.js';
import { startTestDatabase, type TestDatabase } from './database.js';
import { surroundings, TEST_OPERATOR_TOKEN, testSettings } from './modules.js';

/** One simulated carrier, in this process. */
class OneSimulator extends SimulatorControl {
  constructor(private readonly smsc: SimulatedSmsc) {
    super();
  }

  async get(name: string): Promise<CarrierSnapshot> {
    if (name !== 'sim') throw noSimulatedCarrier(name);
    return this.smsc.snapshot();
  }

  async put(name: string, knobs: unknown): Promise<CarrierSnapshot> {
    await this.get(name);
    try {
      return this.smsc.put(knobs);
    } catch (error) {
      throw simulatorFailure(error);
    }
  }

  async inbound(name: string, request: InboundRequest): Promise<SentInbound> {
    await this.get(name);
    return this.smsc.inbound(request).catch((error) => {
      throw simulatorFailure(error);
    });
  }

  async submissions(name: string, query: { after: number; limit: number }): Promise<SubmissionPage> {
    await this.get(name);
    return this.smsc.submissions(query);
  }
}

export const PASSWORD = 'secret';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** The carriers' operator API over HTTP, in this process, with one simulated carrier, `sim`. */
export class CarriersHouse {
  private constructor(
    private readonly database: TestDatabase,
    readonly simulated: SimulatedCarriers,
    readonly smsc: SimulatedSmsc,
    readonly app: NestFastifyApplication,
  ) {}

  static async start(): Promise<CarriersHouse> {
    const database = await startTestDatabase(['accounts', 'carriers']);
    const simulated = new SimulatedCarriers();
    const smsc = await simulated.start('sim');
    const settings = testSettings(database.url);
    const module = await Test.createTestingModule({
      imports: [surroundings(settings), TelemetryModule, AccountsModule, CarriersModule, EdgeModule],
    })
      .overrideProvider(SimulatorControl)
      .useValue(new OneSimulator(smsc))
      .compile();
    const app = module.createNestApplication<NestFastifyApplication>(createAdapter(settings), { logger: false });
    app.get(Edge).attach(app);
    await app.listen(0, '127.0.0.1');
    await app.get(EventBus).startTails();
    return new CarriersHouse(database, simulated, smsc, app);
  }

  async stop(): Promise<void> {
    await this.app.get(EventBus).stop();
    await this.app.close();
    await this.simulated.stop();
    await this.database.stop();
  }

  get server(): Server {
    return this.app.getHttpServer();
  }

  operator(method: Method, path: string, body?: object) {
    const asked = request(this.server)[method](`/v1/operator/${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' });
    return body === undefined ? asked : asked.send(body);
  }

  /** What defines a carrier that is the simulated one. */
  carrier(name: string, over: object = {}): object {
    const { port } = this.smsc;
    return { name, type: 'smpp', host: '127.0.0.1', port, system_id: 'sim', password: PASSWORD, ...over };
  }

  async add(name: string, over: object = {}): Promise<void> {
    expect((await this.operator('post', 'carriers', this.carrier(name, over))).status).toBe(201);
  }

  /** Disables all carriers that are bound to a simulated one, but for one. */
  async disable(simulator: string, but = ''): Promise<void> {
    const { data } = (await this.operator('get', 'carriers?limit=1000')).body as {
      data: { name: string; system_id: string }[];
    };
    for (const { name } of data.filter((each) => each.system_id === simulator && each.name !== but)) {
      await this.operator('patch', `carriers/${name}`, { state: 'disabled' });
    }
    await until('they are closed', () => this.smsc.snapshot().counters.sessions === (but === '' ? 0 : 1));
  }

  /** The carrier's events: type and version of each. */
  async history(carrierName: string): Promise<string[]> {
    const log = this.app.get(CarriersLog);
    const head = await log.head();
    let events: StoredEvent[] = [];
    // What was read lately is kept, and need not have the newest.
    await until('the log was read to its head', async () => {
      events = await log.read(0);
      return head === 0 || (events.at(-1)?.position ?? 0) >= head;
    });
    return events
      .filter(({ data }) => (data as { carrier?: string }).carrier === carrierName)
      .map(({ type, version }) => `${type.split('.')[1]} ${version}`);
  }
}
