-- The ledger grows and never changes. The gap trigger refuses `insert or replace`, which slips past the other two.
create trigger if not exists ledger_entry_no_update before update on ledger_entry
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_entry_no_delete before delete on ledger_entry
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_entry_no_gap before insert on ledger_entry
when new.seq <> (select coalesce(max(seq), 0) + 1 from ledger_entry)
begin select raise(abort, 'the ledger grows by one at a time'); end;
create trigger if not exists ledger_node_no_update before update on ledger_node
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_node_no_delete before delete on ledger_node
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_node_no_replace before insert on ledger_node
when exists (select 1 from ledger_node where level = new.level and pos = new.pos)
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_head_no_delete before delete on ledger_head
begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists ledger_head_grows before update on ledger_head
when new.size < old.size
begin select raise(abort, 'the ledger is append-only'); end;
