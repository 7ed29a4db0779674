import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import pg from 'pg';
import twilio from 'twilio';
import { createAdapter } from '../../src/app/http/adapter.js';
import { Edge } from '../../src/app/http/edge.js';
import { EdgeModule } from '../../src/app/http/edge.module.js';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { AssignPhoneNumber } from '../../src/modules/accounts/application/assign-phone-number.js';
import { AccountsDemo } from '../../src/modules/accounts/contract/accounts.demo.js';
import { BillingModule } from '../../src/modules/billing/billing.module.js';
import { BillingDemo } from '../../src/modules/billing/contract/billing.demo.js';
import { CarriersModule } from '../../src/modules/carriers/carriers.module.js';
import { MessagingModule } from '../../src/modules/messaging/messaging.module.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import { startTestDatabase } from './database.js';
import { surroundings, testSettings } from './modules.js';

/** An account that may send, with Twilio's own package as its client. */
export interface Customer {
  readonly sid: string;
  readonly authorization: string;
  readonly client: ReturnType<typeof twilio>;
  /** Gives it a number, and returns its PN SID. */
  own(phoneNumber: string): Promise<string>;
}

/** Messaging with what it stands on behind the real edge; what is accepted waits for a carrier that is not there. */
export interface MessagingSurface {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** The database, as its superuser. */
  readonly db: pg.Client;
  open(): Promise<Customer>;
  stop(): Promise<void>;
}

export async function startMessagingSurface(): Promise<MessagingSurface> {
  const database = await startTestDatabase(['accounts', 'billing', 'carriers', 'messaging']);
  const db = new pg.Client({ connectionString: database.url });
  await db.connect();
  await db.query(
    `insert into carriers.carrier (name, type, host, port, system_id, password, stream_id, state)
      values ('nobody', 'smpp', '127.0.0.1', 1, 'nobody', '', $1, 'draining')`,
    [randomUUID()],
  );
  await db.query(
    `insert into carriers.route (id, prefix, carrier) values ($1, '+1', 'nobody'), ($2, '+44', 'nobody')`,
    [newId(), newId()],
  );
  const settings = testSettings(database.url);
  const modules = [AccountsModule, BillingModule, CarriersModule, MessagingModule];
  const module = await Test.createTestingModule({
    imports: [surroundings(settings), TelemetryModule, ...modules, EdgeModule],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createAdapter(settings), { logger: false });
  app.get(Edge).attach(app);
  await app.listen(0, '127.0.0.1');
  const bus = app.get(EventBus);
  await bus.startTails();
  await bus.startConsumers();
  const { port } = app.getHttpServer().address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await bus.stop();
    await app.close();
    await db.end();
    await database.stop();
  };
  return { app, url, db, open: () => openCustomer(app, url), stop };
}

async function openCustomer(app: NestFastifyApplication, url: string): Promise<Customer> {
  const { sid, authToken } = await app.get(AccountsDemo).openDemoAccount({ sid: sidOf('AC', newId()) });
  await app.get(BillingDemo).ensureDemoBilling({
    accountSid: sid,
    amountMicros: 1_000_000_000,
    rates: [{ prefix: '', priceMicros: 7_900 }],
  });
  const client = twilio(sid, authToken);
  client.api.baseUrl = client.messaging.baseUrl = url;
  const own = async (phoneNumber: string) => {
    const assigned = await app.get(AssignPhoneNumber).assign({ accountSid: sid, phoneNumber, takeOver: true });
    return sidOf('PN', assigned.id);
  };
  const authorization = `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`;
  return { sid, authorization, client, own };
}
