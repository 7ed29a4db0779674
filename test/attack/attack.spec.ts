import { createHash } from 'node:crypto';
import type pg from 'pg';
import { basic, read } from '../support/api.js';
import { type Bystander, errorLines, openAccount, sendSettled } from '../support/bystander.js';
import {
  type DataDir,
  DEMO_SID,
  DEMO_TOKEN,
  makeReadyDataDir,
  OPERATOR_TOKEN,
  type Product,
  startProduct,
} from '../support/product.js';
import { connectToDatabaseOf, tablesOf } from '../support/product-database.js';
import { assault, type Outcome, type Rules } from './assault.js';
import { type Attack, attacksOn, plainRequest, type Targets } from './attacks.js';
import { type OpenApiDocument, type Operation, operationsOf } from './operations.js';

const TEST_MS = 600_000;
/** Attacks in one run of the tests, chosen by the seed where there are more; `ATTACK=full` makes all. */
const MAX_ATTACKS = process.env.ATTACK === 'full' ? Number.POSITIVE_INFINITY : 12_000;
const SEED = process.env.SEED ?? '1';
const OWN_ACCOUNT = /^\/2010-04-01\/Accounts(\/\{\w+\})?\.json$/;
const SECRETS_KEY = 'a-key-for-the-secrets-of-the-attacks';
const SCHEMES = { customer: 'Basic ', operator: 'Bearer ', public: '' };
const ABSENT = 'f'.repeat(32);
/** What changes by itself: leases and positions of consumers, what the upkeep does, how carriers fare. */
const RESTLESS = /^(\w+\.(consumer|\w*lease\w*|sweep)|bullmq\.\w+)$/;

let dir: DataDir;
let product: Product;
let database: pg.Client;
let operations: Operation[];
let attacks: Attack[];
let stranger: Bystander;
let targets: Targets;
let rules: Rules;
const counts = { wrong: 0, open: 0, strangers: 0, refused: 0 };

beforeAll(async () => {
  dir = await makeReadyDataDir();
  product = await startProduct({ dataDir: dir.path, env: { SECRETS_KEY, WEBHOOK_ALLOWED_CIDRS: '198.51.100.0/24' } });
  database = await connectToDatabaseOf(dir.path);
  stranger = await openAccount(product, 'A stranger');
  const scapegoat = await openAccount(product, 'A scapegoat');
  const message = await sendSettled(product, '+15555550100', 'the only one');
  const document = await read<OpenApiDocument>(product.url, '/openapi.json');
  operations = operationsOf(document);
  targets = targetsOf({ scapegoat: scapegoat.sid, message });
  attacks = chosen(operations.flatMap((operation) => attacksOn(operation, targets)));
  rules = {
    url: product.url,
    secrets: [OPERATOR_TOKEN, DEMO_TOKEN, SECRETS_KEY, stranger.token, scapegoat.token, dir.path, process.cwd()],
    // An account is shown its own token, as at Twilio.
    mayTell: ({ operation }, secret) => secret === DEMO_TOKEN && OWN_ACCOUNT.test(operation.path),
    authorization: ({ operation }) => credentialsFor(operation),
    judge: ({ operation }, { text }) =>
      operation.access !== 'operator' && text.includes(stranger.sid) ? 'tells of another account' : '',
  };
}, TEST_MS);

afterAll(async () => {
  await database?.end();
  await product?.stop();
  await dir?.remove();
  const { wrong, open, strangers, refused } = counts;
  const places = new Set(attacks?.map(({ operation, at }) => `${operation.name} ${at}`)).size;
  process.stderr.write(
    `\nattacks: ${operations?.length} operations, ${places} parameters and parts, ${wrong + open + strangers} requests (${wrong} certainly wrong, ${open} perhaps, ${strangers} of strangers), ${refused} refused\n`,
  );
}, TEST_MS);

function credentialsFor({ access }: Operation): string | undefined {
  if (access === 'public') return undefined;
  return access === 'operator' ? `Bearer ${OPERATOR_TOKEN}` : basic();
}

/** What stands in a path for what is not attacked: something that is there where it can be, or a form without one. */
function targetsOf({ scapegoat, message }: { scapegoat: string; message: string }): Targets {
  const known: readonly [path: RegExp, value: string][] = [
    [/\{AccountSid\}$/, DEMO_SID],
    [/\/accounts\/\{\w+\}$/, scapegoat],
    [/\/[Mm]essages\/\{\w+\}$/, message],
    // Not the same one: what is changed of a carrier may end its bind, without which its simulator refuses much.
    [/\/simulator\/carriers\/\{\w+\}$/, 'sim-smpp-1'],
    [/\/carriers\/\{\w+\}$/, 'sim-smpp-2'],
    [/\/errors\/\{\w+\}$/, '20001'],
  ];
  return ({ path }, { name }) => {
    const upTo = path.slice(0, path.indexOf(`{${name}}`) + name.length + 2);
    return known.find(([pattern]) => pattern.test(upTo))?.[1] ?? ABSENT;
  };
}

/** All of them, or as many as one run may take, the same ones for the same seed. */
function chosen(all: readonly Attack[]): Attack[] {
  if (all.length <= MAX_ATTACKS) return [...all];
  const lot = ({ operation, at, what }: Attack) =>
    createHash('sha1').update(`${SEED} ${operation.name} ${at} ${what}`).digest().readUInt32BE() / 2 ** 32;
  return all.filter((attack) => lot(attack) < MAX_ATTACKS / all.length);
}

/** The rows of every table that does not change by itself, as one figure each. */
async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const table of await tablesOf(database)) {
    if (RESTLESS.test(table)) continue;
    const { rows } = await database.query<{ sum: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(row, '' order by row)), '') as sum
        from (select md5(t::text) as row from ${table} t) as rows`,
    );
    found[table] = rows[0]!.sum;
  }
  return found;
}

/** Transactions that the database has seen so far. */
async function transactions(): Promise<number> {
  const { rows } = await database.query<{ count: string }>(
    'select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]!.count);
}

function count(kind: 'wrong' | 'open' | 'strangers', { sent, refused }: Outcome): void {
  counts[kind] += sent;
  counts.refused += refused;
}

let before: Record<string, string>;

it(
  'refuses whatever the description of an operation rules out, in its own form, naming what is wrong',
  async () => {
    expect(operations.length).toBeGreaterThan(40);
    for (const { body, name } of operations) if (body) expect([name, Object.keys(body.schema)]).not.toEqual([name, []]);
    before = await contents();
    expect(Object.keys(before).length).toBeGreaterThan(40);
    const transactionsBefore = await transactions();
    const outcome = await assault(
      attacks.filter(({ isWrong }) => isWrong),
      rules,
    );
    count('wrong', outcome);
    expect(outcome.faults).toEqual([]);
    expect(outcome.refused).toBeGreaterThan(2_000);
    // To be refused costs no transaction: all that consumers and upkeep did meanwhile is less than one for each.
    expect((await transactions()) - transactionsBefore).toBeLessThan(outcome.sent);
  },
  TEST_MS,
);

it(
  'asks whoever is not known for credentials, before it looks at anything else',
  async () => {
    const wrong = [
      '',
      'x',
      'Basic',
      'Basic !!!!',
      'Bearer',
      'Bearer wrong',
      basic(DEMO_SID, 'wrong'),
      basic('__proto__', 'x'),
    ];
    for (const authorization of wrong) {
      const guarded = operations.filter(({ access }) => access !== 'public');
      const broken = guarded.map((operation): Attack => {
        const plain = plainRequest(operation, targets);
        const headers = { ...plain.headers, ...(authorization ? { authorization } : {}) };
        return {
          ...plain,
          what: authorization || 'no credentials',
          at: 'Authorization',
          isWrong: true,
          headers,
          ...(plain.body ? { body: '{' } : {}),
        };
      });
      const outcome = await assault(broken, {
        ...rules,
        authorization: () => undefined,
        // One who has guessed too often is not asked any more.
        judge: ({ operation }, { status, headers }) =>
          status === 429 ||
          (status === 401 && String(headers['www-authenticate']).startsWith(SCHEMES[operation.access]))
            ? ''
            : 'does not ask for credentials',
      });
      count('strangers', outcome);
      expect(outcome.faults).toEqual([]);
    }
  },
  TEST_MS,
);

it(
  'lets nobody reach what is of another, and no customer what is the operator’s',
  async () => {
    const own = operations.filter(
      ({ access, path }) => access === 'operator' || (access === 'customer' && path.includes('{')),
    );
    const outcome = await assault(
      own.map((operation) => ({
        ...plainRequest(operation, targets),
        what: 'a stranger',
        at: 'Authorization',
        isWrong: true,
      })),
      { ...rules, authorization: () => stranger.authorization, secrets: [...rules.secrets, 'the only one'] },
    );
    count('strangers', outcome);
    expect(outcome.faults).toEqual([]);
  },
  TEST_MS,
);

it(
  'has stored nothing and changed nothing by all of that',
  async () => {
    expect(await contents()).toEqual(before);
  },
  TEST_MS,
);

it(
  'takes for what it is, or refuses, what may be meant',
  async () => {
    const outcome = await assault(
      attacks.filter(({ isWrong }) => !isWrong),
      rules,
    );
    count('open', outcome);
    expect(outcome.faults).toEqual([]);
  },
  TEST_MS,
);

it(
  'is unharmed: nothing was an error of the product, and what always holds holds',
  async () => {
    expect(errorLines(product)).toEqual([]);
    expect(await product.operator('GET', 'audit')).toMatchObject({ ok: true, violations: [] });
    expect((await fetch(`${product.url}/health/ready`)).status).toBe(200);
  },
  TEST_MS,
);
