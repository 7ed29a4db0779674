import type { Server } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { createAdapter } from '../../src/app/http/adapter.js';
import { Edge } from '../../src/app/http/edge.js';
import { EdgeModule } from '../../src/app/http/edge.module.js';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { BillingModule } from '../../src/modules/billing/billing.module.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import { startTestDatabase } from './database.js';
import { surroundings, TEST_OPERATOR_TOKEN, testSettings } from './modules.js';

/** Accounts and billing behind the real edge, with their consumers, on a database of their own. */
export interface OperatorSurface {
  readonly app: NestFastifyApplication;
  readonly server: Server;
  readonly operator: OperatorClient;
  /** Opens an account through the operator API. */
  open(body?: object): Promise<{ sid: string; auth_token: string }>;
  stop(): Promise<void>;
}

/** Speaks to `/v1/operator` with the operator's token. */
export class OperatorClient {
  constructor(private readonly server: Server) {}

  get(path: string) {
    return request(this.server).get(`/v1/operator${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' });
  }

  post(path: string, body: object = {}) {
    return request(this.server).post(`/v1/operator${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' }).send(body);
  }

  patch(path: string, body: object) {
    return request(this.server).patch(`/v1/operator${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' }).send(body);
  }

  delete(path: string) {
    return request(this.server).delete(`/v1/operator${path}`).auth(TEST_OPERATOR_TOKEN, { type: 'bearer' });
  }
}

export async function startOperatorSurface(): Promise<OperatorSurface> {
  const database = await startTestDatabase(['accounts', 'billing']);
  const settings = testSettings(database.url);
  const module = await Test.createTestingModule({
    imports: [surroundings(settings), TelemetryModule, AccountsModule, BillingModule, EdgeModule],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createAdapter(settings), { logger: false });
  app.get(Edge).attach(app);
  await app.listen(0, '127.0.0.1');
  const bus = app.get(EventBus);
  await bus.startTails();
  await bus.startConsumers();
  const server: Server = app.getHttpServer();
  const operator = new OperatorClient(server);
  const open = async (body: object = {}) => {
    const answer = await operator.post('/accounts', { friendly_name: 'Acme', tier: 'pro', ...body });
    if (answer.status !== 201) throw new Error(`no account was opened: ${answer.status} ${answer.text}`);
    return answer.body as { sid: string; auth_token: string };
  };
  const stop = async () => {
    await bus.stop();
    await app.close();
    await database.stop();
  };
  return { app, server, operator, open, stop };
}
