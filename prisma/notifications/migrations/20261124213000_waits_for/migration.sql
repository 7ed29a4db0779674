-- A delivery that nobody holds says what it waits for: room in a process's memory, or its turn behind another.
alter table delivery add column waits_for text;
update delivery set waits_for = 'room' where is_left;
drop index delivery_left_idx;
alter table delivery drop column is_left;
-- What found no room in memory, and is looked for as soon as its endpoint has some.
create index delivery_left_idx on delivery (account_id, next_attempt_at) where waits_for = 'room';
