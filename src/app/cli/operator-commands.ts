import { randomUUID } from 'node:crypto';
import { EXIT_FAILED, EXIT_OK, type Invocation, UsageError } from './command.js';
import { OperatorClient } from './operator-client.js';

/** `accounts list` */
export async function listAccounts(invocation: Invocation): Promise<number> {
  const { limit, cursor } = invocation.options;
  return show(invocation, await ask(invocation, 'GET', `accounts${query({ limit, cursor })}`));
}

/** `accounts create <name>` */
export async function createAccount(invocation: Invocation): Promise<number> {
  const { tier = 'free' } = invocation.options;
  const [friendly_name] = invocation.positionals;
  return show(invocation, await ask(invocation, 'POST', 'accounts', { friendly_name, tier }));
}

/** `credits add <account> <amount>`: without a key each call is another credit. */
export async function addCredit(invocation: Invocation): Promise<number> {
  const [account = '', amount] = invocation.positionals;
  const { key = `cli-${randomUUID()}`, reason } = invocation.options;
  const path = `accounts/${encodeURIComponent(account)}/credits`;
  return show(invocation, await ask(invocation, 'POST', path, { amount, key, ...(reason ? { reason } : {}) }));
}

/** `carriers list` */
export async function listCarriers(invocation: Invocation): Promise<number> {
  return show(invocation, await ask(invocation, 'GET', 'carriers'));
}

/** `audit`: as long as it takes. */
export async function runAudit(invocation: Invocation): Promise<number> {
  const { from, to } = invocation.options;
  const report = (await ask(invocation, 'GET', `audit${query({ from, to })}`)) as { ok: boolean };
  show(invocation, report);
  return report.ok ? EXIT_OK : EXIT_FAILED;
}

/** `api <method> <path> [body]` */
export async function callApi(invocation: Invocation): Promise<number> {
  const [method = '', path = '', text] = invocation.positionals;
  if (!/^(get|post|put|patch|delete)$/i.test(method)) throw new UsageError(`${method} is no method of HTTP`);
  return show(
    invocation,
    await ask(invocation, method.toUpperCase(), path, text === undefined ? undefined : json(text)),
  );
}

async function ask(invocation: Invocation, method: string, path: string, body?: unknown): Promise<unknown> {
  const client = await OperatorClient.from(invocation.environment, invocation.options.url, invocation.signal);
  return client.request(method, path, body);
}

function show({ stdout }: Invocation, answer: unknown): number {
  if (answer !== null) stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  return EXIT_OK;
}

function query(values: Readonly<Record<string, string | boolean | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given) as Record<string, string>)}`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the body is no JSON: ${(error as Error).message}`);
  }
}
