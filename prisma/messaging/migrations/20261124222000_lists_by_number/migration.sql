-- For lists by recipient or sender. Of final messages only: each change of status writes every index that holds the row,
-- so one of all messages would be written three times per message, and while it is accepted.
create index message_to_number_idx on message (account_id, to_number, id)
  where status in ('delivered', 'undelivered', 'failed', 'canceled');
create index message_from_number_idx on message (account_id, from_number, id)
  where status in ('delivered', 'undelivered', 'failed', 'canceled');
