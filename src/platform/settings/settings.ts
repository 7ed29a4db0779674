import { z } from 'zod';
import { AddressPolicy } from '../http-client/address-policy.js';

export const MODULES = ['accounts', 'carriers', 'billing', 'messaging', 'notifications'] as const;
export type ModuleName = (typeof MODULES)[number];

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
  .transform(Number)
  .refine((number) => number <= 65535, 'must be a number from 0 to 65535');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part.length > 0),
);
const networks = list.superRefine((cidrs, context) => {
  try {
    new AddressPolicy(cidrs);
  } catch (error) {
    context.addIssue((error as Error).message);
  }
});
const postgresUrl = z
  .string()
  .refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text), 'must be a postgres:// URL');

/** Names of the OpenTelemetry specification, SDK environment variables. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const environmentSchema = z.object({
  PORT: port.default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// URL')
    .optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  OPERATOR_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  SECRETS_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  DEMO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hexadecimal digits')
    .optional(),
  DEMO_AUTH_TOKEN: z
    .string()
    .regex(/^[0-9a-zA-Z]{32}$/, 'must have 32 letters and digits')
    .optional(),
  WEBHOOK_ALLOWED_CIDRS: networks.optional(),
  TRUSTED_PROXIES: list.optional(),
  ROLES: list
    .default(['api', 'worker'])
    .refine((roles) => roles.length > 0 && roles.every((role) => role === 'api' || role === 'worker'), {
      message: 'must be api, worker or both, separated by a comma',
    }),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_TRACES_SAMPLER: z.enum(SAMPLERS).default('parentbased_traceidratio'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0|1|0?\.\d{1,9}|1\.0+|0\.0+)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .default(0.01),
  OTEL_SERVICE_NAME: z.string().min(1).max(255).default('trunkline'),
  ACCOUNTS_DATABASE_URL: postgresUrl.optional(),
  CARRIERS_DATABASE_URL: postgresUrl.optional(),
  BILLING_DATABASE_URL: postgresUrl.optional(),
  MESSAGING_DATABASE_URL: postgresUrl.optional(),
  NOTIFICATIONS_DATABASE_URL: postgresUrl.optional(),
});

export type Environment = z.infer<typeof environmentSchema>;

export interface Tracing {
  /** Base URL of an OTLP/HTTP receiver; the path `/v1/traces` is added. */
  readonly endpoint: string;
  readonly sampler: (typeof SAMPLERS)[number];
  /** Share of the traces that begin here and are sampled, from 0 to 1; only samplers by ratio look at it. */
  readonly ratio: number;
  readonly serviceName: string;
}

/** What the process runs with, complete: secrets made or given, databases known. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string | undefined;
  readonly dataDir: string;
  readonly databaseUrls: Readonly<Record<ModuleName, string>>;
  readonly redisUrl: string | undefined;
  readonly operatorToken: string;
  readonly secretsKey: string;
  readonly webhookAllowedCidrs: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly roles: readonly string[];
  readonly logLevel: Environment['LOG_LEVEL'];
  /** Where traces go, and which; null: nowhere, and none are made. */
  readonly tracing: Tracing | null;
  /** Demo data, simulated carriers, readable logs, webhooks to loopback. */
  readonly dev: boolean;
  /**
   * Whether the databases are this process's own, as its lock on the data directory proves: whoever left leases and
   * half-done work in them is dead.
   */
  readonly isAlone: boolean;
}

/** A setting is missing or bad; the message names it and says what it must be. */
export class SettingsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SettingsError';
  }
}

/**
 * Reads the settings from the environment.
 *
 * @throws SettingsError that names every bad setting
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const present = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => name in environmentSchema.shape && value !== undefined && value !== '',
    ),
  );
  const result = environmentSchema.safeParse(present);
  if (result.success) {
    requireSecrets(result.data);
    return result.data;
  }
  throw new SettingsError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}

/** How traces are made, or null where there is nowhere to send them. */
export function tracingOf(environment: Environment): Tracing | null {
  const endpoint = environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return null;
  return {
    endpoint,
    sampler: environment.OTEL_TRACES_SAMPLER,
    ratio: environment.OTEL_TRACES_SAMPLER_ARG,
    serviceName: environment.OTEL_SERVICE_NAME,
  };
}

/** The connection string of a module: its own database, or the common one. */
export function databaseUrls(environment: Environment, common: string): Record<ModuleName, string> {
  return {
    accounts: environment.ACCOUNTS_DATABASE_URL ?? common,
    carriers: environment.CARRIERS_DATABASE_URL ?? common,
    billing: environment.BILLING_DATABASE_URL ?? common,
    messaging: environment.MESSAGING_DATABASE_URL ?? common,
    notifications: environment.NOTIFICATIONS_DATABASE_URL ?? common,
  };
}

/** The name of the setting that says where a module's database is. */
export function databaseSetting(environment: Environment, module: ModuleName): string {
  const own = `${module.toUpperCase()}_DATABASE_URL` as const;
  return environment[own as keyof Environment] === undefined ? 'DATABASE_URL' : own;
}

function requireSecrets(environment: Environment): void {
  if (!environment.DATABASE_URL) return;
  const missing = (['OPERATOR_TOKEN', 'SECRETS_KEY'] as const).filter((name) => !environment[name]);
  if (missing.length > 0) {
    throw new SettingsError(missing.map((name) => `${name}: is required together with DATABASE_URL`).join('\n'));
  }
}
