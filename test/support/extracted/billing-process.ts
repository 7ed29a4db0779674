/** A process that runs billing alone: its module, its schema, its routes; accounts is elsewhere. */
import 'reflect-metadata';
import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createAdapter } from '../../../src/app/http/adapter.js';
import { EdgeModule } from '../../../src/app/http/edge.module.js';
import { AccountsApi, accountsContract } from '../../../src/modules/accounts/contract/accounts.api.js';
import { BillingModule } from '../../../src/modules/billing/billing.module.js';
import { BillingApi, billingContract } from '../../../src/modules/billing/contract/billing.api.js';
import { EventBus } from '../../../src/platform/event-log/event-bus.js';
import { RemoteClient } from '../../../src/platform/remote/remote-client.js';
import { RemoteServer } from '../../../src/platform/remote/remote-server.js';
import { PinoLogger } from '../../../src/platform/telemetry/logger.js';
import { TelemetryModule } from '../../../src/platform/telemetry/telemetry.module.js';
import { Traces } from '../../../src/platform/telemetry/traces.js';
import { surroundings } from '../modules.js';
import { listen, partInput, partSettings, SECRET } from './parts.js';
import { remoteModule } from './remote-module.js';

const input = partInput();
const settings = partSettings(input, ['billing']);
const logger = PinoLogger.create({ level: settings.logLevel, dev: false });
const elsewhere = new RemoteClient({ origin: input.otherOrigin, secret: SECRET });
const accounts = elsewhere.contract(AccountsApi, 'accounts', accountsContract);

@Module({
  imports: [surroundings(settings), TelemetryModule, remoteModule(AccountsApi, accounts), BillingModule, EdgeModule],
})
class BillingProcess implements OnApplicationBootstrap {
  constructor(private readonly bus: EventBus) {
    bus.publish(elsewhere.log('accounts'));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.bus.startTails();
    await this.bus.startConsumers();
  }
}

const app = await NestFactory.create<NestFastifyApplication>(BillingProcess, createAdapter(settings), {
  logger: ['error'],
  abortOnError: false,
});
const server = new RemoteServer(SECRET, logger, app.get(Traces));
server.expose('billing', app.get(BillingApi), billingContract);
await server.listen(input.servePort, '127.0.0.1');
await listen(app, settings, logger);
