-- Messages from phones, as carriers brought them. Little of one may change: its text can be emptied.
-- `missing` counts the parts that never came. `fingerprint` and `session` (the bind that it came through last) tell a
-- repetition by the carrier from a sender who says the same again.
create table inbound (
  id uuid not null,
  carrier text not null,
  sender text not null,
  recipient text not null,
  text text not null,
  encoding text not null,
  segments smallint not null,
  missing smallint not null default 0,
  fingerprint text,
  session uuid,
  received_at timestamptz not null,
  primary key (id)
) partition by range (id);
create index inbound_carrier_idx on inbound (carrier, id);
create index inbound_fingerprint_idx on inbound (fingerprint, id);

-- Parts of messages: those that wait for the others, and for a while those that are part of a message already, by which
-- a repetition is known. `octets` are the characters without any header, in the part's alphabet.
create table inbound_part (
  id uuid primary key,
  carrier text not null,
  sender text not null,
  recipient text not null,
  reference integer not null,
  total smallint not null,
  part smallint not null,
  alphabet text not null,
  octets bytea not null,
  session uuid,
  inbound_id uuid,
  received_at timestamptz not null
);
create index inbound_part_message_idx on inbound_part (carrier, sender, recipient, reference, total);

grant select, insert on inbound to trunkline_carriers;
grant update (text, session) on inbound to trunkline_carriers;
grant select, insert, update, delete on inbound_part to trunkline_carriers;
