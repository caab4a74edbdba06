//! The Jenkins source against a pretend Jenkins that holds every request against its documentation.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{BuildState, Builds};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "jenkins",
    stanza: "kind = 'jenkins'\nurl = '{address}'\njob = 'shop/main'\nuser = 'ada'\ntoken = { value = '{secret}' }",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/jenkins/openapi.json")).unwrap());

/// `ada:jenkins-story`
const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", "Basic YWRhOmplbmtpbnMtc3Rvcnk="), headers: &[], open: &[] };
const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";
const NOON: i64 = 1_795_435_200_000;

/// The builds of the job `shop/main`.
type World = Vec<Value>;

fn answer(world: &mut World, asked: &Asked) -> Reply {
    match (asked.value("job0"), asked.value("job1")) {
        ("shop", "main" | "feature%252Fcart") => {
            Reply::ok(laid_over(asked.operation.example(), json!({ "builds": world.clone() })))
        }
        ("shop", "") => Reply::ok(json!({ "_class": "WorkflowMultiBranchProject", "jobs": [{ "name": "main" }] })),
        _ => Reply::status(404),
    }
}

async fn server(world: World) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn revision(sha: &str, branch: &str, remote: &str) -> Value {
    json!({ "_class": "hudson.plugins.git.util.BuildData", "remoteUrls": [remote],
        "lastBuiltRevision": { "SHA1": sha, "branch": [{ "SHA1": sha, "name": branch }] } })
}

fn build(number: i64, result: Value, sha: &str, branch: &str) -> Value {
    let git = revision(sha, branch, "https://github.com/harbor/shop.git");
    json!({ "number": number, "url": format!("https://jenkins.example.com/job/shop/job/main/{number}/"),
        "result": result, "building": result.is_null(), "timestamp": NOON + number * 60_000, "duration": 30_000,
        "actions": [{ "_class": "hudson.model.CauseAction" }, {}, null, git] })
}

async fn ask(server: &Vendor<World>, version: Option<&str>, more: &str) -> Result<Answer, CannotSay> {
    let stanza = format!("{}\n{more}", CASE.filled(&server.address, "jenkins-story"));
    let ask = Ask { version: version.map(str::to_owned), ..source::asking(Question::Builds, "") };
    source::opened(&stanza).unwrap().ask(&ask).await
}

fn builds(answer: &Answer) -> &Builds {
    let Learned::Builds(found) = &answer.learned else { panic!("{answer:?}") };
    found
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(
        &CASE,
        server(vec![build(12, json!("SUCCESS"), TWO, "refs/remotes/origin/main")]).await,
        "jenkins-story",
    )
}

#[tokio::test]
async fn the_newest_build_of_the_commit_and_the_main_branch_are_told() {
    let server = server(vec![
        build(13, json!("FAILURE"), "3333333333333333333333333333333333333333", "origin/feature/cart"),
        build(12, json!("SUCCESS"), TWO, "refs/remotes/origin/main"),
        build(11, json!("UNSTABLE"), TWO, "refs/remotes/origin/main"),
        build(10, json!("ABORTED"), ONE, "main"),
        build(9, json!("FAILURE"), ONE, "main"),
    ])
    .await;
    let answer = ask(&server, Some(TWO), "").await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = builds(&answer);
    assert_eq!((found.commit.as_str(), found.branch.as_deref()), (TWO, Some("main")));
    let one = &found.builds[0];
    assert_eq!((one.name.as_str(), one.state, found.builds.len()), ("shop/main", BuildState::Passed, 1));
    assert_eq!(one.finished.unwrap().ms(), NOON + 12 * 60_000 + 30_000);
    assert_eq!(one.link.as_deref(), Some("https://jenkins.example.com/job/shop/job/main/12/"));
    let runs: Vec<_> = found.runs.iter().map(|run| (run.commit.as_str(), run.passed, run.attempts)).collect();
    assert_eq!(runs, [(TWO, true, 2), (ONE, false, 1)], "another branch's are not the main branch's");
    assert_eq!((&found.required, found.flaky.len()), (&None, 0));
    // The beginning of a commit is enough.
    assert_eq!(builds(&ask(&server, Some("2222222"), "").await.unwrap()).commit, TWO);
    server.is_content();
}

#[tokio::test]
async fn a_build_that_runs_is_pending_and_a_commit_without_one_is_said() {
    let server =
        server(vec![build(12, Value::Null, TWO, "main"), build(11, json!("NOT_BUILT"), ONE, "detached")]).await;
    let state = |answer: &Answer| builds(answer).builds[0].state;
    let answer = ask(&server, Some(TWO), "").await.unwrap();
    assert_eq!((state(&answer), builds(&answer).builds[0].finished), (BuildState::Pending, None));
    assert_eq!(state(&ask(&server, Some(ONE), "").await.unwrap()), BuildState::Skipped);
    let answer = ask(&server, Some("4444444444444444444444444444444444444444"), "").await.unwrap();
    assert!(builds(&answer).builds.is_empty() && builds(&answer).runs.is_empty());
    assert_eq!(answer.incomplete, ["none of its newest 2 builds is of this commit"]);
    // Asked about no commit, it tells of the branch alone.
    assert_eq!(ask(&server, None, "").await.unwrap().incomplete, Vec::<String>::new());
}

#[tokio::test]
async fn which_of_several_repositories_is_meant_the_settings_say() {
    let mut both = build(12, json!("SUCCESS"), TWO, "main");
    let library = revision(ONE, "main", "https://github.com/harbor/library.git");
    both["actions"].as_array_mut().unwrap().insert(0, library);
    let mut bare = build(11, json!("SUCCESS"), TWO, "main");
    bare["actions"] = json!([{}]);
    let server = server(vec![both, bare]).await;
    let answer = ask(&server, Some(TWO), "").await.unwrap();
    assert!(builds(&answer).builds.is_empty());
    let says = &answer.incomplete;
    assert!(
        says[0].contains("1 builds fetched several repositories") && says[1].contains("1 builds do not say"),
        "{says:?}"
    );
    let answer = ask(&server, Some(TWO), "repository = 'harbor/shop'").await.unwrap();
    assert_eq!(builds(&answer).builds[0].state, BuildState::Passed);
    server.is_content();
}

#[tokio::test]
async fn a_folder_a_missing_job_and_a_wrong_name_are_told_apart() {
    let server = server(Vec::new()).await;
    let stanza = |job: &str| CASE.filled(&server.address, "jenkins-story").replace("shop/main", job);
    let ask = |job: &str| {
        let opened = source::opened(&stanza(job)).unwrap();
        async move { opened.ask(&source::asking(Question::Builds, "")).await }
    };
    let why = ask("shop").await.unwrap_err().0;
    assert_eq!(why, "has a folder there, not a job: a multibranch job needs its branch too");
    assert!(ask("elsewhere").await.unwrap_err().0.contains("(404)"));
    // A branch's slash is part of the job's name.
    assert!(ask("shop/feature%2Fcart").await.is_ok());
    assert!(server.shared().requests.last().unwrap().starts_with("/job/shop/job/feature%252Fcart/api/json"));
    for wrong in ["", "shop//main", "shop/../main"] {
        assert!(source::opened(&stanza(wrong)).is_err(), "{wrong}");
    }
    server.is_content();
}
