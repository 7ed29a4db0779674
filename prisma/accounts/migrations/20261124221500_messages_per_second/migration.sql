-- Null: what the tier allows, or what the account's own figure per minute needs.
alter table account add column messages_per_second integer;
