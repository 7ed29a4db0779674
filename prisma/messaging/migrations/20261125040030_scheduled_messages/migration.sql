-- Scheduled messages: when they are to be sent, and whether their sender is the one that was asked for. Null for all
-- others, which pay for the indexes below with a look at their conditions.
alter table message add column send_at timestamptz;
alter table message add column from_asked boolean;

-- What is due, and by tenant, so that each gets its turn.
create index message_due_idx on message (send_at, account_id, id) where status = 'scheduled';
-- For lists by recipient or sender of what waits for its time, of which there may be much.
create index message_scheduled_to_number_idx on message (account_id, to_number, id) where status = 'scheduled';
create index message_scheduled_from_number_idx on message (account_id, from_number, id) where status = 'scheduled';
-- For lists by the date of sending: a message that was scheduled is sent long after the instant in its id.
create index message_scheduled_idx on message (account_id, id) where send_at is not null;
