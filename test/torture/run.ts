import { setTimeout as delay } from 'node:timers/promises';
import { type Audited, audit } from './audit/audit.js';
import { Findings } from './audit/findings.js';
import { Faults } from './faults.js';
import type { Options } from './options.js';
import { planRounds, type RoundPlan } from './plan.js';
import { untilQuiet } from './quiet.js';
import { Random } from './random.js';
import { countsOf, machine, type Report, type RoundResult } from './report.js';
import { CARRIER_NAMES, connectCarriers, type Stage } from './stage.js';
import { credit, openTenants, POOR, type Tenant } from './tenants.js';
import { Traffic } from './traffic.js';

const CLIENTS = 32;
const QUIET_MS = 240_000;
/** The second retry of a callback comes six minutes after the first attempt. */
const RETRIES_MS = 480_000;
const SHORTEST_ROUND_MS = 5_000;
const TOP_UP_MS = 4_000;
const TOP_UP_MICROS = 200_000n;

export interface RunOptions extends Options {
  readonly stage: Stage;
  readonly leftOut: readonly string[];
  readonly say: (line: string) => void;
  readonly log: (line: string) => void;
}

/** One run: its rounds, then an audit of everything at once. */
export class Run {
  private readonly random: Random;
  private readonly faults: Faults;
  private readonly rounds: RoundResult[] = [];
  private readonly beganAt = Date.now();
  private readonly earlier = new Findings();
  private tenants: Tenant[] = [];
  private traffic: Traffic | null = null;
  private spent = new Map<Tenant, bigint>();
  private topUps = 0;

  constructor(private readonly options: RunOptions) {
    this.random = new Random(String(options.seed));
    this.faults = new Faults(options.stage, options.log);
  }

  async run(): Promise<Report> {
    const { stage, minutes, say } = this.options;
    const possible = { has: (trouble: string) => this.has(trouble), carriers: CARRIER_NAMES.length };
    const plans = planRounds(this.options, possible, this.random.fork('plan'));
    let last: Findings | null = null;
    for (const plan of plans) {
      const isLate = Date.now() - this.beganAt > minutes * 60_000;
      if (isLate && plan.number > 1) say(`the time is up: no more rounds after ${plan.number - 1} of ${plans.length}`);
      const isLast = isLate || plan.number === plans.length;
      if (!(isLate && plan.number > 1)) await this.round(plan);
      if (isLast) {
        if (stage.processes.length === 0) await stage.open(plan);
        last = await this.auditAll();
      }
      await stage.close();
      if (isLast || this.earlier.total > 0) break;
    }
    return this.report(last ?? this.earlier);
  }

  private has(trouble: string): boolean {
    const { stage, without } = this.options;
    if (trouble === 'redis' && !stage.redis) return false;
    if (trouble === 'full-disk' && !stage.disk.canBeFull) return false;
    return !without.has(trouble);
  }

  private async round(plan: RoundPlan): Promise<void> {
    const { stage, log } = this.options;
    const startedAt = Date.now();
    log(`round ${plan.number}: ${JSON.stringify({ ...plan, faults: plan.faults.length })}`);
    await stage.open(plan);
    const traffic = await this.prepare();
    const before = { orders: traffic.orders.length, kills: this.faults.killed };
    const sinceMs = Date.now();
    await this.trouble(plan, traffic);
    const left = await untilQuiet(stage, QUIET_MS, false);
    log(`round ${plan.number}: ${left ? `not quiet: ${JSON.stringify(left)}` : 'quiet'}`);
    if (left) this.earlier.add('final', 'lost', `round ${plan.number}`, `does not end: ${JSON.stringify(left)}`);
    const orders = traffic.orders.slice(before.orders);
    const { findings, spent } = await this.audit(orders, sinceMs, this.spent, `round ${plan.number}`);
    this.spent = spent;
    this.note(findings);
    this.rounds.push({
      round: plan.number,
      shape: plan.shape === 'whole' ? 'whole' : `${plan.apis} api, ${plan.workers} worker`,
      seconds: Math.round((Date.now() - startedAt) / 1000),
      kills: this.faults.killed - before.kills,
      faults: plan.faults.length,
      messages: findings.messages,
      unknown: findings.unknown.length,
      repeated: findings.repeated.length,
      violations: findings.total,
    });
    this.sayRound(plan, this.rounds.at(-1)!);
  }

  /** At the first round the customers move in. */
  private async prepare(): Promise<Traffic> {
    const { stage, seed, without } = this.options;
    if (this.traffic) return this.traffic;
    await connectCarriers(stage.operator, stage.carriers);
    this.tenants = await openTenants(stage.operator, this.random.fork('tenants'));
    stage.receivers.setTenants(this.tenants);
    this.traffic = new Traffic({
      tenants: this.tenants,
      receivers: stage.receivers,
      urls: () => stage.apis.map((api) => api.url),
      random: this.random.fork('traffic'),
      kind: { runId: `torture-${seed}`, withCancels: !without.has('cancel') },
      clients: CLIENTS,
    });
    return this.traffic;
  }

  private async trouble(plan: RoundPlan, traffic: Traffic): Promise<void> {
    const { stage, log } = this.options;
    const lastsMs = plan.faults.reduce((sum, { afterMs }) => sum + afterMs, SHORTEST_ROUND_MS);
    traffic.start(plan.number, plan.messages, (plan.messages * 1000) / lastsMs);
    const over = new AbortController();
    const toppingUp = this.topUp(over.signal);
    await this.faults.run(plan.faults);
    await stage.heal();
    await traffic.done();
    log('every order is answered');
    over.abort();
    await toppingUp;
  }

  /** The customer whose money runs out pays again, a little at a time. */
  private async topUp(signal: AbortSignal): Promise<void> {
    const poor = this.tenants.find(({ name }) => name === POOR)!;
    while (!signal.aborted) {
      this.topUps += 1;
      await credit(this.options.stage.operator, poor, `top-up-${this.topUps}`, TOP_UP_MICROS);
      await delay(TOP_UP_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async auditAll(): Promise<Findings> {
    const { stage, log } = this.options;
    const left = await untilQuiet(stage, RETRIES_MS, true);
    log(left ? `retries are left: ${JSON.stringify(left)}` : 'every callback is told or given up');
    if (left) this.earlier.add('callback', 'callback missing', 'the run', `does not end: ${JSON.stringify(left)}`);
    const { findings } = await this.audit(this.traffic!.orders, null, new Map(), 'the run');
    findings.include(this.earlier);
    return findings;
  }

  private async audit(
    orders: Traffic['orders'],
    sinceMs: number | null,
    spentBefore: ReadonlyMap<Tenant, bigint>,
    what: string,
  ): Promise<Audited> {
    const { stage, log } = this.options;
    const random = this.random.fork(`audit of ${what}`);
    const audited = await audit({ stage, tenants: this.tenants, orders, sinceMs, spentBefore, random });
    const { findings } = audited;
    for (const wrong of [...this.traffic!.wrong.splice(0), ...stage.receivers.wrong.splice(0)]) {
      findings.add('key', 'other', what, wrong);
    }
    for (const { name, how, lastWords } of stage.crashes.splice(0)) {
      findings.add('process', 'other', name, `ended by itself (${how}): ${lastWords.slice(-500)}`);
    }
    for (const { invariant, kind, subject, detail } of findings.violations) {
      log(`VIOLATION ${kind} (${invariant}): ${subject} ${detail}`);
    }
    return audited;
  }

  private note(findings: Findings): void {
    this.earlier.include(findings);
    this.earlier.messages += findings.messages;
    this.earlier.callbacks += findings.callbacks;
    this.earlier.repeated.push(...findings.repeated);
    this.earlier.unknown.push(...findings.unknown);
  }

  private sayRound(plan: RoundPlan, result: RoundResult): void {
    const redis = plan.withRedis ? ', redis' : '';
    this.options.say(
      `round ${result.round} (${result.shape}${redis}): ${result.messages} messages, ${result.kills} kills, ` +
        `${result.faults} faults, ${result.unknown} unknown outcomes, ${result.repeated} repeated, ` +
        `${result.violations} violations, ${result.seconds} s`,
    );
  }

  private report(findings: Findings): Report {
    const { seed, leftOut, stage } = this.options;
    const traffic = this.traffic!;
    return {
      seed,
      ok: findings.total === 0,
      seconds: Math.round((Date.now() - this.beganAt) / 1000),
      machine: machine(),
      leftOut,
      kills: Object.fromEntries(this.faults.kills),
      killsTotal: this.faults.killed,
      faults: Object.fromEntries(this.faults.others),
      requests: traffic.attempts,
      answers: Object.fromEntries([...traffic.answers].map(([status, count]) => [status || 'no answer', count])),
      messages: findings.messages,
      callbacksOwed: findings.callbacks,
      callbacksReceived: stage.receivers.count,
      ...countsOf(findings),
      repeatedAfterUnknownOutcome: findings.repeated,
      unknownOutcomes: findings.unknown.length,
      rounds: this.rounds,
      violations: findings.violations,
    };
  }
}
