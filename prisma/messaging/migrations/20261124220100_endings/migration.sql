-- Waiting messages that are to end, and why: noted before they are withdrawn from the carriers, removed in the
-- transaction that ends them, so that whatever a crash leaves in between is finished.
create table ending (
  account_id uuid not null,
  id uuid not null,
  reason text not null,
  noted_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id)
);
create index ending_noted_at_idx on ending (noted_at);

-- Accounts that were suspended or closed at some time, as their newest event says: while one is halted, nothing of it is
-- handed over, and what waits ends.
create table account_status (
  account_id uuid primary key,
  version integer not null,
  halted boolean not null,
  since timestamptz not null default clock_timestamp()
);

grant select, insert, update, delete on ending, account_status to trunkline_messaging;
