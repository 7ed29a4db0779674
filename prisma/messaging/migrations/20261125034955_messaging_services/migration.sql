-- Messaging services: what a customer sends with in place of one number. Few rows, read by every process's directory.
create table service (
  account_id uuid not null,
  id uuid not null,
  version integer not null,
  friendly_name text not null,
  use_case text not null,
  inbound_request_url text,
  inbound_method text not null,
  fallback_url text,
  fallback_method text not null,
  use_inbound_webhook_on_number boolean not null,
  status_callback text,
  sticky_sender boolean not null,
  area_code_geomatch boolean not null,
  smart_encoding boolean not null,
  -- Seconds.
  validity_period integer not null,
  -- Kept for who set them, and without effect here.
  mms_converter boolean not null,
  fallback_to_long_code boolean not null,
  synchronous_validation boolean not null,
  scan_message_content text not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id)
);

-- The pool of a service: numbers of its account, by the ids that accounts gives them. A number is in one service of an
-- account at most. Whether the account still owns it is for accounts to say.
create table service_number (
  account_id uuid not null,
  id uuid not null,
  service_id uuid not null,
  phone_number text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id),
  constraint service_number_account_id_service_id_fkey foreign key (account_id, service_id)
    references service (account_id, id) on delete cascade on update no action
);
create unique index service_number_account_id_phone_number_key on service_number (account_id, phone_number);
create index service_number_account_id_service_id_id_idx on service_number (account_id, service_id, id);

grant select, insert, update, delete on service, service_number to trunkline_messaging;
