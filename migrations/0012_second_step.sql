-- How its giver confirmed an approval, where a second step was asked for.
alter table word add column confirmed text check (confirmed in ('typed', 'sign-in'));

-- Approvals that do not count before their giver has confirmed them. `link` is the hash of the one-time word in the link
-- of a sign-in, `browser` that of the cookie with which it was done, `proof` what the provider said.
create table second_step (
    id text primary key,
    plan text not null references plan (id),
    revision bigint not null,
    brief text not null,
    person text not null,
    how text not null check (how in ('typed', 'sign-in')),
    platform text not null,
    platform_user text not null,
    message text,
    asked_at bigint not null,
    ends_at bigint not null,
    ended_at bigint,
    ended text check (ended in ('confirmed', 'withdrawn', 'expired', 'refused', 'void')),
    link text,
    signed_in_at bigint,
    browser text,
    proof text
);
create index second_step_plan on second_step (plan, asked_at);
create unique index second_step_open on second_step (plan, revision, person) where ended_at is null;
create unique index second_step_link on second_step (link) where link is not null;
