-- How a carrier wants SMPP, where that differs from the usual: binds, further addresses, concatenation, what its answers
-- mean.
alter table carrier add column smpp jsonb;
