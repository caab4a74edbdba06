//! The flagd source: definitions in a file, and at an address.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};

use tidegate::advice::facts::FlagState;
use tidegate::source::{Ask, CannotSay, Learned, Question};

use super::Case;
use crate::harness::source;

pub const CASE: Case =
    Case { kind: "flagd", stanza: "kind = 'flagd'\nfrom = '{address}/flags.json'\ntoken = { value = '{secret}' }" };

async fn told(stanza: &str, names: &[&str]) -> Result<(Vec<FlagState>, Vec<String>), CannotSay> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let ask = Ask { names, ..source::asking(Question::Flags, "") };
    let answer = source::opened(stanza).unwrap().ask(&ask).await?;
    let Learned::Flags(states) = answer.learned else { panic!("{answer:?}") };
    Ok((states, answer.incomplete))
}

async fn in_file(definitions: &str, names: &[&str]) -> Result<(Vec<FlagState>, Vec<String>), CannotSay> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), definitions).unwrap();
    told(&format!("kind = 'flagd'\nfrom = '{}'", file.path().display()), names).await
}

/// Definitions as the published schema (<https://flagd.dev/schema/v0/flags.json>) asks for them.
fn definitions() -> Value {
    let switch = json!({ "on": true, "off": false });
    let rules = json!({ "if": [{ "ends_with": [{ "var": "email" }, "@harbor.test"] }, "on", "off"] });
    json!({
        "$schema": "https://flagd.dev/schema/v0/flags.json",
        "flags": {
            "off": { "state": "ENABLED", "variants": switch, "defaultVariant": "off" },
            "on": { "state": "ENABLED", "variants": switch, "defaultVariant": "on", "targeting": {} },
            "ruled": { "state": "ENABLED", "variants": switch, "defaultVariant": "off", "targeting": rules },
            "disabled": { "state": "DISABLED", "variants": switch, "defaultVariant": "on" },
            "colour": { "state": "ENABLED", "variants": { "a": "blue", "b": "green" }, "defaultVariant": "b" },
            "by-code": { "state": "ENABLED", "variants": switch, "defaultVariant": null },
            "lost": { "state": "ENABLED", "variants": switch, "defaultVariant": "nowhere" },
            "rubbish": "on",
            "loud": { "state": "ENABLED", "variants": { "a": "x\n".repeat(3_000) }, "defaultVariant": "a" },
        },
    })
}

#[tokio::test]
async fn definitions_of_a_file_are_told_with_what_they_serve() {
    let asked = ["off", "on", "ruled", "disabled", "colour", "by-code", "lost", "rubbish", "loud", "none"];
    let (states, incomplete) = in_file(&definitions().to_string(), &asked).await.unwrap();
    let state = |name: &str| states.iter().find(|state| state.name == name).unwrap();
    let seen = |name: &str| (state(name).on, state(name).percent, state(name).default.as_deref());
    assert_eq!(seen("off"), (Some(false), None, Some("false")));
    assert_eq!(seen("on"), (Some(true), Some(100.0), Some("true")));
    assert_eq!(seen("ruled"), (Some(true), None, Some("false")), "rules decide");
    assert_eq!(seen("disabled"), (Some(false), None, None));
    assert_eq!(seen("colour"), (Some(true), None, Some("green")));
    assert_eq!(seen("by-code"), (None, None, None), "the code decides");
    assert!(!state("none").defined);
    let served = state("loud").default.as_deref().unwrap();
    assert!(served.chars().count() <= 81 && !served.contains('\n'), "{served}");
    // What cannot be read is neither there nor absent.
    assert!(states.iter().all(|state| state.name != "lost" && state.name != "rubbish"));
    assert_eq!(incomplete.len(), 2, "{incomplete:?}");
    assert!(incomplete.iter().any(|gap| gap.contains("`rubbish` is not written as flagd reads it")));
}

#[tokio::test]
async fn definitions_may_be_a_list_too() {
    let listed = json!({ "flags": [
        { "key": "a", "state": "DISABLED", "variants": { "x": 1 } },
        { "key": "b", "state": "ENABLED", "variants": { "x": 1.5 }, "defaultVariant": "x" },
    ] });
    let (states, _) = in_file(&listed.to_string(), &["a", "b", "c"]).await.unwrap();
    let seen: Vec<_> = states.iter().map(|state| (state.defined, state.on, state.default.as_deref())).collect();
    assert_eq!(seen, [(true, Some(false), None), (true, Some(true), Some("1.5")), (false, None, None)]);
}

#[tokio::test]
async fn a_file_that_is_gone_or_something_else_tells_nothing() {
    let gone = told("kind = 'flagd'\nfrom = '/nowhere/flags.json'", &["a"]).await.unwrap_err().0;
    assert_eq!(gone, "has a file that cannot be read");
    for (text, says) in [
        ("flags:\n  a: {}\n", "is no JSON"),
        ("{\"flags\":", "is no JSON"),
        ("[]", "format"),
        ("{}", "format"),
        ("{\"flags\": [\"a\"]}", "format"),
        ("{\"flags\": true}", "format"),
    ] {
        let why = in_file(text, &["a"]).await.unwrap_err().0;
        assert!(why.contains(says) && !why.contains("/"), "{text}: {why}");
    }
}

#[tokio::test]
async fn definitions_at_an_address_are_asked_for_with_the_token_and_the_query_of_the_address() {
    let router = Router::new().route(
        "/flags.json",
        get(|headers: HeaderMap, uri: axum::http::Uri| async move {
            let told = headers.get("authorization").is_some_and(|value| value == "Bearer hush");
            if !told || uri.query() != Some("stage=production") {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            axum::Json(definitions()).into_response()
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stanza = |token: &str| CASE.filled(&address, token).replace("flags.json", "flags.json?stage=production");
    let (states, _) = told(&stanza("hush"), &["on"]).await.unwrap();
    assert_eq!(states[0].on, Some(true));
    let why = told(&stanza("other"), &["on"]).await.unwrap_err().0;
    assert!(why.contains("refused the token (401)"), "{why}");
}
