-- One set for both engines: text, bigint and double precision only; times are UTC milliseconds; a nullable time says
-- more than a boolean; structured extras are JSON text that SQL never looks into.

-- Everything that must be done once: arrivals, messages to send, things that fall due. A lane is worked in order.
create table work (
    id text primary key,
    kind text not null check (kind in ('arrival', 'send', 'due')),
    lane text not null,
    key text not null unique,
    run_at bigint not null,
    body text not null,
    made_at bigint not null,
    lease_until bigint,
    token bigint not null default 0,
    attempts bigint not null default 0,
    last_error text,
    done_at bigint,
    dead_at bigint
);
create index work_due on work (run_at, id) where done_at is null and dead_at is null;
create index work_lane on work (lane, id) where done_at is null and dead_at is null;
create index work_done on work (done_at) where done_at is not null;

create table counter (
    name text primary key,
    value bigint not null
);

create table plan (
    id text primary key,
    service text not null,
    environment text not null,
    kind text not null,
    version text,
    commit_sha text,
    set_digest text,
    person text not null,
    state text not null check (state in ('draft', 'advised', 'approved', 'held', 'objected', 'started', 'watching',
        'settled', 'cancelled', 'expired')),
    revision bigint not null,
    body text not null,
    platform text not null,
    channel text not null,
    made_at bigint not null,
    changed_at bigint not null,
    start_at bigint not null,
    asked_at bigint,
    asked_by text,
    confirmed_at bigint,
    confirmed_by text,
    started_at bigint,
    started_by text,
    category_by text,
    category_at bigint,
    refreshed_at bigint,
    stale_at bigint
);
create index plan_open on plan (environment, service) where state in ('draft', 'advised', 'approved', 'held',
    'objected', 'started', 'watching');
create index plan_target on plan (service, environment, made_at);

create table revision (
    plan text not null references plan (id),
    number bigint not null,
    at bigint not null,
    brief text not null,
    commit_sha text,
    plan_body text not null,
    facts text not null,
    advice text not null,
    score bigint not null,
    reason text not null,
    primary key (plan, number)
);

create table word (
    id text primary key,
    plan text not null references plan (id),
    revision bigint not null,
    brief text not null,
    kind text not null check (kind in ('approve', 'object', 'hold')),
    person text not null,
    role text,
    platform text not null,
    message text,
    at bigint not null,
    withdrawn_at bigint,
    voided_at bigint,
    void_reason text
);
create index word_plan on word (plan, revision);
create unique index word_standing on word (plan, revision, kind, person) where withdrawn_at is null and voided_at is null;

create table deployment (
    id text primary key,
    external_id text not null,
    service text not null,
    environment text not null,
    version text,
    commit_sha text,
    plan text,
    actor text,
    status text not null check (status in ('started', 'succeeded', 'failed', 'rolled_back')),
    at bigint not null,
    finished_at bigint,
    outcome text,
    cause text,
    incident text,
    outcome_by text,
    outcome_at bigint,
    proposed text,
    link text,
    shape text not null,
    source text not null,
    watch_until bigint,
    watch_body text
);
create unique index deployment_external on deployment (source, external_id);
create index deployment_target on deployment (service, environment, at);
create index deployment_environment on deployment (environment, at);
create index deployment_at on deployment (at);
create index deployment_plan on deployment (plan);

-- Which deployments touched which path, for finding the most alike ones without reading them all.
create table deployment_path (
    path text not null,
    at bigint not null,
    deployment text not null,
    primary key (path, at, deployment)
);

-- Running totals of outcomes, so that a rate over a million deployments is one row.
create table outcome_total (
    scope text not null,
    name text not null,
    bad bigint not null,
    n bigint not null,
    primary key (scope, name)
);

create table alert (
    id text primary key,
    deployment text not null references deployment (id),
    plan text,
    signal text not null,
    opened_at bigint not null,
    recovered_at bigint,
    taken_by text,
    taken_at bigint,
    body text not null
);
create index alert_deployment on alert (deployment, signal);

-- What was posted where: the key is ours, the remote id is the platform's.
create table message (
    key text primary key,
    platform text not null,
    channel text not null,
    thread text,
    remote text,
    only_for text,
    plan text,
    body text not null,
    at bigint not null,
    edited bigint not null default 0,
    missing_at bigint
);
create unique index message_remote on message (platform, remote) where remote is not null;

create table console_message (
    id text primary key,
    seq bigint not null unique,
    channel text not null,
    thread text,
    for_person text,
    author text not null,
    body text not null,
    at bigint not null,
    edited bigint not null default 0,
    removed_at bigint
);
create index console_message_channel on console_message (channel, seq);

create table console_reaction (
    message text not null,
    name text not null,
    person text not null,
    at bigint not null,
    primary key (message, name, person)
);

create table picture (
    id text primary key,
    at bigint not null,
    light text not null,
    dark text not null
);

create table ledger_head (
    id bigint primary key check (id = 1),
    size bigint not null,
    leaf text not null,
    frontier text not null,
    epoch bigint not null,
    origin text not null,
    at bigint not null
);

create table ledger_entry (
    seq bigint primary key,
    at bigint not null,
    kind text not null,
    plan text,
    bytes text not null,
    leaf text not null
);
create index ledger_entry_plan on ledger_entry (plan, seq);
create index ledger_entry_at on ledger_entry (at);

create table ledger_node (
    level bigint not null,
    pos bigint not null,
    hash text not null,
    primary key (level, pos)
);

-- Free text beside the chain: the entry holds only a salted commitment, so that the text can be erased.
create table ledger_text (
    seq bigint not null,
    name text not null,
    salt text not null,
    body text,
    erased_at bigint,
    primary key (seq, name)
);

create table ledger_anchor (
    size bigint not null,
    place text not null,
    note text not null,
    at bigint not null,
    primary key (size, place)
);
