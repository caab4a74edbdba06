//! When the chat is down: an approval in the terminal, by a person's own token, loud and under the same rules.

use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// Everybody who matters here has a token of their own.
fn with_tokens() -> String {
    let mut text = settings();
    for name in ["ada", "lin", "dee"] {
        text = text.replace(
            &format!("[people.{name}]\n"),
            &format!("[people.{name}]\nconsole = {{ value = \"{name}-token\" }}\n"),
        );
    }
    text
}

fn approves(story: &Story, token: &str, typed: &str) -> (i32, String) {
    let arguments = ["approve", "shop-1", "--why", "the chat is down"];
    let (code, out, err) = story.runs_with(&arguments, &[("TIDEGATE_PERSON_TOKEN", token)], typed);
    assert_eq!(out, "", "words are for people");
    (code, err)
}

#[test]
fn an_approval_in_the_terminal_counts_and_is_told_aloud() {
    let mut story = Story::begin(&with_tokens());
    story.says("ada", PLAN);
    let (code, said) = approves(&story, "lin-token", "shop-1\n");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("shop v1.1.0 → production") && said.contains("Approved. 1 of 1"), "{said}");
    story.settle();
    let told = story.texts();
    assert!(told.contains("past the chat") && told.contains("\"the chat is down\""), "{told}");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let given = story.ledger("shop-1").into_iter().find(|e| e["kind"] == "word.given").unwrap();
    assert_eq!((&given["data"]["medium"], &given["actor"]["provider"]), (&"terminal".into(), &"terminal".into()));
    assert_eq!((&given["actor"]["person"], &given["actor"]["role"]), (&"lin".into(), &"lead".into()));
    story.says("ada", "/deploy why shop-1");
    assert!(story.whispered_to("ada").contains("in the terminal"), "{}", story.whispered_to("ada"));
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
    let (code, said) = approves(&story, "lin-token", "shop-1\n");
    assert!(code == 1 && said.contains("already"), "{said}");
}

#[test]
fn the_same_rules_hold_in_the_terminal() {
    let mut story = Story::begin(&with_tokens());
    story.says("ada", PLAN);
    let (code, said) = approves(&story, "ada-token", "shop-1\n");
    assert!(code == 1 && said.contains("someone other than the planner"), "{said}");
    assert_eq!(story.refused("shop-1"), [("ada".to_owned(), "planner".to_owned())]);
    // A token of a pipeline, of nobody, or of somebody who left approves nothing.
    for token in ["story-token", "guess", "dee-token"] {
        let (code, said) = approves(&story, token, "shop-1\n");
        assert_eq!(code, 1, "{token}: {said}");
    }
    let (code, said) = approves(&story, "lin-token", "shop-2\n");
    assert!(code == 1 && said.contains("Nothing was approved"), "{said}");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    // What was read must be what asks now.
    let body = serde_json::json!({ "plan": "shop-1", "brief": "sha256:00", "why": "the chat is down" });
    assert_eq!(story.call("POST", "/api/approve", Some(&body)).0, 401, "nobody approves without signing in");
    story.says("ada", "/deploy cancel shop-1");
    let (code, said) = approves(&story, "lin-token", "shop-1\n");
    assert!(code == 1 && said.contains("no longer waits"), "{said}");
}

#[test]
fn a_stopped_server_is_no_obstacle_and_the_thread_hears_of_it_later() {
    let mut story = Story::begin(&with_tokens());
    story.says("ada", PLAN);
    assert!(story.stop(), "{}", story.log());
    let (code, said) = approves(&story, "guess", "shop-1\n");
    assert_eq!(code, 1, "{said}");
    let (code, said) = approves(&story, "lin-token", "shop-1\n");
    assert_eq!(code, 0, "{said}");
    story.start(MONDAY_11);
    story.settle();
    assert!(
        story.texts().contains("@lin approved revision 1 as lead in the terminal, past the chat"),
        "{}",
        story.texts()
    );
    assert_eq!(story.plan("shop-1")["approvals"]["given"][0]["by"], "lin");
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}
