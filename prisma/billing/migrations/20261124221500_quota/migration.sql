-- The daily quota is reserved with the money, on the same row: how many messages were reserved on quota_day (UTC) and
-- not given back. Null quota_limit: none. limits_version is that of the event of accounts which said so.
-- reserved_count is how many reservations are open, a projection of the entries as reserved_micros is.
alter table ledger_account
  add column quota_day date,
  add column quota_used integer not null default 0,
  add column quota_limit integer,
  add column limits_version integer not null default 0,
  add column reserved_count bigint not null default 0,
  add column outstanding_limit bigint not null default 1000000;

-- A void of what never came to be: it gives its place in the day's quota back, too.
alter table entry add column undone boolean not null default false;

update ledger_account a set reserved_count = p.open from (
  select debit_id, count(*) filter (where phase = 0) - count(*) filter (where phase = 1) as open
  from entry where kind <> 'credit' group by debit_id
) p where a.id = p.debit_id and p.open <> 0;

-- What was reserved today counts, so that a quota that is heard of later holds for the whole day.
update ledger_account a set quota_day = (now() at time zone 'UTC')::date, quota_used = p.used from (
  select debit_id, count(*)::integer as used from entry
  where phase = 0 and (created_at at time zone 'UTC')::date = (now() at time zone 'UTC')::date group by debit_id
) p where a.id = p.debit_id;

-- Accounts that were opened before have their limits in the log of accounts, which is heard once more from its start:
-- what was done is recognised.
update consumer set position = 0 where id = 'billing.provision-accounts';
