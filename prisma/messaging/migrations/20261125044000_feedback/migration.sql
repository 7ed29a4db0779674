-- What the customer says became of a message (confirmed or unconfirmed), and when it first and last said so. Beside the
-- message, with which it goes; no decision is made from it.
alter table message
  add column feedback text,
  add column feedback_created_at timestamptz,
  add column feedback_updated_at timestamptz;
