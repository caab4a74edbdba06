-- Jobs that a platform holds until its own gate is told whether they may deploy.
create table job (
    id text primary key,
    source text not null,
    repository text not null,
    run bigint not null,
    gate text not null,
    deployment text not null,
    service text not null,
    environment text not null,
    commit_sha text not null,
    reference text,
    link text,
    asked_at bigint not null,
    until bigint not null,
    plan text,
    decided text check (decided in ('approved', 'rejected')),
    said text,
    reports bigint not null,
    failures bigint not null,
    failing_since bigint,
    warned_at bigint,
    ended text check (ended in ('taken', 'refused', 'lost')),
    ended_at bigint
);
create unique index job_once on job (source, run, gate, deployment);
create index job_open on job (service, environment) where ended is null;
