//! The source of advisories against a pretend OSV, and from files.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use tidegate::advice::facts::{Finding, FindingKind};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Question};

use super::{Case, Standing, change_of};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case { kind: "osv", stanza: "kind = 'osv'\nurl = '{address}'" };

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/osv/openapi.json")).unwrap());

/// Advisories by `ecosystem name version`, and what each says.
#[derive(Debug, Default)]
struct World {
    spoken: BTreeMap<&'static str, Vec<&'static str>>,
    records: BTreeMap<&'static str, Value>,
    more: bool,
}

type Server = Vendor<World>;

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.id() == "vulns" {
        let id = asked.value("id");
        return match world.records.get(id) {
            Some(record) => {
                let named = laid_over(asked.operation.example(), json!({ "id": id }));
                Reply::ok(laid_over(named, record.clone()))
            }
            None => Reply::status(404),
        };
    }
    let queries = asked.body.as_ref().unwrap()["queries"].as_array().unwrap().clone();
    let results = queries.iter().map(|query| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = format!(
            "{} {} {}",
            text(&query["package"]["ecosystem"]),
            text(&query["package"]["name"]),
            text(&query["version"])
        );
        match world.spoken.get(key.as_str()) {
            None => json!({}),
            Some(ids) => {
                let vulns: Vec<Value> =
                    ids.iter().map(|id| json!({ "id": id, "modified": "2023-11-08T04:03:41Z" })).collect();
                if world.more { json!({ "vulns": vulns, "next_page_token": "x" }) } else { json!({ "vulns": vulns }) }
            }
        }
    });
    Reply::ok(json!({ "results": results.collect::<Vec<_>>() }))
}

async fn server(world: World) -> Server {
    let manners = Manners { prefix: "", credential: ("accept", "application/json"), headers: &[], open: &[] };
    Vendor::open(&DESCRIPTION, manners, world, answer).await
}

fn time() -> World {
    World {
        spoken: [
            ("crates.io time 0.1.44", vec!["GHSA-wcg3-cvx6-7396", "RUSTSEC-2020-0071"]),
            ("crates.io time 0.1.43", vec!["GHSA-wcg3-cvx6-7396", "RUSTSEC-2020-0071"]),
            ("npm lodash 4.17.20", vec!["GHSA-35jh-r3h4-6jhm"]),
        ]
        .into(),
        records: [
            (
                "GHSA-wcg3-cvx6-7396",
                json!({ "summary": "Segmentation fault in time", "aliases": ["CVE-2020-26235", "RUSTSEC-2020-0071"],
                    "database_specific": { "severity": "MODERATE" } }),
            ),
            ("RUSTSEC-2020-0071", json!({ "aliases": ["CVE-2020-26235"], "severity": [] })),
            (
                "GHSA-35jh-r3h4-6jhm",
                json!({ "summary": "Command Injection in lodash", "database_specific": { "severity": "HIGH" } }),
            ),
        ]
        .into(),
        more: false,
    }
}

async fn ask(source: &Opened, packages: &[[&str; 4]]) -> Result<Answer, CannotSay> {
    let change = Some(Arc::new(change_of(packages)));
    source.ask(&Ask { change, ..source::asking(Question::Findings, "") }).await
}

fn findings(answer: Answer) -> Vec<Finding> {
    let Learned::Findings(found) = answer.learned else { panic!("{answer:?}") };
    found
}

fn brief(found: &[Finding]) -> Vec<String> {
    let says = |f: &Finding| {
        format!("{} {} {} {:?}", f.package.clone().unwrap(), f.id, f.severity.clone().unwrap_or_default(), f.new)
    };
    found.iter().map(says).collect()
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, server(time()).await, "")
}

#[tokio::test]
async fn advisories_of_what_comes_are_told_once_with_the_new_ones_first() {
    let server = server(time()).await;
    let source = source::opened(&CASE.filled(&server.address, "")).unwrap();
    let packages = [
        ["crates.io", "time", "0.1.43", "0.1.44"],
        ["npm", "lodash", "", "4.17.20"],
        ["npm", "gone", "1.0.0", ""],
        ["PyPI", "idna", "3.6", "3.7"],
    ];
    let answer = ask(&source, &packages).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = findings(answer);
    assert_eq!(
        brief(&found),
        ["lodash 4.17.20 GHSA-35jh-r3h4-6jhm high Some(true)", "time 0.1.44 GHSA-wcg3-cvx6-7396 medium Some(false)",]
    );
    assert_eq!(found[0].kind, FindingKind::Dependency);
    assert_eq!(found[0].title, "Command Injection in lodash");
    assert_eq!(found[0].link.as_deref(), Some("https://osv.dev/vulnerability/GHSA-35jh-r3h4-6jhm"));
    server.is_content();
    // Nothing of what only went away is asked.
    assert_eq!(server.shared().requests.iter().filter(|path| path.contains("querybatch")).count(), 1);
}

#[tokio::test]
async fn what_could_not_be_read_is_said_and_the_rest_told() {
    let mut world = time();
    world.records.remove("GHSA-35jh-r3h4-6jhm");
    world.records.get_mut("GHSA-wcg3-cvx6-7396").unwrap()["withdrawn"] = json!("2024-01-01T00:00:00Z");
    world.records.get_mut("RUSTSEC-2020-0071").unwrap()["summary"] = json!("a\u{202e}b\nc");
    world.more = true;
    let server = server(world).await;
    let source = source::opened(&CASE.filled(&server.address, "")).unwrap();
    let answer = ask(&source, &[["crates.io", "time", "", "0.1.44"], ["npm", "lodash", "", "4.17.20"]]).await.unwrap();
    assert!(answer.incomplete.iter().any(|why| why.contains("GHSA-35jh-r3h4-6jhm could not be read")));
    assert!(answer.incomplete.iter().any(|why| why == "not all advisories for time were read"));
    let found = findings(answer);
    assert_eq!(
        brief(&found),
        ["lodash 4.17.20 GHSA-35jh-r3h4-6jhm  Some(true)", "time 0.1.44 RUSTSEC-2020-0071  Some(true)"]
    );
    assert!(found.iter().all(|finding| !finding.title.contains(['\u{202e}', '\n'])));
}

#[tokio::test]
async fn many_packages_are_asked_in_batches_and_none_without_a_change() {
    let server = server(World::default()).await;
    let source = source::opened(&CASE.filled(&server.address, "")).unwrap();
    let names: Vec<String> = (0..1_200).map(|n| format!("p{n}")).collect();
    let packages: Vec<[&str; 4]> = names.iter().map(|name| ["npm", name.as_str(), "", "1.0.0"]).collect();
    assert_eq!(findings(ask(&source, &packages).await.unwrap()), []);
    assert_eq!(server.shared().requests.len(), 3);
    assert_eq!(findings(ask(&source, &[]).await.unwrap()), []);
    assert_eq!(server.shared().requests.len(), 3);
    server.is_content();
    let asking = source::asking(Question::Findings, "");
    assert_eq!(source.ask(&asking).await.unwrap_err().0, "was not told what changes");
    let mut change = change_of(&[]);
    change.base = None;
    let why = source.ask(&Ask { change: Some(Arc::new(change)), ..asking }).await.unwrap_err().0;
    assert_eq!(why, "cannot tell which packages change: it is not known what runs now");
}

#[tokio::test]
async fn a_closed_network_reads_advisories_from_a_file_or_folder() {
    let record = |id: &str, name: &str, fixed: &str| {
        json!({ "id": id, "summary": format!("{name} is broken"), "database_specific": { "severity": "HIGH" },
            "affected": [{ "package": { "ecosystem": "crates.io", "name": name },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0.0.0-0" }, { "fixed": fixed }] }] }] })
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advisories.jsonl");
    let lines = [record("A-1", "time", "0.2.23"), record("A-2", "syn", "0.9.0"), record("A-3", "time", "0.1.44")];
    std::fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let opened =
        |path: &std::path::Path| source::opened(&format!("kind = 'osv'\nfile = '{}'", path.display())).unwrap();
    let packages = [["crates.io", "time", "0.1.43", "0.1.44"], ["crates.io", "syn", "1.0.0", "1.0.1"]];
    let answer = ask(&opened(&file), &packages).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    assert_eq!(brief(&findings(answer)), ["time 0.1.44 A-1 high Some(false)"]);

    let records = folder.path().join("records");
    std::fs::create_dir(&records).unwrap();
    std::fs::write(records.join("A-2.json"), record("A-2", "syn", "2.0.0").to_string()).unwrap();
    std::fs::write(records.join("broken.json"), "{\"id\":").unwrap();
    std::fs::write(records.join("README"), "no advisory").unwrap();
    let answer = ask(&opened(&records), &[["crates.io", "syn", "", "1.0.1"]]).await.unwrap();
    assert_eq!(answer.incomplete, ["1 of its 2 advisories could not be read"]);
    assert_eq!(brief(&findings(answer)), ["syn 1.0.1 A-2 high Some(true)"]);

    let why = ask(&opened(&folder.path().join("absent")), &packages).await.unwrap_err().0;
    assert_eq!(why, "found no file or folder of advisories there");
    std::fs::write(&file, "\n").unwrap();
    assert_eq!(ask(&opened(&file), &packages).await.unwrap_err().0, "holds no advisory");
    assert!(source::opened("kind = 'osv'\nfile = 'x'\nurl = 'http://osv.example.com'").is_err());
}
