//! The GitLab source against a pretend GitLab that holds every request against a description of GitLab's API.

mod findings;
pub mod world;

use serde_json::json;

use tidegate::advice::facts::{AiMark, BuildState, Direction, FileStatus, Means, Ticket, Verdict};
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use self::world::{Gitlab as Server, PROJECT, TOKEN, World};
use super::{Case, Standing};
use crate::harness::source::{self, change, versions};
use crate::harness::vendor::Reply;

pub const CASE: Case = Case {
    kind: "gitlab",
    stanza: "kind = 'gitlab'\nproject = 'harbor/shop'\nurl = '{address}'\ntoken = { value = '{secret}' }\n\
             freeze-environments = ['production']\nscanning = true",
};

const SETTINGS: &str = r#"
[service.shop]
repository = "told"
migrations = "migrations/*.sql"
[service.ledger]
[[source]]
kind = "gitlab"
name = "told"
project = "harbor/shop"
[environment.production]
[people.ada]
email = ["ada@harbor.test"]
logins = ["ada-at-harbor"]
"#;

fn source(server: &Server) -> Opened {
    source::opened(&CASE.filled(&server.address, TOKEN)).unwrap()
}

fn asking(question: Question, version: Option<&str>, running: Option<&str>) -> Ask {
    let (version, running) = (version.map(str::to_owned), running.map(str::to_owned));
    Ask { version, running, ..source::asking(question, SETTINGS) }
}

/// Two releases and a branch ahead of them.
fn world() -> World {
    let mut world = World::default();
    let one = world.commit("First", "ada@harbor.test", "2026-11-01T10:00:00.000+00:00");
    let two = world.commit(
        "Fix double capture\n\nCo-authored-by: Claude <noreply@anthropic.com>",
        "ada@harbor.test",
        "2026-11-10T11:00:00.000+01:00",
    );
    let three = world.commit("Add refunds", "lin@harbor.test", "2026-11-20T10:00:00.000Z");
    let refs = [("v1.0.0", one), ("shop/v1.1.0", two), ("main", three)];
    world.refs = refs.map(|(name, id)| (name.to_owned(), id)).into();
    world
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, world::open(world()).await, TOKEN)
}

#[tokio::test]
async fn versions_are_told_newest_first_and_names_resolve() {
    let server = world::open(world()).await;
    let names = vec!["v9.9.9".to_owned(), "shop/v1.1.0".to_owned()];
    let asked = Ask { names, ..asking(Question::Versions, Some("main"), None) };
    let answer = source(&server).ask(&asked).await.unwrap();
    assert!(
        answer.link.as_deref().is_some_and(|link| link.starts_with("https://gitlab.example/harbor/shop/-/commit/"))
    );
    assert!(answer.incomplete.is_empty());
    let found = versions(answer);
    let told: Vec<&str> = found.known.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(told, ["main", "shop/v1.1.0", "v1.0.0"]);
    let commit = |name: &str| found.resolved.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(commit("v9.9.9"), None);
    assert_eq!(commit("shop/v1.1.0"), Some(server.shared().world.refs["shop/v1.1.0"].clone()));
    server.is_content();
}

#[tokio::test]
async fn a_change_tells_its_commits_files_and_migrations() {
    let mut world = world();
    world.files = vec![
        json!({ "new_path": "src/pay.rs", "old_path": "src/pay.rs", "diff": "@@ -1,2 +1,2 @@\n-old\n+new\n+more\n" }),
        json!({ "new_path": "migrations/0047_refunds.sql", "old_path": "migrations/0047_refunds.sql", "new_file": true,
            "diff": "@@ -0,0 +1 @@\n+create table refunds (id int);\n" }),
        json!({ "new_path": "b.rs", "old_path": "a.rs", "renamed_file": true, "diff": "" }),
        json!({ "new_path": "big.json", "old_path": "big.json", "diff": "", "too_large": true }),
        json!({ "new_path": "x.png", "old_path": "x.png", "diff": "Binary files a/x.png and b/x.png differ\n" }),
    ];
    let texts = [
        ("migrations/0046_carts.sql", "select 1;"),
        ("migrations/0047_refunds.sql", "create table refunds (id int);"),
        (".gitlab/CODEOWNERS", "* @harbor\n[Database] @harbor/dba\n*.sql"),
    ];
    world.texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Change, Some("main"), Some("v1.0.0"))).await.unwrap();
    let found = change(answer);
    assert_eq!((found.direction, found.commit_count, found.file_count), (Direction::Forward, 2, 5));
    let titles: Vec<&str> = found.commits.iter().map(|commit| commit.title.as_str()).collect();
    assert_eq!(titles, ["Add refunds", "Fix double capture"], "newest first");
    assert!(found.commits[1].fix && matches!(found.commits[1].ai, AiMark::Declared { .. }));
    assert_eq!(found.commits[1].author, Some("ada".into()));
    let lines: Vec<_> = found.files.iter().map(|file| (file.status, file.added, file.deleted)).collect();
    let expected = [
        (FileStatus::Changed, Some(2), Some(1)),
        (FileStatus::Added, Some(1), Some(0)),
        (FileStatus::Renamed, Some(0), Some(0)),
        (FileStatus::Changed, None, None),
        (FileStatus::Changed, None, None),
    ];
    assert_eq!(lines, expected);
    assert_eq!(found.files[2].was.as_deref(), Some("a.rs"));
    assert_eq!(found.migrations.len(), 1);
    assert_eq!(found.migrations[0].sql.as_deref(), Some("create table refunds (id int);"));
    assert_eq!(found.migrations_at_head, ["0046", "0047"]);
    let owners: Vec<_> = found.owners.iter().flatten().map(|owner| (owner.owner.as_str(), owner.files)).collect();
    assert_eq!(owners, [("@harbor", 5), ("@harbor/dba", 1)]);
    server.is_content();
}

#[tokio::test]
async fn going_back_sideways_nowhere_and_from_nothing_are_told_apart() {
    let mut world = world();
    world.files =
        vec![json!({ "new_path": "new.rs", "old_path": "new.rs", "new_file": true, "diff": "@@ -0,0 +1 @@\n+a\n" })];
    let side = world.commit("Beside", "lin@harbor.test", "2026-11-21T10:00:00Z");
    world.beside = vec![side.clone()];
    world.refs.insert("side".to_owned(), side);
    let server = world::open(world).await;
    let source = source(&server);
    let ask = async |version: &str, running: Option<&str>| {
        let answer = source.ask(&asking(Question::Change, Some(version), running)).await.unwrap();
        (answer.incomplete.clone(), change(answer))
    };
    let (_, back) = ask("v1.0.0", Some("main")).await;
    assert_eq!((back.direction, back.commit_count), (Direction::Back, 2));
    assert_eq!(back.files[0].status, FileStatus::Removed, "as seen from what runs");
    assert_eq!((back.files[0].added, back.files[0].deleted), (Some(0), Some(1)));
    assert_eq!(ask("main", Some("main")).await.1.direction, Direction::Same);
    let (incomplete, sideways) = ask("side", Some("main")).await;
    assert_eq!(sideways.direction, Direction::Sideways);
    assert!(incomplete.iter().any(|gap| gap.contains("holds commits that this version lacks")), "{incomplete:?}");
    let (_, alone) = ask("main", None).await;
    assert_eq!((alone.direction, alone.commits.len(), alone.files.len()), (Direction::Unknown, 1, 1));
    let (incomplete, _) = ask("main", Some("v0.0.1")).await;
    assert!(incomplete.iter().any(|gap| gap.contains("`v0.0.1`, is not in this repository")));
    let why = source.ask(&asking(Question::Change, Some("v9"), None)).await.unwrap_err().0;
    assert_eq!(why, "knows no version `v9`");
    server.is_content();
}

#[tokio::test]
async fn deployments_are_those_that_succeeded_in_the_environment() {
    let mut world = world();
    world.deployments = vec![
        json!({ "id": 43, "status": "failed" }),
        json!({ "id": 42, "environment": { "id": 1, "name": "staging" } }),
        json!({ "id": 41 }),
        json!({ "id": 40, "deployable": null }),
    ];
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Deployments, None, None)).await.unwrap();
    let Learned::Deployments(found) = answer.learned else { panic!() };
    let ids: Vec<&str> = found.iter().map(|deployment| deployment.id.as_str()).collect();
    assert_eq!(ids, ["gitlab-41", "gitlab-40"]);
    assert_eq!(found[0].version.as_deref(), Some("v1.1.0"));
    assert_eq!(found[0].link.as_deref(), Some("https://gitlab.example/harbor/shop/-/pipelines/36"));
    assert!(found[0].finished.is_some() && found[1].finished.is_none());
    server.is_content();
}

#[tokio::test]
async fn services_that_share_a_project_are_told_apart_by_tag_or_environment() {
    let mut world = world();
    world.deployments = vec![
        json!({ "id": 1, "ref": "shop/v1" }),
        json!({ "id": 2, "ref": "ledger/v1" }),
        json!({ "id": 3, "ref": "main" }),
        json!({ "id": 4, "ref": "main", "environment": { "name": "production/shop" } }),
    ];
    let server = world::open(world).await;
    let shared = SETTINGS
        .replace("[service.ledger]", "[service.ledger]\nrepository = \"told\"\ntag-prefix = \"ledger/\"")
        .replace("[service.shop]", "[service.shop]\ntag-prefix = \"shop/\"");
    let asked = source::asking(Question::Deployments, &shared);
    let ids = |answer: &Answer| {
        let Learned::Deployments(found) = &answer.learned else { panic!() };
        found.iter().map(|deployment| deployment.id.clone()).collect::<Vec<_>>()
    };
    let answer = source(&server).ask(&asked).await.unwrap();
    assert_eq!(ids(&answer), ["gitlab-1"]);
    assert_eq!(answer.incomplete, ["1 deployments do not say which service they were of"]);
    let stanza = CASE.filled(&server.address, TOKEN) + "\nenvironment = '{environment}/{service}'";
    let answer = source::opened(&stanza).unwrap().ask(&asked).await.unwrap();
    assert_eq!((ids(&answer), answer.incomplete.len()), (vec!["gitlab-4".to_owned()], 0));
    server.is_content();
}

#[tokio::test]
async fn incidents_are_open_or_were_in_the_time() {
    let mut world = world();
    world.issues = vec![
        json!({ "iid": 482, "labels": ["service::shop", "blocks-deployments"], "severity": "HIGH" }),
        json!({ "iid": 481, "state": "closed", "created_at": "2026-11-19T10:00:00Z", "closed_at": "2026-11-20T10:00:00Z", "labels": ["ledger"] }),
        json!({ "iid": 480, "state": "closed", "created_at": "2026-01-01T10:00:00Z", "closed_at": "2026-01-02T10:00:00Z" }),
        json!({ "iid": 479, "issue_type": "issue" }),
    ];
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Incidents, None, None)).await.unwrap();
    let Learned::Incidents(found) = answer.learned else { panic!() };
    let ids: Vec<&str> = found.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["#482", "#481"]);
    assert_eq!((found[0].severity.as_deref(), found[0].blocks, found[0].resolved), (Some("HIGH"), true, None));
    assert_eq!((&found[0].services, &found[1].services), (&vec!["shop".into()], &vec!["ledger".into()]));
    assert_eq!((found[1].severity.as_deref(), found[1].resolved.is_some()), (None, true));
    server.is_content();
}

#[tokio::test]
async fn freeze_periods_are_freezes_in_the_calendar() {
    let mut world = world();
    world.freezes = vec![
        json!({ "cron_timezone": "America/Los_Angeles" }),
        json!({ "id": 2, "freeze_start": "on fridays" }),
        json!({ "id": 3, "cron_timezone": "Pacific Time (US & Canada)" }),
    ];
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Calendar, None, None)).await.unwrap();
    let Learned::Calendar(found) = answer.learned else { panic!() };
    let last = found.last().unwrap();
    assert_eq!((last.means, last.summary.as_str()), (Means::Freeze, "Deploy freeze of harbor/shop"));
    // Monday noon in London is before eight in the morning in Los Angeles.
    assert!(last.start.rfc3339() == "2026-11-21T07:00:00Z" && last.end.rfc3339() == "2026-11-23T16:00:00Z", "{last:?}");
    assert_eq!((&last.services, &last.environments), (&vec!["shop".into()], &vec!["production".into()]));
    assert_eq!(found.len(), 5, "the weekends of the thirty days before, and the one that is in force");
    let gaps = answer.incomplete.join("; ");
    assert!(
        gaps.contains("freeze period 2 could not be read: `on fridays` is no cron expression of five fields"),
        "{gaps}"
    );
    assert!(
        gaps.contains("freeze period 3 could not be read: the zone `Pacific Time (US & Canada)` is not known"),
        "{gaps}"
    );
    server.is_content();
}

#[tokio::test]
async fn the_requests_that_brought_the_change_tell_who_read_it() {
    let mut world = world();
    let (two, three) = (world.refs["shop/v1.1.0"].clone(), world.refs["main"].clone());
    let told = json!({ "description": "Why\n## Rollback\nRevert it.\n", "labels": ["risky"] });
    world.requests = [(three, told), (two, json!({ "state": "closed" }))].into();
    world.files = vec![json!({}), json!({ "diff": null })];
    let note = |by: &str, at: &str, body: &str, system: bool| json!({ "author": { "username": by }, "created_at": format!("2026-11-19T{at}:00.000Z"), "body": body, "system": system });
    world.notes = vec![
        note("lin", "12:00", "approved this merge request", true),
        note("ada-at-harbor", "11:00", "added 2 commits\n\n<ul><li>a</li></ul>", true),
        note("grace", "10:30", "requested changes", true),
        note("grace", "10:20", "Why twice?", false),
        note("mei", "10:10", "Fine by me", false),
        note("ada-at-harbor", "10:25", "Because", false),
        note("ada-at-harbor", "09:00", "marked this merge request as **ready**", true),
    ];
    world.approvals = vec![json!({ "user": { "username": "lin" } }), json!({ "user": { "username": "omar" } })];
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Reviews, Some("main"), Some("v1.0.0"))).await.unwrap();
    assert!(answer.incomplete.is_empty(), "{:?}", answer.incomplete);
    let Learned::Reviews(found) = answer.learned else { panic!() };
    assert_eq!((found.requests.len(), found.direct), (1, 1), "a request that was not merged brought nothing");
    let request = &found.requests[0];
    assert_eq!((request.id.as_str(), &request.author, request.comments), ("!12", &"ada".into(), 3));
    assert_eq!((request.rollback.as_deref(), request.lines), (Some("Revert it."), 1));
    assert_eq!(request.opened.rfc3339(), "2026-11-19T09:00:00Z");
    assert_eq!(request.last_push.unwrap().rfc3339(), "2026-11-19T11:00:00Z");
    let words: Vec<_> =
        request.reviews.iter().map(|review| (review.by.as_str(), review.verdict, review.newest)).collect();
    let expected = [
        ("lin", Verdict::Approved, Some(true)),
        ("omar", Verdict::Approved, None),
        ("grace", Verdict::ChangesRequested, Some(false)),
        ("mei", Verdict::Commented, Some(false)),
    ];
    assert_eq!(words, expected);
    server.is_content();
}

#[tokio::test]
async fn builds_are_the_newest_of_each_name_and_the_runs_of_the_default_branch() {
    let mut world = world();
    world.statuses = vec![
        json!({ "id": 1, "name": "test", "status": "failed" }),
        json!({ "id": 2, "name": "test" }),
        json!({ "id": 3, "name": "lint", "status": "failed", "allow_failure": true }),
        json!({ "id": 4, "name": "e2e", "status": "waiting_for_resource" }),
        json!({ "id": 5, "name": "scan", "status": "on the moon" }),
        json!({ "id": 6, "name": "deploy", "status": "manual", "allow_failure": true, "finished_at": null }),
    ];
    let run = |sha: &str, status: &str, day: u32| json!({ "sha": sha, "status": status, "created_at": format!("2026-11-{day}T10:00:00Z") });
    world.pipelines = vec![
        run("c", "running", 21),
        run("b", "failed", 20),
        run("a", "success", 19),
        run("b", "success", 20),
        run("d", "canceled", 18),
    ];
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Builds, Some("main"), None)).await.unwrap();
    let Learned::Builds(found) = answer.learned else { panic!() };
    let states: Vec<_> = found.builds.iter().map(|build| (build.name.as_str(), build.state)).collect();
    let expected = [
        ("deploy", BuildState::Skipped),
        ("e2e", BuildState::Pending),
        ("lint", BuildState::Skipped),
        ("scan", BuildState::Failed),
        ("test", BuildState::Passed),
    ];
    assert_eq!(states, expected);
    assert_eq!(found.branch.as_deref(), Some("main"));
    let runs: Vec<_> = found.runs.iter().map(|run| (run.commit.as_str(), run.passed)).collect();
    assert_eq!(runs, [("b", false), ("a", true)]);
    server.is_content();
}

#[tokio::test]
async fn an_issue_of_the_project_is_a_ticket() {
    let mut world = world();
    let loud = "a\u{202e}b\n".to_owned() + &"x".repeat(5_000);
    world.issues = vec![
        json!({ "iid": 12, "title": "Refunds", "issue_type": "issue" }),
        json!({ "iid": 13, "title": loud, "state": "closed", "closed_at": "2026-11-20T10:00:00Z" }),
    ];
    let server = world::open(world).await;
    let source = source(&server);
    let ask = async |name: &str| {
        let names = vec!["PAY-1".to_owned(), name.to_owned()];
        source.ask(&Ask { names, ..asking(Question::Ticket, None, None) }).await
    };
    let ticket = |answer: Answer| -> Ticket {
        let Learned::Ticket(ticket) = answer.learned else { panic!("{answer:?}") };
        ticket
    };
    let host = server.address.clone();
    let page = format!("{host}/{PROJECT}/-/issues/12");
    for name in ["#12", "harbor/shop#12", &page, &format!("{host}/{PROJECT}/-/work_items/12")] {
        let found = ticket(ask(name).await.unwrap());
        assert_eq!((found.key.as_str(), found.title.as_str(), found.closed), ("#12", "Refunds", false), "{name}");
        assert_eq!(found.kind.as_deref(), Some("issue"));
    }
    let closed = ticket(ask("#13").await.unwrap());
    assert!(closed.closed && closed.title.chars().count() <= 301 && !closed.title.contains(['\n', '\u{202e}']));
    assert!(!ticket(ask("#99").await.unwrap()).exists);
    for name in ["other/shop#12", "https://gitlab.example/harbor/shop/-/issues/12", "v1#x"] {
        assert_eq!(ask(name).await.unwrap_err().0, "keeps no tickets that are called like `PAY-1`", "{name}");
    }
    server.is_content();
}

#[tokio::test]
async fn gitlabs_own_refusals_are_told_apart() {
    let server = world::open(world()).await;
    let header = |name: &'static str, value: &str| (name, value.to_owned());
    for (status, headers, body, says) in [
        (404, vec![], "404 Project Not Found", "has nothing at this address, or the credential may not see it (404)"),
        (403, vec![], "403 Forbidden", "refused the question (403): the credential lacks a permission"),
        (401, vec![], "401 Unauthorized", "refused the token (401)"),
        (
            429,
            vec![header("ratelimit-remaining", "0"), header("ratelimit-reset", "1795435200")],
            "Retry later",
            "has no questions left for this credential until 12:00 UTC (429)",
        ),
    ] {
        server.shared().fault = Some(Reply(status, headers, json!({ "message": body })));
        let source = source(&server);
        for question in [Question::Versions, Question::Deployments, Question::Calendar, Question::Ticket] {
            let asked = Ask { names: vec!["#1".to_owned()], ..asking(question, None, None) };
            assert_eq!(source.ask(&asked).await.unwrap_err().0, says, "{status} {question:?}");
        }
    }
}

#[tokio::test]
async fn more_than_one_page_of_tags_is_read_and_more_than_all_is_said() {
    let mut world = world();
    let commit = world.refs["main"].clone();
    world.refs = (0..250).map(|n| (format!("v{n:03}"), commit.clone())).collect();
    let server = world::open(world).await;
    let answer = source(&server).ask(&asking(Question::Versions, None, None)).await.unwrap();
    assert_eq!(answer.incomplete, ["there are more tags than the newest 200 that were read"]);
    assert_eq!(versions(answer).known.len(), 200);
    server.is_content();
}

#[tokio::test]
async fn members_of_a_group_count_while_they_are_active_and_may_at_least_report() {
    let server = world::open(world()).await;
    let member = |n: usize| json!({ "username": format!("m{n}"), "access_level": 20 });
    let mut all: Vec<_> = (0..120).map(member).collect();
    all.extend([
        json!({ "username": "guest", "access_level": 10 }),
        json!({ "username": "planner", "access_level": 15 }),
        json!({ "username": "blocked", "state": "blocked" }),
        json!({ "username": "asking", "membership_state": "awaiting" }),
    ]);
    server.shared().world.groups.insert("harbor/payments".to_owned(), all);
    let (source, now) = (source(&server), source::now());
    let told = source.members("harbor/payments", now).await.unwrap();
    assert_eq!((told.len(), told.last().unwrap().as_str()), (120, "m119"));
    assert!(source.members("harbor/gone", now).await.unwrap_err().0.contains("(404)"));
    assert!(source.members("../x", now).await.is_err());
    server.is_content();
    let wrong = CASE.filled(&server.address, TOKEN) + "\nroles = { lead = ['a//b'] }";
    let why = format!("{:#}", source::opened(&wrong).unwrap_err());
    assert!(why.contains("`a//b` is no group"), "{why}");
}
