import { randomInt } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import twilio from 'twilio';
import { createAdapter } from '../../src/app/http/adapter.js';
import { Edge } from '../../src/app/http/edge.js';
import { EdgeModule } from '../../src/app/http/edge.module.js';
import { AccountsModule } from '../../src/modules/accounts/accounts.module.js';
import { OpenAccount } from '../../src/modules/accounts/application/open-account.js';
import { AccountsApi } from '../../src/modules/accounts/contract/accounts.api.js';
import {
  MessagingApi,
  type RepliesInput,
  type ReplyResult,
} from '../../src/modules/messaging/contract/messaging.api.js';
import { MESSAGING_EVENTS } from '../../src/modules/messaging/contract/messaging.events.js';
import { RETRY_WAITS_MS, RetrySchedule } from '../../src/modules/notifications/domain/retry-schedule.js';
import { NotificationsModule } from '../../src/modules/notifications/notifications.module.js';
import { EventBus } from '../../src/platform/event-log/event-bus.js';
import { EventLog } from '../../src/platform/event-log/event-log.js';
import { OutboundHttpClient } from '../../src/platform/http-client/outbound-http-client.js';
import { ModuleDatabase } from '../../src/platform/postgres/database.js';
import { queuesProvider } from '../../src/platform/queues/queues.provider.js';
import { TelemetryModule } from '../../src/platform/telemetry/telemetry.module.js';
import type { EventDefinition, NewEvent } from '../../src/shared/define-event.js';
import { Failure } from '../../src/shared/failure.js';
import { newId, parseSid, sidOf } from '../../src/shared/sid.js';
import type { TestDatabase } from './database.js';
import { surroundings, testSettings } from './modules.js';

/** Of every change that the test makes happen. */
export const MESSAGE_TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** The real waits, a minute being 60 ms. */
export const SCALED = RETRY_WAITS_MS.map((waitMs) => waitMs / 1_000);

@Global()
@Module({ providers: [queuesProvider], exports: [queuesProvider] })
class QueuesModule {}

/** What notifications asks of messaging, as the test plays it. */
export class PlayedMessaging extends MessagingApi {
  /** The texts of incoming messages, by their SIDs. */
  readonly texts = new Map<string, string>();
  readonly replied: RepliesInput[] = [];
  /** How many calls fail before one does not. */
  failures = 0;

  async receivedTexts(messages: readonly { messageSid: string }[]) {
    return messages.flatMap(({ messageSid }) => {
      const body = this.texts.get(messageSid);
      return body === undefined ? [] : { messageSid, body };
    });
  }

  async reply(input: RepliesInput): Promise<ReplyResult[]> {
    if (this.failures > 0) {
      this.failures--;
      throw new Failure('unavailable');
    }
    this.replied.push(input);
    return input.replies.map(() => ({ messageId: newId(), errorCode: null }));
  }

  digest = () => Promise.resolve([]);
  listMessages = () => Promise.resolve([]);
  checkHistories = () => Promise.resolve({ messages: 0, violations: [] });
}

@Global()
@Module({
  providers: [PlayedMessaging, { provide: MessagingApi, useExisting: PlayedMessaging }],
  exports: [PlayedMessaging, MessagingApi],
})
class PlayedMessagingModule {}

export interface Customer {
  readonly accountSid: string;
  readonly authToken: string;
}

/** One process of the product that has notifications and what it needs; messaging is played by the test. */
export interface NotificationsProcess {
  readonly app: NestFastifyApplication;
  readonly bus: EventBus;
  readonly messaging: MessagingLog;
  readonly played: PlayedMessaging;
  openCustomer(): Promise<Customer>;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly waitsMs?: readonly number[];
  readonly redisUrl?: string;
  readonly roles?: readonly string[];
}

export async function startNotifications(
  database: TestDatabase,
  { waitsMs = SCALED, redisUrl, roles = ['api', 'worker'] }: ProcessOptions = {},
): Promise<NotificationsProcess> {
  const settings = { ...testSettings(database.url), redisUrl, roles };
  const builder = Test.createTestingModule({
    imports: [
      surroundings(settings, outbound),
      TelemetryModule,
      QueuesModule,
      AccountsModule,
      PlayedMessagingModule,
      NotificationsModule,
      EdgeModule,
    ],
  });
  const module = await builder.overrideProvider(RetrySchedule).useValue(new RetrySchedule(waitsMs)).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createAdapter(settings), { logger: false });
  const bus = app.get(EventBus);
  const messaging = new MessagingLog(database.url);
  bus.publish(messaging.log);
  app.get(Edge).attach(app);
  await app.listen(0, '127.0.0.1');
  await bus.startTails();
  if (roles.includes('worker')) await bus.startConsumers();
  return {
    app,
    bus,
    messaging,
    played: app.get(PlayedMessaging),
    openCustomer: async () => {
      const { account, authToken } = await app.get(OpenAccount).open({ friendlyName: 'Acme', tier: 'pro' });
      await app.get(AccountsApi).completeProvisioning({ accountSid: account.sid });
      return { accountSid: account.sid, authToken };
    },
    stop: async () => {
      await bus.stop();
      await app.close();
      await app.get(OutboundHttpClient).close();
      await messaging.close();
    },
  };
}

function outbound(): OutboundHttpClient {
  return new OutboundHttpClient({
    allowedCidrs: ['127.0.0.0/8'],
    timeoutMs: 15_000,
    maxResponseBytes: 1024,
    maxHeaderBytes: 8192,
    connectionsPerOrigin: 32,
    userAgent: 'tests',
  });
}

/** A change of a message's status that the test makes happen. */
export interface Change {
  readonly definition: EventDefinition;
  readonly data?: object;
}

/** Appends to messaging's log what messaging would. */
export class MessagingLog {
  private readonly db: ModuleDatabase;
  readonly log: EventLog;

  constructor(url: string) {
    this.db = new ModuleDatabase({ module: 'messaging', connectionString: url });
    this.log = new EventLog(this.db, MESSAGING_EVENTS);
  }

  /** Makes a message go through changes, the first being its version 2; returns its SID. */
  async change(customer: Customer, callbackUrl: string | null, changes: readonly Change[]): Promise<string> {
    const id = newId();
    await this.append(eventsOf(id, customer, callbackUrl, changes));
    return sidOf('SM', id);
  }

  async append(events: readonly NewEvent[]): Promise<void> {
    await this.db.transaction((tx) => this.log.append(tx, events));
    this.log.wake();
  }

  close(): Promise<void> {
    return this.db.close();
  }
}

/** The events of a message's changes, from version `from`. */
export function eventsOf(
  id: string,
  { accountSid }: Customer,
  callbackUrl: string | null,
  changes: readonly Change[],
  from = 2,
): NewEvent[] {
  const common = {
    messageSid: sidOf('SM', id),
    accountSid,
    from: '+15005550006',
    to: '+15551234567',
    serviceSid: null,
    callbackUrl,
  };
  return changes.map(({ definition, data }, index) => ({
    type: definition.type,
    streamId: id,
    version: from + index,
    tenantId: parseSid('AC', accountSid),
    traceparent: MESSAGE_TRACEPARENT,
    data: { ...common, ...data },
  }));
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly isSigned: boolean;
}

/** A customer's endpoint. `answer` decides what each call gets; a call that gets nothing hangs. */
export class Endpoint {
  readonly calls: Call[] = [];
  answer: (call: Call, response: ServerResponse) => void = (_call, response) => response.writeHead(204).end();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    private readonly authToken: string,
  ) {}

  static async start(authToken: string): Promise<Endpoint> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const endpoint = new Endpoint(server, `http://127.0.0.1:${port}`, authToken);
    server.on('request', async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString('utf8');
      endpoint.receive(request.method ?? '', request.url ?? '', request.headers, body, response);
    });
    return endpoint;
  }

  /** What a message's callbacks told, in the order in which they came. */
  statusesOf(messageSid: string): string[] {
    return this.callsFor(messageSid).map((call) => call.params.MessageStatus!);
  }

  callsFor(messageSid: string): Call[] {
    return this.calls.filter((call) => call.params.MessageSid === messageSid);
  }

  /** Ends every connection, also those that wait for an answer. */
  hangUp(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private receive(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    body: string,
    response: ServerResponse,
  ): void {
    const form = Object.fromEntries(new URLSearchParams(body));
    const params = method === 'GET' ? Object.fromEntries(new URL(path, this.url).searchParams) : form;
    const signature = String(headers['x-twilio-signature'] ?? '');
    const isSigned = twilio.validateRequest(this.authToken, signature, this.url + path, form);
    const call = { method, path, params, headers, isSigned };
    this.calls.push(call);
    this.answer(call, response);
  }
}

/** An answer after up to 10 ms, so that calls overtake one another. */
export function answerSometime(_call: Call, response: ServerResponse): void {
  setTimeout(() => response.writeHead(200).end('thanks'), randomInt(10));
}
