import { newId } from '../../shared/sid.js';

const ACCEPTED = /^[A-Za-z0-9._:-]{1,128}$/;

/** The id of a request: the client's `X-Request-Id` where it is 1 to 128 of A-Z a-z 0-9 . _ : -, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && ACCEPTED.test(header) ? header : newId();
}
