import { Injectable } from '@nestjs/common';
import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';
import { Logger } from '../tokens.js';
import { within } from './within.js';

const COLLECTOR_LIMIT_MS = 1_000;
const MAX_COLLECTORS = 100;
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Counts what happens on one route; cheap enough for every request. */
export interface RouteMetrics {
  observe(statusCode: number, durationMs: number): void;
}

interface Collector {
  readonly name: string;
  readonly collect: () => void | Promise<void>;
  running: boolean;
}

/**
 * The process's metrics, in Prometheus' text format. Names begin with `trunkline_`; a label never holds what a client
 * chose freely. Counters and histograms are counted where things happen; what must be looked up is collected on scrape.
 */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly collectors: Collector[] = [];
  private readonly requests: Counter<'method' | 'route' | 'status'>;
  private readonly durations: Histogram<'method' | 'route'>;
  private readonly collectorErrors: Counter<'collector'>;
  private scrape: Promise<string> | null = null;

  constructor(private readonly logger: Logger) {
    this.requests = this.counter({
      name: 'trunkline_http_requests_total',
      help: 'HTTP requests answered, by route pattern and status class',
      labelNames: ['method', 'route', 'status'],
    });
    this.durations = this.histogram({
      name: 'trunkline_http_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its answer',
      labelNames: ['method', 'route'],
      buckets: DURATION_BUCKETS_SECONDS,
    });
    this.collectorErrors = this.counter({
      name: 'trunkline_metrics_collector_errors_total',
      help: 'Collectors that failed or were too slow during a scrape; their figures are old',
      labelNames: ['collector'],
    });
  }

  /** Adds what Node tells about the process: memory, CPU, event loop lag, garbage collection. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  counter<T extends string>(configuration: CounterConfiguration<T>): Counter<T> {
    return new Counter({ ...configuration, registers: [this.registry] });
  }

  gauge<T extends string>(configuration: GaugeConfiguration<T>): Gauge<T> {
    return new Gauge({ ...configuration, registers: [this.registry] });
  }

  histogram<T extends string>(configuration: HistogramConfiguration<T>): Histogram<T> {
    return new Histogram({ ...configuration, registers: [this.registry] });
  }

  /** @param route pattern of the path, never the path itself */
  route(method: string, route: string): RouteMetrics {
    const duration = this.durations.labels(method, route);
    const counts = STATUS_CLASSES.map((status) => this.requests.labels(method, route, status));
    return {
      observe(statusCode, durationMs) {
        counts[Math.trunc(statusCode / 100) - 1]?.inc();
        duration.observe(durationMs / 1_000);
      },
    };
  }

  /**
   * Has `collect` set its gauges whenever somebody scrapes. It is given a second; one that fails or is late breaks no
   * scrape, is counted, and is not run again before it has ended.
   */
  onScrape(name: string, collect: () => void | Promise<void>): void {
    if (this.collectors.length >= MAX_COLLECTORS) throw new Error(`there are ${MAX_COLLECTORS} collectors already`);
    this.collectors.push({ name, collect, running: false });
  }

  /** Everything in the text format. Scrapes at the same time share one run. */
  render(): Promise<string> {
    this.scrape ??= this.collectAndRender().finally(() => {
      this.scrape = null;
    });
    return this.scrape;
  }

  private async collectAndRender(): Promise<string> {
    await Promise.all(this.collectors.map((collector) => this.collect(collector)));
    return this.registry.metrics();
  }

  private async collect(collector: Collector): Promise<void> {
    try {
      await within(COLLECTOR_LIMIT_MS, () => runOnce(collector));
    } catch (error) {
      this.collectorErrors.inc({ collector: collector.name });
      this.logger.warn({ collector: collector.name, err: error }, 'a metrics collector failed');
    }
  }
}

async function runOnce(collector: Collector): Promise<void> {
  if (collector.running) throw new Error('the run of an earlier scrape has not ended');
  collector.running = true;
  try {
    await collector.collect();
  } finally {
    collector.running = false;
  }
}
