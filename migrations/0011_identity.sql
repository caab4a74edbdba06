-- Accounts that are people's by a link: by a one-time code, or by an address that their platform confirmed. A projection of
-- the ledger's `identity.linked` and `identity.ended` entries; `entry` and `ended_entry` are their numbers.
create table identity_link (
    id text primary key,
    person text not null,
    platform text not null check (platform in ('slack', 'discord')),
    platform_user text not null,
    method text not null check (method in ('code', 'email')),
    since bigint not null,
    entry bigint not null,
    ended_at bigint,
    ended text,
    ended_entry bigint
);
create unique index identity_link_standing on identity_link (platform, platform_user) where ended_at is null;
create index identity_link_account on identity_link (platform, platform_user);

-- One-time codes: found by their first letters, the rest kept as a slow hash; `entry` is the one that bears witness to it.
create table identity_code (
    selector text primary key,
    id text not null,
    person text not null,
    platform text not null,
    platform_user text not null,
    salt text not null,
    hash text not null,
    made_at bigint not null,
    until bigint not null,
    entry bigint not null,
    failed bigint not null default 0,
    spent text check (spent in ('used', 'replaced', 'failed'))
);

-- Codes that were refused, by the account that typed them: forgotten after a while.
create table identity_failure (
    id text primary key,
    platform text not null,
    platform_user text not null,
    because text not null,
    at bigint not null
);
create index identity_failure_account on identity_failure (platform, platform_user, at);
