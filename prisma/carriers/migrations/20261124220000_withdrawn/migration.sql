-- Keys that their caller took back before any carrier had them: they are never sent.
create table withdrawn (
  key uuid primary key
);

-- Counts the withdrawals. A statement that writes an intent holds a share lock on this row and compares the count under
-- that lock with the one of its own snapshot: where they differ, it may have missed what was withdrawn, and is repeated.
alter table lease add column withdrawals bigint not null default 0;

-- Withdraws those of the keys that no carrier may have; returns those that are withdrawn, now or before.
-- One call is one statement for its client, so that no client that stops in between keeps the lease locked; inside,
-- each statement has a snapshot of its own, taken after the one before it is done.
create function withdraw(asked uuid[]) returns setof uuid language plpgsql as $$
begin
  -- Waits for every intent that is being written, and keeps others waiting until this has committed.
  insert into carriers.lease as l (name, withdrawals) values ('binds', 1)
    on conflict (name) do update set withdrawals = l.withdrawals + 1;
  -- So this sees every intent that was begun before, and each that is begun later sees this.
  insert into carriers.withdrawn (key)
    select a.key from unnest(asked) as a(key)
    except select s.key from carriers.submission s where s.key = any (asked)
    except select k.key from carriers.intent i, unnest(i.keys) as k(key) where k.key <> all (i.returned)
    on conflict do nothing;
  return query select w.key from carriers.withdrawn w where w.key = any (asked);
end $$;

grant select, insert, update, delete on withdrawn to trunkline_carriers;
revoke execute on function withdraw(uuid[]) from public;
grant execute on function withdraw(uuid[]) to trunkline_carriers;
