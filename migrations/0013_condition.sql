-- What an approval depends on, since when that is met and by what, and when outside systems were asked about it last.
alter table word add column only_if text;
alter table word add column met_at bigint;
alter table word add column met_by text;
alter table word add column asked_at bigint;

-- Who said that they watch a plan's deployment.
create table watcher (
    plan text not null references plan (id),
    person text not null,
    at bigint not null,
    primary key (plan, person)
);
