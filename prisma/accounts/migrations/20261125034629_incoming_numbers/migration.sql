-- What a customer sets for a number of its own: its name, and who is asked about incoming messages.
alter table phone_number
  add column friendly_name text,
  add column sms_url text,
  add column sms_method text not null default 'POST' check (sms_method in ('GET', 'POST')),
  add column sms_fallback_url text,
  add column sms_fallback_method text not null default 'POST' check (sms_fallback_method in ('GET', 'POST')),
  add column updated_at timestamptz not null default clock_timestamp();
update phone_number set updated_at = created_at;

-- A key's name may change.
alter table api_key add column updated_at timestamptz not null default clock_timestamp();
update api_key set updated_at = coalesce(revoked_at, created_at);
