//! The Unleash source against a real server, and against a pretend one that holds every request against a description.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::FlagState;
use tidegate::clock::{Clock, MINUTE};
use tidegate::source::{Ask, CannotSay, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::unleash::Unleash;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case =
    Case { kind: "unleash", stanza: "kind = 'unleash'\nurl = '{address}'\ntoken = { value = '{secret}' }" };

const TOKEN: &str = "user:story";

fn opened(address: &str, token: &str, more: &str) -> Opened {
    source::opened(&format!("{}\n{more}", CASE.filled(address, token))).unwrap()
}

async fn told(source: &Opened, names: &[&str]) -> Result<(Vec<FlagState>, Vec<String>), CannotSay> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let answer = source.ask(&Ask { names, ..source::asking(Question::Flags, "") }).await?;
    let Learned::Flags(states) = answer.learned else { panic!("{answer:?}") };
    Ok((states, answer.incomplete))
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, pretend(vec![("getFeature", Reply::status(404))]).await, TOKEN)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_is_understood_with_a_token_that_may_only_read() {
    let Some(server) = Unleash::start() else { return };
    let all = json!([]);
    let pupils = json!([{ "contextName": "userId", "operator": "IN", "values": ["1"] }]);
    let rollout = |share: &str, constraints: &Value| {
        json!({ "name": "flexibleRollout", "constraints": constraints,
            "parameters": { "rollout": share, "stickiness": "default", "groupId": "story" } })
    };
    for (name, strategy, environment) in [
        ("off", Some(rollout("100", &all)), None),
        ("on", Some(rollout("100", &all)), Some("production")),
        ("part", Some(rollout("25", &all)), Some("production")),
        ("chosen", Some(rollout("100", &pupils)), Some("production")),
        ("elsewhere", Some(rollout("100", &all)), Some("development")),
        ("old", None, None),
    ] {
        let made = server.admin("POST", "projects/default/features", json!({ "name": name, "type": "release" })).await;
        assert_eq!(made.0, 201, "{made:?}");
        let place = |environment: &str| format!("projects/default/features/{name}/environments/{environment}");
        if let Some(strategy) = strategy {
            let place = format!("{}/strategies", place(environment.unwrap_or("production")));
            assert_eq!(server.admin("POST", &place, strategy).await.0, 200);
        }
        if let Some(environment) = environment {
            assert_eq!(server.admin("POST", &format!("{}/on", place(environment)), json!({})).await.0, 200);
        }
    }
    assert_eq!(server.admin("DELETE", "projects/default/features/old", json!({})).await.0, 202);

    let source = opened(&server.address, &server.token, "");
    let asked = ["off", "on", "part", "chosen", "elsewhere", "old", "nowhere", "../../user"];
    let (states, incomplete) = told(&source, &asked).await.unwrap();
    assert_eq!(incomplete, Vec::<String>::new());
    let state = |name: &str| states.iter().find(|state| state.name == name).unwrap();
    let seen = |name: &str| (state(name).on, state(name).percent);
    assert_eq!(seen("off"), (Some(false), None));
    assert_eq!(seen("on"), (Some(true), Some(100.0)));
    assert_eq!(seen("part"), (Some(true), Some(25.0)));
    assert_eq!(seen("chosen"), (Some(true), None), "by a constraint");
    assert_eq!(seen("elsewhere"), (Some(false), None), "on in development only");
    assert_eq!((state("old").defined, state("old").archived), (true, true));
    assert_eq!(*state("nowhere"), FlagState::nowhere("nowhere"));
    assert_eq!(*state("../../user"), FlagState::nowhere("../../user"));
    let changed = state("on").changed.unwrap();
    assert!(Clock::system().now().since(changed).abs() < 10 * MINUTE, "{changed:?}");
    assert_eq!(state("on").link, Some(format!("{}/projects/default/features/on", server.address)));

    // Turned off between two questions.
    let place = "projects/default/features/on/environments/production/off";
    assert_eq!(server.admin("POST", place, json!({})).await.0, 200);
    let (states, _) = told(&source, &["on"]).await.unwrap();
    assert_eq!(states[0].on, Some(false));
    assert!(states[0].changed.unwrap() > changed);

    // What is not there is no absence of flags; what the token may not do, it may not.
    let why = told(&opened(&server.address, &server.token, "project = 'other'"), &["on"]).await.unwrap_err().0;
    assert!(why.contains("no such project"), "{why}");
    let stage = "environment-keys = { production = 'stage' }";
    let why = told(&opened(&server.address, &server.token, stage), &["on"]).await.unwrap_err().0;
    assert!(why.contains("no environment `stage`"), "{why}");
    let why = told(&opened(&server.address, "user:wrong", ""), &["on"]).await.unwrap_err().0;
    assert!(why.contains("refused the token (401)"), "{why}");
    let body = json!({ "name": "mine", "type": "release" });
    assert_eq!(server.asks(&server.token, "POST", "projects/default/features", body).await.0, 403);
}

/// What the pretend server answers, by the name of the operation; without an entry, as its description shows.
type World = Vec<(&'static str, Reply)>;

const MANNERS: Manners = Manners { prefix: "", credential: ("authorization", TOKEN), headers: &[], open: &[] };

async fn pretend(world: World) -> Vendor<World> {
    static DESCRIBED: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../data/unleash/admin.json")).unwrap());
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let set = world.iter().find(|(operation, _)| *operation == asked.id()).map(|(_, reply)| reply.clone());
    set.unwrap_or_else(|| Reply::ok(asked.operation.example()))
}

fn feature(more: Value) -> Reply {
    Reply::ok(laid_over(json!({ "name": "new-pay", "environments": [] }), more))
}

#[tokio::test]
async fn every_request_is_one_that_is_described() {
    let server = pretend(Vec::new()).await;
    let (states, incomplete) = told(&opened(&server.address, TOKEN, ""), &["new-pay"]).await.unwrap();
    assert_eq!((states[0].on, states[0].percent), (Some(true), Some(50.0)));
    assert!(states[0].changed.is_some() && incomplete.is_empty());
    server.shared().world = vec![("getFeature", Reply::status(404))];
    let (states, _) = told(&opened(&server.address, TOKEN, ""), &["old-pay", "none"]).await.unwrap();
    assert_eq!(states.iter().map(|state| state.archived).collect::<Vec<_>>(), [false, true], "none and old-pay");
    server.is_content();
}

#[tokio::test]
async fn what_is_missing_or_null_is_not_told_rather_than_off() {
    let nulls =
        json!({ "archived": null, "environments": [{ "name": "production", "enabled": null, "strategies": null }] });
    let server = pretend(vec![("getFeature", feature(nulls)), ("searchEvents", Reply::status(404))]).await;
    let source = opened(&server.address, TOKEN, "");
    let (states, _) = told(&source, &["new-pay"]).await.unwrap();
    assert_eq!((states[0].defined, states[0].on, states[0].percent, states[0].changed), (true, None, None, None));

    server.shared().world = vec![("getFeature", feature(json!({})))];
    let (states, incomplete) = told(&source, &["new-pay"]).await.unwrap();
    assert_eq!((states[0].defined, states[0].on), (true, None));
    assert_eq!(incomplete, ["`new-pay` has no state in this environment"]);

    // It answers of another flag.
    server.shared().world = vec![("getFeature", feature(json!({ "name": "other" })))];
    let why = told(&source, &["new-pay"]).await.unwrap_err().0;
    assert!(why.contains("not Unleash's format"), "{why}");

    // More in the archive than are told.
    let many = json!({ "features": [{ "name": "new-pay-2" }], "total": 70 });
    server.shared().world = vec![("getFeature", Reply::status(404)), ("searchFeatures", Reply::ok(many))];
    let why = told(&source, &["new-pay"]).await.unwrap_err().0;
    assert!(why.contains("too many archived flags"), "{why}");
    server.is_content();
}

#[tokio::test]
async fn a_disabled_strategy_counts_for_nothing_and_several_are_never_guessed() {
    let rollout = |share: &str, more: Value| {
        laid_over(json!({ "name": "flexibleRollout", "parameters": { "rollout": share } }), more)
    };
    let ids = json!({ "name": "userWithId", "parameters": { "userIds": "1" } });
    let server = pretend(Vec::new()).await;
    let source = opened(&server.address, TOKEN, "");
    for (strategies, percent) in [
        (json!([]), None),
        (json!([{ "name": "default" }]), Some(100.0)),
        (json!([rollout("10", json!({})), rollout("40", json!({}))]), None),
        (json!([rollout("10", json!({})), rollout("90", json!({ "disabled": true }))]), Some(10.0)),
        (json!([rollout("10", json!({})), ids]), None),
        (json!([rollout("10", json!({ "segments": [3] }))]), None),
        (json!([rollout("much", json!({}))]), None),
        (json!([rollout("1e999", json!({}))]), None),
        (json!([rollout("250", json!({}))]), Some(100.0)),
    ] {
        let here = json!({ "environments": [{ "name": "production", "enabled": true, "strategies": strategies }] });
        server.shared().world = vec![("getFeature", feature(here))];
        let (states, _) = told(&source, &["new-pay"]).await.unwrap();
        assert_eq!((states[0].on, states[0].percent), (Some(true), percent), "{strategies}");
    }
}
