import type { LoadOutcome } from './load.js';
import type { Product } from './product.js';
import type { Sender } from './requests.js';

const CREATED = 201;
const AUDIT_PENDING_MS = 30_000;

export interface Draining {
  /** What lets the messages go, such as a carrier's pace that is lifted; counted into the time. */
  readonly begin?: () => Promise<void>;
  /** Messages that are charged to these accounts besides those of the outcomes. */
  readonly others?: number;
}

export interface Drained {
  readonly messages: number;
  /** Until nothing was reserved any more. */
  readonly seconds: number;
}

/**
 * Waits until everything that was accepted is final and settled, then holds what is charged against what the clients
 * were told: fewer is a lost message, and more than could have been accepted is one that was charged twice.
 */
export async function assertNothingLost(
  product: Product,
  senders: readonly Sender[],
  outcomes: readonly LoadOutcome[],
  { begin = async () => undefined, others = 0 }: Draining = {},
): Promise<Drained> {
  const accepted = others + outcomes.reduce((sum, outcome) => sum + outcome.count(CREATED), 0);
  const uncertain = outcomes.reduce((sum, outcome) => sum + outcome.uncertain, 0);
  if (accepted === 0) throw new Error('no message was accepted');
  const startedMs = performance.now();
  await begin();
  await product.settled(senders);
  const seconds = (performance.now() - startedMs) / 1_000;
  const charged = await product.charged(senders);
  if (charged < accepted || charged > accepted + uncertain) {
    throw new Error(`${accepted} messages were accepted (${uncertain} uncertain), and ${charged} are charged`);
  }
  await assertAudit(product);
  return { messages: charged, seconds };
}

/** The product's own audit; differences younger than half a minute may be work under way. */
async function assertAudit(product: Product): Promise<void> {
  const deadline = performance.now() + AUDIT_PENDING_MS;
  let audit = await product.audit();
  while (audit.pending > 0 && performance.now() < deadline) audit = await product.audit();
  if (!audit.ok) throw new Error(`the audit finds ${JSON.stringify(audit.violations).slice(0, 500)}`);
}
