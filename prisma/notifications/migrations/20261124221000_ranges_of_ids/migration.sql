-- For the audit, which reads all accounts by the instant in their messages' ids. It stands in for an index that every
-- insert would have to write: rows lie in about the order of their messages.
create index delivery_message_id_idx on delivery using brin (message_id);
