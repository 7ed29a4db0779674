import type { OperationOutcome } from './check.js';
import { DIFFERENT, REFUSED } from './differences.js';
import { nameOf, OPERATIONS, optionsOf } from './facts.js';

/** Those of the operations that were checked, by name. */
export type Outcomes = ReadonlyMap<string, OperationOutcome>;

/** The page that tells what was found, as it must stand in the documentation. */
export function conformancePage(outcomes: Outcomes, twilioVersion: string): string {
  const parameters = OPERATIONS.reduce((sum, operation) => sum + optionsOf(operation).length, 0);
  return `# Conformance with Twilio's API

Made by [conformance.spec.ts](../test/conformance/conformance.spec.ts), which fails when this page is not what it finds;
\`UPDATE_CONFORMANCE=1 npm test -- test/conformance\` writes it anew. What is not in this table at all, and what to use in its
place: [twilio.md](twilio.md).

Of each operation that Twilio's OpenAPI documents have and this product supports (${OPERATIONS.length}, with ${parameters} parameters
beside those of their paths), every parameter was sent with each of the values that its description tells apart, to a
running product, raw and through the package \`twilio\` ${twilioVersion}. Each answer was held against its description:
every property there, of its type and format, and no other. Values that cannot be right were refused, in Twilio's form of
an error. Lists were read in pages of one, by their links.

*Shown*: the answer bears the value, or is narrowed to it. *Taken*: it is valid, and no answer says more of it.

| operation | result | shown | taken | not as at Twilio |
|---|---|---|---|---|
${OPERATIONS.map((operation) => row(nameOf(operation), outcomes.get(nameOf(operation))!)).join('\n')}
`;
}

function row(name: string, outcome: OperationOutcome): string {
  const of = (kind: 'shown' | 'taken') =>
    outcome.parameters.filter((each) => each.outcome === kind && !DIFFERENT[name]?.[each.name]).map(({ name }) => name);
  const refused = outcome.refused === null ? 'as described' : `${outcome.refused}: ${REFUSED[name]?.because}`;
  return `| \`${name}\` | ${refused} | ${of('shown').join(', ')} | ${of('taken').join(', ')} | ${differences(name, outcome)} |`;
}

/** Parameters with the same reason stand together. */
function differences(name: string, { parameters }: OperationOutcome): string {
  const reasons = new Map<string, string[]>();
  const add = (parameter: string, reason: string) => reasons.set(reason, [...(reasons.get(reason) ?? []), parameter]);
  for (const { name: parameter } of parameters) {
    const difference = DIFFERENT[name]?.[parameter];
    if (!difference) continue;
    const outcome = difference.outcome === 'ignored' ? 'ignored' : `refused with ${difference.outcome}`;
    add(parameter, `${outcome}: ${difference.because}`);
  }
  return [...reasons].map(([reason, names]) => `${names.join(', ')} ${reason}`).join('; ');
}
