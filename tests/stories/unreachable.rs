//! The chat does not answer while a start rests on approvals given in the terminal: what is known there suffices, what is
//! not is not taken for a yes, and the thread hears of all of it when the chat is back.

use serde_json::json;

use crate::harness::discord::{self, fault};
use crate::harness::slack;
use crate::harness::{MONDAY_11, Story, eventually, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
/// More requests than a story makes.
const ALL: usize = 10_000;

fn with_tokens() -> String {
    let token = "[people.lin]\nconsole = { value = \"lin-token\" }\n";
    settings().replace("[people.lin]\n", token)
}

fn on_console(story: &Story, path: &str, body: serde_json::Value) {
    let answer = story.post(&format!("/console/api/{path}"), &body);
    assert_eq!(answer["ok"], true, "{answer}");
    // What goes to the chat is tried again and again meanwhile: only the act itself is waited for.
    let left = "select count(*) from work where kind = 'arrival' and done_at is null";
    eventually("the act", || story.number(left) == 0);
}

fn advances(story: &Story, seconds: i64) {
    story.post("/console/api/advance", &json!({ "seconds": seconds }));
}

fn begins(mut story: Story, falls_silent: impl Fn(), is_back: impl Fn()) {
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");

    falls_silent();
    advances(&story, 61);
    // Whether Noor's mark still stands nobody can say.
    assert_eq!(story.verdict("shop-1"), ("unknown".to_owned(), vec!["chat.unreachable".to_owned()]));
    on_console(&story, "command", json!({ "user": "ada", "channel": "deploys", "text": "/deploy start shop-1" }));
    assert_eq!(story.plan("shop-1")["started"], json!(null));

    let arguments = ["approve", "shop-1", "--why", "the chat is down"];
    let (code, out, err) = story.runs_with(&arguments, &[("TIDEGATE_PERSON_TOKEN", "lin-token")], "shop-1\n");
    assert_eq!(code, 0, "{out}{err}");
    advances(&story, 61);
    assert_eq!(story.verdict("shop-1").0, "not-started", "what was said in the terminal suffices");
    on_console(&story, "command", json!({ "user": "ada", "channel": "deploys", "text": "/deploy start shop-1" }));
    let typed = json!({ "user": "ada", "form": "confirm:shop-1", "values": { "environment": "production" } });
    on_console(&story, "submit", typed);
    assert_eq!(story.plan("shop-1")["started"]["by"], "ada");
    assert_eq!(story.verdict("shop-1").0, "approved");
    assert!(!story.texts().contains("past the chat"), "{}", story.texts());

    is_back();
    let mut polls = 0;
    eventually("word of it in the thread", || {
        // What is tried again is due by the program's clock; the platform lets one message a second through by its own.
        if polls % 20 == 0 {
            advances(&story, 60);
        }
        polls += 1;
        let said = story.texts();
        said.contains("past the chat") && said.contains("\"the chat is down\"") && said.contains("@ada started shop-1")
    });
    story.settle();
    let entries: Vec<String> =
        story.ledger("shop-1").iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    let at = |kind: &str| entries.iter().rposition(|known| known == kind).unwrap_or_else(|| panic!("{entries:?}"));
    assert!(at("word.given") < at("start"), "{entries:?}");
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn on_slack_a_start_rests_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = slack::Play::open();
    let slack = play.slack.clone();
    let story = Story::begin_on(Box::new(play), folder, &with_tokens(), MONDAY_11);
    let silent = || {
        for method in
            ["reactions.get", "users.info", "chat.postMessage", "chat.update", "chat.postEphemeral", "reactions.add"]
        {
            slack.plans(method, slack::Fault::Status(503), ALL);
        }
    };
    begins(story, silent, || slack.shared.world().faults.clear());
}

#[test]
fn on_discord_a_start_rests_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = discord::Play::open();
    let discord = play.discord.clone();
    let story = Story::begin_on(Box::new(play), folder, &with_tokens(), MONDAY_11);
    let silent = || {
        for method in ["GET", "POST", "PATCH", "PUT"] {
            discord.plans(method, "", fault::Fault::Refuse(503, 0), ALL);
        }
    };
    begins(story, silent, || discord.shared.world().faults.clear());
}
