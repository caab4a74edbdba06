//! What a database's server tells besides its migrations: sizes, open transactions, waits and replicas.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use tidegate::advice::server::{Server, TransactionIs};
use tidegate::clock::{SECOND, Time};

use super::database::{postgres_run, postgres_url, state};
use crate::harness::mariadb::Mariadb;
use crate::harness::postgres;

const MIGRATED: &str =
    "create table alembic_version (version_num varchar(32)); insert into alembic_version values ('ae');";

fn now() -> Time {
    Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

async fn server(url: &str) -> Server {
    state(url, "").await.unwrap().server.unwrap()
}

async fn begun(url: &str, sql: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn postgres_tells_the_sizes_of_its_tables_with_their_partitions() {
    let url = postgres_url().await;
    let sql = "create table orders (id bigint primary key, note text);
        insert into orders select n, repeat('x', 200) from generate_series(1, 20000) n;
        create schema app; create table app.\"Odd Name\" (id int);
        create table events (at date, note text) partition by range (at);
        create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01');
        create table events_2 partition of events for values from ('2026-02-01') to ('2026-03-01');
        insert into events select date '2026-01-01' + n % 50, repeat('x', 50) from generate_series(1, 1000) n;
        analyze;";
    postgres_run(&url, &format!("{MIGRATED}{sql}")).await;
    let server = server(&url).await;
    assert_eq!(server.unseen, Vec::<String>::new());
    let orders = server.table("public.orders").unwrap();
    assert_eq!(orders.rows, Some(20_000));
    let exact: i64 = sqlx::query_scalar("select pg_total_relation_size('orders')")
        .fetch_one(&mut PgConnection::connect(&url).await.unwrap())
        .await
        .unwrap();
    assert_eq!(orders.bytes, u64::try_from(exact).ok());
    assert_eq!(server.tables[0].name, "orders");
    let events = server.table("events").unwrap();
    assert_eq!(events.rows, Some(1_000));
    assert!(server.table("events_1").is_none() && server.table("odd name").is_some());
}

#[tokio::test]
async fn postgres_tells_who_holds_a_table_and_who_waits_for_it() {
    let url = postgres_url().await;
    let sql =
        "create table orders (id bigint primary key); insert into orders select generate_series(1, 50000); analyze;";
    postgres_run(&url, &format!("{MIGRATED}{sql}")).await;
    let holder = begun(
        &format!("{url}?application_name=nightly"),
        "begin; select count(*) from orders; lock table orders in access exclusive mode",
    )
    .await;
    let waiting = url.clone();
    let waiter = tokio::spawn(async move { begun(&waiting, "select count(*) from orders").await });
    // A transaction counts once it has been open for ten seconds.
    let told = loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let told = server(&url).await;
        if !told.transactions.is_empty() {
            break told;
        }
    };
    assert_eq!(told.unseen, Vec::<String>::new());
    let open = &told.transactions[0];
    assert_eq!((open.program.as_deref(), open.doing), (Some("nightly"), TransactionIs::Idle));
    assert_eq!(open.tables.as_deref(), Some(["orders".to_owned()].as_slice()));
    let age = now().since(open.since);
    assert!((10 * SECOND..60 * SECOND).contains(&age), "{age}");
    assert_eq!(told.waits.len(), 1);
    assert_eq!(told.waits[0].table.as_deref(), Some("orders"));
    assert!(told.waits[0].since.is_some());
    // The table that is held is not waited for: what is told of it is from its last count.
    let orders = told.table("orders").unwrap();
    assert_eq!(orders.rows, Some(50_000));
    assert!(orders.bytes.is_some_and(|bytes| bytes > 1 << 20));
    holder.close().await.unwrap();
    drop(waiter.await.unwrap());
}

#[tokio::test]
async fn what_a_role_may_not_see_is_said() {
    let url = postgres_url().await;
    let name = url.rsplit_once('/').unwrap().1;
    postgres_run(
        &url,
        &format!(
            "{MIGRATED} create table orders (id int); create role poor_{name} login; create role seer_{name} login;
             grant select on alembic_version to poor_{name}, seer_{name}; grant pg_monitor to seer_{name};"
        ),
    )
    .await;
    let poor = server(&url.replace("tidegate@", &format!("poor_{name}@"))).await;
    assert_eq!(
        poor.unseen,
        ["may not see others' transactions and the replicas (the role `pg_monitor` lets it)".to_owned()]
    );
    assert!(poor.table("orders").is_some());
    let seer = server(&url.replace("tidegate@", &format!("seer_{name}@"))).await;
    assert_eq!(seer.unseen, Vec::<String>::new());
}

#[tokio::test]
async fn a_replica_that_lies_behind_is_told_and_so_is_a_transaction_left_prepared() {
    let (primary, replica) = tokio::task::spawn_blocking(postgres::followed).await.unwrap();
    postgres_run(&primary.url, &format!("{MIGRATED} create table orders (id bigint)")).await;
    postgres_run(&primary.url, "begin; insert into orders values (1); prepare transaction 'left-behind'").await;
    // The replica has the table before it is told to stop.
    while state(&replica.url, "").await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    postgres_run(&replica.url, "select pg_wal_replay_pause()").await;
    let told = loop {
        postgres_run(&primary.url, "insert into orders select generate_series(1, 20000)").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let told = server(&primary.url).await;
        if told.transactions.iter().any(|open| open.doing == TransactionIs::Prepared) {
            break told;
        }
    };
    assert_eq!(told.unseen, Vec::<String>::new());
    assert_eq!(told.replicas.len(), 1, "{told:?}");
    assert!(told.replicas[0].behind_bytes.is_some_and(|bytes| bytes > 1 << 20), "{told:?}");
    assert!(told.replicas[0].behind_ms.is_some_and(|ms| ms > 2 * SECOND), "{told:?}");
    let left = &told.transactions[0];
    assert_eq!(left.program.as_deref(), Some("left-behind"));
    assert_eq!(left.tables.as_deref(), Some(["orders".to_owned()].as_slice()));
    let own = server(&replica.url).await;
    assert_eq!(own.unseen, ["is a replica: transactions and locks on its primary cannot be seen from it".to_owned()]);
}

#[tokio::test]
async fn mariadb_tells_sizes_and_open_transactions_to_who_may_see_them() {
    let server_of = tokio::task::spawn_blocking(Mariadb::start).await.unwrap();
    server_of.run(&format!(
        "use shop; {MIGRATED} create table orders (id bigint primary key, note varchar(200)) engine=innodb;
         insert into orders select seq, repeat('x', 100) from seq_1_to_20000; analyze table orders;
         create user seer@'127.0.0.1' identified by 'open'; grant select on shop.* to seer@'127.0.0.1'; grant process on *.* to seer@'127.0.0.1'"
    ));
    let url = |user: &str| format!("mysql://{user}:open@127.0.0.1:{}/shop", server_of.port);
    let mut holder = sqlx::MySqlConnection::connect(&url("seer")).await.unwrap();
    sqlx::raw_sql("start transaction; select count(*) from orders").execute(&mut holder).await.unwrap();
    let told = loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let told = server(&url("seer")).await;
        assert_eq!(told.unseen, Vec::<String>::new());
        if !told.transactions.is_empty() {
            break told;
        }
    };
    assert_eq!((told.transactions[0].doing, &told.transactions[0].tables), (TransactionIs::Idle, &None));
    let orders = told.table("orders").unwrap();
    assert!(orders.rows.is_some_and(|rows| (10_000..40_000).contains(&rows)), "{orders:?}");
    assert!(orders.bytes.is_some_and(|bytes| bytes > 1 << 20), "{orders:?}");
    let poor = server(&url("reader")).await;
    assert_eq!(poor.unseen, ["may not see others' transactions (the privilege `PROCESS` lets it)".to_owned()]);
    assert!(poor.table("orders").is_some());
}
