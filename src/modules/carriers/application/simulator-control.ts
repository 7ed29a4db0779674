import { Failure } from '../../../shared/failure.js';
import { KnobError, knobsSchema } from '../infrastructure/simulator/knobs.js';
import {
  type CarrierSnapshot,
  type InboundRequest,
  inboundRequestSchema,
  type SentInbound,
  type SubmissionPage,
} from '../infrastructure/simulator/simulated-carrier.js';

/** Any of a simulated carrier's knobs. */
export const knobChange = knobsSchema.partial();

/** A message that a phone is to send through a simulated carrier. */
export const inboundRequest = inboundRequestSchema;

/** The simulated carriers as operators turn them. Where nothing is simulated, there are none. */
export abstract class SimulatorControl {
  /** Knobs and counters. @throws Failure `not_found`, `unavailable` */
  abstract get(name: string): Promise<CarrierSnapshot>;

  /** Changes some knobs. @throws Failure `not_found`, `unavailable`, `invalid_parameter` */
  abstract put(name: string, knobs: unknown): Promise<CarrierSnapshot>;

  /**
   * What the carrier was given, by its own record, oldest first.
   *
   * @param query.after sequence number of the last submission of the page before; 0 for the first page
   * @throws Failure `not_found`, `unavailable`
   */
  abstract submissions(name: string, query: { after: number; limit: number }): Promise<SubmissionPage>;

  /**
   * Lets a phone send a message through the carrier; resolves when all its parts are confirmed.
   *
   * @throws Failure `not_found`, `unavailable` where the carrier's client does not take it
   */
  abstract inbound(name: string, request: InboundRequest): Promise<SentInbound>;
}

/** There is no simulated carrier of that name, or none at all. */
export function noSimulatedCarrier(name: string): Failure {
  return new Failure('not_found', { detail: `there is no simulated carrier ${name}` });
}

/** A failure of the simulator in terms of whoever turns its knobs. */
export function simulatorFailure(error: unknown): Failure {
  if (!(error instanceof KnobError)) {
    const detail = `the simulator does not answer: ${error instanceof Error ? error.message : String(error)}`;
    return new Failure('unavailable', { detail, retryAfterSeconds: 1 });
  }
  return new Failure('invalid_parameter', {
    field: error.errors[0]?.field ?? 'body',
    detail: error.message,
    errors: error.errors,
  });
}
