import { errorFaultsOf, faultsOf } from './answers.js';
import { OPERATIONS } from './facts.js';

const operation = (method: string, end: string) =>
  OPERATIONS.find((each) => each.method === method && each.path.endsWith(end))!;
const BALANCE = { account_sid: `AC${'0'.repeat(32)}`, balance: '1.00', currency: 'USD' };
const ERROR = { code: 20404, message: 'not found', more_info: 'http://x/docs/errors/20404', status: 404 };

describe('an answer is as described', () => {
  const faults = (body: object, status = 200) =>
    faultsOf(operation('GET', '/Balance.json'), status, JSON.stringify(body)).length;

  it('with every property that it must have', () => {
    expect(faults(BALANCE)).toBe(0);
    expect(faults({ ...BALANCE, balance: null })).toBe(0);
  });

  it.each([
    ['one is missing', { account_sid: BALANCE.account_sid, balance: '1.00' }],
    ['there is another', { ...BALANCE, reserved: '0' }],
    ['one has another type', { ...BALANCE, balance: 1 }],
    ['one has another form', { ...BALANCE, account_sid: 'AC1' }],
  ])('but not where %s', (_, body) => expect(faults(body)).toBeGreaterThan(0));

  it('but not with another status, or a body that must not be', () => {
    expect(faults(BALANCE, 201)).toBe(1);
    const removal = operation('DELETE', '/Keys/{Sid}.json');
    expect([faultsOf(removal, 204, ''), faultsOf(removal, 204, '{}').length]).toEqual([[], 1]);
    expect(faultsOf(operation('GET', '/Balance.json'), 200, '<html>')).toEqual(['the body is no JSON']);
  });
});

describe('an error is Twilio’s', () => {
  const faults = (body: object, status = 404) => errorFaultsOf(status, JSON.stringify(body)).length;

  it('with its four properties', () => expect(faults(ERROR)).toBe(0));

  it.each([
    ['a fifth one', { ...ERROR, type: 'about:blank' }],
    ['one less', { code: 20404, message: 'not found', status: 404 }],
    ['a code in text', { ...ERROR, code: '20404' }],
    ['a status of the server’s own faults', { ...ERROR, status: 500 }],
  ])('but not with %s', (_, body) => expect(faults(body)).toBeGreaterThan(0));

  it('but not where it tells another status', () => expect(faults(ERROR, 400)).toBe(1));
});
