//! What the target database's server makes of a pending migration.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Pass, Unknown};
use crate::advice::server::{Replica, Server, Table, Transaction, TransactionIs, Wait};
use crate::clock::{DAY, MINUTE, SECOND};
use crate::plan::When;

const ADDS: &str = "alter table orders add column note text;";

fn world(sql: &str, server: Server) -> World {
    let mut world = World::calm();
    world.migrate(migration("0047", sql));
    world.facts.migrations.known[0].value.server = Some(server);
    world
}

fn orders() -> Server {
    let table =
        Table { schema: "public".to_owned(), name: "orders".to_owned(), rows: Some(41_000_000), bytes: Some(12 << 30) };
    Server { tables: vec![table], ..Server::default() }
}

fn open(minutes: i64, tables: Option<&[&str]>) -> Transaction {
    Transaction {
        since: now().plus(-minutes * MINUTE),
        program: Some("nightly".to_owned()),
        doing: TransactionIs::Idle,
        tables: tables.map(|tables| tables.iter().map(|table| (*table).to_owned()).collect()),
    }
}

#[test]
fn the_measured_size_of_a_table_weighs_and_is_said() {
    let large = world("create index on orders (total);", orders());
    large.says("migration.hazard", Critical, &["`orders` (about 41 M rows, 12 GB)"]);
    // What was measured counts more than what the settings once said.
    let mut small = orders();
    (small.tables[0].rows, small.tables[0].bytes) = (Some(200), Some(8192));
    let mut told = world("create index on orders (total);", small);
    told.settings
        .service
        .get_mut(&crate::name::Service::from("checkout"))
        .unwrap()
        .tables
        .insert("orders".to_owned(), 40_000_000);
    told.says("migration.hazard", Pass, &[]);
}

#[test]
fn an_open_transaction_on_a_touched_table_would_be_waited_for() {
    let mut server = orders();
    server.transactions = vec![open(14, Some(&["orders", "payments"]))];
    let held = world(ADDS, server.clone());
    let says = "Migration 0047: a transaction on `orders` (about 41 M rows, 12 GB) has been open for 14 min (`nightly`, idle): \
                the migration would wait for it, and others would wait for the migration.";
    let flag = held.says("migration.hazard", Critical, &[says]);
    assert!(flag.points > 0 && flag.because.iter().any(|because| because.source.as_str() == "orders"));
    server.transactions = vec![open(3, Some(&["orders"]))];
    world(ADDS, server.clone()).says("migration.hazard", Caution, &["3 min"]);
    // It follows a hazard of the statement itself.
    world("alter table orders drop column total;", server.clone()).says(
        "migration.hazard",
        Critical,
        &["drops the column", "A transaction on `orders`", "open for 3 min"],
    );
    // Another table, a short one, or a plan for tomorrow: nobody waits.
    server.transactions = vec![open(14, Some(&["payments"])), open(0, Some(&["orders"]))];
    world(ADDS, server.clone()).says("migration.hazard", Pass, &[]);
    server.transactions = vec![open(14, Some(&["orders"]))];
    let mut later = world(ADDS, server);
    later.plan.when = When::At { at: now().plus(DAY) };
    later.says("migration.hazard", Pass, &[]);
}

#[test]
fn a_transaction_whose_tables_are_not_known_may_be_in_the_way() {
    let mut server = orders();
    server.transactions = vec![open(14, None)];
    world(ADDS, server.clone()).says(
        "migration.hazard",
        Caution,
        &["open for 14 min", "if it used `orders` (about 41 M rows, 12 GB), the migration would wait for it"],
    );
    server.transactions = vec![open(14, Some(&[]))];
    let concurrently = "-- no-transaction\ncreate index concurrently i on orders (total);";
    world(concurrently, server).says("migration.hazard", Caution, &["built concurrently would wait for it"]);
}

#[test]
fn waiting_sessions_and_a_lagging_replica_are_said() {
    let mut server = orders();
    let wait = |seconds: i64| Wait { table: Some("orders".to_owned()), since: Some(now().plus(-seconds * SECOND)) };
    server.waits = vec![wait(4), wait(40), Wait { table: None, since: None }];
    world(ADDS, server.clone()).says(
        "migration.hazard",
        Caution,
        &["2 sessions wait for a lock on `orders` (about 41 M rows, 12 GB) already, the longest for 40 s."],
    );
    server.waits.clear();
    let replica = |ms, bytes| Replica { name: "standby".to_owned(), behind_ms: ms, behind_bytes: bytes };
    server.replicas = vec![replica(Some(4 * MINUTE), Some(1 << 30)), replica(Some(2), Some(0))];
    world(ADDS, server.clone()).says("migration.hazard", Caution, &["replica `standby` lies 4 min behind"]);
    server.replicas = vec![replica(None, Some(3 << 30))];
    world(ADDS, server.clone()).says("migration.hazard", Caution, &["lies 3 GB behind"]);
    server.replicas = vec![replica(Some(900), Some(4096))];
    world(ADDS, server).says("migration.hazard", Pass, &[]);
}

#[test]
fn what_could_not_be_seen_of_the_server_is_no_all_clear() {
    let mut server = orders();
    server.unseen = vec!["may not see others' transactions".to_owned()];
    let says = "Whether 0047 would be held up here is unknown: orders may not see others' transactions.";
    world(ADDS, server.clone()).says("migration.hazard", Unknown, &[says]);
    world(ADDS, server.clone()).says("migration.state", Pass, &["0047 is pending"]);
    // A new table holds nobody up.
    world("create table notes (id bigint);", server.clone()).says("migration.hazard", Pass, &[]);
    server.transactions = vec![open(14, Some(&["orders"]))];
    world(ADDS, server).says("migration.hazard", Critical, &["14 min"]);
}
