//! What a brief says of migrations, from the tables that real migration tools keep in real databases.

use sha2::{Digest, Sha384};
use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};
use tidegate::clock::Time;

use crate::harness::postgres::Database;
use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

const FILES: [(&str, &str); 3] = [
    ("migrations/0045_orders.sql", "create table orders (id bigint primary key);\n"),
    ("migrations/0046_total.sql", "alter table orders add column total bigint;\n"),
    (
        "migrations/0047_customer.sql",
        "alter table orders add column customer bigint;\ncreate index on orders (customer);\n",
    ),
];

/// What happened to the target database before.
#[derive(Default)]
struct Ran {
    versions: &'static [i64],
    /// The version whose file was edited after it ran.
    edited: Option<i64>,
    more: &'static str,
}

/// sqlx's own table with these versions in it, in a PostgreSQL database or in an SQLite file: its address.
fn target(engine: &str, folder: &std::path::Path, ran: &Ran) -> (String, Option<Database>) {
    let (url, database) = match engine {
        "postgres" => {
            let database = Database::new();
            (database.url.clone(), Some(database))
        }
        _ => (format!("sqlite://{}", folder.join("target.db").display()), None),
    };
    let column = if engine == "postgres" { "bytea" } else { "blob" };
    let mut sql = format!(
        "create table _sqlx_migrations (version bigint primary key, description text not null,
           installed_on timestamp not null default current_timestamp, success boolean not null, checksum {} not null,
           execution_time bigint not null);",
        column
    );
    sql += ran.more;
    for version in ran.versions {
        let content = FILES.iter().find(|(file, _)| file.contains(&format!("/00{version}_"))).unwrap().1;
        let before = format!("{content}-- as it was\n");
        let content = if ran.edited == Some(*version) { before.as_str() } else { content };
        let checksum: String = Sha384::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let checksum = if engine == "postgres" { format!("'\\x{checksum}'") } else { format!("x'{checksum}'") };
        sql += &format!(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values ({version}, 'step', true, {checksum}, 5);"
        );
    }
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::{AnyConnection, Connection, Executor};
        let to = if engine == "postgres" { url.clone() } else { format!("{url}?mode=rwc") };
        let mut conn = AnyConnection::connect(&to).await.unwrap();
        conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
        conn.close().await.unwrap();
    });
    (url, database)
}

/// v1.0.0, which runs in production, brought 0045 and 0046; v1.1.0 brings 0047. What the brief says of them where `ran`
/// have run.
fn state(engine: &str, versions: &'static [i64]) -> serde_json::Value {
    flag(engine, &Ran { versions, ..Ran::default() }, "migration.state")
}

/// What the brief says under a code.
fn flag(engine: &str, ran: &Ran, code_of_flag: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let at = |day: &str| Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    let code = RepositoryStory::new(vec![
        CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open the shop")
            .file("src/main.rs", "fn main() {}\n")
            .file(FILES[0].0, FILES[0].1)
            .file(FILES[1].0, FILES[1].1)
            .tag("v1.0.0"),
        CommitStory::new("Ada", "ada@example.org", at("2026-11-10"), "Remember who ordered")
            .file(FILES[2].0, FILES[2].1)
            .tag("v1.1.0"),
    ]);
    make(&folder.path().join("code.git"), &code).unwrap();
    let (url, _database) = target(engine, folder.path(), ran);
    let settings = settings().replace("owners = [\"ada\"]", "owners = [\"ada\"]\nmigrations = \"migrations/*.sql\"")
        + &format!("\n[[source]]\nkind = \"database\"\nname = \"orders-db\"\nurl = {{ value = \"{url}\" }}\n");
    let mut story = Story::begin_in(folder, &settings, MONDAY_11);
    story.reports(&serde_json::json!({ "id": "ci-0", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.0.0" }));
    story.says("ada", PLAN);
    let flag = story.flag("shop-1", code_of_flag);
    let text = story.texts();
    let says = flag["says"].as_str().unwrap();
    assert!(flag["level"] == "pass" || text.contains(says), "{says} is not in the brief: {text}");
    flag
}

#[test]
fn a_migration_whose_predecessor_never_ran_is_critical() {
    for engine in ["sqlite", "postgres"] {
        let flag = state(engine, &[45]);
        assert_eq!(flag["level"], "critical", "{engine}: {flag}");
        assert!(
            flag["says"].as_str().unwrap().contains("0046, which 0047 follows, never ran in production"),
            "{engine}: {flag}"
        );
        assert!(flag["because"].to_string().contains("orders-db"), "{flag}");
    }
}

#[test]
fn a_migration_that_already_ran_is_to_be_skipped_and_one_in_its_turn_is_clear() {
    for engine in ["sqlite", "postgres"] {
        let ran = state(engine, &[45, 46, 47]);
        assert!(ran["says"].as_str().unwrap().contains("0047 already ran in production"), "{engine}: {ran}");
        assert!(ran["says"].as_str().unwrap().contains("skip it"), "{engine}: {ran}");
        let due = state(engine, &[45, 46]);
        assert_eq!(due["level"], "pass", "{engine}: {due}");
        assert!(due["says"].as_str().unwrap().contains("0047 is pending"), "{engine}: {due}");
    }
}

#[test]
fn a_migration_that_was_edited_after_it_ran_is_critical() {
    for engine in ["sqlite", "postgres"] {
        let flag =
            flag(engine, &Ran { versions: &[45, 46, 47], edited: Some(47), ..Ran::default() }, "migration.state");
        assert_eq!(flag["level"], "critical", "{engine}: {flag}");
        let says = flag["says"].as_str().unwrap();
        assert!(says.contains("0047 already ran in production"), "{engine}: {flag}");
        assert!(says.contains("but with other content than it has now"), "{engine}: {flag}");
    }
}

#[test]
fn the_size_of_a_table_is_measured_where_it_is_migrated() {
    let more = "create table orders (id bigint primary key, note text);
        insert into orders select n, repeat('x', 100) from generate_series(1, 30000) n; analyze;";
    let flag = flag("postgres", &Ran { versions: &[45, 46], more, ..Ran::default() }, "migration.hazard");
    assert_eq!(flag["level"], "caution", "{flag}");
    assert!(flag["says"].as_str().unwrap().contains("`orders` (about 30 k rows, "), "{flag}");
}
