import Sequencer from '@jest/test-sequencer';

/**
 * The suites that take the longest, the longest first: begun last, they would keep one worker busy and the others idle.
 * The order within the list is all that matters; what is not in it comes after, the largest files first.
 */
const LONGEST = [
  'test/e2e/killed.spec.ts',
  'test/e2e/torture.spec.ts',
  'test/e2e/first-start.spec.ts',
  'test/e2e/stop-and-recover.spec.ts',
  'test/e2e/kill-and-recover.spec.ts',
  'test/e2e/roles-pairs.spec.ts',
  'src/modules/notifications/isolation.spec.ts',
  'test/e2e/start-and-stop.spec.ts',
  'test/architecture/boundaries.spec.ts',
  'test/e2e/row-writes.spec.ts',
  'src/platform/event-log/processes.spec.ts',
  'src/platform/event-log/crash.spec.ts',
  'test/e2e/limits.spec.ts',
  'test/e2e/taken-back.spec.ts',
  'test/simulation/simulation.spec.ts',
];

/** Begins with the longest suites, so that the workers end together. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path, context }) => {
      const index = LONGEST.indexOf(path.slice(context.config.rootDir.length + 1));
      return index === -1 ? LONGEST.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
