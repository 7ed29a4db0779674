-- How many instances of this product the message had passed through when it came: 0 for one that began here.
alter table message add column hops smallint not null default 0;
