-- Going on in spite of a named blocker: bound to a commit (or a change's digest) and to what the blocker said then.
create table overriding (
    id text primary key,
    plan text not null references plan (id),
    revision bigint not null,
    code text not null,
    bound text,
    facts text not null,
    person text not null,
    role text not null,
    entry bigint not null,
    at bigint not null,
    used_at bigint,
    over_at bigint,
    over_reason text
);
create index overriding_plan on overriding (plan, at);
create index overriding_code on overriding (code);

-- An approver's deputy for a while, and for whom a deputy's word was given.
create table deputy (
    id text primary key,
    lender text not null,
    person text not null,
    role text,
    since bigint not null,
    until bigint not null,
    platform text not null,
    channel text not null,
    ended_at bigint,
    ended_reason text
);
create index deputy_standing on deputy (until) where ended_at is null;
alter table word add column lender text;

-- Until when approvals were needed, and who was reminded of it when.
create table deadline (
    plan text primary key references plan (id),
    needed_by bigint not null,
    reminded_at bigint,
    missed_at bigint
);
