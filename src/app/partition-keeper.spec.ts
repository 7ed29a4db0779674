import { eventually } from '../../test/support/eventually.js';
import { EVENT_PARTITION_ROWS } from '../platform/postgres/partitions.js';
import { PARTITIONS_EVERY_MS, PartitionKeeper } from './partition-keeper.js';

/** More than the logs of this product take: what is made ahead is made for it. */
const EVENTS_PER_SECOND = 20_000;

describe('the keeper of the partitions', () => {
  it('comes round before a log has filled the whole block that is always ahead of it', () => {
    expect((PARTITIONS_EVERY_MS / 1000) * EVENTS_PER_SECOND).toBeLessThan(EVENT_PARTITION_ROWS);
  });

  it('makes them again and again, never twice at once, whatever went wrong before', async () => {
    const errors: object[] = [];
    let [made, underWay, most] = [0, 0, 0];
    const make = async () => {
      most = Math.max(most, ++underWay);
      // Longer than the interval: the timer comes round while this is under way.
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      if (++made === 1) throw new Error('the database is gone');
    };
    const keeper = new PartitionKeeper(make, { error: (fields) => void errors.push(fields) }, 1);
    keeper.start();
    await eventually(() => made >= 3);
    await keeper.stop();
    const madeAtStop = made;
    expect([errors.length, underWay, most]).toEqual([1, 0, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBe(madeAtStop);
  });
});
