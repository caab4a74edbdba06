-- Who asks others to wait: one standing lock on each scope. Its reason is the text of the entry that gave it.
create table target_lock (
    id text primary key,
    scope text not null,
    service text,
    environment text,
    person text not null,
    platform text not null,
    channel text not null,
    at bigint not null,
    ends_at bigint not null,
    entry bigint not null,
    asked_at bigint,
    ended_at bigint,
    ended text check (ended in ('unlocked', 'stolen', 'expired'))
);
create unique index target_lock_standing on target_lock (scope) where ended_at is null;

-- Freezes that live here, beside those in calendars.
create table target_freeze (
    id text primary key,
    service text,
    environment text,
    person text not null,
    platform text not null,
    channel text not null,
    at bigint not null,
    begins_at bigint not null,
    ends_at bigint not null,
    entry bigint not null,
    exceptions text not null,
    begun_at bigint,
    ended_at bigint,
    lifted_at bigint
);
create index target_freeze_open on target_freeze (ends_at) where ended_at is null;

-- Who wants to be told when nothing holds a target any more.
create table free_wish (
    id text primary key,
    scope text not null,
    service text,
    environment text,
    person text not null,
    platform text not null,
    platform_user text not null,
    channel text not null,
    at bigint not null,
    told_at bigint
);
create unique index free_wish_open on free_wish (scope, platform, platform_user) where told_at is null;

-- Approved plans in line for their environment; `turn_at` is set while it is a plan's turn.
create table queue_place (
    plan text primary key,
    environment text not null,
    at bigint not null,
    turn_at bigint
);
create index queue_place_environment on queue_place (environment, at);

-- What locks and freezes are rebuilt from, found without reading the whole record.
create index ledger_entry_hold on ledger_entry (seq) where kind in ('lock', 'unlock', 'freeze');
