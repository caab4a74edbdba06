//! The Codecov source against a pretend Codecov that holds every request against its documentation.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use tidegate::advice::facts::{Change, Coverage, Covered};
use tidegate::source::{Answer, Ask, Learned, Question};

use super::{Case, Standing, change_of};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor};

pub const CASE: Case = Case {
    kind: "codecov",
    stanza: "kind = 'codecov'\nurl = '{address}'\nrepository = 'harbor/shop'\ntoken = { value = '{secret}' }",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/codecov/openapi.json")).unwrap());

const TOKEN: &str = "codecov-story";
const MANNERS: Manners = Manners {
    prefix: "/api/v2",
    credential: ("authorization", "Bearer codecov-story"),
    headers: &[("accept", "application/json")],
    open: &[],
};
const BASE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";

/// What lies over the examples; None: nothing is known.
type World = Option<Value>;

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let Some(totals) = world else { return Reply(404, Vec::new(), json!({ "detail": "Not found." })) };
    let right = match asked.id() {
        "compareImpactedFiles" => asked.query("base") == Some(BASE) && asked.query("head") == Some(HEAD),
        _ => asked.query("sha") == Some(HEAD),
    };
    let here = asked.value("service") == "github"
        && asked.value("owner_username") == "harbor"
        && asked.value("repo_name") == "shop";
    assert!(right && here, "{asked:?}");
    let mut told = asked.operation.example();
    for (name, value) in totals.as_object().into_iter().flatten() {
        told["totals"][name] = value.clone();
    }
    Reply::ok(told)
}

fn change() -> Change {
    let mut change = change_of(&[]);
    change.head.commit = HEAD.to_owned();
    change.base.as_mut().unwrap().commit = BASE.to_owned();
    change
}

async fn ask(server: &Vendor<World>, change: Option<Change>) -> Result<Answer, String> {
    let source = source::opened(&CASE.filled(&server.address, TOKEN)).unwrap();
    let asked = Ask { change: change.map(Arc::new), ..source::asking(Question::Coverage, "") };
    source.ask(&asked).await.map_err(|why| why.0)
}

/// One that is well, for who wants all kinds at once: whatever the commits are.
pub async fn standing() -> Standing {
    fn told(_: &mut (), asked: &Asked) -> Reply {
        Reply::ok(asked.operation.example())
    }
    Standing::new(&CASE, Vendor::open(&DESCRIBED, MANNERS, (), told).await, TOKEN)
}

fn coverage(answer: &Answer) -> Coverage {
    let Learned::Coverage(coverage) = &answer.learned else { panic!("{answer:?}") };
    coverage.clone()
}

#[tokio::test]
async fn two_commits_are_compared_and_one_is_told_alone() {
    let server = Vendor::open(&DESCRIBED, MANNERS, Some(json!({})), answer).await;
    let answer = ask(&server, Some(change())).await.unwrap();
    let touched = Some(Covered { lines: 35, of: 50 });
    assert_eq!(coverage(&answer), Coverage { touched, project: Some(79.5), delta: Some(-0.5) });
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let alone = Change { base: None, ..change() };
    let told = coverage(&ask(&server, Some(alone)).await.unwrap());
    assert_eq!(told, Coverage { touched: None, project: Some(79.5), delta: None });
    server.is_content();
}

#[tokio::test]
async fn what_codecov_does_not_know_is_said() {
    let server = Vendor::open(&DESCRIBED, MANNERS, Some(json!({ "base": null, "patch": null })), answer).await;
    let answer = ask(&server, Some(change())).await.unwrap();
    assert_eq!(coverage(&answer), Coverage { touched: None, project: Some(79.5), delta: None });
    assert_eq!(answer.incomplete, ["there is no coverage of what runs to compare with"]);
    server.shared().world = Some(json!({ "head": null }));
    assert_eq!(ask(&server, Some(change())).await.unwrap_err(), "has no coverage of this commit");
    server.shared().world = Some(json!({ "head": { "coverage": 7e9 }, "patch": null }));
    assert_eq!(ask(&server, Some(change())).await.unwrap_err(), "has no coverage of this commit");
    server.shared().world = None;
    let why = ask(&server, Some(change())).await.unwrap_err();
    assert_eq!(why, "knows no coverage of this commit and what runs (404)");
    let why = ask(&server, None).await.unwrap_err();
    assert_eq!(why, "cannot tell which commit matters: what changes is not known");
    server.is_content();
}
