//! The LaunchDarkly source against a pretend server that holds every request against LaunchDarkly's own description.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::FlagState;
use tidegate::clock::Time;
use tidegate::source::{Ask, CannotSay, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "launchdarkly",
    stanza: "kind = 'launchdarkly'\nproject = 'shop'\nurl = '{address}'\ntoken = { value = '{secret}' }",
};

const TOKEN: &str = "api-0000-story";

const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", TOKEN), headers: &[("ld-api-version", "20240415")], open: &[] };

/// The flags of the project `shop`.
#[derive(Debug, Default)]
struct World {
    flags: Vec<Value>,
}

fn described() -> &'static Value {
    static DESCRIBED: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../data/launchdarkly/rest.json")).unwrap());
    &DESCRIBED
}

async fn server(flags: Vec<Value>) -> Vendor<World> {
    Vendor::open(described(), MANNERS, World { flags }, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.value("projectKey") != "shop" {
        return Reply::status(404);
    }
    let environment = asked.query("env").unwrap_or_default();
    let told = |flag: &Value| {
        let mut flag = flag.clone();
        flag["environments"] = json!({ environment: flag["environments"][environment] });
        if flag["environments"][environment].is_null() {
            flag["environments"] = json!({});
        }
        flag
    };
    let number = |name: &str| asked.query(name).map_or(0, |text| text.parse().unwrap());
    match asked.id() {
        "getFeatureFlags" => {
            let live: Vec<Value> = world.flags.iter().filter(|flag| flag["archived"] != true).map(told).collect();
            let page: Vec<Value> = live.iter().skip(number("offset")).take(number("limit").min(100)).cloned().collect();
            Reply::ok(laid_over(asked.operation.example(), json!({ "items": page, "totalCount": live.len() })))
        }
        _ => {
            let found = world.flags.iter().find(|flag| flag["key"] == asked.value("featureFlagKey"));
            found.map_or_else(|| Reply::status(404), |flag| Reply::ok(told(flag)))
        }
    }
}

/// The vendor's example with another key and, in production, the story's values.
fn flag(key: &str, here: Value) -> Value {
    let list = described()["paths"]["/api/v2/flags/{projectKey}"]["get"]["responses"]["200"].clone();
    let mut flag = list["content"]["application/json"]["example"]["items"][0].clone();
    let calm = json!({
        "lastModified": 1_795_000_000_000_i64,
        "_summary": { "prerequisites": 0, "variations": { "0": { "rules": 0, "nullRules": 0, "targets": 0,
            "contextTargets": 0, "isFallthrough": true }, "1": { "isOff": true, "rules": 0, "nullRules": 0, "targets": 0,
            "contextTargets": 0 } } },
    });
    let example = flag["environments"]["my-environment"].clone();
    flag["key"] = json!(key);
    flag["environments"] = json!({ "production": laid_over(laid_over(example, calm), here) });
    flag
}

fn opened(server: &Vendor<World>, more: &str) -> Opened {
    source::opened(&format!("{}\n{more}", CASE.filled(&server.address, TOKEN))).unwrap()
}

async fn told(source: &Opened, names: &[&str]) -> Result<(Vec<FlagState>, Vec<String>), CannotSay> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let answer = source.ask(&Ask { names, ..source::asking(Question::Flags, "") }).await?;
    let Learned::Flags(states) = answer.learned else { panic!("{answer:?}") };
    Ok((states, answer.incomplete))
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, server(Vec::new()).await, TOKEN)
}

#[tokio::test]
async fn flags_are_told_on_off_for_a_share_archived_and_not_there() {
    let rollout = json!({ "variations": [{ "variation": 0, "weight": 25_000 }, { "variation": 1, "weight": 75_000 }] });
    let mut old = flag("old", json!({ "on": true }));
    old["archived"] = json!(true);
    let mut ruled = flag("ruled", json!({ "on": true, "fallthrough": { "variation": 1 } }));
    ruled["environments"]["production"]["_summary"]["variations"]["0"]["rules"] = json!(2);
    let server = server(vec![
        flag("off", json!({ "on": false })),
        flag("on", json!({ "on": true })),
        flag("part", json!({ "on": true, "fallthrough": { "rollout": rollout } })),
        flag("idle", json!({ "on": true, "fallthrough": { "variation": 1 } })),
        ruled,
        old,
    ])
    .await;
    let (states, incomplete) =
        told(&opened(&server, ""), &["off", "on", "part", "idle", "ruled", "old", "nowhere"]).await.unwrap();
    assert_eq!(incomplete, Vec::<String>::new());
    let state = |name: &str| states.iter().find(|state| state.name == name).unwrap();
    let seen = |name: &str| (state(name).on, state(name).percent, state(name).default.as_deref());
    assert_eq!(seen("off"), (Some(false), None, Some("false")));
    assert_eq!(seen("on"), (Some(true), Some(100.0), Some("true")));
    assert_eq!(seen("part"), (Some(true), Some(25.0), None));
    assert_eq!(seen("idle"), (Some(true), Some(0.0), Some("false")), "nobody gets it");
    assert_eq!(seen("ruled"), (Some(true), None, Some("false")), "rules decide");
    assert!(state("old").archived && state("old").defined);
    assert_eq!(*state("nowhere"), FlagState::nowhere("nowhere"));
    assert_eq!(state("on").changed, Some(Time::from_ms(1_795_000_000_000)));
    let link = format!("{}/default/my-environment/features/client-side-flag", server.address);
    assert_eq!(state("on").link.as_deref(), Some(link.as_str()));
    server.is_content();
}

#[tokio::test]
async fn the_list_is_read_page_by_page_and_who_is_further_back_is_asked_for_by_name() {
    let many = (0..420).map(|i| flag(&format!("flag-{i:03}"), json!({ "on": i == 230 || i == 410 }))).collect();
    let server = server(many).await;
    let source = opened(&server, "");
    let on = |(states, _): (Vec<FlagState>, Vec<String>)| -> Vec<Option<bool>> {
        states.iter().map(|state| state.on).collect()
    };
    assert_eq!(on(told(&source, &["flag-230"]).await.unwrap()), [Some(true)]);
    assert_eq!(server.shared().requests.len(), 3);
    assert_eq!(
        on(told(&source, &["flag-410", "flag-411", "flag-999"]).await.unwrap()),
        [Some(true), Some(false), None]
    );
    assert_eq!(server.shared().requests.len(), 9);
    // On the first page already: no more is read.
    assert_eq!(on(told(&source, &["flag-007"]).await.unwrap()), [Some(false)]);
    assert_eq!(server.shared().requests.len(), 10);
    assert!(server.shared().unchanged > 0, "pages that did not change are not sent again");
    server.is_content();
}

#[tokio::test]
async fn an_environment_may_be_called_otherwise_and_one_that_is_not_there_is_no_absence_of_flags() {
    let mut there = flag("new-cart", json!({ "on": true }));
    there["environments"] = json!({ "prod": there["environments"]["production"] });
    let server = server(vec![there]).await;
    let (states, _) =
        told(&opened(&server, "environment-keys = { production = 'prod' }"), &["new-cart"]).await.unwrap();
    assert_eq!(states[0].on, Some(true));
    for name in ["new-cart", "nowhere"] {
        let why = told(&opened(&server, ""), &[name]).await.unwrap_err().0;
        assert!(why.contains("no environment `production`") && why.contains("environment-keys"), "{why}");
    }
    let elsewhere = CASE.filled(&server.address, TOKEN).replace("'shop'", "'other'");
    let why = told(&source::opened(&elsewhere).unwrap(), &["new-cart"]).await.unwrap_err().0;
    assert!(why.contains("no such project"), "{why}");
    server.is_content();
}

#[tokio::test]
async fn what_is_missing_null_or_hostile_is_not_taken_for_an_answer() {
    let bare = json!({ "key": "bare", "archived": null, "variations": null,
        "environments": { "production": { "on": null, "_summary": null, "fallthrough": null, "offVariation": null } } });
    let mut loud = flag("loud", json!({ "on": false, "_site": { "href": "https://evil.test/steal" } }));
    loud["variations"][1]["value"] = json!(format!("<!channel>\n{}", "x".repeat(5_000)));
    let server = server(vec![bare, loud]).await;
    let source = opened(&server, "");
    let (states, _) = told(&source, &["bare", "loud", "..", "a/b?c", ""]).await.unwrap();
    let state = |name: &str| states.iter().find(|state| state.name == name).unwrap();
    assert_eq!((state("bare").defined, state("bare").on, state("bare").percent), (true, None, None));
    let served = state("loud").default.as_deref().unwrap();
    assert!(served.chars().count() <= 81 && !served.contains('\n'), "{served}");
    assert_eq!(state("loud").link, None, "it leads away from the vendor");
    assert!(["..", "a/b?c", ""].iter().all(|name| !state(name).defined));
    assert!(server.shared().requests.iter().all(|asked| asked.starts_with("/api/v2/flags/shop?")));
    let many: Vec<String> = (0..60).map(|i| format!("flag-{i}")).collect();
    let (states, incomplete) = told(&source, &many.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(
        (states.len(), incomplete.as_slice()),
        (50, ["only 50 of 60 flags were looked up".to_owned()].as_slice())
    );
    server.is_content();
}

#[tokio::test]
async fn every_refusal_that_the_vendor_documents_is_said_in_words() {
    let server = server(vec![flag("new-cart", json!({ "on": true }))]).await;
    let spent =
        vec![("x-ratelimit-route-remaining", "0".to_owned()), ("x-ratelimit-reset", "1795437000000".to_owned())];
    for (status, headers, says) in [
        ("400", vec![], "answered with an error (400)"),
        ("401", vec![], "refused the token (401)"),
        ("403", vec![], "lacks a permission"),
        ("404", vec![], "no such project"),
        ("429", vec![], "asks for fewer questions (429)"),
        ("429", spent, "no questions left for this credential until"),
    ] {
        let body = &described()["paths"]["/api/v2/flags/{projectKey}"]["get"]["responses"][status];
        assert!(body.is_object(), "{status} is documented");
        server.shared().fault = Some(Reply(status.parse().unwrap(), headers, json!({ "code": "x", "message": TOKEN })));
        let why = told(&opened(&server, ""), &["new-cart"]).await.unwrap_err().0;
        assert!(why.contains(says) && !why.contains(TOKEN), "{status}: {why}");
    }
    server.is_content();
}
