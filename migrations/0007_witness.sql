-- The checkpoint over the last entry, signed in the transaction that wrote it: who writes into the database without the
-- key, which is not in it, cannot make one.
alter table ledger_head add column seal text;

-- What the ledger says of itself (whose key signs, what must be kept), found without reading all of it.
create index ledger_entry_own on ledger_entry (kind, seq)
    where kind in ('instance.started', 'key.rotated', 'hold.placed', 'hold.lifted');

-- How each place outside the database that keeps checkpoints is doing.
create table ledger_witness (
    name text primary key,
    size bigint not null,
    ok_at bigint,
    failed_at bigint,
    since bigint,
    failures bigint not null,
    error text
);
