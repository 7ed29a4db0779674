import { describeStatus } from './command-status.js';
import { classifyStatus, type ErrorClass } from './error-classes.js';

test.each<[number, ErrorClass]>([
  [0x00, 'ok'],
  [0x58, 'throttled'],
  [0x14, 'throttled'],
  [0x08, 'retryable'],
  [0x64, 'retryable'],
  [0x0e, 'bind_fatal'],
  [0x0f, 'bind_fatal'],
  [0x53, 'bind_fatal'],
  [0x0a, 'permanent'],
  [0x0b, 'permanent'],
  [0x66, 'permanent'],
  [0x0400, 'permanent'],
  [0xffffffff, 'permanent'],
])('status %d is %s', (status, expected) => {
  expect(classifyStatus(status)).toBe(expected);
});

test("a carrier's own table wins, and only where it says something", () => {
  const overrides = new Map<number, ErrorClass>([
    [0x0b, 'retryable'],
    [0x0400, 'throttled'],
  ]);
  expect([0x0b, 0x0400, 0x0a].map((status) => classifyStatus(status, overrides))).toEqual([
    'retryable',
    'throttled',
    'permanent',
  ]);
});

test('a status is said in plain words, with its number', () => {
  expect(describeStatus(0x0e)).toBe('invalid password (0x0E)');
  expect(describeStatus(0x0400)).toBe('an error of the carrier (0x400)');
});
