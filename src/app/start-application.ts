import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PublicUrl } from '../platform/http/public-url.js';
import type { Environment } from '../platform/settings/settings.js';
import type { PinoLogger } from '../platform/telemetry/logger.js';
import { NestLogger } from '../platform/telemetry/nest-logger.js';
import { AppModule } from './app.module.js';
import { ensureDemo, showDemo } from './demo.js';
import { createAdapter } from './http/adapter.js';
import { Edge } from './http/edge.js';
import type { Prepared } from './prepare.js';

/**
 * Puts the application together, with the demo account in development, and lets it listen where it has the role of the API.
 *
 * @throws what kept it from starting, after everything that had started has been closed
 */
export async function startApplication(
  prepared: Prepared,
  environment: Environment,
  dev: boolean,
  logger: PinoLogger,
): Promise<NestFastifyApplication> {
  const { settings } = prepared;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.for(settings, logger),
    createAdapter(settings),
    { logger: new NestLogger(logger), abortOnError: false },
  );
  try {
    app.get(Edge).attach(app);
    await app.init();
    const demo = dev ? await ensureDemo(app, environment) : null;
    if (settings.roles.includes('api')) await app.listen(settings.port, settings.host);
    const url = app.get(PublicUrl).base();
    logger.info({ url, roles: settings.roles }, 'ready');
    if (demo) showDemo(url, demo, settings);
    return app;
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
}
