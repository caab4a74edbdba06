//! What a plan of some kind must contain, who reviews the plan itself, who corrects a declared risk, who may start it.

use serde_json::json;

use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk standard --rollback \"redeploy v1.0.0\"";

fn story(template: &str) -> Story {
    let settings = settings() + "[people.kim]\nemail = [\"kim@example.org\"]\n" + template;
    Story::begin_at(&settings, MONDAY_11)
}

fn strict() -> Story {
    story(
        "[policy.template.regulated]\nbecause = \"the shop is regulated\"\nenvironment = \"production\"\nservices = [\"shop\"]\n\
         requires = [\"why\", \"validate\", \"success\", \"tell\", \"rollback\"]\nstops = true\nreview = true\nreviewers = [\"lead\"]\n\
         executor-apart = true\n",
    )
}

const WHOLE: &str = " --validate \"order a book\" --success \"orders as before\" --tell support";

fn pressed(story: &Story, part: &str) -> Option<String> {
    let message = story.message(&story.card());
    let buttons = message["message"]["buttons"].as_array().unwrap().clone();
    let mut ids = buttons.iter().map(|button| button["id"].as_str().unwrap().to_owned());
    ids.find(|id| id.starts_with(part))
}

#[test]
fn what_a_template_asks_for_and_the_plan_lacks_is_named_and_stops_the_gate_until_it_is_there() {
    let mut story = strict();
    story.says("ada", PLAN);
    let flag = story.flag("shop-1", "plan.template");
    assert_eq!(flag["level"], "critical");
    assert_eq!(
        flag["says"],
        "The plan lacks validation steps, success criteria and stakeholders to tell (the shop is regulated)."
    );
    assert!(story.plan("shop-1")["blockers"].to_string().contains("plan.template"));
    story.says("ada", &format!("/deploy amend shop-1{WHOLE}"));
    assert_eq!(story.flag("shop-1", "plan.template")["level"], "pass");
    assert!(!story.plan("shop-1")["blockers"].to_string().contains("plan.template"));
    // Elsewhere nothing is asked.
    story.says("ada", "/deploy plan shop staging v1.1.0");
    let flags = story.plan("shop-2")["flags"].clone();
    assert!(flags.as_array().unwrap().iter().all(|flag| flag["code"] != "plan.template"), "{flags}");
}

#[test]
fn nobody_approves_before_somebody_else_has_found_the_plan_sound() {
    let mut story = strict();
    story.says("ada", &format!("{PLAN}{WHOLE}"));
    let card = story.card();
    assert!(story.message(&card)["text"].as_str().unwrap().contains("reviews the plan itself"));
    story.reacts("grace", &card, "white_check_mark");
    assert!(story.whispered_to("grace").contains("reviewed first"), "{}", story.whispered_to("grace"));
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["plan.unreviewed".to_owned()]));

    // Neither the planner nor a member without the role nor a guest reviews it; each is told why.
    for (user, part) in [("ada", "other than the planner"), ("kim", "lead reviews"), ("gil", "look")] {
        story.says(user, "/deploy review shop-1 sound");
        assert!(story.whispered_to(user).contains(part), "{user}: {}", story.whispered_to(user));
        assert_eq!(story.plan("shop-1")["reviewed"], json!(null), "{user}");
    }
    story.says("lin", "/deploy review shop-1 changes --note \"name the order that is tried\"");
    assert!(story.texts().contains("asks for changes: \"name the order that is tried\""), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").1, ["plan.unreviewed"]);
    story.says("ada", "/deploy amend shop-1 --validate \"order a book for 12.34\"");
    let card = story.card();
    let sound = pressed(&story, "review shop-1 sound").unwrap();
    story.presses("lin", &card, &sound);
    assert_eq!(story.plan("shop-1")["reviewed"]["by"], "lin");
    assert_eq!(pressed(&story, "review"), None, "the card no longer asks for it");
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");

    // Whoever changes the plan after that asks for all of it anew.
    story.says("ada", "/deploy amend shop-1 --success \"orders and refunds as before\"");
    assert_eq!(story.plan("shop-1")["reviewed"], json!(null));
    assert_eq!(story.verdict("shop-1").1, ["plan.unreviewed"]);
    let kinds: Vec<_> = story.ledger("shop-1").into_iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "review.given").count(), 2, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "review.refused").count(), 2, "{kinds:?}");
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn whoever_approved_does_not_start_it_where_the_executor_stands_apart() {
    let mut story = story("[policy.template.apart]\nenvironment = \"production\"\nexecutor-apart = true\n");
    story.says("ada", &format!("{PLAN} --respond grace"));
    let card = story.card();
    story.reacts("grace", &card, "white_check_mark");
    story.says("grace", "/deploy start shop-1");
    assert!(story.whispered_to("grace").contains("somebody who did not approve"), "{}", story.whispered_to("grace"));
    assert_eq!(story.plan("shop-1")["started"], json!(null));
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    if story.plan("shop-1")["started"].is_null() {
        story.says("ada", "/deploy start shop-1");
    }
    assert_eq!(story.plan("shop-1")["started"]["by"], "ada");
    story.says("grace", "/deploy why shop-1");
    assert!(story.whispered_to("grace").contains("ada started it"), "{}", story.whispered_to("grace"));
}

#[test]
fn an_eligible_person_corrects_the_declared_risk_and_the_plan_is_asked_anew() {
    let mut story = story("");
    story.says("ada", &PLAN.replace("standard", "low"));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    let button = pressed(&story, "risk shop-1").unwrap();
    story.presses("lin", &card, &button);
    let form = story.form_of("lin");
    assert!(form["fields"].to_string().contains("standard"), "{form}");

    for (user, part) in [("ada", "amend shop-1 --risk"), ("gil", "look")] {
        story.says(user, "/deploy risk shop-1 high");
        assert!(story.whispered_to(user).contains(part), "{user}: {}", story.whispered_to(user));
        assert_eq!(story.plan("shop-1")["plan"]["risk"], "low", "{user}");
    }
    story.says("noor", "/deploy risk shop-1 high --why \"the till reads this table\"");
    let view = story.plan("shop-1");
    assert_eq!(
        (&view["plan"]["risk"], &view["revision"], &view["state"]),
        (&json!("high"), &json!(2), &json!("advised"))
    );
    assert!(story.texts().contains("@noor corrected the risk to high (it was low)"), "{}", story.texts());
    assert!(story.texts().contains("please look again: @lin"), "{}", story.texts());
    let entry = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "risk.corrected").unwrap();
    assert_eq!((&entry["data"]["risk_before"], &entry["data"]["risk"]), (&json!("low"), &json!("high")));
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn another_time_asks_for_the_review_anew_as_any_amendment() {
    let mut story = strict();
    story.says("ada", &format!("{PLAN}{WHOLE}"));
    story.says("lin", "/deploy review shop-1 sound");
    assert_eq!(story.plan("shop-1")["reviewed"]["by"], "lin");
    story.says("ada", "/deploy take shop-1 1");
    assert_eq!(story.plan("shop-1")["revision"], 2);
    assert_eq!(story.plan("shop-1")["reviewed"], json!(null));
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}
