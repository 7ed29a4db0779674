import { Body, Controller, Delete, Get, Global, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  type Account,
  AccountsApi,
  type Credentials,
  type OwnedNumber,
} from '../../modules/accounts/contract/accounts.api.js';
import {
  ActsOnInactiveSubaccount,
  Context,
  CreatesMessage,
  CurrentPrincipal,
  OperatorOnly,
  Public,
  type RequestContext,
} from '../../platform/http/decorators.js';
import { pageQuerySchema } from '../../platform/http/page.js';
import type { Settings } from '../../platform/settings/settings.js';
import { PinoLogger } from '../../platform/telemetry/logger.js';
import { NestLogger } from '../../platform/telemetry/nest-logger.js';
import { TelemetryModule } from '../../platform/telemetry/telemetry.module.js';
import { Logger, SETTINGS } from '../../platform/tokens.js';
import { Failure } from '../../shared/failure.js';
import type { Principal } from '../../shared/principal.js';
import { createAdapter } from './adapter.js';
import { Edge } from './edge.js';
import { EdgeModule } from './edge.module.js';

export const OPERATOR_TOKEN = 'operator-token-of-the-tests';
export const SECRET = '0123456789abcdef0123456789abcdef';
export const ACCOUNT = sid('AC', '1');
export const SUBACCOUNT = sid('AC', '2');
export const SUSPENDED_SUBACCOUNT = sid('AC', '3');
export const STRANGER = sid('AC', '4');
export const SUSPENDED = sid('AC', '5');
export const PROVISIONING = sid('AC', '6');
export const API_KEY = sid('SK', '7');
/** An account with letters among the digits of its SID. */
export const LETTERS = sid('AC', 'a');
/** An account whose authentication meets a database that is gone. */
export const UNREACHABLE = sid('AC', '8');

const OWNERS: Record<string, string> = { [SUBACCOUNT]: ACCOUNT, [SUSPENDED_SUBACCOUNT]: ACCOUNT };
const STATUSES: Record<string, Principal['status']> = {
  [ACCOUNT]: 'active',
  [SUBACCOUNT]: 'active',
  [SUSPENDED_SUBACCOUNT]: 'suspended',
  [STRANGER]: 'active',
  [LETTERS]: 'active',
  [SUSPENDED]: 'suspended',
  [PROVISIONING]: 'provisioning',
};

/** Accounts in memory, all with one password. */
export class MemoryAccounts extends AccountsApi {
  calls = 0;

  async authenticate({ username, password }: Credentials): Promise<Principal | null> {
    this.calls += 1;
    if (username === UNREACHABLE) throw Object.assign(new Error('gone'), { code: '57P01' });
    const accountSid = username === API_KEY ? ACCOUNT : username;
    const status = STATUSES[accountSid];
    if (!status || password !== SECRET) return null;
    const limits = {
      messagesPerMinute: null,
      messagesPerSecond: null,
      messagesPerDay: null,
      unknownOutcome: 'fail' as const,
    };
    return { accountSid, status, tier: 'pro', credential: username === API_KEY ? 'api_key' : 'auth_token', ...limits };
  }

  async getAccount({ accountSid }: { accountSid: string }): Promise<Account | null> {
    const status = STATUSES[accountSid];
    if (!status) return null;
    const at = '2026-01-01T00:00:00Z';
    const limits = {
      messagesPerMinute: null,
      messagesPerSecond: null,
      messagesPerDay: null,
      unknownOutcome: 'fail' as const,
    };
    const ownerAccountSid = OWNERS[accountSid] ?? null;
    return {
      sid: accountSid,
      friendlyName: 'x',
      tier: 'free',
      status,
      closeReason: null,
      ownerAccountSid,
      ...limits,
      createdAt: at,
      updatedAt: at,
    };
  }

  async getPhoneNumber(): Promise<null> {
    return null;
  }

  async ownsNumber(): Promise<boolean> {
    return false;
  }

  async findPhoneNumbers(): Promise<OwnedNumber[]> {
    return [];
  }

  async signingKeys(): Promise<Record<string, string>> {
    return {};
  }

  async completeProvisioning(): Promise<void> {}

  async rejectProvisioning(): Promise<void> {}
}

const messageBody = z.object({
  To: z.string(),
  Body: z.string().max(1600).optional(),
  MediaUrl: z.union([z.string(), z.array(z.string())]).optional(),
  From: z
    .string()
    .refine((text) => text !== 'bad', { params: { failure: 'invalid_from' } })
    .optional(),
});

@Controller('2010-04-01/Accounts/:AccountSid')
export class TwilioTestController {
  @Post('Messages.json')
  @CreatesMessage()
  create(
    @Body({ schema: messageBody }) body: z.infer<typeof messageBody>,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
  ) {
    context.messageSid = sid('SM', '1');
    return { ...body, account_sid: principal.accountSid, tier: principal.tier, credential: principal.credential };
  }

  @Get('Messages/:Sid.json')
  fetch(@Param('Sid') Sid: string) {
    return { sid: Sid };
  }

  @Get('Messages.json')
  list(@Query() query: Record<string, unknown>) {
    return { query };
  }

  @Delete('Messages/:Sid.json')
  @HttpCode(204)
  remove() {}
}

@Controller('2010-04-01/Accounts/:AccountSid.json')
export class AccountTestController {
  @Post()
  @ActsOnInactiveSubaccount()
  change(@CurrentPrincipal() { accountSid, status }: Principal) {
    return { accountSid, status };
  }
}

const noteBody = z.strictObject({
  name: z.string().max(20),
  size: z.int().optional(),
  tags: z.array(z.string()).optional(),
});
const noteQuery = pageQuerySchema.extend({ q: z.string().optional() });

@Controller('v1')
export class NativeTestController {
  /** What `fail` throws. */
  static error: unknown = new Error('unset');

  @Post('notes')
  create(@Body({ schema: noteBody }) body: z.infer<typeof noteBody>) {
    return body;
  }

  @Get('notes')
  @ApiOperation({ summary: 'Notes <all> of them' })
  list(@Query({ schema: noteQuery }) query: z.infer<typeof noteQuery>, @Context() context: RequestContext) {
    return { ...query, traceparent: context.traceparent };
  }

  @Get('notes/:id')
  fetch(@Param('id') id: string) {
    return { id };
  }

  /** What `wait` waits for, and whether somebody does. */
  static gate: Promise<void> = Promise.resolve();
  static waiting = false;

  @Get('wait')
  @Public()
  async wait() {
    NativeTestController.waiting = true;
    await NativeTestController.gate;
    NativeTestController.waiting = false;
    return { waited: true };
  }

  @Get('fail')
  @Public()
  fail() {
    throw NativeTestController.error;
  }

  @Post('Services')
  @Public()
  services() {
    throw new Failure('conflict', { field: 'FriendlyName', detail: 'Taken', retryAfterSeconds: 2.5 });
  }
}

@Controller('v1/operator')
@OperatorOnly()
export class OperatorTestController {
  @Post('things')
  create(@Body({ schema: noteBody }) body: z.infer<typeof noteBody>) {
    return body;
  }
}

@Controller('open')
@Public()
export class PublicTestController {
  @Post()
  echo(@Body() body: unknown) {
    return { body };
  }
}

/** A small application behind the real edge. */
export interface EdgeUnderTest {
  readonly app: NestFastifyApplication;
  readonly server: FastifyInstance;
  readonly accounts: MemoryAccounts;
  /** Lines of the log so far, parsed. */
  readonly lines: Record<string, unknown>[];
}

export async function startEdge(
  changed: Partial<Settings> = {},
  logger = capturingLogger(changed),
): Promise<EdgeUnderTest> {
  const settings = { ...SETTINGS_OF_TESTS, ...changed };
  const accounts = new MemoryAccounts();
  const surroundings = [
    { provide: SETTINGS, useValue: settings },
    { provide: Logger, useValue: logger.logger },
    { provide: AccountsApi, useValue: accounts },
  ];
  @Global()
  @Module({ providers: surroundings, exports: surroundings })
  class Surroundings {}
  const controllers = [
    TwilioTestController,
    AccountTestController,
    NativeTestController,
    OperatorTestController,
    PublicTestController,
  ];
  @Module({ imports: [Surroundings, TelemetryModule, EdgeModule], controllers })
  class Application {}
  const app = await NestFactory.create<NestFastifyApplication>(Application, createAdapter(settings), {
    logger: new NestLogger(logger.logger),
    abortOnError: false,
  });
  app.get(Edge).attach(app);
  await app.listen(0, '127.0.0.1');
  return {
    app,
    server: app.getHttpAdapter().getInstance() as unknown as FastifyInstance,
    accounts,
    lines: logger.lines,
  };
}

export function capturingLogger({ logLevel = 'info' }: Partial<Settings>) {
  const lines: Record<string, unknown>[] = [];
  return {
    logger: PinoLogger.create({ level: logLevel, dev: false, write: (line) => lines.push(JSON.parse(line)) }),
    lines,
  };
}

function sid(prefix: string, digit: string): string {
  return prefix + digit.repeat(32);
}

const SETTINGS_OF_TESTS: Settings = {
  port: 0,
  host: '127.0.0.1',
  publicUrl: 'https://api.example.test/',
  dataDir: '.data',
  databaseUrls: { accounts: '', carriers: '', billing: '', messaging: '', notifications: '' },
  redisUrl: undefined,
  operatorToken: OPERATOR_TOKEN,
  secretsKey: 'k'.repeat(32),
  webhookAllowedCidrs: [],
  trustedProxies: [],
  roles: ['api'],
  logLevel: 'info',
  tracing: null,
  dev: false,
  isAlone: false,
};
