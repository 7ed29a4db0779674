import { eventually } from '../support/eventually.js';
import type { Random } from './random.js';

/** What a tenant is, as the run decides it. */
interface TenantPlan {
  readonly name: string;
  readonly tier: 'free' | 'pro' | 'enterprise';
  readonly unknownOutcome: 'fail' | 'retry';
  /** Its share of the load. */
  readonly weight: number;
  /** It sends no more than this in the whole run: tiers have daily limits. */
  readonly maxOrders: number;
  readonly creditMicros: bigint;
  /** Prices of its own, by prefix, in micro-units. */
  readonly rates: Readonly<Record<string, bigint>>;
}

export interface Tenant extends TenantPlan {
  readonly index: number;
  readonly sid: string;
  readonly token: string;
  readonly number: string;
  /** Everything that was credited, as the operator was told. */
  creditedMicros: bigint;
}

/** How the operator's API is called: repeats what was not answered. */
export type Operator = <T>(method: string, path: string, body?: unknown) => Promise<T>;

export const GENERAL_RATES: Readonly<Record<string, bigint>> = { '': 40_000n, '+1': 7_900n };

const UNLIMITED = Number.MAX_SAFE_INTEGER;
const RICH = 50_000_000_000n;
const rich = { tier: 'enterprise', weight: 10, maxOrders: UNLIMITED, creditMicros: RICH, rates: {} } as const;

/** Tiers, policies and purses of all kinds; one whose money runs out, and is credited again. */
export const POOR = 'poor';
const PLANS: readonly TenantPlan[] = [
  { ...rich, name: 'first', unknownOutcome: 'fail' },
  { ...rich, name: 'own-prices', unknownOutcome: 'fail', rates: { '': 12_300n, '+1': 5_001n } },
  { ...rich, name: 'third', unknownOutcome: 'fail', weight: 6 },
  { ...rich, name: 'insistent', unknownOutcome: 'retry' },
  { ...rich, name: 'insistent-own-prices', unknownOutcome: 'retry', weight: 4, rates: { '+1555': 9_999n } },
  { ...rich, name: 'pro', tier: 'pro', unknownOutcome: 'fail', weight: 1, maxOrders: 9_000 },
  { ...rich, name: 'pro-insistent', tier: 'pro', unknownOutcome: 'retry', weight: 1, maxOrders: 9_000 },
  { ...rich, name: 'free', tier: 'free', unknownOutcome: 'fail', weight: 0.2, maxOrders: 90 },
  { ...rich, name: POOR, unknownOutcome: 'fail', weight: 2, creditMicros: 300_000n },
];

/** Opens every tenant's account with its number, credit and prices. */
export async function openTenants(operator: Operator, random: Random): Promise<Tenant[]> {
  for (const [prefix, price] of Object.entries(GENERAL_RATES)) {
    await operator('POST', 'rates', { prefix, price: amount(price) });
  }
  const tenants: Tenant[] = [];
  for (const [index, plan] of PLANS.entries()) {
    const number = `+1556${String(1_000_000 + index * 1_000 + random.between(0, 999))}`;
    tenants.push(await openTenant(operator, plan, index, number));
  }
  return tenants;
}

/** Adds money, exactly once however often the call is repeated. */
export async function credit(operator: Operator, tenant: Tenant, key: string, micros: bigint): Promise<void> {
  const body = { amount: amount(micros), key, reason: 'torture' };
  await operator('POST', `accounts/${tenant.sid}/credits`, body);
  tenant.creditedMicros += micros;
}

/** What a message costs one tenant: the longest prefix decides, its own price before everybody's of the same prefix. */
export function priceOf(tenant: TenantPlan, to: string, segments: number): bigint {
  for (let length = to.length; length >= 0; length--) {
    const prefix = to.slice(0, length);
    const rate = tenant.rates[prefix] ?? GENERAL_RATES[prefix];
    if (rate !== undefined) return rate * BigInt(segments);
  }
  throw new Error(`nobody has a price for ${to}`);
}

async function openTenant(operator: Operator, plan: TenantPlan, index: number, number: string): Promise<Tenant> {
  const opened = await operator<{ sid: string; auth_token: string }>('POST', 'accounts', {
    friendly_name: plan.name,
    tier: plan.tier,
  });
  const tenant = { ...plan, index, sid: opened.sid, token: opened.auth_token, number, creditedMicros: 0n };
  if (plan.unknownOutcome !== 'fail') {
    await operator('PATCH', `accounts/${tenant.sid}`, { unknown_outcome: plan.unknownOutcome });
  }
  await eventually(() => credit(operator, tenant, 'first', plan.creditMicros).then(() => true), {
    what: `the account ${tenant.sid} can be credited`,
  });
  await operator('POST', `accounts/${tenant.sid}/phone-numbers`, { phone_number: number });
  for (const [prefix, price] of Object.entries(plan.rates)) {
    await operator('POST', 'rates', { prefix, price: amount(price), account_sid: tenant.sid });
  }
  return tenant;
}

function amount(micros: bigint): string {
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}

/** An amount of the API, such as "-0.007900", in micro-units. */
export function microsOf(text: string): bigint {
  const [, sign, whole, decimals = ''] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`"${text}" is no amount`);
  const micros = BigInt(whole) * 1_000_000n + BigInt(decimals.padEnd(6, '0'));
  return sign === '-' ? -micros : micros;
}
