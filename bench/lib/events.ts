export type GraphileMethods = {
  prepare(url: string): Promise<void>;
  /** Jobs a second, from the start of the worker until none is left; each writes a row where `effect` says so. */
  run(options: { jobs: number; effect: boolean }): Promise<number>;
};

export type EventMethods = {
  /** Makes the log and fills it. */
  prepare(options: { url: string; events: number; streams: number }): Promise<void>;
  /**
   * Events a second that a new consumer takes from the log, each with a row of its own. Throws unless every event of
   * every stream had its effect once and in order.
   */
  run(round: number): Promise<number>;
};
