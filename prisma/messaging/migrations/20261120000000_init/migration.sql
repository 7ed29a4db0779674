-- The event log of messaging: see src/platform/event-log. The head row gives out positions; an append updates it last.
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

-- Cursor and lease of each consumer that messaging runs.
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

-- The message: its status, and its text, which is nowhere else. Partitioned by the instant in its id.
create table message (
  account_id uuid not null,
  id uuid not null,
  version integer not null,
  status text not null,
  direction text not null,
  lane text not null,
  queue text not null,
  from_number text not null,
  to_number text not null,
  body text not null,
  encoding text not null,
  segments smallint not null,
  service_id uuid,
  callback_url text,
  retry_unknown boolean not null,
  price_micros bigint not null,
  currency text not null,
  carrier text,
  receipts bigint not null default 0,
  error_code integer,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  sent_at timestamptz,
  valid_until timestamptz not null,
  deleted_at timestamptz,
  traceparent text,
  primary key (account_id, id)
) partition by range (id);

-- What waits for a carrier: by queue, lane and tenant, so that each gets its turn.
create index message_queue_idx on message (queue, lane, account_id, id) where status in ('queued', 'accepted');
-- What must become final by itself when its validity ends.
create index message_valid_until_idx on message (valid_until) where status in ('queued', 'accepted', 'sent');

-- One row per Idempotency-Key: which message it made or is making, and of which request.
create table idempotency_key (
  account_id uuid not null,
  key text not null,
  request_hash bytea not null,
  message_id uuid not null,
  done boolean not null default false,
  locked_until timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, key)
);
create index idempotency_key_created_at_idx on idempotency_key (created_at);

-- How far the sweeps have come; each is one row.
create table sweep (
  name text primary key,
  position text not null
);

grant select, update on event_head to trunkline_messaging;
grant select, insert on event to trunkline_messaging;
grant select, insert, update on message to trunkline_messaging;
grant select, insert, update, delete on consumer, parked_event, idempotency_key, sweep to trunkline_messaging;
