/** The measure of the machine: PostgreSQL's own rate of transactions of two inserts, in a process of its own. */
import pg from 'pg';
import { nowMs } from '../lib/clock.js';
import { serve } from '../lib/program.js';
import type { TwoInsertMethods } from '../lib/two-inserts.js';

const SCHEMA = `
  create table message (
    account_id uuid not null, id uuid not null, version int not null, status text not null, from_number text not null,
    to_number text not null, body text not null, price_micros bigint not null, currency text not null,
    created_at timestamptz not null, updated_at timestamptz not null, valid_until timestamptz not null,
    primary key (account_id, id));
  create table event (
    position bigint generated always as identity primary key, stream_id uuid not null, version int not null,
    type text not null, tenant_id uuid, occurred_at timestamptz not null, data jsonb not null)`;

/** Prepared once per connection, as a driver does it; a transaction is then one round trip without parsing. */
const PREPARE = `
  prepare message (uuid, uuid, text, text) as insert into message
    values ($1, $2, 1, 'queued', '+15005550006', $3, $4, 7500, 'USD', now(), now(), now() + interval '4 hours');
  prepare event (uuid, uuid, jsonb) as insert into event (stream_id, version, type, tenant_id, occurred_at, data)
    values ($1, 1, 'messaging.message-accepted.v1', $2, now(), $3)`;

const ACCOUNT = '00000000-0000-7000-8000-000000000001';
const EVENT_DATA = JSON.stringify({
  lane: 'normal',
  queue: 'bench-carrier',
  from: '+15005550006',
  to: '+15551234567',
  segments: 1,
  priceMicros: 7_500,
  currency: 'USD',
  callbackUrl: null,
});

let clients: pg.Client[] = [];
let count = 0;

function transaction(): string {
  const number = ++count;
  const digits = String(number).padStart(12, '0');
  const id = `01900000-${digits.slice(0, 4)}-7${digits.slice(4, 7)}-8000-${digits}`;
  const body = `Your code is ${number}. It is good for ten minutes. Order ${digits}.`;
  return `begin; execute message('${ACCOUNT}', '${id}', '+1555${digits.slice(-7)}', '${body}');
    execute event('${id}', '${ACCOUNT}', '${EVENT_DATA}'); commit`;
}

const methods: TwoInsertMethods = {
  connect: async ({ url, connections }) => {
    clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }));
    // A server that is stopped beneath them says so here; the next query would say the same.
    for (const client of clients) client.on('error', () => undefined);
    await Promise.all(clients.map((client) => client.connect()));
    await clients[0]!.query(SCHEMA);
    await Promise.all(clients.map((client) => client.query(PREPARE)));
  },
  run: async (durationMs) => {
    const startedMs = nowMs();
    let done = 0;
    await Promise.all(
      clients.map(async (client) => {
        while (nowMs() - startedMs < durationMs) {
          await client.query(transaction());
          done += 1;
        }
      }),
    );
    return (done * 1_000) / (nowMs() - startedMs);
  },
};
serve(methods);
