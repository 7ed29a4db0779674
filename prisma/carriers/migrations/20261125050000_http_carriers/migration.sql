-- How a carrier over HTTP is called and what it says, as the operator defined it. Its secrets are sealed in password.
alter table carrier add column http jsonb;

-- Receipts that carriers sent over HTTP to a process without the binds: groups of them, durable before the carrier is
-- answered, until the owner of the binds has recorded them. It holds what came within moments, and grows with nothing.
create table receipt_inbox (
  id uuid primary key,
  receipts jsonb not null
);

grant select, insert, delete on receipt_inbox to trunkline_carriers;
