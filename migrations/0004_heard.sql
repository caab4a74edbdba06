-- How often a source told something new of a service by itself: whoever kept an answer, or began to look, before the newest
-- of it, looks again.
create table heard (
    source text not null,
    service text not null,
    times bigint not null,
    primary key (service, source)
);
