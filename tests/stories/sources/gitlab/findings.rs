//! What the scanners of a commit's pipelines found.

use std::sync::Arc;

use serde_json::{Value, json};

use tidegate::advice::facts::{Finding, FindingKind};
use tidegate::source::{Answer, Ask, Learned, Question};

use super::super::change_of;
use super::world::{self, Gitlab as Server};
use super::{asking, source};

async fn ask(server: &Server) -> Result<Answer, String> {
    let change = Some(Arc::new(change_of(&[])));
    let asked = Ask { change, ..asking(Question::Findings, Some("main"), Some("v1.0.0")) };
    source(server).ask(&asked).await.map_err(|why| why.0)
}

fn findings(answer: &Answer) -> Vec<Finding> {
    let Learned::Findings(found) = &answer.learned else { panic!("{answer:?}") };
    found.clone()
}

fn found(uuid: &str, kind: &str) -> Value {
    json!({ "uuid": uuid, "report_type": kind, "name": format!("{kind} hush") })
}

/// Both commits have a pipeline that succeeded.
async fn scanned() -> Server {
    let mut world = super::world();
    let (base, head) = (world.refs["v1.0.0"].clone(), world.refs["main"].clone());
    world.pipelines = vec![
        json!({ "id": 2, "sha": head, "status": "success" }),
        json!({ "id": 1, "sha": base, "status": "success" }),
    ];
    world.findings = Some([(1, Vec::new()), (2, Vec::new())].into());
    world::open(world).await
}

#[tokio::test]
async fn what_the_pipeline_of_the_commit_found_is_compared_with_that_of_what_runs() {
    let server = scanned().await;
    let mut dismissed = found("d", "sast");
    dismissed["dismissal_feedback"] = json!({ "id": 1 });
    let mut library = found("l", "dependency_scanning");
    library["location"] =
        json!({ "file": "yarn.lock", "dependency": { "package": { "name": "left-pad" }, "version": "1.0.0" } });
    let mut odd = found("o", "container_scanning");
    odd["identifiers"] = json!([{ "name": "x\u{202e}\ny", "url": "javascript:alert(1)" }]);
    (odd["severity"], odd["location"]) = (json!(null), json!(null));
    let at_base = vec![found("a", "sast")];
    let at_head = vec![found("a", "sast"), found("b", "sast"), found("s", "secret_detection"), dismissed, library, odd];
    server.shared().world.findings = Some([(1, at_base), (2, at_head)].into());
    let answer = ask(&server).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let told = findings(&answer);
    let by = |kind: FindingKind| told.iter().filter(|f| f.kind == kind).collect::<Vec<_>>();
    let code: Vec<_> = by(FindingKind::Code).iter().map(|f| (f.new, f.severity.clone())).collect();
    let high = Some("high".to_owned());
    assert_eq!(code, [(Some(true), high.clone()), (Some(false), high)], "the dismissed one is not told");
    let secret = by(FindingKind::Secret)[0];
    assert_eq!(
        (secret.title.as_str(), secret.path.as_deref()),
        ("", Some("src/cart.ts")),
        "what was found is not repeated"
    );
    assert_eq!(secret.new, Some(false), "its kind was not seen before, and its file is not touched");
    assert_eq!(by(FindingKind::Dependency)[0].package.as_deref(), Some("left-pad 1.0.0"));
    let odd = by(FindingKind::Container)[0];
    assert_eq!((odd.new, odd.severity.as_deref(), odd.link.as_deref()), (None, None, None));
    assert!(!odd.id.contains(['\u{202e}', '\n']));
    server.is_content();
}

#[tokio::test]
async fn a_pipeline_that_failed_or_is_not_over_is_no_all_clear() {
    let server = scanned().await;
    server.shared().world.pipelines[0]["status"] = json!("failed");
    let head = server.shared().world.pipelines[0]["sha"].clone();
    let running = json!({ "id": 3, "sha": head, "status": "running" });
    server.shared().world.pipelines.push(running);
    let gaps = ["a pipeline of this commit is not over", "a pipeline of this commit failed; a scan may be missing"];
    assert_eq!(ask(&server).await.unwrap().incomplete, gaps);
    server.shared().world.pipelines.remove(0);
    assert_eq!(ask(&server).await.unwrap_err(), "has no finished pipeline of this commit, so nothing was scanned");
    server.is_content();
}

#[tokio::test]
async fn a_tier_without_findings_is_said_and_is_no_all_clear() {
    let server = scanned().await;
    server.shared().world.findings = None;
    let why = "tells no findings (403): GitLab does so in the tier Ultimate alone, to developers of the project";
    assert_eq!(ask(&server).await.unwrap_err(), why);
    server.is_content();
}
