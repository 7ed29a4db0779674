import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { arrayLiteral } from './array-literal.js';
import { ModuleDatabase } from './database.js';

const HOSTILE = [
  '',
  ' ',
  'NULL',
  'null',
  '{}',
  '{a,b}',
  'a,b',
  '"',
  '\\',
  '\\"',
  '\\\\x41',
  "it's",
  'é☎🙂',
  'a\nb\tc',
  '$1',
  '%',
  'a\nb"',
  '"\u007f\u0001\t\\',
  '"🙂"',
  '\\u0041"',
  '"\u2028é"',
  JSON.stringify({ a: 'b\n\\"', c: '🙂' }),
];

let database: TestDatabase;
let db: ModuleDatabase;

beforeAll(async () => {
  database = await startTestDatabase(['messaging']);
  db = new ModuleDatabase({ module: 'messaging', connectionString: database.url, dataConnections: 1 });
});

afterAll(async () => {
  await db?.close();
  await database?.stop();
});

const back = async (type: string, values: readonly unknown[]) => {
  const { rows } = await db.query<{ back: unknown[] }>(`select $1::${type}[] as back`, [values]);
  return rows[0]!.back;
};

describe('an array parameter', () => {
  it('arrives as it was, whatever its texts hold', async () => {
    expect(await back('text', HOSTILE)).toEqual(HOSTILE);
    expect(await back('text', [null, ...HOSTILE, undefined])).toEqual([null, ...HOSTILE, null]);
    expect(await back('text', [])).toEqual([]);
    expect(await back('text', [null])).toEqual([null]);
  });

  it('arrives with numbers, booleans and large integers', async () => {
    expect(await back('int', [1, -2, null, 0])).toEqual([1, -2, null, 0]);
    expect(await back('float8', [0.1, 1e300, Number.NaN, Number.NEGATIVE_INFINITY])).toEqual([
      0.1,
      1e300,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(await back('boolean', [true, null, false])).toEqual([true, null, false]);
    expect((await back('bigint', [2n ** 63n - 1n, 5n])).map(String)).toEqual(['9223372036854775807', '5']);
  });

  it('arrives within a transaction, and by the configuration of a statement', async () => {
    await db.transaction(async (tx) => {
      const { rows } = await tx.query<{ back: unknown }>({ text: 'select $1::text[] as back', values: [HOSTILE] });
      expect(rows[0]!.back).toEqual(HOSTILE);
      expect((await tx.query<{ back: unknown }>('select $1::text[] as back', [HOSTILE])).rows[0]!.back).toEqual(
        HOSTILE,
      );
    });
  });

  it('is left to the driver where it holds anything else', async () => {
    const instants = [new Date(0), new Date('2026-12-01T00:00:00.123Z')];
    expect(arrayLiteral(instants)).toBe(instants);
    expect(await back('timestamptz', instants)).toEqual(instants);
    const bytes = [Buffer.from([0, 255, 92, 34])];
    expect(await back('bytea', bytes)).toEqual(bytes);
    expect(arrayLiteral([['a'], ['b']])).toEqual([['a'], ['b']]);
    expect(arrayLiteral('text')).toBe('text');
  });
});
