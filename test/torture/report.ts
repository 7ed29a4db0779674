import { cpus, totalmem } from 'node:os';
import type { Findings, Violation } from './audit/findings.js';

export interface RoundResult {
  readonly round: number;
  readonly shape: string;
  readonly seconds: number;
  readonly kills: number;
  readonly faults: number;
  readonly messages: number;
  readonly unknown: number;
  readonly repeated: number;
  readonly violations: number;
}

export interface Report {
  readonly seed: number;
  readonly ok: boolean;
  readonly seconds: number;
  readonly machine: string;
  readonly leftOut: readonly string[];
  readonly kills: Readonly<Record<string, number>>;
  readonly killsTotal: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly messages: number;
  readonly callbacksOwed: number;
  readonly callbacksReceived: number;
  readonly lost: number;
  readonly chargedWrongly: number;
  readonly givenTwice: number;
  readonly callbacksMissing: number;
  readonly callbacksOutOfOrder: number;
  readonly otherViolations: number;
  /** Given to a carrier more than once, as `unknown_outcome: retry` allows. */
  readonly repeatedAfterUnknownOutcome: readonly string[];
  /** Not sent as far as the product knows, but a carrier may have them: failed with 30008, or ended while in doubt. */
  readonly unknownOutcomes: number;
  readonly rounds: readonly RoundResult[];
  readonly violations: readonly Violation[];
}

export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}`;
}

/** How often each kind was found. */
export function countsOf(findings: Findings) {
  const count = (kind: Violation['kind']) => findings.counts.get(kind) ?? 0;
  return {
    lost: count('lost'),
    chargedWrongly: count('charged wrongly'),
    givenTwice: count('given twice'),
    callbacksMissing: count('callback missing'),
    callbacksOutOfOrder: count('callback out of order'),
    otherViolations: count('other'),
  };
}

const MAX_SHOWN = 50;
const MAX_REPEATED = 10;

/** The report for people. */
export function show(report: Report): string {
  const named = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const lines = [
    ['kills survived', `${report.killsTotal} (${named(report.kills)})`],
    ['other faults', named(report.faults)],
    ['requests', `${report.requests} (${named(report.answers)})`],
    ['messages audited', report.messages],
    ['lost', report.lost],
    ['charged wrongly', report.chargedWrongly],
    ['given to a carrier twice', report.givenTwice],
    ['  unknown outcomes, repeated as asked', report.repeatedAfterUnknownOutcome.length],
    ['  unknown outcomes, ended as such', report.unknownOutcomes],
    ['callbacks', `${report.callbacksOwed} owed, ${report.callbacksReceived} received`],
    ['callbacks missing', report.callbacksMissing],
    ['callbacks out of order', report.callbacksOutOfOrder],
    ['other violations', report.otherViolations],
    ['left out', report.leftOut.join('; ') || 'nothing'],
    ['machine', report.machine],
    ['time', `${report.seconds} s`],
    ['seed', report.seed],
  ];
  const table = lines.map(([name, value]) => `  ${String(name).padEnd(40)}${value}`);
  const found = report.violations
    .slice(0, MAX_SHOWN)
    .map(({ kind, invariant, subject, detail }) => `  ${kind} (${invariant}): ${subject} ${detail}`);
  const repeated = report.repeatedAfterUnknownOutcome;
  const some = repeated.length > MAX_REPEATED ? ', … (all of them with --json)' : '';
  const list = repeated.length > 0 ? [`  repeated: ${repeated.slice(0, MAX_REPEATED).join(', ')}${some}`] : [];
  return [...table, ...list, ...found].join('\n');
}
