/** Upper bounds of the buckets, in milliseconds; `le` is given in seconds, as Prometheus wants it. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];
const MAX_ROUTES = 2_000;

const REQUESTS = 'trunkline_http_requests_total';
const DURATION = 'trunkline_http_request_duration_seconds';

/** Counts what happens on one route. */
export class RouteMetrics {
  private readonly byStatus = STATUS_CLASSES.map(() => 0);
  private readonly byDuration = [...BOUNDS_MS, Number.POSITIVE_INFINITY].map(() => 0);
  private sumMs = 0;

  constructor(private readonly labels: string) {}

  observe(statusCode: number, durationMs: number): void {
    const status = Math.trunc(statusCode / 100) - 1;
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    let bucket = 0;
    while (durationMs > (BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.byDuration[bucket] = (this.byDuration[bucket] ?? 0) + 1;
    this.sumMs += durationMs;
  }

  requestLines(): string[] {
    return STATUS_CLASSES.flatMap((status, i) =>
      this.byStatus[i] ? [`${REQUESTS}{${this.labels},status="${status}"} ${this.byStatus[i]}`] : [],
    );
  }

  durationLines(): string[] {
    let count = 0;
    const buckets = this.byDuration.map((inBucket, i) => {
      count += inBucket;
      const bound = BOUNDS_MS[i];
      return `${DURATION}_bucket{${this.labels},le="${bound === undefined ? '+Inf' : bound / 1_000}"} ${count}`;
    });
    if (count === 0) return [];
    return [
      ...buckets,
      `${DURATION}_sum{${this.labels}} ${this.sumMs / 1_000}`,
      `${DURATION}_count{${this.labels}} ${count}`,
    ];
  }
}

/**
 * Counters and durations of HTTP requests by route. The client library's histogram costs over a microsecond a request,
 * as it checks and hashes its labels each time; this one adds to three fields.
 */
export class HttpMetrics {
  private readonly routes: RouteMetrics[] = [];

  /** @param route pattern of the path, never the path itself: a label must not hold what a client chose */
  route(method: string, route: string): RouteMetrics {
    if (this.routes.length >= MAX_ROUTES) throw new Error(`there are more than ${MAX_ROUTES} routes`);
    const metrics = new RouteMetrics(`method="${escapeLabel(method)}",route="${escapeLabel(route)}"`);
    this.routes.push(metrics);
    return metrics;
  }

  /** Prometheus' text format, version 0.0.4. */
  render(): string {
    return [
      `# HELP ${REQUESTS} HTTP requests answered, by route pattern and status class`,
      `# TYPE ${REQUESTS} counter`,
      ...this.routes.flatMap((route) => route.requestLines()),
      '',
      `# HELP ${DURATION} Time from the arrival of a request to the end of its answer`,
      `# TYPE ${DURATION} histogram`,
      ...this.routes.flatMap((route) => route.durationLines()),
      '',
    ].join('\n');
  }
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
