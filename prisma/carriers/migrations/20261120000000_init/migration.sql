-- The event log of carriers: see src/platform/event-log. The head row gives out positions; an append updates it last.
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

-- Cursor and lease of each consumer that carriers runs.
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

create table carrier (
  name text primary key,
  type text not null,
  host text not null,
  port integer not null,
  system_id text not null,
  password bytea not null,
  bind text not null default 'transceiver',
  window_size integer not null default 50,
  tps integer,
  state text not null default 'active',
  version integer not null default 1,
  stream_id uuid not null unique,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);

create table route (
  id uuid primary key,
  prefix text not null,
  carrier text not null references carrier (name),
  priority integer not null default 100,
  weight integer not null default 1,
  created_at timestamptz not null default clock_timestamp()
);
create unique index route_prefix_carrier_key on route (prefix, carrier);

-- Who holds the binds: one worker at a time. Each write made under it checks the epoch.
create table lease (
  name text primary key,
  owner uuid,
  epoch bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
);

-- The keys of a group of submissions, written before the first byte of any of them leaves, and removed when every one
-- of them has its answer. What a dead worker left here is of unknown outcome, but for the keys that were given back.
create table intent (
  id uuid primary key,
  epoch bigint not null,
  keys uuid[] not null,
  carriers text[] not null,
  destinations text[] not null,
  account_ids uuid[] not null,
  retry_unknown boolean[] not null,
  segments smallint[] not null,
  returned uuid[] not null default '{}',
  created_at timestamptz not null default clock_timestamp()
);

-- An answered submission. message_id is the carrier's, of the first segment, in normal form.
create table submission (
  key uuid not null,
  account_id uuid not null,
  carrier text not null,
  outcome text not null,
  error_code integer,
  segments smallint not null,
  message_id text,
  destination text not null,
  answered_at timestamptz not null default clock_timestamp(),
  primary key (key)
) partition by range (key);
create index submission_message_id_idx on submission (carrier, message_id);

-- The carrier's ids of the second and later segments.
create table submission_segment (
  key uuid not null,
  segment smallint not null,
  carrier text not null,
  message_id text not null,
  primary key (key, segment)
) partition by range (key);
create index submission_segment_message_id_idx on submission_segment (carrier, message_id);

-- Receipts that match no submission yet: kept, shown, and matched when its answer comes.
create table orphan_receipt (
  id uuid primary key,
  carrier text not null,
  message_id text not null,
  source text not null,
  state text not null,
  error_code integer,
  done_date text,
  received_at timestamptz not null default clock_timestamp()
);
-- A carrier that repeats itself is kept once.
create unique index orphan_receipt_content_key on orphan_receipt (carrier, message_id, source, state);

-- How each carrier fares, as the owner of the binds last saw it: current while the lease has the same epoch.
create table carrier_status (
  carrier text primary key references carrier (name),
  epoch bigint not null,
  status jsonb not null,
  updated_at timestamptz not null default clock_timestamp()
);

grant select, update on event_head to trunkline_carriers;
grant select, insert on event to trunkline_carriers;
grant select, insert, update, delete on consumer, parked_event, carrier, carrier_status, route, lease, intent,
  orphan_receipt to trunkline_carriers;
grant select, insert on submission, submission_segment to trunkline_carriers;
