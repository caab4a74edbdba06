//! The CircleCI source against a pretend CircleCI that holds every request against its documentation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{BuildState, Builds};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "circleci",
    stanza: "kind = 'circleci'\nurl = '{address}/api/v2'\nproject = 'gh/harbor/shop'\ntoken = { value = '{secret}' }",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/circleci/openapi.json")).unwrap());

const MANNERS: Manners =
    Manners { prefix: "/api/v2", credential: ("circle-token", "circle-story"), headers: &[], open: &[] };
const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

#[derive(Debug, Default)]
struct World {
    /// Newest first: number, branch, commit, state.
    pipelines: Vec<(u64, &'static str, &'static str, &'static str)>,
    /// By pipeline's number: name, status, minute at which it began.
    workflows: BTreeMap<u64, Vec<(&'static str, &'static str, u32)>>,
    /// By workflow's name: job and status.
    jobs: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
    flaky: Value,
    /// How many pipelines a page holds.
    page: usize,
}

fn id(pipeline: u64, workflow: usize) -> String {
    format!("{pipeline:08}-{workflow:04}-4000-8000-000000000000")
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let one = || asked.operation.example()["items"][0].clone();
    let page = |items: Vec<Value>, next: Option<String>| Reply::ok(json!({ "items": items, "next_page_token": next }));
    let numbers = |id: &str| -> (u64, usize) { (id[..8].parse().unwrap(), id[9..13].parse().unwrap()) };
    match asked.id() {
        "listPipelinesForProject" => {
            let here = |branch: &str| asked.query("branch").is_none_or(|asked| asked == branch);
            let all: Vec<_> = world.pipelines.iter().filter(|(_, branch, ..)| here(branch)).collect();
            let from: usize = asked.query("page-token").map_or(0, |token| token.parse().unwrap());
            let to = (from + world.page).min(all.len());
            let told = all[from..to].iter().map(|(number, branch, commit, state)| {
                let mut told = laid_over(one(), json!({ "id": id(*number, 0), "number": number, "state": state }));
                told["vcs"]["branch"] = json!(branch);
                told["vcs"]["revision"] = json!(commit);
                told
            });
            page(told.collect(), (to < all.len()).then(|| to.to_string()))
        }
        "listWorkflowsByPipelineId" => {
            let (number, _) = numbers(asked.value("pipeline-id"));
            let workflows = world.workflows.get(&number).cloned().unwrap_or_default();
            let told = workflows.iter().enumerate().map(|(at, (name, status, minute))| {
                let stopped = (*status != "running").then_some("2026-11-20T11:00:00Z");
                let began = format!("2026-11-20T10:{minute:02}:00Z");
                let more = json!({ "id": id(number, at + 1), "name": name, "status": status, "created_at": began, "stopped_at": stopped });
                laid_over(one(), more)
            });
            page(told.collect(), None)
        }
        "listWorkflowJobs" => {
            let (number, at) = numbers(asked.value("id"));
            let name = world.workflows[&number][at - 1].0;
            let told = world.jobs.get(name).into_iter().flatten();
            let told = told.map(|(name, status)| {
                let kind = if *name == "approve" { "approval" } else { "build" };
                laid_over(one(), json!({ "name": name, "type": kind, "status": status, "stopped_at": null }))
            });
            page(told.collect(), None)
        }
        "getFlakyTests" if world.flaky.is_null() => Reply::status(500),
        "getFlakyTests" => Reply::ok(world.flaky.clone()),
        other => panic!("{other}"),
    }
}

async fn server() -> Vendor<World> {
    let world = World {
        pipelines: vec![
            (9, "main", TWO, "created"),
            (8, "feature", "3333333333333333333333333333333333333333", "created"),
            (7, "main", ONE, "created"),
            (6, "main", "0000000000000000000000000000000000000000", "errored"),
        ],
        workflows: BTreeMap::from([
            (9, vec![("test", "success", 20), ("test", "failed", 10), ("deploy", "on_hold", 30)]),
            (8, vec![("test", "failed", 1)]),
            (7, vec![("test", "failed", 1), ("lint", "success", 1)]),
        ]),
        jobs: BTreeMap::from([
            ("test", vec![("unit", "success"), ("browser", "failed"), ("load", "timedout")]),
            ("deploy", vec![("image", "success"), ("approve", "on_hold"), ("ship", "blocked")]),
        ]),
        flaky: json!({ "flaky_tests": [], "total_flaky_tests": 0 }),
        page: 20,
    };
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

async fn ask(server: &Vendor<World>, version: Option<&str>) -> Result<Answer, CannotSay> {
    let ask = Ask { version: version.map(str::to_owned), ..source::asking(Question::Builds, "") };
    source::opened(&CASE.filled(&server.address, "circle-story")).unwrap().ask(&ask).await
}

fn builds(answer: &Answer) -> &Builds {
    let Learned::Builds(found) = &answer.learned else { panic!("{answer:?}") };
    found
}

fn states(builds: &Builds) -> Vec<(&str, BuildState)> {
    builds.builds.iter().map(|build| (build.name.as_str(), build.state)).collect()
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, server().await, "circle-story")
}

#[tokio::test]
async fn the_newest_run_of_each_workflow_counts_and_the_jobs_of_a_failed_one() {
    let server = server().await;
    let answer = ask(&server, Some(TWO)).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = builds(&answer);
    assert_eq!(found.commit, TWO);
    assert_eq!(states(found), [("deploy", BuildState::Passed), ("test", BuildState::Passed)]);
    let answer = ask(&server, Some("1111111")).await.unwrap();
    assert_eq!(builds(&answer).commit, ONE);
    let failed =
        [("lint", BuildState::Passed), ("test: browser", BuildState::Failed), ("test: load", BuildState::Failed)];
    assert_eq!(states(builds(&answer)), failed);
    let answer = ask(&server, Some("0000000000000000000000000000000000000000")).await.unwrap();
    assert_eq!(states(builds(&answer)), [("pipeline 6", BuildState::Failed)]);
    server.is_content();
}

#[tokio::test]
async fn the_main_branch_is_told_by_what_ended() {
    let server = server().await;
    let answer = ask(&server, None).await.unwrap();
    let runs = |answer: &Answer| -> Vec<(String, bool, u32)> {
        let runs = builds(answer).runs.iter();
        runs.map(|run| (run.commit[..4].to_owned(), run.passed, run.attempts)).collect()
    };
    let run = |commit: &str, passed, attempts| (commit.to_owned(), passed, attempts);
    // What waits for somebody's word is judged by what ran until then; it passed at the second try.
    assert_eq!(runs(&answer), [run("2222", true, 2), run("1111", false, 1), run("0000", false, 1)]);
    // What runs has not ended, before an approval or anywhere.
    for (job, status, ended) in [("image", "running", false), ("image", "failed", true), ("approve", "on_hold", true)] {
        server.shared().world.jobs.insert("deploy", vec![(job, status)]);
        let answer = ask(&server, None).await.unwrap();
        assert_eq!(runs(&answer).len(), if ended { 3 } else { 2 }, "{job} {status}");
        assert_eq!(runs(&answer)[0].1, job == "approve", "{job} {status}");
    }
    server.shared().world.workflows.insert(9, vec![("test", "running", 1)]);
    assert_eq!(runs(&ask(&server, None).await.unwrap()).len(), 2);
    assert_eq!(builds(&answer).branch.as_deref(), Some("main"));
    server.is_content();
}

#[tokio::test]
async fn a_commit_is_looked_for_page_by_page_and_said_where_it_is_not_found() {
    let server = server().await;
    server.shared().world.page = 1;
    let answer = ask(&server, Some(ONE)).await.unwrap();
    assert_eq!(builds(&answer).commit, ONE);
    let unknown = "4444444444444444444444444444444444444444";
    let answer = ask(&server, Some(unknown)).await.unwrap();
    assert_eq!((builds(&answer).commit.as_str(), builds(&answer).builds.len()), (unknown, 0));
    assert_eq!(answer.incomplete, ["none of its newest pipelines is of this commit"]);
    server.is_content();
}

#[tokio::test]
async fn flaky_tests_are_named_and_their_absence_is_no_all_clear() {
    let server = server().await;
    let test = |name: &str, times: u32| json!({ "test_name": name, "times_flaked": times, "job_name": "unit", "classname": null });
    let long = format!("pays\n\u{202e}{}", "x".repeat(500));
    server.shared().world.flaky = json!({ "flaky_tests": [test("once", 1), test(&long, 9)], "total_flaky_tests": 2 });
    let answer = ask(&server, Some(TWO)).await.unwrap();
    let flaky = &builds(&answer).flaky;
    assert!(flaky[0].starts_with("pays x") && flaky[0].chars().count() <= 121, "{flaky:?}");
    assert_eq!(flaky[1], "once");
    // As its documentation writes it.
    server.shared().world.flaky = json!({ "flaky-tests": [{ "test-name": "pays", "times-flaked": 2 }] });
    assert_eq!(builds(&ask(&server, Some(TWO)).await.unwrap()).flaky, ["pays"]);
    server.shared().world.flaky = Value::Null;
    let answer = ask(&server, Some(TWO)).await.unwrap();
    assert_eq!(answer.incomplete, ["which tests are flaky it did not tell: it answered with an error (500)"]);
    assert_eq!(builds(&answer).builds.len(), 2);
    server.is_content();
    let wrong = CASE.filled(&server.address, "x").replace("gh/harbor/shop", "shop");
    assert!(source::opened(&wrong).is_err());
}
