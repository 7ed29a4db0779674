-- A customer may give a number back.
grant delete on phone_number to trunkline_accounts;
