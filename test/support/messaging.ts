import { randomUUID } from 'node:crypto';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { AccountsDemo } from '../../src/modules/accounts/contract/accounts.demo.js';
import { BillingModule } from '../../src/modules/billing/billing.module.js';
import { BillingDemo } from '../../src/modules/billing/contract/billing.demo.js';
import { CarriersModule } from '../../src/modules/carriers/carriers.module.js';
import { MessagingModule } from '../../src/modules/messaging/messaging.module.js';
import { OutboundHttpClient } from '../../src/platform/http-client/outbound-http-client.js';
import type { Principal } from '../../src/shared/principal.js';
import { newId, sidOf } from '../../src/shared/sid.js';
import type { TestDatabase } from './database.js';
import { type RunningModules, startModules } from './modules.js';
import { withClient } from './with-client.js';

export const SENDER = '+15005550006';
export const PRICE_MICROS = 7_900;

export interface MessagingUnderTest {
  readonly running: RunningModules;
  readonly principal: Principal;
  close(): Promise<void>;
}

/**
 * Messaging with what it stands on, all in one process, with an account that may send and a route to a carrier that
 * nobody connects to: what is accepted waits.
 */
export async function startMessaging(database: TestDatabase, consumers: boolean): Promise<MessagingUnderTest> {
  await withClient(database.url, async (client) => {
    await client.query(
      `insert into carriers.carrier (name, type, host, port, system_id, password, stream_id, state)
        values ('nobody', 'smpp', '127.0.0.1', 1, 'nobody', '', $1, 'draining') on conflict do nothing`,
      [randomUUID()],
    );
    await client.query(
      `insert into carriers.route (id, prefix, carrier) values ($1, '', 'nobody') on conflict do nothing`,
      [newId()],
    );
  });
  const modules = [AccountsModule, BillingModule, CarriersModule, MessagingModule];
  const running = await startModules(database.url, modules, { consumers, http: outbound });
  const { sid } = await running.module.get(AccountsDemo).openDemoAccount({ sid: sidOf('AC', newId()) });
  await running.module.get(BillingDemo).ensureDemoBilling({
    accountSid: sid,
    amountMicros: 1_000_000_000,
    rates: [{ prefix: '', priceMicros: PRICE_MICROS }],
  });
  const principal: Principal = {
    accountSid: sid,
    status: 'active',
    tier: 'enterprise',
    credential: 'auth_token',
    messagesPerMinute: null,
    messagesPerSecond: null,
    messagesPerDay: null,
    unknownOutcome: 'fail',
  };
  return { running, principal, close: () => running.close() };
}

function outbound(): OutboundHttpClient {
  return new OutboundHttpClient({
    allowedCidrs: ['127.0.0.0/8'],
    timeoutMs: 1000,
    maxResponseBytes: 1024,
    maxHeaderBytes: 8192,
    connectionsPerOrigin: 1,
    userAgent: 'tests',
  });
}
