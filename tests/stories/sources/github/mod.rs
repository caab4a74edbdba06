//! The GitHub source against a pretend GitHub that holds every request against GitHub's own description.

mod findings;
pub mod world;

use serde_json::json;

use tidegate::advice::facts::{AiMark, BuildState, Deployment, Direction, FileStatus, Incident, Verdict};
use tidegate::clock::MINUTE;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Question};

use self::world::{Github as Server, REPOSITORY, TOKEN, World};
use super::{Case, Standing};
use crate::harness::source::{self, change, versions};
use crate::harness::vendor::Reply;

pub const CASE: Case = Case {
    kind: "github",
    stanza: "kind = 'github'\nrepository = 'harbor/shop'\nurl = '{address}'\ntoken = { value = '{secret}' }\n\
             scanning = ['code', 'secrets']",
};

const SETTINGS: &str = r#"
[service.shop]
repository = "told"
migrations = "migrations/*.sql"
[[source]]
kind = "github"
name = "told"
repository = "harbor/shop"
[environment.production]
[people.ada]
email = ["ada@harbor.test"]
logins = ["ada-h"]
"#;

fn source(address: &str, token: &str) -> Opened {
    source::opened(&CASE.filled(address, token)).unwrap()
}

fn asking(question: Question, version: Option<&str>, running: Option<&str>) -> Ask {
    let (version, running) = (version.map(str::to_owned), running.map(str::to_owned));
    Ask { version, running, ..source::asking(question, SETTINGS) }
}

/// Two releases and a branch ahead of them.
async fn world() -> Server {
    let mut world = World::default();
    let one = world.commit("First", "ada@harbor.test", "2026-11-01T10:00:00Z");
    let two = world.commit(
        "Fix double capture\n\nCo-authored-by: Claude <noreply@anthropic.com>",
        "ada@harbor.test",
        "2026-11-10T10:00:00Z",
    );
    let three = world.commit("Add refunds", "lin@harbor.test", "2026-11-20T10:00:00Z");
    world.refs =
        [("v1.0.0", &one), ("v1.1.0", &two), ("main", &three)].map(|(name, id)| (name.to_owned(), id.clone())).into();
    world.releases = [("v1.0.0", "2026-11-01T11:00:00Z"), ("v1.1.0", "2026-11-10T11:00:00Z")]
        .map(|(a, b)| (a.into(), b.into()))
        .into();
    world::open(world).await
}

async fn ask(source: &Opened, ask: &Ask) -> Result<Answer, CannotSay> {
    source.ask(ask).await
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, world().await, TOKEN)
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
    assert_eq!(commit("main"), Some(server.shared().world.refs["main"].clone()));
    assert_eq!(commit("v9.9.9"), None);
    assert!(commit("v1.0.0").is_some());
    server.is_content();
}

#[tokio::test]
async fn a_change_has_its_commits_files_authors_and_migrations() {
    let server = world().await;
    {
        let world = &mut server.shared().world;
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
            ("CODEOWNERS", "* @harbor/shop\n*.png"),
            ("docs/CODEOWNERS", "* @nobody"),
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
    let owners: Vec<_> = found.owners.iter().flatten().map(|owner| (owner.owner.as_str(), owner.files)).collect();
    assert_eq!(owners, [("@harbor/shop", 2)], "the first file that there is counts, and the picture is nobody's");
    assert_eq!(found.base.as_ref().map(|base| base.name.as_str()), Some("v1.0.0"));

    // Backwards the files come from the other comparison, as they were.
    let back = change(ask(&source, &asking(Question::Change, Some("v1.0.0"), Some("main"))).await.unwrap());
    assert_eq!((back.direction, back.commit_count), (Direction::Back, 2));
    let file = back.files.iter().find(|file| file.path == "src/capture.rs").unwrap();
    assert_eq!((file.added, file.deleted), (Some(3), Some(12)));
    assert_eq!(back.migrations[0].status, FileStatus::Removed);
    let same = change(ask(&source, &asking(Question::Change, Some("main"), Some("main"))).await.unwrap());
    assert_eq!(same.direction, Direction::Same);
    server.is_content();
}

#[tokio::test]
async fn deployments_that_were_brought_out_are_told() {
    let server = world().await;
    {
        let world = &mut server.shared().world;
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
    server.is_content();
}

#[tokio::test]
async fn labelled_issues_are_incidents_and_pull_requests_are_not() {
    let server = world().await;
    server.shared().world.issues = vec![
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
    server.is_content();
}

#[tokio::test]
async fn who_read_the_change_is_told_by_the_requests_that_brought_it() {
    let server = world().await;
    {
        let world = &mut server.shared().world;
        let (two, three) = (world.commits[1].0.clone(), world.commits[2].0.clone());
        let body = "Adds refunds.\n\n## Rollback\nRedeploy v1.1.0.";
        let pull = json!({ "number": 12, "title": "Add refunds", "body": body, "created_at": "2026-11-19T10:00:00Z",
            "merged_at": "2026-11-20T10:00:00Z", "additions": 90, "deletions": 10, "comments": 1, "review_comments": 3,
            "user": { "login": "lin-chen" }, "head": { "sha": three }, "labels": [{ "name": "payments" }] });
        let review = |login: &str, state: &str, commit: &str, at: &str| {
            json!({ "user": { "login": login },
            "state": state, "commit_id": commit, "submitted_at": at })
        };
        let reviews = vec![
            review("ada-h", "CHANGES_REQUESTED", &two, "2026-11-19T11:00:00Z"),
            review("ada-h", "APPROVED", &three, "2026-11-19T15:00:00Z"),
            review("ada-h", "COMMENTED", &three, "2026-11-19T16:00:00Z"),
            review("sam", "APPROVED", &two, "2026-11-19T12:00:00Z"),
            review("eve", "APPROVED", &three, "2026-11-19T12:30:00Z"),
            review("eve", "DISMISSED", &three, "2026-11-19T12:30:00Z"),
        ];
        world.pulls = [(12, (pull, vec![three.clone()], reviews))].into();
    }
    let source = source(&server.address, TOKEN);
    let answer = ask(&source, &asking(Question::Reviews, Some("main"), Some("v1.0.0"))).await.unwrap();
    let Learned::Reviews(found) = answer.learned else { panic!() };
    assert_eq!(found.direct, 1, "one of the two commits came by no request");
    let request = &found.requests[0];
    assert_eq!((request.id.as_str(), request.lines, request.comments), ("#12", 100, 4));
    assert_eq!(request.author.as_str(), "lin-chen", "a login that is nobody of ours stays as it is");
    assert_eq!(request.rollback.as_deref(), Some("Redeploy v1.1.0."));
    assert_eq!(request.labels, ["payments"]);
    let said: Vec<_> = request.reviews.iter().map(|r| (r.by.as_str(), r.verdict, r.newest)).collect();
    assert_eq!(said, [("ada", Verdict::Approved, Some(true)), ("sam", Verdict::Approved, Some(false))]);
    server.is_content();
}

#[tokio::test]
async fn builds_are_told_at_the_commit_and_on_the_default_branch() {
    let server = world().await;
    {
        let world = &mut server.shared().world;
        let check = |name: &str, status: &str, conclusion: Option<&str>| {
            json!({ "name": name, "status": status,
            "conclusion": conclusion })
        };
        world.check_runs = vec![
            check("unit", "completed", Some("success")),
            check("e2e", "in_progress", None),
            check("docs", "completed", Some("skipped")),
            check("slow", "completed", Some("timed_out")),
        ];
        world.statuses = vec![json!({ "context": "ci/old", "state": "error" })];
        world.required = vec!["unit".to_owned(), "e2e".to_owned()];
        let run = |sha: &str, conclusion: &str, attempt: u32, at: &str| {
            json!({ "head_sha": sha, "status": "completed",
            "conclusion": conclusion, "run_attempt": attempt, "created_at": at })
        };
        world.workflow_runs = vec![
            run("c", "success", 2, "2026-11-22T10:00:00Z"),
            run("b", "success", 1, "2026-11-21T10:00:00Z"),
            run("b", "failure", 1, "2026-11-21T10:01:00Z"),
            run("a", "cancelled", 1, "2026-11-20T10:00:00Z"),
        ];
    }
    let source = source(&server.address, TOKEN);
    let answer = ask(&source, &asking(Question::Builds, Some("v1.1.0"), None)).await.unwrap();
    let Learned::Builds(found) = answer.learned else { panic!() };
    let states: Vec<_> = found.builds.iter().map(|build| (build.name.as_str(), build.state)).collect();
    let told = [
        ("unit", BuildState::Passed),
        ("e2e", BuildState::Pending),
        ("docs", BuildState::Skipped),
        ("slow", BuildState::Failed),
        ("ci/old", BuildState::Failed),
    ];
    assert_eq!(states, told);
    assert_eq!(found.required, Some(vec!["e2e".to_owned(), "unit".to_owned()]));
    let runs: Vec<_> = found.runs.iter().map(|run| (run.commit.as_str(), run.passed, run.attempts)).collect();
    assert_eq!(runs, [("c", true, 2), ("b", false, 1)], "newest first; a cancelled one is neither");
    assert_eq!(found.branch.as_deref(), Some("main"));
    server.is_content();
}

#[tokio::test]
async fn an_app_signs_in_for_its_one_repository_and_again_before_its_token_ends() {
    let server = world().await;
    // A key that was made for the tests of Google calendars alone; it opens nothing.
    let file: serde_json::Value = serde_json::from_str(include_str!("../../../data/google-calendar/key.json")).unwrap();
    let key = file["private_key"].as_str().unwrap();
    let app = |key: &str| {
        let stanza = "kind = 'github'\nrepository = 'harbor/shop'\napp-id = '12'";
        source::opened(&format!("{stanza}\nurl = '{}'\nprivate-key = {{ value = \"\"\"{key}\"\"\" }}", server.address))
    };
    let source = app(key).unwrap();
    let asked = asking(Question::Versions, Some("v1.1.0"), None);
    ask(&source, &asked).await.unwrap();
    ask(&source, &asked).await.unwrap();
    assert_eq!(server.shared().world.tokens, 1, "it is kept");
    let later = Ask { now: asked.now.plus(56 * MINUTE), ..asked.clone() };
    ask(&source, &later).await.unwrap();
    assert_eq!(server.shared().world.tokens, 2, "five minutes before its end there is a new one");
    let why = ask(&app("no key").unwrap(), &asked).await.unwrap_err().0;
    assert_eq!(why, "has a private key that is no RSA key in PEM");
    let both = source::opened("kind = 'github'\nrepository = 'a/b'\ntoken = { value = 'x' }\napp-id = '12'");
    assert!(format!("{:#}", both.unwrap_err()).contains("it signs in by `token`, or by `app-id` and `private-key`"));
    server.is_content();
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let server = world().await;
    let source = source(&server.address, TOKEN);
    let asked = asking(Question::Versions, Some("v1.1.0"), None);
    let first = versions(ask(&source, &asked).await.unwrap());
    assert_eq!(server.shared().unchanged, 0);
    assert_eq!(versions(ask(&source, &asked).await.unwrap()), first);
    let world = server.shared();
    assert_eq!(world.unchanged * 2, world.requests.len(), "the second answers were all 304");
}

#[tokio::test]
async fn githubs_own_refusals_are_told_apart() {
    let server = world().await;
    let header = |name: &'static str, value: &str| (name, value.to_owned());
    for (status, headers, says) in [
        (404, vec![], "has nothing at this address, or the credential may not see it (404)"),
        (403, vec![], "refused the question (403): the credential lacks a permission"),
        (
            403,
            vec![header("x-ratelimit-remaining", "0"), header("x-ratelimit-reset", "1795435200")],
            "has no questions left for this credential until 12:00 UTC (403)",
        ),
        (301, vec![], "says that this has moved (301), which is not followed"),
    ] {
        server.shared().fault = Some(Reply(status, headers, json!({ "message": "hush" })));
        let source = source(&server.address, TOKEN);
        for question in [Question::Versions, Question::Deployments, Question::Incidents] {
            assert_eq!(ask(&source, &asking(question, None, None)).await.unwrap_err().0, says, "{status} {question:?}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_fewer_questions_is_left_alone_for_a_while() {
    let server = world().await;
    let source = source(&server.address, TOKEN);
    server.shared().fault = Some(Reply(429, vec![("retry-after", "60".to_owned())], json!({})));
    let first = ask(&source, &asking(Question::Deployments, None, None)).await.unwrap_err().0;
    assert_eq!(first, "asks for fewer questions (429)");
    server.shared().fault = None;
    let asked = server.shared().requests.len();
    let second = ask(&source, &asking(Question::Deployments, None, None)).await.unwrap_err().0;
    assert!(second.starts_with("asked for no more questions for another "), "{second}");
    assert_eq!(server.shared().requests.len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_request_that_github_does_not_describe_is_complained_of() {
    let server = world().await;
    let client = tidegate::http::trusted(std::time::Duration::from_secs(20)).unwrap();
    for query in ["state=some", "colour=red", "per_page=many"] {
        let _ = client.get(format!("{}/repos/{REPOSITORY}/issues?{query}", server.address)).send().await;
    }
    let complaints = server.shared().complaints.join("\n");
    for wrong in ["?state: is not one of", "?colour: no such parameter", "?per_page: is not of type", "accept:"] {
        assert!(complaints.contains(wrong), "{wrong}: {complaints}");
    }
}

#[tokio::test]
async fn what_change_reviews_and_builds_all_need_is_asked_once() {
    let server = world().await;
    let source = source(&server.address, TOKEN);
    let asked = |question| asking(question, Some("main"), Some("v1.0.0"));
    let (change, reviews, builds) = (asked(Question::Change), asked(Question::Reviews), asked(Question::Builds));
    let (change, reviews, builds) =
        futures::join!(ask(&source, &change), ask(&source, &reviews), ask(&source, &builds));
    assert!(change.is_ok() && reviews.is_ok() && builds.is_ok());
    let times = |part: &str| server.shared().requests.iter().filter(|request| request.contains(part)).count();
    assert_eq!(times("/commits/main?"), 1, "{:#?}", server.shared().requests);
    assert_eq!((times("/commits/v1.0.0?"), times("/compare/")), (1, 1), "{:#?}", server.shared().requests);
    server.is_content();
}
