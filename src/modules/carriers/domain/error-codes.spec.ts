import { receiptCode, refusalCode } from './error-codes.js';

it.each([
  [0x0a, 30007],
  [0x0b, 30005],
  [0x66, 30007],
  [0x45, 30008],
  [0x0400, 30008],
])('a refusal with status %i is error %i', (status, code) => {
  expect(refusalCode(status)).toBe(code);
});

it.each([
  ['undelivered', '30006', 30006],
  ['undelivered', '001', 30003],
  ['undelivered', null, 30003],
  ['expired', '000', 30003],
  ['rejected', '099', 30007],
  ['deleted', null, 30008],
  ['undelivered', '300031', 30003],
])('a receipt with state %s and error %s is error %i', (state, error, code) => {
  expect(receiptCode(state, error)).toBe(code);
});
