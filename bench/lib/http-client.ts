export interface ClientPlan {
  readonly urls: readonly string[];
  readonly connectionsPerUrl: number;
  readonly durationMs: number;
}

export type ClientMethods = {
  /** Requests a second that are answered. */
  run(plan: ClientPlan): Promise<number>;
};
