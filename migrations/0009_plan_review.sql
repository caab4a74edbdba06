-- Who found a plan sound before anybody approved it.
alter table plan add column reviewed_at bigint;
alter table plan add column reviewed_by text;
