import { isFailure } from '../../shared/failure.js';
import { FailedLogins } from './failed-logins.js';

const GUESS = 'Basic QUMxOmd1ZXNz';
/** More failures than an address may have in a second. */
const MANY = 200;

/** Whether a second address is refused after the first has failed too often. */
function isRefused(failing: string, asking: string): boolean {
  const logins = new FailedLogins();
  for (let count = 0; count < MANY; count++) logins.failed(failing, GUESS);
  try {
    logins.admit(asking, GUESS);
    return false;
  } catch (error) {
    if (isFailure(error, 'too_many_requests')) return true;
    throw error;
  }
}

describe('an address that failed too often', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::1', true],
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8::1', '2001:db8:0:0:9::', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['::1', '::2', true],
  ])('%s: %s is refused with it: %s', (failing, asking, refused) => {
    expect(isRefused(failing, asking)).toBe(refused);
  });

  it('passes with credentials that were good before', () => {
    const logins = new FailedLogins();
    logins.succeeded('Basic good');
    for (let count = 0; count < MANY; count++) logins.failed('192.0.2.1', GUESS);
    expect(() => logins.admit('192.0.2.1', 'Basic good')).not.toThrow();
  });
});
