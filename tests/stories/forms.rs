//! Forms: what a command lacks, prefilled with what is known. The console shows all fields at once and errors beside
//! them; other platforms have stories of their own.

use serde_json::{Value, json};

use crate::harness::stage::{chat, is_console};
use crate::harness::{Story, settings};

fn field<'a>(form: &'a Value, name: &str) -> &'a Value {
    form["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == name)
        .unwrap_or_else(|| panic!("no field {name}: {form:#}"))
}

#[test]
fn a_plan_without_arguments_opens_a_form_with_what_there_is_to_choose() {
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan");
    let form = story.form_of("ada");
    assert_eq!(form["id"], "plan");
    for name in [
        "service",
        "environment",
        "version",
        "kind",
        "why",
        "why-now",
        "when",
        "rollback",
        "rollback-if",
        "risk",
        "watch",
    ] {
        has(field(&form, name));
    }
    assert_eq!(field(&form, "service")["options"][0]["value"], "shop");
    assert_eq!(field(&form, "environment")["options"].as_array().unwrap().len(), 2);
    assert!(story.texts().is_empty(), "only she sees it: {}", story.texts());
}

fn has(field: &Value) {
    for key in ["name", "kind", "value", "options"] {
        assert!(!field[key].is_null() || field.get(key).is_some(), "{key}: {field}");
    }
}

#[test]
fn the_form_keeps_what_was_typed_and_knows_the_last_plan_of_the_service() {
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop staging v1.0.0 --risk low --how \"kubectl --context staging apply -f shop.yaml\" --validate \"open the shop\" --watch lin");
    story.says("ada", "/deploy plan shop --why PAY-2");
    let form = story.form_of("ada");
    assert_eq!(field(&form, "service")["value"], "shop");
    assert_eq!(field(&form, "why")["value"], "PAY-2");
    assert_eq!(field(&form, "validate")["value"], "open the shop");
    assert_eq!(field(&form, "watch")["value"], "lin");
    assert_eq!(field(&form, "version")["value"], "");
    // A release without a version asks for it alone.
    story.says("ada", "/deploy plan shop production --why PAY-3");
    let form = story.form_of("ada");
    assert_eq!(
        (&field(&form, "environment")["value"], &field(&form, "why")["value"]),
        (&json!("production"), &json!("PAY-3"))
    );
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_nothing_is_made() {
    // Discord's forms have five fields and say what is wrong in one note.
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan");
    for (values, wrong, says) in [
        (json!({}), "service", "missing"),
        (
            json!({ "service": "shpo", "environment": "production", "version": "v1.1.0" }),
            "service",
            "Did you mean `shop`?",
        ),
        (
            json!({ "service": "shop", "environment": "prod", "version": "v1.1.0" }),
            "environment",
            "There is no environment `prod`",
        ),
        (json!({ "service": "shop", "environment": "production" }), "version", "Which version?"),
        (
            json!({ "service": "shop", "environment": "production", "version": "v9" }),
            "version",
            "There is no version `v9`",
        ),
        (
            json!({ "service": "shop", "environment": "production", "version": "V1.1.0" }),
            "version",
            "did you mean `v1.1.0`?",
        ),
        (
            json!({ "service": "shop", "environment": "production", "version": "v1.1.0", "when": "soon" }),
            "when",
            "is not a time",
        ),
        (
            json!({ "service": "shop", "environment": "production", "version": "v1.1.0", "when": "2020-01-01T10:00:00-08:00" }),
            "when",
            "in the past",
        ),
        (
            json!({ "service": "shop", "environment": "production", "version": "v1.1.0", "watch": "nobody" }),
            "watch",
            "nobody",
        ),
        (
            json!({ "service": "shop", "environment": "production", "version": "v1.1.0", "risk": "some" }),
            "risk",
            "low, standard, high",
        ),
        (json!({ "service": "shop", "environment": "production", "kind": "flag" }), "set", "name=new value"),
        (
            json!({ "service": "shop", "environment": "production", "kind": "flag", "set": "loud" }),
            "set",
            "name=new value",
        ),
    ] {
        // Where a field is a choice or a picker, nothing else can be chosen.
        if !is_console()
            && ["shpo", "prod", "nobody", "some", "soon"]
                .iter()
                .any(|typed| values.to_string().contains(&format!("\"{typed}\"")))
        {
            continue;
        }
        let answer = story.submits("ada", "plan", &values);
        let said = answer["errors"][wrong].as_str().unwrap_or_else(|| panic!("{values}: {answer}"));
        assert!(said.contains(says), "{values}: {said}");
    }
    assert_eq!(story.get("/api/plans")["plans"].as_array().unwrap().len(), 0);
    if !is_console() {
        return;
    }
    let answer = story.submits("ada", "no-such-form", &json!({}));
    assert!(answer["errors"].is_object(), "{answer}");
}

#[test]
fn a_filled_in_form_makes_the_plan() {
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan");
    let answer = story.submits(
        "ada",
        "plan",
        &json!({ "service": "shop", "environment": "production", "version": "v1.1.0", "why": "PAY-1", "risk": "low", "rollback": "redeploy v1.0.0", "when": "2026-11-24T10:30:00-08:00", "watch": "lin, noor", "kind": "" }),
    );
    assert_eq!(answer["ok"], true, "{answer}");
    let view = story.plan("shop-1");
    assert_eq!(
        (&view["plan"]["version"], &view["plan"]["risk"], &view["plan"]["by"]),
        (&json!("v1.1.0"), &json!("low"), &json!("ada"))
    );
    assert_eq!(view["plan"]["when"], "2026-11-24T18:30:00Z");
    assert_eq!(view["plan"]["watch"], json!(["lin", "noor"]));
    assert_eq!(view["state"], "advised");
}

#[test]
fn amend_without_options_shows_the_plan_to_change() {
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.0.0 --why PAY-1 --risk low --rollback \"redeploy v0\"");
    story.says("ada", "/deploy amend shop-1");
    let form = story.form_of("ada");
    assert_eq!((&form["id"], &field(&form, "plan")["value"]), (&json!("amend"), &json!("shop-1")));
    assert_eq!(
        (&field(&form, "version")["value"], &field(&form, "rollback")["value"]),
        (&json!("v1.0.0"), &json!("redeploy v0"))
    );
    let answer = story.submits("ada", "amend", &json!({ "plan": "shop-1", "version": "v1.1.0", "why": "PAY-1" }));
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(
        (&story.plan("shop-1")["plan"]["version"], &story.plan("shop-1")["revision"]),
        (&json!("v1.1.0"), &json!(2))
    );
}

#[test]
fn a_guest_may_open_the_form_and_not_send_it() {
    if chat() == "discord" {
        return;
    }
    let mut story = Story::begin(&settings());
    story.says("gil", "/deploy plan");
    story.submits("gil", "plan", &json!({ "service": "shop", "environment": "production", "version": "v1.1.0" }));
    assert!(story.whispered_to("gil").contains("Guests may look"), "{}", story.whispered_to("gil"));
    assert_eq!(story.get("/api/plans")["plans"].as_array().unwrap().len(), 0);
}
