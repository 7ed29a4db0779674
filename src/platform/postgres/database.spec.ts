import { getPriority } from 'node:os';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { newId } from '../../shared/sid.js';
import { asSuperuser } from '../event-log/event-log.test-support.js';
import { isTransientDatabaseError, ModuleDatabase, type Queryable } from './database.js';

let database: TestDatabase;
let db: ModuleDatabase;
let broken: Error[];

beforeAll(async () => {
  database = await startTestDatabase(['messaging', 'billing']);
});

afterAll(async () => {
  await database?.stop();
});

beforeEach(() => {
  broken = [];
  const onError = (error: Error) => broken.push(error);
  db = new ModuleDatabase({
    module: 'messaging',
    connectionString: database.url,
    dataConnections: 1,
    controlConnections: 1,
    onError,
  });
});

afterEach(async () => {
  await db.close();
});

const sweepCount = async () =>
  (await db.query<{ count: number }>('select count(*)::int as count from messaging.sweep')).rows[0]!.count;
const addSweep = (tx: Queryable, name = newId()) =>
  tx.query("insert into messaging.sweep (name, position) values ($1, '')", [name]);

/** Ends every session of the module, as a restart of the server would; returns when they are gone. */
async function endSessions(): Promise<void> {
  const ours = "from pg_stat_activity where application_name = 'trunkline/messaging'";
  await asSuperuser(database.url, async (client) => {
    await client.query(`select pg_terminate_backend(pid) ${ours}`);
    await eventually(async () => (await client.query(`select ${ours}`)).rowCount === 0);
  });
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('a module', () => {
  it('reaches its own schema only, with either pool', async () => {
    for (const pool of [db.data, db.control]) {
      await expect(pool.query('select * from billing.entry')).rejects.toMatchObject({ code: '42501' });
      const { rows } = await pool.query('select current_user, current_schema');
      expect(rows[0]).toEqual({ current_user: 'trunkline_messaging', current_schema: 'messaging' });
    }
  });

  it('plans its hot statements once, through indexes, and gives up on any statement in time', async () => {
    const show = async (name: string) => (await db.query(`show ${name}`)).rows[0];
    expect(await show('plan_cache_mode')).toEqual({ plan_cache_mode: 'force_generic_plan' });
    expect(await show('enable_seqscan')).toEqual({ enable_seqscan: 'off' });
    expect(await show('statement_timeout')).toEqual({ statement_timeout: '10s' });
    expect(await show('idle_in_transaction_session_timeout')).toEqual({ idle_in_transaction_session_timeout: '5s' });
  });
});

describe('a transaction', () => {
  it('is committed when its work resolves, and rolled back when it throws', async () => {
    const before = await sweepCount();
    expect(await db.transaction(async (tx) => (await addSweep(tx)).rowCount)).toBe(1);
    const failing = db.transaction(async (tx) => {
      await addSweep(tx);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await sweepCount()).toBe(before + 1);
  });

  it('is no success when its work swallowed the error of a statement', async () => {
    const before = await sweepCount();
    const swallowing = db.transaction(async (tx) => {
      await addSweep(tx);
      await tx.query('select 1 / 0').catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('rolled back');
    expect(await sweepCount()).toBe(before);
  });

  it('survives the end of its connection between two statements: an error, and the next one works', async () => {
    const cut = db.transaction(async (tx) => {
      await addSweep(tx);
      // The server's goodbye arrives while nobody is waiting for an answer.
      await endSessions();
      await addSweep(tx);
    });
    expect(isTransientDatabaseError(await errorOf(cut))).toBe(true);
    expect(await db.transaction(async (tx) => (await addSweep(tx)).rowCount)).toBe(1);
  });

  it('that forgets itself is ended by the server, so that nobody waits for its locks for ever', async () => {
    const forgotten = db.transaction(async (tx) => {
      await tx.query('select position from messaging.event_head for update');
      const other = new ModuleDatabase({ module: 'messaging', connectionString: database.url });
      await other.query('select position from messaging.event_head for update').finally(() => other.close());
    });
    expect(isTransientDatabaseError(await errorOf(forgotten))).toBe(true);
  });

  it('leaves its connection to the next one, whatever happened', async () => {
    for (let times = 0; times < 5; times++) {
      await expect(db.transaction((tx) => tx.query('select 1 / 0'))).rejects.toMatchObject({ code: '22012' });
    }
    expect(db.data.totalCount).toBe(1);
    expect(await sweepCount()).toBeGreaterThan(0);
  });
});

describe('an idle connection that breaks', () => {
  it('is reported and replaced', async () => {
    await db.query('select 1');
    await endSessions();
    await eventually(() => broken.length > 0);
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('passing trouble', () => {
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  const ormError = (cause: object) =>
    Object.assign(new Error('x'), {
      code: 'P2010',
      meta: { driverAdapterError: { name: 'DriverAdapterError', cause } },
    });

  it.each([
    ['a shutdown', coded('57P01')],
    ['a deadlock', coded('40P01')],
    ['too many connections', coded('53300')],
    ['a lock timeout', coded('55P03')],
    ['a forgotten transaction', coded('25P03')],
    ['a standby', coded('25006')],
    ['a refused connection', coded('ECONNREFUSED')],
    ['a socket that is away', Object.assign(coded('ENOENT'), { syscall: 'connect' })],
    ['a socket that is away, by the ORM', Object.assign(coded('ENOENT'), { clientVersion: '7', meta: {} })],
    ['a socket with a full queue', Object.assign(coded('EAGAIN'), { syscall: 'connect' })],
    ['a broken connection', new Error('Connection terminated unexpectedly')],
    ['silence', new Error('Query read timeout')],
    ['an unreachable database, by the ORM', ormError({ kind: 'DatabaseNotReachable' })],
    ['a shutdown, by the ORM', ormError({ kind: 'postgres', code: '57P01' })],
    ['the cause of another', new Error('x', { cause: new Error('y', { cause: coded('08006') }) })],
  ])('is %s', (_name, error) => {
    expect(isTransientDatabaseError(error)).toBe(true);
  });

  const circular = new Error('x');
  circular.cause = circular;
  it.each([
    ['a taken key', coded('23505')],
    ['a denied permission', coded('42501')],
    ['a taken key, by the ORM', ormError({ kind: 'UniqueConstraintViolation', code: '23505' })],
    ['a file that is away', Object.assign(coded('ENOENT'), { syscall: 'open' })],
    ['any other', new Error('x')],
    ['its own cause', circular],
    ['nothing at all', undefined],
    ['a text', '57P01'],
    ['null', null],
  ])('is not %s', (_name, error) => {
    expect(isTransientDatabaseError(error)).toBe(false);
  });
});

describe('the server of this process alone', () => {
  it('gives way to the send path when it searches, and only then', async () => {
    const own = new ModuleDatabase({ module: 'messaging', connectionString: database.url, isOwnServer: true });
    try {
      const niceness = async (pool: ModuleDatabase['data']) => {
        const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
        return getPriority(rows[0]!.pid);
      };
      const ordinary = await niceness(own.data);
      expect(await niceness(own.control)).toBe(ordinary);
      expect(await niceness(own.search)).toBe(Math.max(ordinary, 10));
      expect(await niceness(db.search)).toBe(ordinary);
    } finally {
      await own.close();
    }
  });
});
