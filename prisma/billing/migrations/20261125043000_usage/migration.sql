-- What an account was charged for on each day (UTC), by the kind of the charges' keys: a projection of the entries of
-- kind 'post', by the instant of the entry. Written by the statement that posts, once for an account in a group.
-- Room on the page, as in ledger_account: the row of the present day changes with every group.
create table usage_day (
  account_id uuid not null,
  day date not null,
  key_prefix text not null,
  charges bigint not null,
  amount_micros bigint not null,
  primary key (account_id, day, key_prefix)
) with (fillfactor = 50);

insert into usage_day (account_id, day, key_prefix, charges, amount_micros)
  select debit_id, (created_at at time zone 'UTC')::date, key_prefix, count(*), sum(amount_micros)
  from entry where kind = 'post' group by 1, 2, 3;

-- Which correction of usage_day was the last: two that looked at the same time must not both be applied.
create table usage_correction (
  id boolean primary key default true check (id),
  version bigint not null
);
insert into usage_correction (version) values (0);

grant select, insert, update on usage_day to trunkline_billing;
grant select, update on usage_correction to trunkline_billing;
