use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::DAY;
use crate::plan::{Kind, Risk, Setting};

#[test]
fn a_calm_world_raises_nothing() {
    let advice = World::calm().advise();
    let raised: Vec<String> = advice
        .flags
        .iter()
        .filter(|flag| flag.level >= Unknown)
        .map(|flag| format!("{}: {}", flag.code, flag.says))
        .collect();
    assert_eq!(raised, Vec::<String>::new());
    assert_eq!(advice.blockers, Vec::<String>::new());
    assert_eq!(advice.score.missing, Vec::<String>::new());
}

#[test]
fn every_flag_is_a_sentence() {
    let mut world = World::calm();
    let mut seen = world.advise().flags;
    world.facts = Facts::default();
    seen.extend(world.advise().flags);
    for flag in seen {
        assert!(flag.says.ends_with(['.', ')', '"']) && !flag.says.contains(".."), "{}: {}", flag.code, flag.says);
        let first = flag.says.chars().next().unwrap();
        assert!(
            first.is_uppercase()
                || !first.is_alphabetic()
                || flag.says.starts_with("v2")
                || flag.says.starts_with("checkout")
                || flag.says.starts_with("ledger")
                || flag.says.starts_with("prometheus")
                || flag.says.starts_with("production")
                || flag.says.starts_with("ada"),
            "{}: {}",
            flag.code,
            flag.says
        );
        assert!(!flag.says.contains('!'), "{}: {}", flag.code, flag.says);
    }
}

#[test]
fn source_without_tests_is_named_with_its_lines() {
    let mut world = World::calm();
    world.says("tests.missing", Pass, &["1 source file changed, and 1 test file"]);
    world.change().files = vec![file("src/cart.rs", 40, 10)];
    world.says("tests.missing", Caution, &["40 new lines", "no test file"]);
    world.change().files = vec![file("src/cart.rs", 4, 10)];
    world.says("tests.missing", Info, &[]);
    world.change().files = vec![file("docs/cart.md", 40, 10)];
    world.says("tests.missing", Pass, &["No source code"]);
}

#[test]
fn size_is_measured_against_the_services_own_past() {
    let mut world = World::calm();
    world.says("change.size", Pass, &["70 lines in 2 files and 1 commit", "no larger than 67 %"]);
    world.change().files.push(file("src/big.rs", 2_000, 0));
    let large =
        world.says("change.size", Critical, &["2,070 lines", "larger than 100 % of this service's last 12 changes"]);
    assert!(large.points > 15 && large.points <= large.of);
    world.history().sizes = vec![10, 20];
    world.says("change.size", Info, &["2 past changes", "too few"]);
}

#[test]
fn an_unseen_change_counts_as_a_usual_one_and_never_as_a_small_one() {
    let mut world = World::calm();
    let small = world.flag("change.size").points;
    world.facts.change = broken("repo", "did not answer in 2 s");
    let unseen = world.says("change.size", Unknown, &["repo did not answer in 2 s"]);
    assert!(unseen.points > small);
    world.says("tests.missing", Unknown, &[]);
    world.says("migration.hazard", Unknown, &["repo did not answer in 2 s"]);
    world.says("risk.declared", Unknown, &[]);
}

#[test]
fn a_restless_file_is_named() {
    let mut world = World::calm();
    world.change().files[0].churn = Some(57);
    world.says("change.complexity", Pass, &["`src/cart.rs` changed 57 times"]);
}

#[test]
fn payments_code_is_high_risk_and_low_risk_is_contested() {
    let mut world = World::calm();
    world.change().files.push(file("src/payments/capture.rs", 5, 0));
    world.says("change.category", Info, &["payments, high-risk", "`src/payments/capture.rs` is touched"]);
    assert!(!world.advise().category.contested);
    world.plan.risk = Some(Risk::Low);
    world.says("risk.declared", Caution, &["Declared low risk", "looks higher", "payments"]);
    let advice = world.advise();
    assert!(advice.category.contested);
    assert!(advice.category.doubt.unwrap().contains("src/payments/capture.rs"));
    assert_eq!(advice.category.seen[0], "payments");
}

#[test]
fn a_lighter_category_than_what_is_seen_is_contested() {
    let mut world = World::calm();
    world.change().files.push(file("src/payments/capture.rs", 5, 0));
    world.plan.category = Some("docs".to_owned());
    world.says("change.category", Caution, &["Declared docs"]);
    assert!(world.advise().category.contested);
    world.plan.category = Some("payments".to_owned());
    assert!(!world.advise().category.contested);
}

#[test]
fn a_word_in_a_title_is_said_and_doubts_nothing() {
    let mut world = World::calm();
    world.change().commits = vec![commit("Fix a typo in the refund help")];
    world.plan.risk = Some(Risk::Low);
    world.says("change.category", Info, &["its words speak of \"refund\""]);
    assert!(!world.advise().category.contested);
}

#[test]
fn a_doubt_never_goes_downwards() {
    let mut world = World::calm();
    world.change().files = vec![file("docs/a.md", 3, 0)];
    world.plan.risk = Some(Risk::High);
    world.says("risk.declared", Info, &["Declared high risk."]);
    assert!(!world.advise().category.contested);
}

#[test]
fn a_flag_plan_gets_its_brief_without_a_version() {
    let mut world = World::calm();
    world.plan.kind = Kind::Flag;
    (world.plan.version, world.plan.commit) = (None, None);
    world.plan.set =
        vec![Setting { name: "new-cart".to_owned(), before: Some("off".to_owned()), after: "on".to_owned() }];
    world.plan.rollback = None;
    (world.facts.change, world.facts.versions) = (Asked::default(), Asked::default());
    world.says("change.size", Info, &["flag change of 1 value"]);
    world.is_silent("target.version");
    let advice = world.advise();
    assert_eq!(advice.rollback_draft.as_deref(), Some("Set `new-cart` back to `off`."));
    assert_eq!(advice.score.missing, Vec::<String>::new());
    world.plan.rollback = Some("set new-cart to off".to_owned());
    world.says("plan.rollback", Pass, &[]);
}

#[test]
fn blast_radius_names_who_fails_too() {
    let mut world = World::calm();
    let flag = world.says(
        "change.blast-radius",
        Info,
        &["60 % of customers", "90 % of revenue", "search needs it", "reports (through orders-db)"],
    );
    assert!(flag.points > 5);
    assert!(world.advise().impact[0].contains("checkout fails"));
    let service = world.settings.service.get_mut("checkout").unwrap();
    (service.customers_pct, service.revenue_pct) = (None, None);
    world.says("change.blast-radius", Unknown, &["`customers-pct`"]);
}

#[test]
fn a_major_upgrade_is_named() {
    let mut world = World::calm();
    world.says("change.dependencies", Pass, &["No library moves"]);
    world.change().files.push(file("Cargo.lock", 30, 20));
    world.says("change.dependencies", Info, &["`Cargo.lock` changed", "advisories were not looked up"]);
    world.change().commits.push(commit("Bump serde from 1.0.3 to 2.0.0"));
    world.says("change.dependencies", Caution, &["serde 1.0.3 → 2.0.0"]);
}

#[test]
fn declared_ai_assistance_is_neutral_until_the_teams_own_numbers_say_otherwise() {
    let mut world = World::calm();
    world.says("change.ai", Info, &["None of 1 commit", "proves nothing"]);
    world.change().commits[0].ai = AiMark::Declared { tool: "claude".to_owned() };
    let neutral = world.says("change.ai", Info, &["1 of 1 commit (100 %)", "2 of 20", "5 of 60", "chance"]);
    assert_eq!(neutral.points, 0);
    world.history().ai_rate = Rate { bad: 14, n: 20 };
    let worse = world.says("change.ai", Caution, &["14 of 20", "beyond chance"]);
    assert!(worse.points > 0);
    world.history().ai_rate = Rate { bad: 3, n: 4 };
    assert_eq!(world.flag("change.ai").points, 0);
}

#[test]
fn a_change_like_one_that_led_to_an_incident_is_named_with_what_they_share() {
    let mut world = World::calm();
    world.says("history.similar", Pass, &["The 3 most alike of 200 past deployments ended clean"]);
    let worst = &mut world.history().similar[1];
    worst.deployment.outcome = Some(Outcome::Incident);
    worst.deployment.incident = Some("#482".to_owned());
    worst.deployment.link = Some("https://example.com/482".to_owned());
    let flag = world.says("history.similar", Caution, &["1 of the 3 most alike", "incident #482", "src/cart.rs"]);
    assert!(flag.because.iter().any(|b| b.link.as_deref() == Some("https://example.com/482")));
    assert!(flag.points > 0);
    world.history().similar.clear();
    world.says("history.similar", Info, &["Nothing alike among 200"]);
    world.history().compared = 0;
    world.says("history.similar", Unknown, &[]);
}

#[test]
fn the_services_rate_is_said_with_n_and_interval() {
    let mut world = World::calm();
    world.says("history.service", Pass, &["4 of 40 deployments", "10 %", "90 % interval"]);
    world.history().service_rate = Rate { bad: 12, n: 40 };
    assert!(world.says("history.service", Caution, &["30 %"]).points > 0);
    world.history().service_rate = Rate { bad: 0, n: 3 };
    let few = world.says("history.service", Unknown, &["3 deployments"]);
    assert!(few.points >= 0);
}

#[test]
fn a_migration_that_already_ran_is_to_be_skipped() {
    let mut world = World::calm();
    world.migrate(migration("0047", "create table x (id bigint);"));
    world.says("migration.state", Pass, &["0047 is pending in production"]);
    world.facts.migrations.known[0].value.applied.push(applied("47"));
    world.facts.migrations.known[0].value.applied[2].checksum = Some("sum-0047".to_owned());
    world.says("migration.state", Caution, &["0047 already ran in production (Thu 12 Nov): skip it"]);
    world.is_silent("migration.hazard");
    world.facts.migrations.known[0].value.applied[2].checksum = Some("other".to_owned());
    world.says("migration.state", Critical, &["other content"]);
}

#[test]
fn a_missing_predecessor_is_critical() {
    let mut world = World::calm();
    world.migrate(migration("0047", "create table x (id bigint);"));
    world.facts.migrations.known[0].value.applied.retain(|a| a.version != "46");
    world.says("migration.state", Critical, &["0046, which 0047 follows, never ran in production"]);
    assert_eq!(world.advise().blockers, ["migration.state"]);
    // The number is lacking in the tree as well.
    world.change().migrations_at_head.retain(|version| version != "0046");
    world.says("migration.state", Critical, &["0046"]);
    // It comes along with this change.
    world.migrate(migration("0046", "create table y (id bigint);"));
    world.says("migration.state", Pass, &["0046 and 0047 are pending"]);
}

#[test]
fn a_migration_that_began_and_failed_is_critical() {
    let mut world = World::calm();
    world.migrate(migration("0047", "create table x (id bigint);"));
    world.facts.migrations.known[0].value.applied[1].success = false;
    world.says("migration.state", Critical, &["46 began in production and failed"]);
}

#[test]
fn without_a_view_of_the_database_migrations_are_unknown() {
    let mut world = World::calm();
    world.is_silent("migration.state");
    world.migrate(migration("0047", "create table x (id bigint);"));
    world.facts.migrations = Asked::default();
    world.says("migration.state", Unknown, &["no source is set up (a `database` source would tell)"]);
    world.facts.migrations = broken("orders", "refused the connection");
    world.says("migration.state", Unknown, &["orders refused the connection"]);
}

#[test]
fn a_destructive_migration_is_critical_and_closes_the_way_back() {
    let mut world = World::calm();
    world.migrate(migration("0047", "alter table orders drop column total;"));
    let hazard = world.says("migration.hazard", Critical, &["Migration 0047", "no way back"]);
    assert!(hazard.points >= 9);
    world.says("plan.rollback", Critical, &["cannot work", "v2.13.2 cannot run on the new schema", "0047"]);
    let advice = world.advise();
    assert_eq!(advice.blockers, ["plan.rollback"]);
    assert!(advice.mitigations.iter().any(|m| m.says == "Deploy migration 0047 apart from the code" && m.delta < 0));
    let draft = advice.rollback_draft.unwrap();
    assert!(draft.contains("backup") && draft.contains("fix forward") && !draft.contains("Redeploy"), "{draft}");
}

#[test]
fn a_column_that_must_be_filled_in_has_to_be_undone_before_the_old_version_can_write() {
    for sql in
        ["alter table orders add column region text not null;", "alter table orders alter column total set not null;"]
    {
        let mut world = World::calm();
        world.migrate(MigrationFile { reversible: false, ..migration("0047", sql) });
        world.says(
            "plan.rollback",
            Critical,
            &["cannot work as it stands", "v2.13.2 cannot write", "0047", "no way down"],
        );
        let draft = world.advise().rollback_draft.unwrap();
        assert!(draft.starts_with("Undo migration 0047 by hand") && draft.contains("Then redeploy v2.13.2"), "{draft}");
        // With a way down that the plan names, it can.
        world.facts.change.known[0].value.migrations[0].reversible = true;
        world.says("plan.rollback", Critical, &["undo it first with its way down"]);
        world.plan.rollback = Some("run the down migration, then redeploy v2.13.2".to_owned());
        world.says("plan.rollback", Pass, &["can write again once migration 0047 is undone"]);
    }
    // A default fills it in.
    let mut world = World::calm();
    world.migrate(migration("0047", "alter table orders add column region text not null default 'eu';"));
    world.says("plan.rollback", Pass, &["only adds"]);
}

#[test]
fn a_migration_that_is_not_sql_is_unknown() {
    let mut world = World::calm();
    world.migrate(MigrationFile { sql: None, ..migration("0047", "") });
    world.says("migration.hazard", Unknown, &["0047", "not SQL"]);
    world.says("plan.rollback", Unknown, &["could not be read"]);
}

#[test]
fn a_version_is_named_newer_older_or_the_same() {
    let mut world = World::calm();
    world.says(
        "target.version",
        Pass,
        &["v2.14.0 is commit 4f2c4f2", "1 commit after v2.13.2", "run in staging since"],
    );
    world.change().direction = Direction::Back;
    world.says("target.version", Caution, &["A downgrade", "behind v2.13.2"]);
    world.change().direction = Direction::Same;
    world.says("target.version", Info, &["what runs already"]);
    world.change().direction = Direction::Unknown;
    world.says("target.version", Unknown, &[]);
}

#[test]
fn a_version_that_moved_or_never_was_is_critical() {
    let mut world = World::calm();
    world.facts.versions.known[0].value.resolved[0].1 = Some("9999".repeat(10));
    world.says("target.version", Critical, &["has moved", "4f2c4f2", "9999999"]);
    world.facts.versions.known[0].value.resolved[0].1 = None;
    world.plan.commit = None;
    world.says("target.version", Critical, &["v2.14.0 does not exist in repo"]);
    world.facts.versions = broken("repo", "did not answer in 2 s");
    world.says("target.version", Unknown, &["could not be resolved", "cannot be approved"]);
}

#[test]
fn the_earlier_environment_must_have_run_it_for_the_asked_time() {
    let mut world = World::calm();
    world.history().before.as_mut().unwrap().finished = Some(now().plus(-DAY / 4));
    world.says("target.version", Caution, &["6 h of the 24 h that are asked"]);
    world.history().before.as_mut().unwrap().outcome = Some(Outcome::RolledBack);
    world.says("target.version", Caution, &["in staging it was rolled back"]);
    world.history().before = None;
    world.says("target.version", Caution, &["has not run in staging yet"]);
    world.facts.history = Asked::default();
    world.says("target.version", Unknown, &["whether it ran in staging is unknown"]);
}
