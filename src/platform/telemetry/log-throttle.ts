export interface ThrottledLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const QUIET_MS = 10_000;

/** Writes one line for a trouble that reports itself over and over, with how often it did since the last line. */
export class LogThrottle {
  private suppressed = 0;
  private loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly log: ThrottledLog) {}

  warn(fields: object, message: string): void {
    if (performance.now() - this.loggedAtMs < QUIET_MS) {
      this.suppressed++;
      return;
    }
    this.log.warn(this.suppressed > 0 ? { ...fields, suppressed: this.suppressed } : fields, message);
    this.loggedAtMs = performance.now();
    this.suppressed = 0;
  }
}
