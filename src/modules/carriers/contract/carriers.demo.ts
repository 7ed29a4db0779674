/** The demo's carriers, which the development server simulates. */
export abstract class CarriersDemo {
  /**
   * Makes a carrier for each simulated one, or points the one of an earlier start to where it listens now. A carrier
   * that is new gets a route from everywhere, the first of them before the second; routes are not made again.
   *
   * @param ports where the simulated carriers listen on 127.0.0.1, by their names, first in line first
   * @param password what all of them are bound with
   */
  abstract ensureDemoCarriers(ports: Readonly<Record<string, number>>, password: string): Promise<void>;
}
