-- The event log of accounts: see src/platform/event-log. The head row gives out positions; an append updates it last.
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

-- Cursor and lease of each consumer that accounts runs.
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

-- version is that of the account's newest event: the row's lock keeps the versions of its stream unique.
create table account (
  id uuid primary key,
  friendly_name text not null,
  tier text not null check (tier in ('free', 'pro', 'enterprise')),
  status text not null check (status in ('provisioning', 'active', 'suspended', 'closed')),
  close_reason text,
  owner_id uuid references account (id),
  auth_token bytea not null,
  messages_per_minute integer,
  messages_per_day integer,
  unknown_outcome text not null default 'fail' check (unknown_outcome in ('retry', 'fail')),
  version integer not null default 1,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index account_owner_id_idx on account (owner_id);

-- Of an API key's secret only the SHA-256 is kept: the secret is random and long, so it cannot be guessed from it.
create table api_key (
  id uuid primary key,
  account_id uuid not null references account (id),
  friendly_name text not null default '',
  secret_hash bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);
create index api_key_account_id_id_idx on api_key (account_id, id);

create table phone_number (
  phone_number text primary key,
  id uuid not null unique,
  account_id uuid not null references account (id),
  created_at timestamptz not null default clock_timestamp()
);
create index phone_number_account_id_id_idx on phone_number (account_id, id);

grant select, update on event_head to trunkline_accounts;
grant select, insert on event to trunkline_accounts;
grant select, insert, update on account, api_key, phone_number to trunkline_accounts;
grant select, insert, update, delete on consumer, parked_event to trunkline_accounts;
