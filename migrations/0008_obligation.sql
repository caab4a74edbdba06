-- What is owed after an incident, an override, an emergency, a way back or a deployment without a plan. A projection of
-- the ledger's `obligation` entries: `cause` is the entry that it follows from, `entry` the one that made it.
create table obligation (
    id text primary key,
    plan text,
    deployment text,
    service text not null,
    environment text not null,
    what text not null check (what in ('review', 'root-cause', 'remediation', 'report')),
    after text not null check (after in ('override', 'emergency', 'incident', 'rolled_back', 'unplanned', 'unapproved')),
    cause bigint not null,
    person text,
    role text,
    not_by text,
    made_at bigint not null,
    due_at bigint not null,
    reminded_at bigint,
    overdue_at bigint,
    given_at bigint,
    given_by text,
    link text,
    entry bigint not null,
    given_entry bigint
);
create index obligation_plan on obligation (plan);
create index obligation_open on obligation (due_at) where given_at is null;
create index obligation_due on obligation (due_at);
-- Entries of one kind, and who planned, started or shipped in a period, found without reading the ledger whole.
create index ledger_entry_kind on ledger_entry (kind, seq);
