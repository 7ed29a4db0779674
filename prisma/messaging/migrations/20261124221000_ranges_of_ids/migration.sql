-- For the audit, which reads all accounts by the instant in their ids. It stands in for an index that every insert and
-- every change of status would have to write: rows lie in about the order of their ids.
create index message_id_idx on message using brin (id);
