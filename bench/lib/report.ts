import type { Machine } from './machine.js';
import type { Aim, Measure } from './scenario.js';
import { ratiosOf, type Spread, spreadOf } from './statistics.js';

/** A measure with its rounds summed up. */
export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly figure: Spread;
  readonly baseline: (Spread & { readonly name: string }) | null;
  readonly ratio: Spread | null;
  readonly aim: Aim | null;
  readonly met: boolean | null;
}

export interface ScenarioReport {
  readonly scenario: string;
  readonly mode: 'postgresql' | 'redis';
  readonly seconds: number;
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
  readonly leftOut: string | null;
  readonly failure: string | null;
}

export interface Report {
  readonly at: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly seconds: number;
  readonly scenarios: readonly ScenarioReport[];
}

export function lineOf({ name, unit, figures, baseline, aim }: Measure): Line {
  const figure = spreadOf(figures);
  const ratio = baseline ? spreadOf(ratiosOf(figures, baseline.values)) : null;
  return {
    name,
    unit,
    figure,
    baseline: baseline ? { name: baseline.name, ...spreadOf(baseline.values) } : null,
    ratio,
    aim: aim ?? null,
    met: aim ? isMet(aim, (aim.of === 'ratio' ? ratio : figure)?.median) : null,
  };
}

function isMet({ atLeast, atMost }: Aim, value: number | undefined): boolean | null {
  if (value === undefined) return null;
  return value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
}

const HEADINGS = ['scenario', 'figure', 'baseline', 'ratio (min–max)', 'aim', 'met'];

/** The table for people, with the notes below it. */
export function renderTable(report: Report): string {
  const rows = [HEADINGS, ...report.scenarios.flatMap(rowsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const notes = report.scenarios.flatMap((scenario) => scenario.notes.map((note) => `  ${label(scenario)}: ${note}`));
  return [renderMachine(report), '', ...lines, '', ...notes].join('\n');
}

/** What it was measured on, in one sentence. */
function renderMachine({ machine, at, quick, seconds }: Report): string {
  const { cores, cpu, memoryGb, system, node, postgres, commit, changed, loadAverage } = machine;
  return (
    `${at}: ${cores} × ${cpu}, ${memoryGb} GB, ${system}, Node.js ${node}, PostgreSQL ${postgres}, ` +
    `commit ${commit || 'unknown'}${changed ? ' with changes' : ''}; load average ${loadAverage} before; ` +
    `${quick ? 'quick run' : 'full run'} of ${Math.round(seconds / 60)} min`
  );
}

function rowsOf(scenario: ScenarioReport): string[][] {
  const name = label(scenario);
  if (scenario.leftOut !== null) return [[name, `left out: ${scenario.leftOut}`, '', '', '', '']];
  const rows = scenario.lines.map((line) => [
    `${name}: ${line.name}`,
    `${spread(line.figure)} ${line.unit}`,
    line.baseline ? `${number(line.baseline.median)} (${line.baseline.name})` : '',
    line.ratio ? spread(line.ratio) : '',
    line.aim ? aimText(line.aim, line.unit) : '',
    line.met === null ? '' : line.met ? 'yes' : 'NO',
  ]);
  if (scenario.failure !== null) rows.push([name, `FAILED: ${scenario.failure.split('\n')[0]}`, '', '', '', '']);
  return rows;
}

function label({ scenario, mode }: ScenarioReport): string {
  return mode === 'redis' ? `${scenario} (Redis)` : scenario;
}

function spread({ median, min, max, values }: Spread): string {
  return values.length === 1 ? number(median) : `${number(median)} (${number(min)}–${number(max)})`;
}

function aimText({ of, atLeast, atMost }: Aim, unit: string): string {
  const bound = atLeast !== undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  return of === 'ratio' ? `${bound} ×` : `${bound} ${unit}`;
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
