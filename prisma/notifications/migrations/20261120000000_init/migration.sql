-- The event log of notifications: see src/platform/event-log. The head row gives out positions; an append updates it last.
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

-- Cursor and lease of each consumer that notifications runs.
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

-- One row per status change that a customer is told of. Partitioned by the instant in the message's id.
create table delivery (
  account_id uuid not null,
  message_id uuid not null,
  version integer not null,
  state text not null,
  url text not null,
  params jsonb not null,
  attempts smallint not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  is_left boolean not null default false,
  last_status integer,
  last_error text,
  traceparent text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (account_id, message_id, version)
) partition by range (message_id);
create index delivery_due_idx on delivery (next_attempt_at) where state = 'pending';
-- What found no room in memory, and is looked for as soon as its endpoint has some.
create index delivery_left_idx on delivery (account_id, next_attempt_at) where is_left;
-- A customer's dead deliveries, and those of all customers for the operator.
create index delivery_dead_idx on delivery (account_id, message_id, version) where state = 'dead';
create index delivery_dead_message_idx on delivery (message_id, version) where state = 'dead';

grant select, update on event_head to trunkline_notifications;
grant select, insert on event to trunkline_notifications;
grant select, insert, update on delivery to trunkline_notifications;
grant select, insert, update, delete on consumer, parked_event to trunkline_notifications;
