-- The ledger grows and never changes. `enable always` holds also where session_replication_role is set to replica.
create or replace function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only';
end $$;
create or replace function ledger_next() returns trigger language plpgsql as $$
begin
    if new.seq <> (select coalesce(max(seq), 0) + 1 from ledger_entry) then
        raise exception 'the ledger grows by one at a time';
    end if;
    return new;
end $$;
create or replace function ledger_grow() returns trigger language plpgsql as $$
begin
    if new.size < old.size then
        raise exception 'the ledger is append-only';
    end if;
    return new;
end $$;
create or replace trigger ledger_entry_no_change before update or delete on ledger_entry
    for each row execute function ledger_refuse();
create or replace trigger ledger_entry_no_truncate before truncate on ledger_entry
    for each statement execute function ledger_refuse();
create or replace trigger ledger_entry_no_gap before insert on ledger_entry
    for each row execute function ledger_next();
create or replace trigger ledger_node_no_change before update or delete on ledger_node
    for each row execute function ledger_refuse();
create or replace trigger ledger_node_no_truncate before truncate on ledger_node
    for each statement execute function ledger_refuse();
create or replace trigger ledger_head_no_delete before delete on ledger_head
    for each row execute function ledger_refuse();
create or replace trigger ledger_head_grows before update on ledger_head
    for each row execute function ledger_grow();
alter table ledger_entry enable always trigger ledger_entry_no_change;
alter table ledger_entry enable always trigger ledger_entry_no_truncate;
alter table ledger_entry enable always trigger ledger_entry_no_gap;
alter table ledger_node enable always trigger ledger_node_no_change;
alter table ledger_node enable always trigger ledger_node_no_truncate;
alter table ledger_head enable always trigger ledger_head_no_delete;
alter table ledger_head enable always trigger ledger_head_grows;
