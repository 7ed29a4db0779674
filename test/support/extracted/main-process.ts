/** The product with everything in it but billing, which is elsewhere. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../../src/app/app.module.js';
import { createAdapter } from '../../../src/app/http/adapter.js';
import { AccountsApi, accountsContract } from '../../../src/modules/accounts/contract/accounts.api.js';
import { BillingModule } from '../../../src/modules/billing/billing.module.js';
import { BillingApi, billingContract } from '../../../src/modules/billing/contract/billing.api.js';
import { EventBus } from '../../../src/platform/event-log/event-bus.js';
import { RemoteClient } from '../../../src/platform/remote/remote-client.js';
import { RemoteServer } from '../../../src/platform/remote/remote-server.js';
import { PinoLogger } from '../../../src/platform/telemetry/logger.js';
import { Traces } from '../../../src/platform/telemetry/traces.js';
import { listen, partInput, partSettings, SECRET } from './parts.js';
import { remoteModule } from './remote-module.js';

const input = partInput();
const settings = partSettings(input, ['accounts', 'carriers', 'messaging', 'notifications']);
const logger = PinoLogger.create({ level: settings.logLevel, dev: false });
const elsewhere = new RemoteClient({ origin: input.otherOrigin, secret: SECRET });
const billing = remoteModule(BillingApi, elsewhere.contract(BillingApi, 'billing', billingContract));

const whole = AppModule.for(settings, logger);
const imports = (whole.imports ?? []).map((each) => (each === BillingModule ? billing : each));
const app = await NestFactory.create<NestFastifyApplication>({ ...whole, imports }, createAdapter(settings), {
  logger: ['error'],
  abortOnError: false,
});
const server = new RemoteServer(SECRET, logger, app.get(Traces));
server.expose('accounts', app.get(AccountsApi), accountsContract);
server.exposeLog(app.get(EventBus).log('accounts'));
await server.listen(input.servePort, '127.0.0.1');
await listen(app, settings, logger);
