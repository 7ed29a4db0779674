import { Logger } from '../tokens.js';
import { Metrics } from './metrics.js';

class Recorder extends Logger {
  readonly warnings: string[] = [];
  debug(): void {}
  info(): void {}
  warn(_fields: object, message: string): void {
    this.warnings.push(message);
  }
  error(): void {}
}

/** Lines that OpenMetrics 1.0 does not know; a counter's samples end in _total, and the last line is its end. */
function strangeLines(text: string): string[] {
  const counters = [...text.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name!);
  const lines = text.split('\n');
  const known = [/^# (HELP|TYPE|UNIT) [a-zA-Z_:][\w:]* .+$/, /^[a-zA-Z_:][\w:]*(\{.*\})? \S+( # \{.*\} \S+( \S+)?)?$/];
  const end = lines.splice(-2);
  const strange = lines.filter((line) => !known.some((form) => form.test(line)));
  const bare = lines.filter((line) =>
    counters.some((name) => line.startsWith(`${name} `) || line.startsWith(`${name}{`)),
  );
  return [...strange, ...bare, ...(end.join('\n') === '# EOF\n' ? [] : end)];
}

describe('metrics', () => {
  it('count requests by route, status class and duration', async () => {
    const metrics = new Metrics(new Recorder());
    const route = metrics.route('POST', '/v1/notes/:id');
    route.observe(201, 0.4);
    route.observe(204, 1);
    route.observe(404, 30);
    route.observe(503, 60_000);
    metrics.route('GET', '/a"\\\n');
    const text = await metrics.render();
    const labels = 'method="POST",route="/v1/notes/:id"';
    expect(text).toContain('# TYPE trunkline_http_request_duration_seconds histogram');
    for (const line of [
      `trunkline_http_requests_total{${labels},status="2xx"} 2`,
      `trunkline_http_requests_total{${labels},status="4xx"} 1`,
      `trunkline_http_requests_total{${labels},status="5xx"} 1`,
      `trunkline_http_request_duration_seconds_bucket{${labels},le="0.001"} 2`,
      `trunkline_http_request_duration_seconds_bucket{${labels},le="0.025"} 2`,
      `trunkline_http_request_duration_seconds_bucket{${labels},le="0.05"} 3`,
      `trunkline_http_request_duration_seconds_bucket{${labels},le="10"} 3`,
      `trunkline_http_request_duration_seconds_bucket{${labels},le="+Inf"} 4`,
      `trunkline_http_request_duration_seconds_count{${labels}} 4`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('status="3xx"');
    expect(text).not.toContain('/a"');
  });

  it('lead to traces in OpenMetrics, and are the same in the text format before and after', async () => {
    const metrics = new Metrics(new Recorder());
    metrics.observeProcess();
    metrics.counter({ name: 'trunkline_things_total', help: 'things' }).inc(2);
    const durations = metrics.histogram({
      name: 'trunkline_d_seconds',
      help: 'd',
      buckets: [1],
      enableExemplars: true,
    });
    durations.observe({ labels: {}, value: 0.5, exemplarLabels: { trace_id: 'a' } });
    const route = metrics.route('POST', '/v1/notes');
    route.observe(201, 30, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    route.observe(201, 31);
    const namesOf = (text: string) => text.match(/^# TYPE .*$/gm);
    const before = await metrics.render();
    const [open, text] = await Promise.all([metrics.render(true), metrics.render()]);
    expect(namesOf(text)).toEqual(namesOf(before));
    expect(text).toContain('\ntrunkline_things_total 2\n');
    expect(text).not.toContain(' # {');
    expect(open).toContain('# TYPE trunkline_things counter\ntrunkline_things_total 2\n');
    expect(open).toMatch(
      /le="0.05"\} 2 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"\} 0.03 \d+(\.\d+)?\n/,
    );
    expect(open).toMatch(/trunkline_d_seconds_bucket\{le="1"\} 1 # \{trace_id="a"\} 0.5 \d+/);
    expect(strangeLines(open)).toEqual([]);
    expect(strangeLines(text)).toContain('');
  });

  it('hold what modules count and what is collected on scrape', async () => {
    const metrics = new Metrics(new Recorder());
    metrics.counter({ name: 'trunkline_things_total', help: 'things' }).inc(2);
    const depth = metrics.gauge({ name: 'trunkline_depth', help: 'depth', labelNames: ['queue'] });
    metrics.histogram({ name: 'trunkline_batch', help: 'batch', buckets: [1, 2] }).observe(2);
    let collected = 0;
    metrics.onScrape('depth', async () => {
      collected += 1;
      depth.set({ queue: 'a' }, collected);
    });
    const [one, other] = await Promise.all([metrics.render(), metrics.render()]);
    expect(one).toBe(other);
    expect(one).toContain('trunkline_things_total 2');
    expect(one).toContain('trunkline_depth{queue="a"} 1');
    expect(one).toContain('trunkline_batch_bucket{le="2"} 1');
    expect(await metrics.render()).toContain('trunkline_depth{queue="a"} 2');
  });

  it('survive a collector that fails or hangs', async () => {
    const log = new Recorder();
    const metrics = new Metrics(log);
    let end = () => {};
    let runs = 0;
    metrics.onScrape('broken', () => {
      throw new Error('no');
    });
    metrics.onScrape('hanging', () => {
      runs += 1;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    expect(await metrics.render()).toContain('trunkline_metrics_collector_errors_total{collector="hanging"} 1');
    expect(await metrics.render()).toContain('trunkline_metrics_collector_errors_total{collector="broken"} 2');
    expect(runs).toBe(1);
    expect(log.warnings).toHaveLength(4);
    end();
  });

  it('tell of the process when asked to', async () => {
    const metrics = new Metrics(new Recorder());
    metrics.observeProcess();
    expect(await metrics.render()).toContain('process_resident_memory_bytes');
  });
});
