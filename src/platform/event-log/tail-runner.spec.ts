import { jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import type { StoredEvent } from '../../shared/define-event.js';
import type { LocalTail } from './consumer.js';
import type { EventBus } from './event-bus.js';
import {
  appendAll,
  asSuperuser,
  MODULE,
  openBus,
  openHouse,
  quiet,
  Streams,
  type TestHouse,
} from './event-log.test-support.js';

let database: TestDatabase;
let house: TestHouse;
let other: TestHouse;
let buses: EventBus[];

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  house = openHouse(database.url);
  other = openHouse(database.url);
});

beforeEach(() => {
  buses = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(buses.map((bus) => bus.stop()));
});

afterAll(async () => {
  await Promise.all([house?.db.close(), other?.db.close()]);
  await database?.stop();
});

/** A cache's ear: what it was told, in order, and how often that it can trust nothing. */
class Ear implements LocalTail {
  readonly source = MODULE;
  readonly heard: number[] = [];
  losses = 0;

  constructor(
    readonly id: string,
    private readonly hear: (event: StoredEvent) => void = () => undefined,
  ) {}

  on(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.hear(event);
      this.heard.push(event.position);
    }
  }

  lost(): void {
    this.losses++;
  }
}

async function listen(at: TestHouse, ...ears: LocalTail[]): Promise<void> {
  const bus = openBus(at, []);
  for (const ear of ears) bus.tail(ear);
  buses.push(bus);
  await bus.startTails();
}

const positionsAfter = (after: number, count: number) => Array.from({ length: count }, (_, index) => after + 1 + index);

describe('a local tail', () => {
  it('hears every event from now on, in every process, and starts with an empty cache', async () => {
    await appendAll(house, new Streams(1).next(5));
    const head = await house.log.head();
    const [here, there] = [new Ear('here'), new Ear('there')];
    await listen(house, here);
    await listen(other, there);
    expect([here.losses, there.losses]).toEqual([1, 1]);
    await appendAll(house, new Streams(3).next(2500), 500);
    for (const ear of [here, there]) {
      await eventually(() => ear.heard.length === 2500);
      expect(ear.heard).toEqual(positionsAfter(head, 2500));
      expect(ear.losses).toBe(1);
    }
  });

  it('that throws is told that its cache is lost, and disturbs neither the others nor itself later', async () => {
    const errors = jest.spyOn(quiet, 'error');
    let isBroken = true;
    const broken = new Ear('broken', () => {
      if (isBroken) throw new Error('cannot hear');
    });
    const sound = new Ear('sound');
    await listen(house, broken, sound);
    const head = await house.log.head();
    await appendAll(house, new Streams(1).next(2));
    await eventually(() => sound.heard.length === 2);
    isBroken = false;
    await appendAll(house, new Streams(1).next(2));
    await eventually(() => sound.heard.length === 4 && broken.heard.length === 2);
    expect(broken.heard).toEqual(positionsAfter(head + 2, 2));
    expect(broken.losses).toBeGreaterThan(1);
    expect(sound.losses).toBe(1);
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ tail: 'broken' }), expect.any(String));
  });

  it.each(['throws', 'rejects'])('that %s even when its cache is lost ends nothing', async (how) => {
    const hopeless = new Ear('hopeless');
    const fail = () => {
      throw new Error('cannot');
    };
    hopeless.on = how === 'throws' ? fail : async () => fail();
    hopeless.lost = how === 'throws' ? fail : async () => fail();
    const sound = new Ear('sound');
    await listen(house, hopeless, sound);
    await appendAll(house, new Streams(1).next(2));
    await eventually(() => sound.heard.length === 2);
  });

  it('is in doubt when the log cannot be read, and starts over from its head', async () => {
    const ear = new Ear('doubting');
    await listen(house, ear);
    // The tail reads where it stands, which is the head: later readers are left alone.
    const failing = jest.spyOn(house.log, 'read').mockRejectedValueOnce(new Error('gone'));
    await appendAll(other, new Streams(1).next(3));
    await eventually(() => ear.losses >= 3);
    failing.mockRestore();
    const head = await house.log.head();
    await appendAll(house, new Streams(1).next(3));
    await eventually(() => ear.heard.includes(head + 3));
    expect(ear.heard).toEqual(expect.arrayContaining(positionsAfter(head, 3)));
  });

  it('is in doubt when nobody has looked for long, as in a process that was stopped', async () => {
    const ear = new Ear('blind');
    await listen(house, ear);
    const now = Date.now;
    let offsetMs = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + offsetMs);
    offsetMs = 60_000;
    await eventually(() => ear.losses >= 2);
    const head = await house.log.head();
    await appendAll(house, new Streams(1).next(1));
    await eventually(() => ear.heard.at(-1) === head + 1);
  });

  it('is in doubt when it is too far behind to catch up', async () => {
    const ear = new Ear('slow');
    await listen(house, ear);
    const head = await house.log.head();
    await asSuperuser(database.url, (client) =>
      client.query(`
        begin;
        insert into ${MODULE}.event (position, stream_id, version, type, data)
          select ${head} + g, '01890000-0000-7000-8000-000000000000', g, 'messaging.thing-counted.v1', '{}'
          from generate_series(1, 25000) g;
        update ${MODULE}.event_head set position = position + 25000;
        commit`),
    );
    await eventually(() => ear.losses >= 2);
    expect(ear.heard).toEqual([]);
    await appendAll(house, new Streams(1).next(1));
    await eventually(() => ear.heard.at(-1) === head + 25_001);
  });

  it('survives the loss of its connections', async () => {
    const ear = new Ear('tough');
    await listen(house, ear);
    await asSuperuser(database.url, (client) =>
      client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trunkline/${MODULE}'`,
      ),
    );
    await eventually(async () => {
      await appendAll(other, new Streams(1).next(1));
      return ear.heard.length > 0;
    });
  });
});
