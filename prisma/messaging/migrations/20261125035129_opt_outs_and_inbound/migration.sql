-- Who wants no messages from which sender: `sender` is a number, or the id of a messaging service. `service_id` says through
-- which service a number's row came to be, so that it goes with the service's own.
create table opt_out (
  account_id uuid not null,
  recipient text not null,
  sender text not null,
  service_id uuid,
  source text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, recipient, sender)
);

-- A customer's own keywords and answers: of a number, a service (by id), or, where `scope` is empty, of the account.
create table opt_out_setting (
  account_id uuid not null,
  scope text not null,
  settings jsonb not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (account_id, scope)
);

-- What carriers brought in, one row each, by the carriers' id, which is the message's too. Without an account it came to a
-- number that nobody owned.
create table inbound (
  id uuid not null,
  account_id uuid,
  carrier text not null,
  from_number text not null,
  to_number text not null,
  segments integer not null,
  received_at timestamptz not null,
  primary key (id)
) partition by range (id);
create index inbound_unassigned_idx on inbound (id) where account_id is null;

-- Which message answers an incoming one: each answer of it once.
create table reply (
  account_id uuid not null,
  inbound_id uuid not null,
  ordinal smallint not null,
  message_id uuid not null,
  primary key (account_id, inbound_id, ordinal)
) partition by range (inbound_id);

-- For lists by number, beside those of final outgoing messages: no outgoing message is ever in them.
create index message_received_to_idx on message (account_id, to_number, id) where status = 'received';
create index message_received_from_idx on message (account_id, from_number, id) where status = 'received';

grant select, insert, update, delete on opt_out, opt_out_setting to trunkline_messaging;
grant select, insert, update on inbound, reply to trunkline_messaging;
