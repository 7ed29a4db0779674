import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { Settings } from '../../../platform/settings/settings.js';
import { Logger, SETTINGS } from '../../../platform/tokens.js';
import type {
  CarrierSnapshot,
  InboundRequest,
  SentInbound,
  SubmissionPage,
} from '../infrastructure/simulator/simulated-carrier.js';
import { SimulatorProcess } from '../infrastructure/simulator/simulator-process.js';
import { noSimulatedCarrier, SimulatorControl, simulatorFailure } from './simulator-control.js';

const NAMES = ['sim-smpp-1', 'sim-smpp-2'];
/** What an SMPP password holds (SMPP 3.4, 5.2.2). */
const PASSWORD_BYTES = 4;

/** Where the simulated carriers can be reached. */
export interface SimulatedCarriers {
  readonly ports: Readonly<Record<string, number>>;
  readonly password: string;
}

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

  /** @throws Error where the carriers cannot be simulated */
  async start(): Promise<SimulatedCarriers> {
    const password = randomBytes(PASSWORD_BYTES).toString('hex');
    this.running = await SimulatorProcess.start({
      dir: join(this.settings.dataDir, 'simulator'),
      carriers: NAMES.map((name) => ({ name, type: 'smpp', password })),
      log: (line) => this.logger.info({}, line),
    });
    return { ports: this.running.ports, password };
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
