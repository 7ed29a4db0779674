import { spanIdOf, traceIdOf } from '../../shared/traceparent.js';

/** Upper bounds of the buckets, in milliseconds; `le` is given in seconds, as Prometheus wants it. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];
const MAX_ROUTES = 2_000;

/** A request that stands for those of its bucket. */
interface Exemplar {
  readonly traceparent: string;
  readonly durationMs: number;
  readonly atMs: number;
}

const REQUESTS = 'trunkline_http_requests_total';
const DURATION = 'trunkline_http_request_duration_seconds';

/** Counts what happens on one route. */
export class RouteMetrics {
  private readonly byStatus = STATUS_CLASSES.map(() => 0);
  private readonly byDuration = [...BOUNDS_MS, Number.POSITIVE_INFINITY].map(() => 0);
  /** The newest traced request in each bucket. */
  private readonly exemplars: (Exemplar | undefined)[] = [];
  private sumMs = 0;

  constructor(private readonly labels: string) {}

  /** @param traceparent of a request whose trace is to be seen */
  observe(statusCode: number, durationMs: number, traceparent: string | null = null): void {
    const status = Math.trunc(statusCode / 100) - 1;
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    let bucket = 0;
    while (durationMs > (BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.byDuration[bucket] = (this.byDuration[bucket] ?? 0) + 1;
    this.sumMs += durationMs;
    if (traceparent !== null) this.exemplars[bucket] = { traceparent, durationMs, atMs: Date.now() };
  }

  requestLines(): string[] {
    return STATUS_CLASSES.flatMap((status, i) =>
      this.byStatus[i] ? [`${REQUESTS}{${this.labels},status="${status}"} ${this.byStatus[i]}`] : [],
    );
  }

  /** @param hasExemplars whether buckets lead to a trace, as OpenMetrics can */
  durationLines(hasExemplars: boolean): string[] {
    let count = 0;
    const buckets = this.byDuration.map((inBucket, i) => {
      count += inBucket;
      const bound = BOUNDS_MS[i];
      const exemplar = hasExemplars ? exemplarText(this.exemplars[i]) : '';
      return `${DURATION}_bucket{${this.labels},le="${bound === undefined ? '+Inf' : bound / 1_000}"} ${count}${exemplar}`;
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

  /** Prometheus' text format, version 0.0.4, or OpenMetrics 1.0 without its last line. */
  render(isOpenMetrics: boolean): string {
    // A counter's family has its name without the suffix there, and no line is empty.
    const requests = isOpenMetrics ? REQUESTS.replace(/_total$/, '') : REQUESTS;
    const gap = isOpenMetrics ? [] : [''];
    return [
      `# HELP ${requests} HTTP requests answered, by route pattern and status class`,
      `# TYPE ${requests} counter`,
      ...this.routes.flatMap((route) => route.requestLines()),
      ...gap,
      `# HELP ${DURATION} Time from the arrival of a request to the end of its answer`,
      `# TYPE ${DURATION} histogram`,
      ...this.routes.flatMap((route) => route.durationLines(isOpenMetrics)),
      ...gap,
    ].join('\n');
  }
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (!exemplar) return '';
  const { traceparent, durationMs, atMs } = exemplar;
  const labels = `trace_id="${traceIdOf(traceparent)}",span_id="${spanIdOf(traceparent)}"`;
  return ` # {${labels}} ${durationMs / 1_000} ${atMs / 1_000}`;
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
