//! Looks at the server around the migrations' table: sizes, open transactions, waits, replicas. Reads catalogues alone,
//! waits for no lock, and what it may not see or has no time for is said instead.

use std::time::Duration;

use super::connection::{Connection, Engine};
use super::inquiry::{mysql, postgres};
use crate::advice::server::{Replica, Server, Table, Transaction, TransactionIs, Wait};
use crate::clock::Time;
use crate::message::tame;
use crate::source::CannotSay;

/// So long may the whole look take: what ran is known by then, and is worth more.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// The server's count of rows is worth nothing where it says none for a table larger than this.
const TOO_LARGE_FOR_EMPTY: u64 = 1 << 20;

type Rows = Vec<Vec<Option<String>>>;

/// What the server tells, and goodbye to it. None for an engine that has no server.
pub async fn look(connection: Connection, now: Time) -> Option<Server> {
    let engine = connection.engine();
    if engine == Engine::Sqlite {
        return None;
    }
    let looked = tokio::time::timeout(PATIENCE, async move {
        let mut connection = connection;
        let server = match engine {
            Engine::Postgres => of_postgres(&mut connection, now).await,
            _ => of_mysql(&mut connection, now).await,
        };
        connection.close().await;
        server
    });
    Some(looked.await.unwrap_or_else(|_| Server {
        unseen: vec!["did not tell sizes, transactions and replicas in time".to_owned()],
        ..Server::default()
    }))
}

async fn of_postgres(connection: &mut Connection, now: Time) -> Server {
    let mut server = Server::default();
    let (sees_others, is_replica) = match attempt(connection, postgres::RIGHTS).await {
        Ok(rows) => (flag(&rows, 0), flag(&rows, 1)),
        Err(_) => (false, false),
    };
    if !sees_others {
        server
            .unseen
            .push("may not see others' transactions and the replicas (the role `pg_monitor` lets it)".to_owned());
    }
    if is_replica {
        server.unseen.push("is a replica: transactions and locks on its primary cannot be seen from it".to_owned());
    }
    match attempt(connection, postgres::TABLES).await {
        Ok(rows) => server.tables = rows.into_iter().filter_map(table).collect(),
        Err(why) => server.unseen.push(format!("did not tell the sizes of its tables: it {}", why.0)),
    }
    match attempt(connection, postgres::TRANSACTIONS).await {
        Ok(rows) => server.transactions = rows.into_iter().filter_map(|row| transaction(row, now)).collect(),
        Err(why) => server.unseen.push(format!("did not tell its open transactions: it {}", why.0)),
    }
    if let Ok(rows) = attempt(connection, postgres::PREPARED).await {
        server.transactions.extend(rows.into_iter().filter_map(|row| transaction(row, now)));
        server.transactions.sort_by_key(|transaction| transaction.since);
    } else {
        server.unseen.push("did not tell its prepared transactions".to_owned());
    }
    match attempt(connection, postgres::WAITS).await {
        Ok(rows) => server.waits = rows.into_iter().filter_map(|row| wait(row, now)).collect(),
        Err(why) => server.unseen.push(format!("did not tell who waits for a lock: it {}", why.0)),
    }
    server.tables.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    if sees_others {
        match attempt(connection, postgres::REPLICAS).await {
            Ok(rows) => server.replicas = rows.into_iter().filter_map(replica).collect(),
            Err(why) => server.unseen.push(format!("did not tell of its replicas: it {}", why.0)),
        }
    }
    server
}

async fn of_mysql(connection: &mut Connection, now: Time) -> Server {
    let mut server = Server::default();
    match connection.rows(mysql::TABLES.to_owned()).await {
        Ok(rows) => server.tables = rows.into_iter().filter_map(table).collect(),
        Err(why) => server.unseen.push(format!("did not tell the sizes of its tables: it {}", why.0)),
    }
    match connection.rows(mysql::TRANSACTIONS.to_owned()).await {
        Ok(rows) => server.transactions = rows.into_iter().filter_map(|row| transaction(row, now)).collect(),
        Err(_) => server.unseen.push("may not see others' transactions (the privilege `PROCESS` lets it)".to_owned()),
    }
    server
}

/// One inquiry, in one exchange, that leaves the transaction usable whatever becomes of it.
async fn attempt(connection: &mut Connection, sql: &str) -> Result<Rows, CannotSay> {
    let limits = "savepoint look; set local lock_timeout = 200; set local statement_timeout = 700";
    let said = connection.rows(format!("{limits}; {sql}")).await;
    if said.is_err() {
        connection.rows("rollback to savepoint look".to_owned()).await?;
    }
    said
}

fn flag(rows: &Rows, column: usize) -> bool {
    rows.first().and_then(|row| row.get(column)?.as_deref()).is_some_and(|text| text == "true")
}

fn table(row: Vec<Option<String>>) -> Option<Table> {
    let [Some(schema), Some(name), rows, bytes] = <[Option<String>; 4]>::try_from(row).ok()? else { return None };
    let bytes: Option<u64> = bytes.and_then(|n| n.parse().ok());
    let rows: Option<u64> = rows.and_then(|n| n.parse().ok());
    let counted = rows.filter(|rows| *rows > 0 || bytes.is_some_and(|bytes| bytes <= TOO_LARGE_FOR_EMPTY));
    Some(Table { schema: tame(&schema, 80), name: tame(&name, 80), rows: counted, bytes })
}

fn transaction(row: Vec<Option<String>>, now: Time) -> Option<Transaction> {
    let [Some(age), program, state, tables] = <[Option<String>; 4]>::try_from(row).ok()? else { return None };
    let doing = match state.as_deref() {
        Some("prepared") => TransactionIs::Prepared,
        Some(state) if state.starts_with("idle") => TransactionIs::Idle,
        _ => TransactionIs::Running,
    };
    let tables = tables.map(|names| names.lines().map(|name| tame(name, 80)).filter(|name| !name.is_empty()).collect());
    let program = program.map(|program| tame(&program, 60)).filter(|program| !program.is_empty());
    Some(Transaction { since: before(now, &age)?, program, doing, tables })
}

fn wait(row: Vec<Option<String>>, now: Time) -> Option<Wait> {
    let [table, age] = <[Option<String>; 2]>::try_from(row).ok()?;
    Some(Wait { table: table.map(|name| tame(&name, 80)), since: age.and_then(|age| before(now, &age)) })
}

fn replica(row: Vec<Option<String>>) -> Option<Replica> {
    let [name, time, bytes] = <[Option<String>; 3]>::try_from(row).ok()?;
    Some(Replica {
        name: tame(&name.unwrap_or_default(), 60),
        behind_ms: time.and_then(|ms| ms.parse().ok()).filter(|ms| *ms >= 0),
        behind_bytes: bytes.and_then(|n| n.parse().ok()),
    })
}

/// The moment that lies so many milliseconds before now: ages come from the server, so that its clock does not matter.
fn before(now: Time, age: &str) -> Option<Time> {
    Some(now.plus(-age.parse::<i64>().ok()?.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(cells: [Option<&str>; N]) -> Vec<Option<String>> {
        cells.into_iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    #[test]
    fn a_count_of_no_rows_in_a_large_table_is_not_believed() {
        let rows = |rows, bytes| table(row([Some("public"), Some("orders"), rows, bytes])).unwrap().rows;
        assert_eq!(rows(Some("0"), Some("8192")), Some(0));
        assert_eq!(rows(Some("0"), Some("12884901888")), None);
        assert_eq!(rows(Some("41000000"), Some("12884901888")), Some(41_000_000));
        assert_eq!(rows(None, Some("8192")), None);
        assert_eq!(rows(Some("many"), None), None);
    }

    #[test]
    fn rows_of_another_shape_are_left_out_and_hostile_names_are_tamed() {
        assert_eq!(table(row([Some("public"), None, None, None])), None);
        assert_eq!(table(row([Some("public")])), None);
        assert_eq!(transaction(row([Some("soon"), None, None, None]), Time::from_ms(0)), None);
        let now = Time::from_ms(1_800_000_000_000);
        let odd =
            transaction(row([Some("60000"), Some("a\u{202e}b\nc"), Some("idle in transaction"), Some("x\n")]), now);
        let odd = odd.unwrap();
        assert_eq!((odd.since, odd.doing), (now.plus(-60_000), TransactionIs::Idle));
        assert_eq!(odd.tables.as_deref(), Some(["x".to_owned()].as_slice()));
        assert!(!odd.program.unwrap().contains(['\n', '\u{202e}']));
    }
}
