import type { FactoryProvider, OnApplicationShutdown } from '@nestjs/common';
import type { Settings } from '../settings/settings.js';
import { Metrics } from '../telemetry/metrics.js';
import { Logger, SETTINGS } from '../tokens.js';
import { type Limit, Limiter, type Taken } from './limiter.js';
import { SharedWindows } from './shared-windows.js';
import { SlidingWindows } from './sliding-windows.js';

/** The process's limiter: shared with the other processes where there is a Redis. */
class ProcessLimiter extends Limiter implements OnApplicationShutdown {
  private readonly windows: SlidingWindows | SharedWindows;

  constructor(redisUrl: string | undefined, logger: Logger, metrics: Metrics) {
    super();
    const local = new SlidingWindows(() => performance.now());
    if (redisUrl === undefined) {
      this.windows = local;
      return;
    }
    const shared = new SharedWindows(redisUrl, local, logger);
    this.windows = shared;
    observe(shared, metrics);
  }

  take(key: string, limits: readonly Limit[], count: number): Taken | Promise<Taken> {
    return this.windows.take(key, limits, count);
  }

  onApplicationShutdown(): void {
    if (this.windows instanceof SharedWindows) this.windows.close();
  }
}

function observe(windows: SharedWindows, metrics: Metrics): void {
  const shared = metrics.gauge({
    name: 'trunkline_limits_shared',
    help: '1 while the limits of messages are counted in Redis for all processes, 0 while this one counts by itself',
  });
  const lost = metrics.gauge({
    name: 'trunkline_limits_redis_lost',
    help: 'How often this process has gone over to counting the limits of messages by itself since its start',
  });
  metrics.onScrape('limits', () => {
    shared.set(windows.figures.shared ? 1 : 0);
    lost.set(windows.figures.lost);
  });
}

export const limiterProvider: FactoryProvider<Limiter> = {
  provide: Limiter,
  inject: [SETTINGS, Logger, Metrics],
  useFactory: ({ redisUrl }: Settings, logger: Logger, metrics: Metrics) =>
    new ProcessLimiter(redisUrl, logger, metrics),
};
