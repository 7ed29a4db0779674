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

export const PROMETHEUS_TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
export const OPENMETRICS_TEXT = Registry.OPENMETRICS_CONTENT_TYPE;

/**
 * The process's metrics, in Prometheus' text format or in OpenMetrics. Names begin with `trunkline_`; a label never holds what a client
 * chose freely. Counters and histograms are counted where things happen; what must be looked up is collected on scrape.
 */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly collectors: Collector[] = [];
  private readonly http = new HttpMetrics();
  private readonly collectorErrors: Counter<'collector'>;
  private collecting: Promise<void> | null = null;
  private rendering: Promise<unknown> = Promise.resolve();

  constructor(private readonly logger: Logger) {
    this.setFormat(OPENMETRICS_TEXT);
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

  /**
   * Everything, in Prometheus' text format or in OpenMetrics, whose histograms lead to traces. Scrapes at the same time
   * share one run of the collectors.
   */
  async render(isOpenMetrics = false): Promise<string> {
    this.collecting ??= this.collectAll().finally(() => {
      this.collecting = null;
    });
    await this.collecting;
    // One at a time: the format is a state of the registry.
    const text = this.rendering.then(() => this.renderAll(isOpenMetrics));
    this.rendering = text.catch(() => undefined);
    return text;
  }

  private async collectAll(): Promise<void> {
    await Promise.all(this.collectors.map((collector) => this.collect(collector)));
  }

  private async renderAll(isOpenMetrics: boolean): Promise<string> {
    const metrics = this.registry.getMetricsAsArray() as unknown as { name: string }[];
    const names = metrics.map(({ name }) => name);
    if (!isOpenMetrics) this.setFormat(PROMETHEUS_TEXT);
    try {
      return `${this.http.render(isOpenMetrics)}\n${await this.registry.metrics()}`;
    } finally {
      this.setFormat(OPENMETRICS_TEXT);
      // Rendering in OpenMetrics takes the suffix off the counters' names, for good.
      for (const [index, metric] of metrics.entries()) metric.name = names[index]!;
    }
  }

  /** OpenMetrics but for a rendering in the other format: only then may a metric have exemplars. */
  private setFormat(contentType: string): void {
    // The types of the library know one format for each registry; it has them for the taking.
    this.registry.setContentType(contentType as typeof Registry.PROMETHEUS_CONTENT_TYPE);
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
