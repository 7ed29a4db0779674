import pg from 'pg';
import { PRICE_MICROS } from './product.js';
import type { Sender } from './requests.js';

const DAY_MS = 86_400_000;
/** The product keeps partitions of last week and this one. */
const SPREAD_MS = 6 * DAY_MS;
const CHUNK = 100_000;
const EVENTS_PER_MESSAGE = 3;
const REVENUE = '00000000-0000-7000-8000-000000000001';

/** Ids as the product gives them, spread over the last days; the same number gives the same id again. */
const ID = (
  n: string,
  startMs: number,
  stepMs: number,
) => `(lpad(to_hex((${startMs} + ${n} * ${stepMs})::bigint), 12, '0')
  || '7' || lpad(to_hex(${n} & 4095), 3, '0') || '8' || lpad(to_hex((${n} >> 12) & 4095), 3, '0')
  || lpad(to_hex(${n}), 12, '0'))::uuid`;

/** The instant in an id. */
const TIME = `to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)`;

/**
 * Writes delivered and settled messages of one account straight into the tables of a product that is stopped, as the
 * product would have left them: messages, events, ledger entries and submissions. Resolves with the SIDs of some.
 */
export async function fillHistory(databaseUrl: string, sender: Sender, count: number): Promise<string[]> {
  const startMs = Date.now() - SPREAD_MS;
  const stepMs = (SPREAD_MS - DAY_MS) / count;
  const account = uuidOf(sender.sid);
  const head = await withOwner(databaseUrl, async (client) => {
    const { rows } = await client.query<{ position: string }>('select position from messaging.event_head');
    return Number(rows[0]!.position);
  });
  const id = ID('n', startMs, stepMs);
  const steps = [messages(account, sender.from, id), entries(account, id), submissions(account, id)];
  // Two sessions, for two cores: the events are as much work as the rest.
  await Promise.all([
    withOwner(databaseUrl, (client) => inChunks(client, steps, count)),
    withOwner(databaseUrl, (client) => inChunks(client, events(sender, head, id), count)),
  ]);
  return withOwner(databaseUrl, async (client) => {
    await client.query(`update messaging.event_head set position = ${head + count * EVENTS_PER_MESSAGE}`);
    for (const module of ['messaging', 'notifications']) {
      await client.query(`update ${module}.consumer set position = $1 where source = 'messaging'`, [
        head + count * EVENTS_PER_MESSAGE,
      ]);
    }
    const sum = count * PRICE_MICROS;
    await client.query('update billing.ledger_account set balance_micros = balance_micros - $1 where id = $2', [
      sum,
      account,
    ]);
    await client.query('update billing.ledger_account set balance_micros = balance_micros + $1 where id = $2', [
      sum,
      REVENUE,
    ]);
    await client.query('analyze messaging.message, messaging.event, billing.entry, carriers.submission');
    const { rows } = await client.query<{ id: string }>(
      `select ${id} as id from (select (random() * $1)::int + 1 as n from generate_series(1, 2000)) as picked`,
      [count - 1],
    );
    return rows.map((row) => `SM${row.id.replaceAll('-', '')}`);
  });
}

/** Statements that write the rows of the messages $1 to $2. */
type Statement = string;

function messages(account: string, from: string, id: string): Statement {
  return `insert into messaging.message (account_id, id, version, status, direction, lane, queue, from_number, to_number,
      body, encoding, segments, retry_unknown, price_micros, currency, carrier, receipts, created_at, updated_at, sent_at,
      valid_until)
    select '${account}', id, 3, 'delivered', 'outbound-api', 'normal', 'bench', '${from}', '+1557' || lpad(n::text, 7, '0'),
      'Your code is ' || n || '. It is good for ten minutes. Order ' || lpad(n::text, 10, '0') || '.', 'GSM-7', 1, false,
      ${PRICE_MICROS}, 'USD', 'bench', 1, at, at + interval '2 s', at + interval '1 s', at + interval '4 hours'
    from (select n, ${id} as id from generate_series($1::int, $2::int) n) as numbered,
      lateral (select ${TIME}) as t(at)`;
}

function entries(account: string, id: string): Statement {
  return `insert into billing.entry (key, debit_id, credit_id, amount_micros, created_at, phase, kind, key_prefix)
    select id, '${account}', '${REVENUE}', ${PRICE_MICROS}, ${TIME}, phase, kind, 'SM'
    from (select ${id} as id from generate_series($1::int, $2::int) n) as numbered, (values (0::smallint, 'pending'), (1::smallint, 'post')) as p(phase, kind)`;
}

function submissions(account: string, id: string): Statement {
  return `insert into carriers.submission (key, account_id, carrier, outcome, segments, message_id, destination)
    select ${id}, '${account}', 'bench', 'accepted', 1, 'old' || n, '1557' || lpad(n::text, 7, '0')
    from generate_series($1::int, $2::int) n`;
}

/** A statement per chunk: positions ascend with time, as they do in a log. */
function events(sender: Sender, head: number, id: string): Statement[] {
  const common = `'messageSid', 'SM' || translate(id::text, '-', ''), 'accountSid', '${sender.sid}', 'from', '${sender.from}',
    'to', '+1557' || lpad(n::text, 7, '0'), 'serviceSid', null, 'callbackUrl', null`;
  return [
    `insert into messaging.event (position, stream_id, version, type, tenant_id, data)
    select ${head} + (n - 1) * ${EVENTS_PER_MESSAGE}::bigint + version, id, version,
      'messaging.message-' || fact || '.v1', '${uuidOf(sender.sid)}',
      case version
        when 1 then jsonb_build_object(${common}, 'status', 'queued', 'queue', 'bench', 'lane', 'normal', 'segments', 1)
        when 2 then jsonb_build_object(${common}, 'carrier', 'bench')
        else jsonb_build_object(${common}, 'carrier', 'bench', 'doneDate', null) end
    from (select n, ${id} as id from generate_series($1::int, $2::int) n) as numbered,
      (values (1, 'accepted'), (2, 'sent'), (3, 'delivered')) as f(version, fact) order by 1`,
  ];
}

async function inChunks(client: pg.Client, statements: readonly Statement[], count: number): Promise<void> {
  for (let from = 1; from <= count; from += CHUNK) {
    for (const statement of statements) await client.query(statement, [from, Math.min(from + CHUNK - 1, count)]);
  }
}

async function withOwner<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const options = '-c role=trunkline_owner -c synchronous_commit=off';
  const client = new pg.Client({ connectionString, options });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function uuidOf(sid: string): string {
  return sid.slice(2).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
