//! Tidegate on Slack: who counts there, the app's home, mentions.

use std::sync::Arc;

use crate::harness::slack::{Play, Slack};
use crate::harness::{MONDAY_11, Story, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn on_slack(settings: &str, prepare: impl FnOnce(&Slack), more: &str) -> (Story, Arc<Slack>) {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = Play::open().and(more);
    let slack = play.slack.clone();
    prepare(&slack);
    (Story::begin_on(Box::new(play), folder, settings, MONDAY_11), slack)
}

#[test]
fn whoever_slack_calls_a_guest_a_stranger_or_deactivated_does_not_count() {
    let (mut story, slack) = on_slack(&settings(), |_| {}, "");
    story.says("ada", PLAN);
    let card = story.card();
    for (user, because) in [("lin", "guest"), ("noor", "deactivated"), ("grace", "guest")] {
        {
            let mut world = slack.shared.world();
            let id = world.user(user);
            let known = world.users.get_mut(&id).unwrap();
            match user {
                "lin" => known.guest = true,
                "noor" => known.deleted = true,
                // Of another organisation, in a shared channel.
                _ => known.stranger = true,
            }
        }
        // What was known of them a minute ago is asked anew.
        story.advances(61);
        story.reacts(user, &card, "white_check_mark");
        assert_eq!(story.refused("shop-1").last(), Some(&(user.to_owned(), because.to_owned())));
    }
    assert_eq!(story.plan("shop-1")["state"], "advised");
}

#[test]
fn a_user_group_gives_a_role() {
    let asks = settings()
        + "[people.kim]\n[[policy.approval]]\nbecause = \"the shop takes money\"\nenvironment = \"production\"\nneeds = [{ role = \"payments-lead\", count = 1 }]\n";
    let (mut story, _slack) = on_slack(
        &asks,
        |slack| {
            let mut world = slack.shared.world();
            let kim = world.user("kim");
            world.groups.insert("S0PAY".to_owned(), vec![kim]);
        },
        "roles = { payments-lead = [\"S0PAY\"] }\n",
    );
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("kim", &card, "white_check_mark");
    let given = story.plan("shop-1")["approvals"]["given"].clone();
    assert_eq!(given[0]["by"], "kim", "{} {}", story.whispered_to("kim"), story.log());
    assert_eq!(given[0]["role"], "payments-lead");
}

#[test]
fn the_apps_home_shows_what_waits_and_what_was_planned() {
    let (mut story, slack) = on_slack(&settings(), |_| {}, "");
    story.says("ada", PLAN);
    let planners = slack.opens_home("ada").to_string();
    assert!(planners.contains("shop-1"), "{planners}");
    let approvers = slack.opens_home("lin").to_string();
    assert!(approvers.contains("shop-1") && approvers.contains("/archives/"), "{approvers}");
    // Somebody whom the settings do not know can approve nothing.
    let others = slack.opens_home("zoe").to_string();
    assert!(!others.contains("shop-1"), "{others}");
}

#[test]
fn a_form_offers_the_services_versions_and_takes_what_was_typed() {
    let (mut story, slack) = on_slack(&settings(), |_| {}, "");
    story.says("ada", "/deploy plan");
    let beside = serde_json::json!({ "service": "shop", "environment": "production" });
    let offered = slack.offered("ada", "version", "", &beside);
    assert_eq!(offered.first().map(String::as_str), Some("v1.1.0"), "the newest first: {offered:?}");
    assert!(offered.iter().any(|version| version == "v1.0.0"), "{offered:?}");
    assert_eq!(slack.offered("ada", "version", "v1.0", &beside), ["v1.0", "v1.0.0"]);
    assert!(slack.offered("ada", "version", "", &serde_json::json!({ "service": "nothing-known" })).is_empty());
}

#[test]
fn a_message_can_be_asked_about() {
    let (story, slack) = on_slack(&settings(), |_| {}, "");
    slack.asks_about("ada", "ship the cart today");
    story.settle();
    let form = story.form_of("ada");
    let why = form["fields"].as_array().unwrap().iter().find(|field| field["name"] == "why").unwrap();
    assert_eq!(why["value"], "ship the cart today");
}

#[test]
fn a_mention_is_a_command_where_slash_commands_cannot_go() {
    let (mut story, slack) = on_slack(&settings(), |_| {}, "");
    story.says("ada", PLAN);
    slack.mention("ada", "status shop");
    story.settle();
    assert!(story.whispered_to("ada").contains("shop-1"), "{}", story.whispered_to("ada"));
}

#[test]
fn what_could_not_be_said_is_never_an_error_and_calls_stay_few() {
    let (mut story, slack) = on_slack(&settings(), |_| {}, "");
    story.says("ada", PLAN);
    // The plan's message, evidence, picture, card; what follows edits them.
    let posts = slack.asked("chat.postMessage");
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    assert!(slack.asked("chat.update") >= 2, "the plan's message is edited in place");
    assert!(posts <= 8 && slack.asked("chat.postMessage") <= 2 * posts + 2, "{posts}");
}
