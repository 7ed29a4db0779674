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
import { HttpMetrics, type RouteMetrics } from './http-metrics.js';
import { within } from './within.js';

const COLLECTOR_LIMIT_MS = 1_000;
const MAX_COLLECTORS = 100;
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
  private readonly http = new HttpMetrics();
  private readonly collectorErrors: Counter<'collector'>;
  private scrape: Promise<string> | null = null;

  constructor(private readonly logger: Logger) {
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

  /** Counters of one HTTP route, cheap enough for every request. */
  route(method: string, route: string): RouteMetrics {
    return this.http.route(method, route);
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
    return `${this.http.render()}\n${await this.registry.metrics()}`;
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
