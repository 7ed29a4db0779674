import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { Settings } from '../../../platform/settings/settings.js';
import { Logger, SETTINGS } from '../../../platform/tokens.js';
import type { DemoCarrier } from '../contract/carriers.demo.js';
import type {
  CarrierSnapshot,
  InboundRequest,
  SentInbound,
  SubmissionPage,
} from '../infrastructure/simulator/simulated-carrier.js';
import { SimulatorProcess } from '../infrastructure/simulator/simulator-process.js';
import { noSimulatedCarrier, SimulatorControl, simulatorFailure } from './simulator-control.js';

const CARRIERS = [
  { name: 'sim-smpp-1', type: 'smpp' },
  { name: 'sim-smpp-2', type: 'smpp' },
  { name: 'sim-http-1', type: 'http' },
] as const;
/** As much as an SMPP password holds (SMPP 3.4, 5.2.2); one that signs receipts needs more. */
const PASSWORD_BYTES = { smpp: 4, http: 16 };

/** Runs the simulated carriers, in a process of their own, and passes on what operators want of them. */
@Injectable()
export class RunSimulator extends SimulatorControl {
  private running: SimulatorProcess | null = null;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    super();
  }

  /**
   * Returns the carriers, first in line first.
   *
   * @throws Error where they cannot be simulated
   */
  async start(): Promise<DemoCarrier[]> {
    const carriers = CARRIERS.map(({ name, type }) => {
      return { name, type, password: randomBytes(PASSWORD_BYTES[type]).toString('hex') };
    });
    this.running = await SimulatorProcess.start({
      dir: join(this.settings.dataDir, 'simulator'),
      carriers,
      log: (line) => this.logger.info({}, line),
    });
    const { ports } = this.running;
    return carriers.map((carrier) => ({ ...carrier, port: ports[carrier.name]! }));
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = null;
  }

  get(name: string): Promise<CarrierSnapshot> {
    return this.ask(name, (simulator) => simulator.get(name));
  }

  put(name: string, knobs: unknown): Promise<CarrierSnapshot> {
    return this.ask(name, (simulator) => simulator.put(name, knobs));
  }

  submissions(name: string, query: { after: number; limit: number }): Promise<SubmissionPage> {
    return this.ask(name, (simulator) => simulator.submissions(name, query));
  }

  inbound(name: string, request: InboundRequest): Promise<SentInbound> {
    return this.ask(name, (simulator) => simulator.inbound(name, request));
  }

  private async ask<T>(name: string, question: (simulator: SimulatorProcess) => Promise<T>): Promise<T> {
    if (!this.running || !Object.hasOwn(this.running.ports, name)) throw noSimulatedCarrier(name);
    try {
      return await question(this.running);
    } catch (error) {
      throw simulatorFailure(error);
    }
  }
}
