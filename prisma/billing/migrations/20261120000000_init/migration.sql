-- The event log of billing: see src/platform/event-log. The head row gives out positions; an append updates it last.
create table event_head (
  id boolean primary key default true check (id),
  position bigint not null
);
insert into event_head (position) values (0);

-- Partitioned by position, made ahead by the maintenance, which also gives each partition its unique
-- (stream_id, version): across partitions the lock on the row of the stream's owner keeps versions unique.
create table event (
  position bigint not null,
  stream_id uuid not null,
  version integer not null,
  type text not null,
  tenant_id uuid,
  occurred_at timestamptz not null default clock_timestamp(),
  data jsonb not null,
  causation text,
  traceparent text,
  primary key (position)
) partition by range (position);

-- Cursor and lease of each consumer that billing runs.
create table consumer (
  id text primary key,
  source text not null,
  position bigint not null default 0,
  owner uuid,
  epoch bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
);

-- Events whose effect failed, and what queues behind them in their streams.
create table parked_event (
  consumer text not null references consumer (id),
  position bigint not null,
  stream_id uuid not null,
  state text not null,
  attempts integer not null,
  error text,
  next_attempt_at timestamptz not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (consumer, position)
);
create index parked_event_stream_idx on parked_event (consumer, stream_id, position);

-- One row per account of the ledger; balance and reserved sum are projections of the entries.
-- A reservation may not take balance - reserved below the limit. version is that of the newest event of the account.
-- Rows of busy accounts change thousands of times a second: with room on their page each change stays on it, and
-- touches no index.
create table ledger_account (
  id uuid primary key,
  kind text not null check (kind in ('customer', 'revenue', 'funding')),
  currency text not null,
  balance_micros bigint not null default 0,
  reserved_micros bigint not null default 0 check (reserved_micros >= 0),
  limit_micros bigint not null default 0,
  version integer not null default 1,
  created_at timestamptz not null default clock_timestamp()
) with (fillfactor = 20);

-- The operator's own accounts: where charges go, and where credits come from.
insert into ledger_account (id, kind, currency) values
  ('00000000-0000-7000-8000-000000000001', 'revenue', 'USD'),
  ('00000000-0000-7000-8000-000000000002', 'funding', 'USD');

-- Transfers: one row is debit, credit and amount, so that every row sums to zero. A two-phase transfer is a row of
-- phase 0 (pending) and one of phase 1 (post or void): the key lets each be resolved once. A credit is phase 1 alone.
-- Never changed, never deleted: the module's role has no right to. key_prefix is the kind of the key's SID.
create table entry (
  key uuid not null,
  debit_id uuid not null,
  credit_id uuid not null,
  amount_micros bigint not null check (amount_micros >= 0),
  created_at timestamptz not null default clock_timestamp(),
  phase smallint not null,
  kind text not null,
  key_prefix text not null,
  primary key (key, phase),
  check ((phase = 0 and kind = 'pending') or (phase = 1 and kind in ('post', 'void', 'credit')))
) partition by range (key);

-- What an operator credited, by the key of the request: the same key credits once.
create table credit (
  account_id uuid not null references ledger_account (id),
  key text not null,
  entry_key uuid not null unique,
  amount_micros bigint not null check (amount_micros > 0),
  reason text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, key)
);
create index credit_account_id_entry_key_idx on credit (account_id, entry_key);

-- Price of a segment by the longest matching prefix; a rate of the account's own goes before the general one of the
-- same prefix. The account of a general rate is the nil UUID. version is that of the newest event of the rate.
create table rate (
  id uuid primary key,
  account_id uuid not null default '00000000-0000-0000-0000-000000000000',
  prefix text not null,
  price_micros bigint not null check (price_micros >= 0),
  currency text not null,
  version integer not null default 1,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create unique index rate_account_id_prefix_key on rate (account_id, prefix);

grant select, update on event_head to trunkline_billing;
grant select, insert on event, entry, credit to trunkline_billing;
grant select, insert, update on ledger_account to trunkline_billing;
grant select, insert, update, delete on consumer, parked_event, rate to trunkline_billing;
