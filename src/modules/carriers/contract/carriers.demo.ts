/** A simulated carrier that listens on 127.0.0.1. */
export interface DemoCarrier {
  readonly name: string;
  readonly type: 'smpp' | 'http';
  readonly port: number;
  /** What its clients prove themselves with, and what one over HTTP signs its receipts with. */
  readonly password: string;
}

/** The demo's carriers, which the development server simulates. */
export abstract class CarriersDemo {
  /**
   * Makes a carrier for each simulated one, or points the one of an earlier start to where it listens now. A carrier
   * that is new gets a route from everywhere, the first of them before the second; routes are not made again.
   *
   * @param carriers the simulated ones, first in line first
   */
  abstract ensureDemoCarriers(carriers: readonly DemoCarrier[]): Promise<void>;
}
