use super::*;
use proptest::prelude::*;

fn tables() -> BTreeMap<String, Size> {
    let rows = |rows| Size { rows: Some(rows), bytes: None };
    BTreeMap::from([("orders".to_owned(), rows(40_000_000)), ("colours".to_owned(), rows(12))])
}

fn on(engine: &str, sql: &str) -> Hazards {
    hazards(sql, engine, &tables())
}

fn pg(sql: &str) -> Hazards {
    on("postgres", sql)
}

fn rules(found: &Hazards) -> Vec<&str> {
    found.found.iter().map(|hazard| hazard.rule.as_str()).collect()
}

#[track_caller]
fn one(found: Hazards) -> Hazard {
    assert_eq!(found.unreadable, None, "{found:?}");
    assert_eq!(found.found.len(), 1, "{:#?}", found.found);
    found.found.into_iter().next().unwrap()
}

#[test]
fn a_changed_type_says_whose_rows_are_rewritten() {
    let hazard = one(pg("alter table public.orders alter column total type numeric(10,2) using total::numeric;"));
    assert_eq!(hazard.level, FlagLevel::Critical);
    assert!(hazard.irreversible);
    assert_eq!(
        hazard.says,
        "Changes the type of `total` in `public.orders` (about 40 M rows) to `numeric(10,2)`: rewrites the table while \
         holding an exclusive lock, reads and writes wait; what does not fit is lost or makes it fail."
    );
    let widened = one(pg("alter table colours alter column name type text"));
    assert_eq!((widened.level, widened.irreversible), (FlagLevel::Info, false));
}

#[test]
fn what_is_dropped_is_lost() {
    for sql in [
        "drop table orders",
        "drop table if exists public.\"orders\" cascade",
        "alter table orders drop column total",
        "alter table orders drop total",
        "alter table orders rename column total to amount",
        "alter table orders rename to purchases",
        "truncate orders",
        "truncate table only orders restart identity cascade",
        "delete from orders",
        "delete from orders where true",
        "delete from orders where 1 = 1",
        "drop schema shop cascade",
        "drop database shop",
    ] {
        let found = pg(sql);
        assert_eq!(found.unreadable, None, "{sql}");
        assert!(found.found.iter().any(|h| h.level == FlagLevel::Critical && h.irreversible), "{sql}: {found:#?}");
    }
}

#[test]
fn what_only_adds_is_no_hazard() {
    for sql in [
        "create table notes (id bigint primary key, body text not null); create index on notes (body);",
        "alter table orders add column note text",
        "alter table orders add column paid boolean not null default false, add column at timestamptz default now()",
        "insert into colours (name) values ('drop table orders'), ('red')",
        "comment on table orders is 'delete from orders';",
        "create table a (id int); alter table a add column b int not null; drop table a;",
        "-- drop table orders\n/* truncate orders /* nested */ */ select 1;",
        "create or replace function f() returns trigger language plpgsql as $f$ begin delete from orders; return new; end $f$;",
        "",
        ";;",
    ] {
        let found = pg(sql);
        assert_eq!((found.found, found.unreadable), (Vec::new(), None), "{sql}");
    }
}

#[test]
fn locks_weigh_by_the_rows_that_they_are_held_for() {
    let sql = |table: &str| format!("create index on {table} (name)");
    assert_eq!(one(pg(&sql("orders"))).level, FlagLevel::Critical);
    assert_eq!(one(pg(&sql("colours"))).level, FlagLevel::Info);
    let unknown = one(pg(&sql("elsewhere")));
    assert_eq!(unknown.level, FlagLevel::Caution);
    assert_eq!(unknown.says, "Builds an index on `elsewhere` while writes to it wait.");
}

#[test]
fn an_index_built_concurrently_needs_a_migration_without_a_transaction() {
    let sql = "create index concurrently i on colours (name); select 1;";
    assert!(rules(&pg(sql)).contains(&"ban-concurrent-index-creation-in-transaction"));
    assert_eq!(rules(&pg(&format!("-- no-transaction\n{sql}"))), ["index-concurrently"]);
}

#[test]
fn the_linters_blind_spots_are_seen() {
    for (sql, rule) in [
        ("update orders set total = 0", "update-all"),
        ("update orders set total = 0 where id < 5", "update-some"),
        ("delete from orders where id < 5", "delete-some"),
        ("vacuum full orders", "vacuum-full"),
        ("vacuum (verbose, full) orders", "vacuum-full"),
        ("lock table orders in access exclusive mode", "lock-table"),
        ("cluster orders using orders_pkey", "cluster"),
        ("reindex table orders", "require-concurrent-reindex"),
        ("with old as (select 1) delete from orders", "delete-all"),
        ("alter table orders set unlogged", "rewrite-table"),
        ("do $$ begin drop table orders; end $$", "ban-drop-table"),
        ("do $x$ declare r int; begin if true then update orders set total = 0; end if; end $x$", "update-all"),
        ("do language plpgsql $$ begin delete from orders; end $$", "delete-all"),
        ("do 'begin delete from orders; end'", "delete-all"),
        ("update orders o set total = p.total from prices p", "update-all"),
        ("lock orders", "lock-table"),
        ("vacuum full", "vacuum-full"),
    ] {
        let found = pg(sql);
        assert!(rules(&found).contains(&rule), "{sql}: {found:#?}");
    }
    assert_eq!(pg("lock table orders in access share mode").found, []);
}

#[test]
fn a_code_block_that_builds_its_statements_is_not_clear() {
    let found = pg("do $$ begin execute 'drop ' || 'table orders'; end $$");
    assert_eq!(found.unreadable.as_deref(), Some("a code block in it builds or calls what it runs"));
    let harmless = "do $$ begin create type mood as enum ('ok'); exception when duplicate_object then null; end $$;";
    assert_eq!(pg(harmless), Hazards::default());
}

#[test]
fn filling_a_new_column_loses_nothing() {
    let found = pg("alter table orders add column region text; update orders set region = 'eu';");
    assert_eq!(rules(&found), ["update-all"]);
    assert!(!found.found[0].irreversible);
    assert_eq!(found.found[0].level, FlagLevel::Critical);
    assert!(one(pg("update orders set region = 'eu'")).irreversible);
}

#[test]
fn what_the_linter_knows_over_several_statements_counts() {
    assert_eq!(rules(&pg("alter table orders alter column total set not null")), ["adding-not-nullable-field"]);
    let checked = "alter table orders add constraint c check (total is not null) not valid;
        alter table orders validate constraint c;
        alter table orders alter column total set not null;";
    assert!(!rules(&pg(checked)).contains(&"adding-not-nullable-field"));
    assert_eq!(
        rules(&pg("alter table orders add column id2 uuid default gen_random_uuid()")),
        ["adding-field-with-default"]
    );
    assert_eq!(rules(&pg("alter table orders add column x int not null")), ["adding-required-field"]);
    let key = "alter table orders add constraint k foreign key (a) references b (id)";
    assert_eq!(rules(&pg(key)), ["adding-foreign-key-constraint"]);
    assert_eq!(pg(&format!("{key} not valid")).found, []);
}

#[test]
fn an_ignoring_comment_does_not_silence_anything() {
    let found = pg("-- squawk-ignore-file\n-- squawk-ignore ban-drop-table\ndrop table orders;");
    assert_eq!(rules(&found), ["ban-drop-table"]);
}

#[test]
fn the_way_down_is_not_the_migration() {
    for sql in [
        "-- +goose Up\ncreate table a (id int);\n-- +goose Down\ndrop table a; drop table orders;",
        "-- migrate:up\ncreate table a (id int);\n-- migrate:down\ndrop table orders;",
        "-- +goose Down\ndrop table orders;\n-- +goose Up\ncreate table a (id int);",
    ] {
        assert_eq!(pg(sql), Hazards::default(), "{sql}");
    }
}

#[test]
fn what_cannot_be_read_is_never_clear() {
    for (sql, why) in [
        ("create table ${schema}.a (id int)", "line 1 holds a placeholder"),
        ("select 1;\n{{ migrate }}", "line 2 holds a placeholder"),
        ("alter tabel orders drop column total", "line 1 is not SQL that is understood"),
        ("select 'never ends", "a string that begins in line 1 never ends"),
        ("/* never ends", "a comment never ends"),
        ("do $$ begin", "a code block that begins in line 1 never ends"),
        ("call tidy_up()", "it calls a procedure, whose inside is not known here"),
    ] {
        assert_eq!(pg(sql).unreadable.as_deref(), Some(why), "{sql}");
    }
    assert!(on("oracle", "select 1").unreadable.is_some());
    assert!(on("mysql", "frobnicate orders").unreadable.is_some());
    assert!(pg(&" ".repeat(MOST_BYTES + 1)).unreadable.is_some());
    // What is seen in spite of it is still said.
    let both = pg("drop table orders; alter tabel x;");
    assert!(both.unreadable.is_some() && rules(&both) == ["ban-drop-table"]);
}

#[test]
fn deep_nesting_and_endless_operators_end_in_an_answer() {
    let deep = format!("select {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(pg(&deep).unreadable.as_deref(), Some("a statement is nested more than 100 deep"));
    for sql in [
        format!("select {}", "(".repeat(20_000)),
        format!("select {}1{}", "array[".repeat(20_000), "]".repeat(20_000)),
        format!("select {} 1 {}", "case when 1 then ".repeat(5_000), "end ".repeat(5_000)),
        format!("create view v as select {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("create function f() returns int language sql return {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
    ] {
        assert_eq!(pg(&sql).unreadable.as_deref(), Some("a statement is nested more than 100 deep"), "{}", &sql[..40]);
    }
    // Inside a code block it is text to the parser; what the block does is still read.
    let block = format!("do $$ begin perform {}1{}; drop table orders; end $$", "(".repeat(20_000), ")".repeat(20_000));
    assert!(rules(&pg(&block)).contains(&"ban-drop-table"));
    for unit in [
        "- ",
        "not ",
        "1 + ",
        "a.",
        "explain ",
        "select 1 union ",
        "case when ",
        "x::",
        "x::int(1)",
        "select * from a join ",
        "array[",
        "prepare p as ",
        "if ",
        "f()",
        "a = (b) and ",
        "with a as (select 1) ",
    ] {
        for times in [90, 480 / unit.split(' ').count(), 20_000 / unit.len()] {
            for prefix in ["select ", ""] {
                pg(&format!("{prefix}{}1", unit.repeat(times)));
            }
        }
    }
    assert_eq!(
        pg(&format!("select {}1", "- ".repeat(60_000))).unreadable.as_deref(),
        Some("the statement in line 1 is too long")
    );
    assert_eq!(pg(&format!("insert into a values {} (1)", "(1, 2, 'x'),".repeat(18_000))), Hazards::default());
}

#[test]
fn mysql_is_read_by_its_own_rules() {
    let sql = "ALTER TABLE `orders` MODIFY COLUMN total DECIMAL(8,2) NOT NULL # comment\n;";
    let hazard = one(on("mysql", sql));
    assert_eq!(
        (hazard.rule.as_str(), hazard.level, hazard.irreversible),
        ("changing-column-type", FlagLevel::Critical, true)
    );
    for (sql, rule) in [
        ("alter table orders change total amount int", "renaming-column"),
        ("alter table orders drop primary key", "drop-primary-key"),
        ("alter table orders convert to character set utf8mb4", "rewrite-table"),
        ("alter table orders engine=InnoDB", "rewrite-table"),
        ("alter table orders add index i (total), algorithm=inplace", "create-index"),
        ("rename table orders to purchases", "renaming-table"),
        ("optimize table orders", "optimize-table"),
        ("/*!40101 drop table orders */;", "ban-drop-table"),
        ("delete from orders where note = \"it's; fine\"", "delete-some"),
        ("insert into a values ('it\\'s'); truncate orders", "truncate"),
    ] {
        let found = on("mysql", sql);
        assert_eq!(found.unreadable, None, "{sql}");
        assert_eq!(rules(&found), [rule], "{sql}");
    }
    assert_eq!(on("mariadb", "alter table orders add column note text null").found, []);
    let trigger = "create trigger t before insert on orders for each row begin if new.a then delete from orders; end if; end; select 1;";
    assert_eq!(on("mysql", trigger).found, []);
}

#[test]
fn sqlite_is_read_by_its_own_rules() {
    assert_eq!(one(on("sqlite", "alter table orders drop column total")).level, FlagLevel::Critical);
    assert_eq!(rules(&on("sqlite", "create index i on orders (total)")), ["create-index"]);
    let rebuild = "create table new_orders (id integer primary key);
        insert into new_orders select id from orders;
        drop table orders;
        alter table new_orders rename to orders;";
    let hazard = one(on("sqlite", rebuild));
    assert_eq!(hazard.rule, "rebuild-table");
    assert!(hazard.irreversible);
    let trigger = "create trigger t after insert on orders begin delete from orders; update orders set a = 1; end; pragma optimize;";
    assert_eq!(on("sqlite", trigger).found, []);
}

#[test]
fn the_tables_that_are_locked_are_named() {
    for (sql, touches) in [
        ("alter table public.orders add column note text", &["orders"][..]),
        ("create table a (id int references shop.orders (id)); alter table a add column b int", &["orders"]),
        ("alter table a add constraint k foreign key (b) references \"Orders\" (id)", &["a", "orders"]),
        ("create unique index on orders (a); drop table b, c; truncate d", &["b", "c", "d", "orders"]),
        (
            "lock table a, b in share mode; vacuum (full) c; cluster d using e; reindex table f",
            &["a", "b", "c", "d", "f"],
        ),
        ("create trigger t after insert on orders for each row execute function f()", &["orders"]),
        ("do $$ begin alter table orders add column note text; end $$", &["orders"]),
        ("insert into orders values (1); select * from orders; vacuum orders; update orders set a = 1", &[]),
    ] {
        let found = pg(sql);
        assert_eq!(
            (found.touches.as_slice(), found.waits_for_all),
            (touches.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>().as_slice(), false),
            "{sql}"
        );
    }
    assert!(pg("create index concurrently i on orders (a)").waits_for_all);
    assert_eq!(on("mysql", "rename table orders to purchases").touches, ["orders"]);
}

#[test]
fn a_measured_size_is_said_with_the_table() {
    let size = Size { rows: Some(41_000_000), bytes: Some(12 << 30) };
    let found = hazards("alter table orders drop column a", "postgres", &BTreeMap::from([("orders".to_owned(), size)]));
    assert!(one(found).says.contains("`orders` (about 41 M rows, 12 GB)"));
    let bytes = Size { rows: None, ..size };
    let found =
        hazards("alter table orders drop column a", "postgres", &BTreeMap::from([("orders".to_owned(), bytes)]));
    assert!(one(found).says.contains("`orders` (12 GB)"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends_in_an_answer(sql in ".{0,400}", engine in "postgres|mysql|sqlite") {
        on(&engine, &sql);
    }

    #[test]
    fn any_mix_of_words_ends_in_an_answer(
        words in proptest::collection::vec("alter|table|orders|drop|column|set|not|null|do|\\$\\$|begin|end|;|,|\\(|\\)|'|\"|`|/\\*|\\*/|--|\n|add|type|é|update|where|case", 0..60),
        engine in "postgres|mysql|sqlite",
    ) {
        on(&engine, &words.join(" "));
        on(&engine, &words.concat());
    }

    /// A dropped table is seen whatever stands around it, unless the whole is said to be unreadable.
    #[test]
    fn a_dropped_table_is_seen_or_the_whole_is_not_clear(before in ".{0,60}", after in ".{0,60}", engine in "postgres|mysql|sqlite") {
        let before: String = before.chars().filter(|c| !"'\"`$/[]*".contains(*c)).collect();
        let before = before.replace("create", "");
        let found = on(&engine, &format!("{before}\n;\ndrop table orders;\n{after}"));
        prop_assert!(found.unreadable.is_some() || rules(&found).contains(&"ban-drop-table"));
    }
}
