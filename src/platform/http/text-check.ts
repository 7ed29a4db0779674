import { Failure } from '../../shared/failure.js';

/** Deepest nesting of arrays and objects in a JSON body. */
export const MAX_DEPTH = 32;
/** Values of any kind in one JSON body, names not counted. */
export const MAX_NODES = 10_000;
const MAX_SHOWN_NAME_LENGTH = 64;

/** Where a value stands: its own name or index, and what holds it. */
interface Place {
  readonly name: string;
  readonly parent: Place | null;
}

/**
 * Refuses text that PostgreSQL cannot hold: a NUL character (its errors 22021 and 22P05) or a lone surrogate (22P02).
 *
 * @param name public name of the parameter, for the error
 * @throws Failure invalid_parameter naming the parameter
 */
export function refuseUnsafeText(text: string, name: string): void {
  const fault = faultOf(text);
  if (fault) throw unsafe(name, fault);
}

/**
 * The same for every string of a JSON value, names included, and bounds on its depth and size. A name `__proto__` is
 * refused: whatever copied such an object would change the copy's prototype.
 *
 * @throws Failure invalid_parameter naming the parameter as `a.0.b`
 */
export function refuseUnsafeJson(value: unknown): void {
  visit(value, null, 0, { left: MAX_NODES });
}

/** A parameter's name as it may stand in an error: printable ASCII, 64 characters at most. */
export function shownName(name: string): string {
  return name.slice(0, MAX_SHOWN_NAME_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

function visit(value: unknown, place: Place | null, depth: number, budget: { left: number }): void {
  budget.left -= 1;
  if (budget.left < 0) throw new Failure('invalid_request', { detail: `The body holds more than ${MAX_NODES} values` });
  if (typeof value === 'string') {
    const fault = faultOf(value);
    if (fault) throw unsafe(pathOf(place), fault);
  } else if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH) {
      throw new Failure('invalid_request', {
        field: pathOf(place),
        detail: `The body is nested deeper than ${MAX_DEPTH} levels`,
      });
    }
    visitMembers(value, place, depth, budget);
  }
}

function visitMembers(value: object, parent: Place | null, depth: number, budget: { left: number }): void {
  for (const [name, member] of Object.entries(value)) {
    const place = { name, parent };
    const fault = faultOf(name) ?? (name === '__proto__' ? 'has a name that is not allowed' : null);
    if (fault) throw unsafe(pathOf(place), fault);
    visit(member, place, depth + 1, budget);
  }
}

function faultOf(text: string): string | null {
  if (text.includes('\0')) return 'contains a NUL character';
  return text.isWellFormed() ? null : 'contains a lone surrogate, which is no character';
}

function unsafe(name: string, fault: string): Failure {
  const field = shownName(name);
  return new Failure('invalid_parameter', { field, detail: `'${field}' ${fault}` });
}

function pathOf(place: Place | null): string {
  const names: string[] = [];
  for (let at = place; at && names.length <= MAX_DEPTH; at = at.parent) names.unshift(at.name);
  return shownName(names.join('.')) || 'body';
}
