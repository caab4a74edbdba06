//! The statements that the look at a server asks: each reads catalogues alone, is bounded, and answers in text.

/// For PostgreSQL 10 and later.
pub mod postgres {
    /// Whether others' statements are visible, and whether this server replays another's.
    pub const RIGHTS: &str =
        "select pg_has_role(current_user, 'pg_read_all_stats', 'usage')::text, pg_is_in_recovery()::text";

    /// The 300 largest tables: schema, name, estimated rows, bytes. Partitions and heirs count for the table above them.
    /// Asking for a size takes a lock for a moment: of a table that somebody holds for themselves, the size at its last
    /// vacuum is told.
    pub const TABLES: &str = "
with recursive kept as (
  select c.oid, c.relname, n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'm') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
), part(top, oid) as (
  select oid, oid from kept
  union select p.top, i.inhrelid from part p join pg_catalog.pg_inherits i on i.inhparent = p.oid
), ranked as (
  select p.top, sum(greatest(c.relpages, coalesce(s.n_live_tup, 0) / 100)) as weight
  from part p join pg_catalog.pg_class c on c.oid = p.oid left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
  group by p.top order by weight desc, p.top limit 300
)
select k.nspname::text, k.relname::text,
  (sum(greatest(c.reltuples::float8, coalesce(s.n_live_tup, 0)::float8))
    filter (where c.reltuples >= 0 or s.n_live_tup > 0))::bigint::text,
  sum(case when c.oid in (
      select coalesce(i.indrelid, l.relation) from pg_catalog.pg_locks l
      left join pg_catalog.pg_index i on i.indexrelid = l.relation
      where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
    ) then c.relpages::bigint * current_setting('block_size')::bigint
    else pg_catalog.pg_total_relation_size(c.oid) end)::bigint::text
from ranked r join kept k on k.oid = r.top join part p on p.top = r.top
join pg_catalog.pg_class c on c.oid = p.oid and c.relkind <> 'p'
left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
group by k.oid, k.nspname, k.relname limit 300";

    /// The 20 oldest transactions that have been open for 10 s: age in ms, program, state, tables that they hold.
    pub const TRANSACTIONS: &str = "
select floor(extract(epoch from clock_timestamp() - a.xact_start) * 1000)::bigint::text, a.application_name::text,
  a.state::text, coalesce((
    select string_agg(name, E'\\n') from (
      select distinct c.relname::text as name from pg_catalog.pg_locks l
      join pg_catalog.pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'm')
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname not in ('pg_catalog', 'pg_toast')
      join pg_catalog.pg_database d on d.oid = l.database and d.datname = current_database()
      where l.pid = a.pid and l.granted and l.locktype = 'relation' order by name limit 100
    ) held
  ), '')
from pg_catalog.pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid()
  and a.backend_type in ('client backend', 'walsender', 'logical replication worker')
  and a.xact_start < clock_timestamp() - interval '10 seconds'
order by a.xact_start limit 20";

    /// Transactions that were prepared for a commit in two phases and left so.
    pub const PREPARED: &str = "
select floor(extract(epoch from clock_timestamp() - p.prepared) * 1000)::bigint::text, p.gid::text, 'prepared', coalesce((
    select string_agg(name, E'\\n') from (
      select distinct c.relname::text as name from pg_catalog.pg_locks l
      join pg_catalog.pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'm')
      join pg_catalog.pg_locks own on own.locktype = 'transactionid' and own.transactionid = p.transaction
        and own.pid is null and own.virtualtransaction = l.virtualtransaction
      where l.pid is null order by name limit 100
    ) held
  ), '')
from pg_catalog.pg_prepared_xacts p
where p.database = current_database() and p.prepared < clock_timestamp() - interval '10 seconds'
order by p.prepared limit 20";

    /// Sessions that wait for a lock: the table where it is one, and for how many ms their statement has run.
    pub const WAITS: &str = "
select c.relname::text, floor(extract(epoch from clock_timestamp() - a.query_start) * 1000)::bigint::text
from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
left join pg_catalog.pg_class c on c.oid = l.relation
where not l.granted order by a.query_start nulls last limit 50";

    /// Servers that follow this one: name, ms and bytes that they lie behind.
    pub const REPLICAS: &str = "
select application_name::text, floor(extract(epoch from replay_lag) * 1000)::bigint::text,
  greatest(pg_catalog.pg_wal_lsn_diff(
    case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end, replay_lsn), 0)::bigint::text
from pg_catalog.pg_stat_replication where state in ('streaming', 'catchup') limit 50";
}

/// For MySQL and MariaDB.
pub mod mysql {
    /// The 300 largest tables of the database: schema, name, estimated rows, bytes.
    pub const TABLES: &str = "
select cast(table_schema as char), cast(table_name as char), cast(table_rows as char),
  cast(data_length + index_length as char)
from information_schema.tables where table_type = 'BASE TABLE' and table_schema = database()
order by data_length + index_length desc limit 300";

    /// The 20 oldest transactions that have been open for 10 s; which tables they hold is not told.
    pub const TRANSACTIONS: &str = "
select cast(timestampdiff(microsecond, trx_started, now(6)) div 1000 as char), null,
  cast(case when trx_query is null then 'idle' else 'active' end as char), null
from information_schema.innodb_trx
where trx_mysql_thread_id <> connection_id() and trx_started < now() - interval 10 second
order by trx_started limit 20";
}
