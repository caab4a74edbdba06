//! The Argo CD source against a pretend Argo CD that holds every request against its own description.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{Alert, Deployment};
use tidegate::source::{Answer, CannotSay, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor};

pub const CASE: Case = Case {
    kind: "argocd",
    stanza: "kind = 'argocd'\nurl = '{address}'\napplication = '{service}-{environment}'\ntoken = { value = '{secret}' }",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/argocd/openapi.json")).unwrap());

const TOKEN: &str = "argo-story";
const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", "Bearer argo-story"), headers: &[], open: &[] };
const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

/// The status of each application.
type World = BTreeMap<String, Value>;

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let name = asked.value("name");
    match (world.get(name), asked.query("project")) {
        (Some(status), _) => {
            let metadata = json!({ "name": name, "namespace": "argocd" });
            Reply::ok(json!({ "metadata": metadata, "spec": { "project": "shop" }, "status": status }))
        }
        // As Argo CD does, so that nobody learns what exists.
        (None, None) => Reply(403, Vec::new(), json!({ "code": 7, "message": "permission denied" })),
        (None, Some(_)) => Reply(404, Vec::new(), json!({ "code": 5, "message": "not found" })),
    }
}

async fn server(status: Value) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, World::from([("shop-production".to_owned(), status)]), answer).await
}

fn sync(id: u64, revision: &str, target: &str, at: &str) -> Value {
    let source = json!({ "repoURL": "https://github.com/harbor/shop", "path": "deploy", "targetRevision": target });
    json!({ "id": id, "revision": revision, "source": source, "deployStartedAt": format!("{at}:00Z"),
        "deployedAt": format!("{at}:40Z"), "initiatedBy": { "username": "ada" } })
}

fn opened(server: &Vendor<World>, more: &str) -> Opened {
    source::opened(&format!("{}\n{more}", CASE.filled(&server.address, TOKEN))).unwrap()
}

async fn ask(server: &Vendor<World>, question: Question, more: &str) -> Result<Answer, CannotSay> {
    opened(server, more).ask(&source::asking(question, "")).await
}

fn deployments(answer: &Answer) -> &[Deployment] {
    let Learned::Deployments(found) = &answer.learned else { panic!("{answer:?}") };
    found
}

fn alerts(answer: &Answer) -> &[Alert] {
    let Learned::Alerts(found) = &answer.learned else { panic!("{answer:?}") };
    found
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(
        &CASE,
        server(json!({ "history": [sync(6, ONE, "v1.0.0", "2026-11-10T10:00")], "health": { "status": "Healthy" } }))
            .await,
        TOKEN,
    )
}

#[tokio::test]
async fn what_was_synced_is_told_newest_first_with_commit_and_version() {
    let history = [
        sync(6, ONE, "v1.0.0", "2026-11-10T10:00"),
        sync(7, TWO, "v1.1.0", "2026-11-20T10:00"),
        // The same once more.
        sync(8, TWO, "v1.1.0", "2026-11-21T03:00"),
    ];
    let server = server(json!({ "history": history, "operationState": { "phase": "Succeeded" } })).await;
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = deployments(&answer);
    let ids: Vec<&str> = found.iter().map(|deployment| deployment.id.as_str()).collect();
    assert_eq!(ids, ["argocd-shop-production-7", "argocd-shop-production-6"], "healing itself is no deployment");
    assert_eq!((found[0].version.as_deref(), found[0].commit.as_deref()), (Some("v1.1.0"), Some(TWO)));
    assert_eq!(found[0].at.rfc3339(), "2026-11-20T10:00:00Z");
    assert_eq!(found[0].finished.unwrap().rfc3339(), "2026-11-20T10:00:40Z");
    assert_eq!((found[0].service.as_str(), found[0].environment.as_str()), ("shop", "production"));
    server.is_content();
}

#[tokio::test]
async fn a_branch_is_no_version_and_a_chart_has_no_commit() {
    let server = server(json!({ "history": [sync(1, ONE, "HEAD", "2026-11-10T10:00")] })).await;
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    assert_eq!((&deployments(&answer)[0].version, deployments(&answer)[0].commit.as_deref()), (&None, Some(ONE)));
    server
        .shared()
        .world
        .insert("shop-production".to_owned(), json!({ "history": [sync(1, "4.2.1", "4.*", "2026-11-10T10:00")] }));
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    assert_eq!((deployments(&answer)[0].version.as_deref(), &deployments(&answer)[0].commit), (Some("4.2.1"), &None));
}

#[tokio::test]
async fn with_an_image_its_tag_is_the_version_that_runs() {
    let history = [sync(1, ONE, "main", "2026-11-10T10:00"), sync(2, TWO, "main", "2026-11-20T10:00")];
    let images = |images: &[&str]| json!({ "history": history.clone(), "summary": { "images": images } });
    let server =
        server(images(&["redis:7", "ghcr.io/harbor/shop-worker:v9", "ghcr.io/harbor/shop:v1.1.0@sha256:ab"])).await;
    let image = "image = 'ghcr.io/harbor/{service}'";
    let answer = ask(&server, Question::Deployments, image).await.unwrap();
    let versions: Vec<_> = deployments(&answer).iter().map(|d| (d.version.as_deref(), d.commit.as_deref())).collect();
    assert_eq!(versions, [(Some("v1.1.0"), None), (None, None)], "commits of manifests are not the service's");
    assert_eq!(answer.incomplete, Vec::<String>::new());
    for (found, says) in [
        (images(&["ghcr.io/harbor/shop:v1", "ghcr.io/harbor/shop:v2"]), "under 2 tags at once"),
        (images(&["ghcr.io/harbor/shop@sha256:ab"]), "by its digest"),
        (images(&["elsewhere/shop:v1"]), "no image of the name"),
        (json!({ "history": history.clone() }), "no image of the name"),
    ] {
        server.shared().world.insert("shop-production".to_owned(), found);
        let answer = ask(&server, Question::Deployments, image).await.unwrap();
        assert_eq!(deployments(&answer)[0].version, None);
        assert!(answer.incomplete[0].contains(says), "{:?}", answer.incomplete);
    }
}

#[tokio::test]
async fn what_is_cut_off_or_under_way_is_said() {
    let history: Vec<Value> =
        (10..20).map(|n| sync(n, &n.to_string().repeat(20), "main", &format!("2026-11-{n}T10:00"))).collect();
    let running = json!({ "phase": "Running", "startedAt": "2026-11-23T11:58:00Z" });
    let server = server(json!({ "history": history, "operationState": running })).await;
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    let says = ["keeps only the newest 10 syncs", "a sync has been under way since 2026-11-23T11:58:00Z"];
    assert_eq!(answer.incomplete, says);
    let several =
        json!({ "id": 1, "deployedAt": "2026-11-20T10:00:00Z", "revisions": [ONE, TWO], "sources": [{}, {}] });
    let timeless = json!({ "id": 2, "deployedAt": null, "revision": ONE });
    server.shared().world.insert("shop-production".to_owned(), json!({ "history": [timeless, several] }));
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    assert_eq!(deployments(&answer).len(), 1);
    assert!(answer.incomplete[0].contains("1 syncs have no time"), "{:?}", answer.incomplete);
    assert!(answer.incomplete[1].contains("no single commit"), "{:?}", answer.incomplete);
    // Never synced.
    server.shared().world.insert("shop-production".to_owned(), json!({ "history": null, "summary": {} }));
    let answer = ask(&server, Question::Deployments, "").await.unwrap();
    assert!(deployments(&answer).is_empty() && answer.incomplete.is_empty());
}

#[tokio::test]
async fn an_application_that_is_not_well_is_an_alert() {
    let long = format!("pods\n@here \u{202e}{}", "x".repeat(900));
    let health = json!({ "status": "Degraded", "message": long, "lastTransitionTime": "2026-11-23T09:00:00Z" });
    let server = server(json!({ "health": health })).await;
    let answer = ask(&server, Question::Alerts, "").await.unwrap();
    let found = &alerts(&answer)[0];
    assert_eq!(found.name, "shop-production is degraded");
    assert_eq!(found.since.rfc3339(), "2026-11-23T09:00:00Z");
    let summary = found.summary.as_deref().unwrap();
    assert!(summary.chars().count() <= 301 && !summary.contains(['\n', '\u{202e}']), "{summary}");
    for (status, alerted) in [("Healthy", false), ("Progressing", false), ("Suspended", false), ("Missing", true)] {
        server.shared().world.insert("shop-production".to_owned(), json!({ "health": { "status": status } }));
        let answer = ask(&server, Question::Alerts, "").await.unwrap();
        assert_eq!(!alerts(&answer).is_empty(), alerted, "{status}");
    }
    for unclear in [json!({}), json!({ "health": { "status": "Unknown" } }), json!({ "health": null })] {
        server.shared().world.insert("shop-production".to_owned(), unclear);
        let why = ask(&server, Question::Alerts, "").await.unwrap_err().0;
        assert_eq!(why, "does not know whether `shop-production` is well");
    }
    server.is_content();
}

#[tokio::test]
async fn applications_are_found_by_their_names_and_missing_ones_said() {
    let server = server(json!({ "history": [] })).await;
    server
        .shared()
        .world
        .insert("basket-live".to_owned(), json!({ "history": [sync(3, ONE, "v2", "2026-11-20T10:00")] }));
    let named = "applications = { 'shop/production' = 'basket-live' }\nproject = 'shop'\nnamespace = 'apps'";
    let answer = ask(&server, Question::Deployments, named).await.unwrap();
    assert_eq!(deployments(&answer)[0].id, "argocd-basket-live-3");
    let asked = server.shared().requests.last().cloned().unwrap();
    assert!(asked.contains("project=shop") && asked.contains("appNamespace=apps"), "{asked}");
    server.shared().world.clear();
    let why = ask(&server, Question::Deployments, "").await.unwrap_err().0;
    assert_eq!(why, "has no application `shop-production` that the token may see (403)");
    let why = ask(&server, Question::Deployments, "project = 'shop'").await.unwrap_err().0;
    assert_eq!(why, "has no application `shop-production` (404)");
    server.is_content();
    // A service that no application stands for is not asked about.
    let stanza = format!("kind = 'argocd'\nurl = '{}'\ntoken = {{ value = 'x' }}", server.address);
    let only = source::opened(&format!("{stanza}\napplications = {{ 'ledger/production' = 'ledger' }}")).unwrap();
    assert!(only.concerns(&"ledger".into(), &"production".into()));
    assert!(!only.concerns(&"shop".into(), &"production".into()));
    for wrong in ["", "applications = { 'shop' = 'x' }", "applications = { 'shop/production' = '../x' }"] {
        assert!(source::opened(&format!("{stanza}\n{wrong}")).is_err(), "{wrong}");
    }
}
