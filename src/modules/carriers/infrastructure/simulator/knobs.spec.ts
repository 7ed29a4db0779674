import { DEFAULT_KNOBS, KnobError, turnKnobs } from './knobs.js';

function errorsOf(change: unknown): readonly { field: string; message: string }[] {
  try {
    turnKnobs(DEFAULT_KNOBS, change);
  } catch (error) {
    if (error instanceof KnobError) return error.errors;
    throw error;
  }
  return [];
}

test('a change leaves the other knobs as they are', () => {
  const once = turnKnobs(DEFAULT_KNOBS, { outage: 'refuse', latency_ms: 30 });
  const twice = turnKnobs(once, { outage: 'none', receipt_before_response: true });
  expect(twice).toEqual({ ...DEFAULT_KNOBS, latency_ms: 30, receipt_before_response: true });
  expect(turnKnobs(twice, {})).toEqual(twice);
});

test.each<[string, unknown]>([
  ['outage', 'down'],
  ['latency_ms', -1],
  ['latency_ms', 1.5],
  ['latency_ms', 60_001],
  ['latency_ms', '10'],
  ['error_rate', 1.01],
  ['error_rate', Number.NaN],
  ['throttle_tps', -5],
  ['throttle_tps', null],
  ['receipt_delay_ms', 86_400_001],
  ['receipt_loss_rate', -0.1],
  ['receipt_duplicate_rate', 2],
  ['receipt_before_response', 'yes'],
  ['no_such_knob', 1],
])('%s cannot be %p', (field, value) => {
  expect(errorsOf({ [field]: value })).toEqual([{ field, message: expect.any(String) }]);
});

test('each field at fault is named', () => {
  const fields = errorsOf({ outage: 1, error_rate: 2, nonsense: 3 }).map(({ field }) => field);
  expect(fields.toSorted()).toEqual(['error_rate', 'nonsense', 'outage']);
});

test.each([null, [], 'outage', 7, undefined])('%p is no set of knobs', (change) => {
  expect(errorsOf(change)).toEqual([{ field: 'body', message: expect.any(String) }]);
});
