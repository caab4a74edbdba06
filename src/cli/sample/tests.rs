//! The sample company made whole, and read by the same sources as in earnest.

use super::*;
use crate::clock::MINUTE;
use crate::name::{Environment, Service};
use crate::source::{Ask, Learned, Question};

fn ask(settings: &Arc<Settings>, question: Question, service: &str, now: Time) -> Ask {
    Ask {
        from: now.plus(-550 * DAY),
        ..Ask::of(question, settings, &Service::new(service), &Environment::new("production"), now)
    }
}

fn clock(at: &str) -> Clock {
    Clock::beginning_at(Time::parse_rfc3339(at).unwrap())
}

/// The first source of a kind, opened.
fn source_of(settings: &Settings, kind: &str) -> crate::source::Opened {
    let source = settings.source.iter().find(|source| source.kind.word() == kind).unwrap();
    crate::source::tests::opened(source, &settings.base).unwrap()
}

#[test]
fn the_settings_read_whole_and_every_kind_of_person_is_there() {
    let text = SETTINGS
        .replace("{data}", "/data/sample")
        .replace("{metrics}", "http://127.0.0.1:1/metrics")
        .replace("{probe}", "http://127.0.0.1:1");
    let settings = Settings::read(&text, "config/sample/tidegate.toml", "/data/sample".into()).unwrap();
    assert_eq!(settings.service.len(), 6);
    assert_eq!(settings.people.len(), 10);
    assert!(settings.environment.values().any(|environment| environment.target != crate::target::Target::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_finds_what_the_first_one_made() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-21T00:30:00Z");
    let (_, first) = build(folder.path(), &clock).await.unwrap();
    let head = || std::fs::read(folder.path().join("sample/harbor.git/refs/tags/checkout/v2.14.0")).unwrap();
    let (before, made) = (head(), std::fs::read(folder.path().join("sample/made.json")).unwrap());
    assert!(first.act("checkout-errors") && first.act("checkout-staging-slow"));
    assert!(!first.act("chekout-errors") && !first.act("checkout-broken") && !first.act(""));
    drop(first);
    clock.advance(2 * DAY);
    let (_, second) = build(folder.path(), &clock).await.unwrap();
    assert_eq!((head(), std::fs::read(folder.path().join("sample/made.json")).unwrap()), (before, made));
    assert_eq!(second.town.mood("checkout", "production", clock.now()), Mood::Errors);
    assert!(second.act("everything-well"));
    assert_eq!(second.town.mood("checkout", "production", clock.now()), Mood::Well);
    // Every switch that is shown works.
    for switch in second.list().as_array().unwrap() {
        assert!(second.act(switch["id"].as_str().unwrap()), "{switch}");
    }
    // What lies too far back is made anew.
    clock.advance(30 * DAY);
    build(folder.path(), &clock).await.unwrap();
    assert_ne!(head(), std::fs::read(folder.path().join("nothing")).unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_and_the_repository_agree_about_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-21T00:30:00Z");
    let (settings, _world) = build(folder.path(), &clock).await.unwrap();
    let settings = Arc::new(settings);
    let now = clock.now();
    let records = source_of(&settings, "jsonl");
    let answer = records.ask(&ask(&settings, Question::Deployments, "checkout", now)).await.unwrap();
    assert!(answer.incomplete.is_empty(), "{:?}", answer.incomplete);
    let Learned::Deployments(all) = answer.learned else { panic!("deployments") };
    let mut here: Vec<_> =
        all.iter().filter(|d| d.service.as_str() == "checkout" && d.environment.as_str() == "production").collect();
    here.sort_by_key(|d| d.at);
    let running = here.last().unwrap();
    assert_eq!(running.version.as_deref(), Some("v2.13.2"));

    let harbor = source_of(&settings, "git");
    let mut versions = ask(&settings, Question::Versions, "checkout", now);
    versions.version = Some("v2.13.2".to_owned());
    let Learned::Versions(known) = harbor.ask(&versions).await.unwrap().learned else { panic!("versions") };
    assert_eq!(known.resolved[0].1, running.commit);
    assert!(known.known.iter().any(|v| v.name == "v2.14.0") && known.known.iter().all(|v| !v.name.contains('/')));

    let mut change = ask(&settings, Question::Change, "checkout", now);
    (change.version, change.running) = (Some("v2.14.0".to_owned()), running.commit.clone());
    let Learned::Change(change) = harbor.ask(&change).await.unwrap().learned else { panic!("a change") };
    let files: Vec<&str> = change.files.iter().map(|f| f.path.as_str()).collect();
    assert!(files.contains(&"payments/capture.rs") && files.iter().all(|f| !f.contains("/tests/")), "{files:?}");
    let migrations: Vec<&str> = change.migrations.iter().map(|m| m.version.as_str()).collect();
    assert_eq!(migrations, ["0047", "0048"]);
    assert_eq!(change.migrations_at_head.len(), 48);
    assert_eq!(change.flags, ["capture-retries"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_follow_the_clock_and_the_switches() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-17T22:00:00Z");
    let (_, world) = build(folder.path(), &clock).await.unwrap();
    let client = crate::http::trusted(std::time::Duration::from_secs(2)).unwrap();
    let errors = "sum(rate(http_requests_total{service=\"checkout\",environment=\"production\",code=~\"5..\"}[1m]))";
    let range = async |from: Time, to: Time| {
        let (start, end) = (from.ms() as f64 / 1e3, to.ms() as f64 / 1e3);
        let url = format!("http://{}/metrics/api/v1/query_range", world.address());
        let words = [
            ("query", errors.to_owned()),
            ("start", start.to_string()),
            ("end", end.to_string()),
            ("step", "60".to_owned()),
        ];
        let answer: Value = client.get(url).query(&words).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        let values = answer["data"]["result"][0]["values"].as_array().cloned().unwrap_or_default();
        values.iter().map(|v| v[1].as_str().unwrap().parse::<f64>().unwrap()).collect::<Vec<f64>>()
    };
    let start = clock.now();
    assert!(world.act("checkout-errors"));
    clock.advance(10 * MINUTE);
    let before = range(start.plus(-10 * MINUTE), start.plus(-MINUTE)).await;
    let after = range(start.plus(2 * MINUTE), clock.now()).await;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert_eq!(before.len(), 10);
    assert!(mean(&after) > 5.0 * mean(&before), "{before:?} {after:?}");
    assert!(world.act("checkout-silent"));
    clock.advance(10 * MINUTE);
    assert!(range(clock.now().plus(-5 * MINUTE), clock.now()).await.is_empty(), "silence is no data, not zero");
    let ahead = range(clock.now().plus(MINUTE * 30), clock.now().plus(MINUTE * 40)).await;
    assert!(ahead.is_empty(), "the future is not told");

    // The health page reacts too.
    let health = async || {
        let url = format!("http://{}/checkout/production/health", world.address());
        client.get(url).send().await.unwrap().status().as_u16()
    };
    assert!(world.act("checkout-down"));
    assert_eq!(health().await, 503);
    assert!(world.act("checkout-well"));
    assert_eq!(health().await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migration_47_ran_in_production_with_the_text_that_it_still_has() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), &clock("2026-11-21T00:30:00Z")).await.unwrap();
    use sqlx::{ConnectOptions, Connection};
    for (file, newest) in [("orders.db", 47), ("orders-staging.db", 48)] {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("sample").join(file)).read_only(true);
        let mut connection = options.connect().await.unwrap();
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("select version, checksum from _sqlx_migrations order by version")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let numbers: Vec<i64> = rows.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=newest).collect::<Vec<i64>>());
        use sha2::{Digest, Sha384};
        assert_eq!(rows[46].1, Sha384::digest(coming::MIGRATION_47.as_bytes()).as_slice());
        connection.close().await.unwrap();
    }
}
