import { BRIEF, MODULE, openBus, Streams } from './event-log.test-support.js';
import { type Fault, FaultPoint, openFaultyHouse, steppedConsumer } from './faults.test-support.js';

/** What a child process of these suites is to do, as JSON in its first argument. */
export type ChildTask =
  | { readonly role: 'consumer'; readonly ids: readonly string[]; readonly flaky?: boolean; readonly keyed?: boolean }
  | { readonly role: 'appender'; readonly id: string; readonly transactions: number };

export interface ChildInput {
  readonly url: string;
  readonly task: ChildTask;
  readonly fault: Fault | null;
}

const EVENTS_PER_TRANSACTION = 3;
const { url, task, fault } = JSON.parse(process.argv[2] ?? '') as ChildInput;
const point = new FaultPoint(fault);
const house = openFaultyHouse(url, point);

// A test that dies takes its children with it.
process.stdin.on('end', () => process.exit(0)).resume();
if (task.role === 'consumer') await consume(task);
else await append(task);

async function consume({ ids, flaky, keyed }: Extract<ChildTask, { role: 'consumer' }>): Promise<void> {
  const consumers = ids.map((id) => steppedConsumer(id, house.db, point, { flaky, keyed }));
  const bus = openBus(house, consumers, BRIEF);
  await bus.startConsumers();
  process.stdout.write('ready\n');
}

/** Each transaction writes a row and events, which belong together, and then reports that it is committed. */
async function append({ id, transactions }: Extract<ChildTask, { role: 'appender' }>): Promise<void> {
  for (let index = 0; index < transactions; index++) {
    const events = new Streams(1).next(EVENTS_PER_TRANSACTION);
    await house.db.transaction(async (tx) => {
      point.passed('began');
      await tx.query(
        `insert into ${MODULE}.keyed_effect (consumer, position, stream_id, version) values ($1, $2, $3, 1)`,
        [id, index, events[0]!.streamId],
      );
      point.passed('written');
      await house.log.append(tx, events);
      point.passed('appended');
    });
    process.stdout.write(`committed ${events[0]!.streamId}\n`);
  }
  process.exit(0);
}
