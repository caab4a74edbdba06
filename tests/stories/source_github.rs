//! The GitHub source against a pretend GitHub that holds every request against GitHub's own description.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use tidegate::advice::facts::{AiMark, Change, Deployment, Direction, FileStatus, Incident, Versions};
use tidegate::clock::{DAY, Time};
use tidegate::config::{Settings, SourceSettings};
use tidegate::source::github::Github;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Question, Source};

use crate::harness::github::{Github as Server, REPOSITORY, TOKEN};

const SETTINGS: &str = r#"
[team]
zone = "UTC"
[service.shop]
repository = "code"
migrations = "migrations/*.sql"
[[source]]
kind = "github"
name = "code"
repository = "harbor/shop"
[environment.production]
[people.ada]
email = ["ada@harbor.test"]
"#;

fn now() -> Time {
    Time::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()
}

fn source(address: &str, token: &str) -> Github {
    let text = format!(
        "name = 'code'\nkind = 'github'\nrepository = '{REPOSITORY}'\nurl = '{address}'\ntoken = {{ value = '{token}' }}"
    );
    let settings: SourceSettings = toml::from_str(&text).unwrap();
    let client = tidegate::http::trusted(Duration::from_secs(20)).unwrap();
    Github::open(&settings, Path::new("."), client).unwrap()
}

fn asking(question: Question, version: Option<&str>, running: Option<&str>) -> Ask {
    let settings = Settings::read(SETTINGS, "story", ".".into()).unwrap();
    let version = version.map(str::to_owned);
    let running = running.map(str::to_owned);
    let from = now().plus(-30 * DAY);
    let about = Ask::of(question, &Arc::new(settings), &"shop".into(), &"production".into(), now());
    Ask { version, running, from, ..about }
}

/// Two releases and a branch ahead of them.
async fn world() -> Server {
    let server = Server::open().await;
    let one = server.commit("First", "ada@harbor.test", "2026-11-01T10:00:00Z");
    let two = server.commit(
        "Fix double capture\n\nCo-authored-by: Claude <noreply@anthropic.com>",
        "ada@harbor.test",
        "2026-11-10T10:00:00Z",
    );
    let three = server.commit("Add refunds", "lin@harbor.test", "2026-11-20T10:00:00Z");
    let mut world = server.world();
    world.refs =
        [("v1.0.0", &one), ("v1.1.0", &two), ("main", &three)].map(|(name, id)| (name.to_owned(), id.clone())).into();
    world.releases = [("v1.0.0", "2026-11-01T11:00:00Z"), ("v1.1.0", "2026-11-10T11:00:00Z")]
        .map(|(a, b)| (a.into(), b.into()))
        .into();
    drop(world);
    server
}

async fn ask(source: &Github, ask: &Ask) -> Result<Answer, CannotSay> {
    source.ask(ask).await
}

fn fine(server: &Server) {
    let complaints = server.world().complaints.clone();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

fn versions(answer: Answer) -> Versions {
    let Learned::Versions(versions) = answer.learned else { panic!("{answer:?}") };
    versions
}

fn change(answer: Answer) -> Change {
    let Learned::Change(change) = answer.learned else { panic!("{answer:?}") };
    *change
}

#[tokio::test]
async fn versions_are_told_newest_first_and_names_resolve() {
    let server = world().await;
    let source = source(&server.address, TOKEN);
    let asked =
        Ask { names: vec!["v9.9.9".to_owned(), "v1.0.0".to_owned()], ..asking(Question::Versions, Some("main"), None) };
    let answer = ask(&source, &asked).await.unwrap();
    assert!(answer.link.as_deref().is_some_and(|link| link.starts_with("https://github.com/harbor/shop/commit/")));
    let found = versions(answer);
    let names: Vec<&str> = found.known.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(names, ["main", "v1.1.0", "v1.0.0"]);
    let commit = |name: &str| found.resolved.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(commit("main"), Some(server.world().refs["main"].clone()));
    assert_eq!(commit("v9.9.9"), None);
    assert!(commit("v1.0.0").is_some());
    fine(&server);
}

#[tokio::test]
async fn a_change_has_its_commits_files_authors_and_migrations() {
    let server = world().await;
    {
        let mut world = server.world();
        world.files = vec![
            json!({ "sha": "a", "filename": "src/capture.rs", "status": "modified", "additions": 12, "deletions": 3,
                "patch": "@@ -1 +1 @@\n-old\n+if flag(\"refunds-v2\") {" }),
            json!({ "sha": "b", "filename": "migrations/0048_refunds.up.sql", "status": "added", "additions": 1,
                "deletions": 0, "patch": "@@ -0,0 +1 @@\n+alter table orders add column refunded bigint;" }),
            json!({ "sha": "c", "filename": "logo.png", "status": "added", "additions": 0, "deletions": 0 }),
        ];
        world.texts = [
            ("migrations/0047_orders.up.sql", "create table orders (id bigint);"),
            ("migrations/0048_refunds.up.sql", "alter table orders add column refunded bigint;"),
            ("migrations/0048_refunds.down.sql", "alter table orders drop column refunded;"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    }
    let source = source(&server.address, TOKEN);
    let asked = asking(Question::Change, Some("main"), Some("v1.0.0"));
    let answer = ask(&source, &asked).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = change(answer);
    assert_eq!((found.direction, found.commit_count, found.file_count), (Direction::Forward, 2, 3));
    let titles: Vec<&str> = found.commits.iter().map(|commit| commit.title.as_str()).collect();
    assert_eq!(titles, ["Add refunds", "Fix double capture"], "the newest first");
    let fix = &found.commits[1];
    assert_eq!((fix.author.as_ref().map(|p| p.as_str()), fix.fix), (Some("ada"), true));
    assert!(matches!(&fix.ai, AiMark::Declared { .. }), "{:?}", fix.ai);
    let binary = found.files.iter().find(|file| file.path == "logo.png").unwrap();
    assert_eq!((binary.status, binary.added), (FileStatus::Added, None));
    let migration = &found.migrations[0];
    assert_eq!((migration.version.as_str(), migration.reversible), ("0048", true));
    assert!(migration.sql.as_deref().is_some_and(|sql| sql.contains("refunded")) && migration.checksum.is_some());
    assert_eq!(found.migrations_at_head, ["0047", "0048"]);
    assert_eq!(found.base.as_ref().map(|base| base.name.as_str()), Some("v1.0.0"));

    // Backwards the files come from the other comparison, as they were.
    let back = change(ask(&source, &asking(Question::Change, Some("v1.0.0"), Some("main"))).await.unwrap());
    assert_eq!((back.direction, back.commit_count), (Direction::Back, 2));
    let file = back.files.iter().find(|file| file.path == "src/capture.rs").unwrap();
    assert_eq!((file.added, file.deleted), (Some(3), Some(12)));
    assert_eq!(back.migrations[0].status, FileStatus::Removed);
    let same = change(ask(&source, &asking(Question::Change, Some("main"), Some("main"))).await.unwrap());
    assert_eq!(same.direction, Direction::Same);
    fine(&server);
}

#[tokio::test]
async fn deployments_that_were_brought_out_are_told() {
    let server = world().await;
    {
        let mut world = server.world();
        let told = |id: u64, environment: &str, at: &str| json!({ "id": id, "ref": "v1.1.0", "environment": environment, "created_at": at });
        world.deployments = vec![
            told(3, "production", "2026-11-22T10:00:00Z"),
            told(2, "production", "2026-11-12T10:00:00Z"),
            told(1, "staging", "2026-11-11T10:00:00Z"),
        ];
        world.states = [(3, "failure"), (2, "success"), (1, "success")].map(|(id, state)| (id, state.into())).into();
    }
    let source = source(&server.address, TOKEN);
    let answer = ask(&source, &asking(Question::Deployments, None, None)).await.unwrap();
    let Learned::Deployments(found) = answer.learned else { panic!() };
    let ids: Vec<&str> = found.iter().map(|deployment: &Deployment| deployment.id.as_str()).collect();
    assert_eq!(ids, ["github-2"], "a failed one and another environment's are not");
    assert_eq!(found[0].version.as_deref(), Some("v1.1.0"));
    assert!(found[0].commit.is_some() && found[0].finished.is_some());
    fine(&server);
}

#[tokio::test]
async fn labelled_issues_are_incidents_and_pull_requests_are_not() {
    let server = world().await;
    server.world().issues = vec![
        json!({ "number": 482, "state": "open", "title": "Captures fail", "created_at": "2026-11-22T10:00:00Z",
            "closed_at": null, "labels": [{ "name": "incident" }, { "name": "service:shop" }, { "name": "severity: high" }] }),
        json!({ "number": 483, "state": "open", "title": "Not one", "created_at": "2026-11-22T10:00:00Z",
            "closed_at": null, "labels": [{ "name": "incident" }], "pull_request": { "url": "https://x.test" } }),
        json!({ "number": 400, "state": "closed", "title": "Old", "created_at": "2026-01-02T10:00:00Z",
            "closed_at": "2026-01-03T10:00:00Z", "labels": [{ "name": "incident" }] }),
    ];
    let source = source(&server.address, TOKEN);
    let answer = ask(&source, &asking(Question::Incidents, None, None)).await.unwrap();
    let Learned::Incidents(found) = answer.learned else { panic!() };
    let ids: Vec<&str> = found.iter().map(|incident: &Incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["#482"]);
    assert_eq!((found[0].severity.as_deref(), found[0].blocks), (Some("high"), false));
    assert_eq!(found[0].services, ["shop".into()]);
    fine(&server);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let server = world().await;
    let source = source(&server.address, TOKEN);
    let asked = asking(Question::Versions, Some("v1.1.0"), None);
    let first = versions(ask(&source, &asked).await.unwrap());
    assert_eq!(server.world().unchanged, 0);
    assert_eq!(versions(ask(&source, &asked).await.unwrap()), first);
    let world = server.world();
    assert_eq!(world.unchanged * 2, world.requests.len(), "the second answers were all 304");
}

#[tokio::test]
async fn a_github_that_misbehaves_is_unknown_with_the_reason() {
    let server = world().await;
    let wrong = source(&server.address, "not-the-token");
    let why = |answer: Result<Answer, CannotSay>| answer.unwrap_err().0;
    assert_eq!(why(ask(&wrong, &asking(Question::Versions, None, None)).await), "refused the token (401)");
    let source = source(&server.address, TOKEN);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (status, headers, body, says) in [
        (404, vec![], "{}", "has no such repository, or the token may not see it (404)"),
        (403, vec![], "{}", "refused the question (403): the token lacks a permission"),
        (
            403,
            vec![header("x-ratelimit-remaining", "0"), header("x-ratelimit-reset", "1795435200")],
            "{}",
            "has no questions left for this token until 12:00 UTC",
        ),
        (429, vec![header("retry-after", "60")], "{}", "asks for fewer questions"),
        (301, vec![], "{}", "says that the repository has moved (301)"),
        (502, vec![], "<html>", "answered with an error (502)"),
        (200, vec![], "{]", "answered with something that is not GitHub's format"),
        (200, vec![], "{\"secret\":\"hush\"}", "answered with something that is not GitHub's format"),
    ] {
        server.world().fault = Some((status, headers, body.to_owned()));
        for question in [Question::Versions, Question::Deployments, Question::Incidents] {
            assert_eq!(why(ask(&source, &asking(question, None, None)).await), says, "{status} {question:?}");
        }
    }
    assert!(!format!("{source:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_request_that_github_does_not_describe_is_complained_of() {
    let server = world().await;
    let client = tidegate::http::trusted(Duration::from_secs(20)).unwrap();
    let _ = client
        .get(format!("{}/repos/{REPOSITORY}/issues?state=some&per_page=500&colour=red", server.address))
        .send()
        .await;
    let complaints = server.world().complaints.join("\n");
    for wrong in ["`state` of", "at most 100", "no parameter `colour`", "media type"] {
        assert!(complaints.contains(wrong), "{wrong}: {complaints}");
    }
}
