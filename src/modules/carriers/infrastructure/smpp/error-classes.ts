import type { ResultClass } from '../../domain/smpp-options.js';
import { CommandStatus } from './command-status.js';

/**
 * What the answer to a submit_sm means for the sender: `ok`; `throttled`, slow this bind down and spend no attempt;
 * `retryable`, the carrier did not take it and may take it later; `bind_fatal`, the bind itself is refused;
 * `permanent`, this message will not be taken; `unknown`, nobody can tell whether it was.
 */
export type ErrorClass = 'ok' | ResultClass;

/** Classes that one carrier's statuses have instead of the usual ones. */
export type ErrorClassOverrides = ReadonlyMap<number, ErrorClass>;

const USUAL_CLASSES: ReadonlyMap<number, ErrorClass> = new Map<number, ErrorClass>([
  [CommandStatus.ESME_ROK, 'ok'],
  [CommandStatus.ESME_RTHROTTLED, 'throttled'],
  [CommandStatus.ESME_RMSGQFUL, 'throttled'],
  [CommandStatus.ESME_RSYSERR, 'retryable'],
  [CommandStatus.ESME_RX_T_APPN, 'retryable'],
  [CommandStatus.ESME_RINVPASWD, 'bind_fatal'],
  [CommandStatus.ESME_RINVSYSID, 'bind_fatal'],
  [CommandStatus.ESME_RINVSYSTYP, 'bind_fatal'],
]);

const NO_OVERRIDES: ErrorClassOverrides = new Map();

/** The class of a command_status; an override wins, and what no table names is permanent. */
export function classifyStatus(commandStatus: number, overrides: ErrorClassOverrides = NO_OVERRIDES): ErrorClass {
  return overrides.get(commandStatus) ?? USUAL_CLASSES.get(commandStatus) ?? 'permanent';
}
