//! Tidegate on Discord: who counts there, and faults in the middle of a talk.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::discord::fault::Fault;
use crate::harness::discord::{Discord, Play};
use crate::harness::{MONDAY_11, Story, eventually, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// A story that is played on Discord whatever the run is about.
fn on_discord(settings: &str) -> (Story, Arc<Discord>) {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = Play::open();
    let discord = play.discord.clone();
    (Story::begin_on(Box::new(play), folder, settings, MONDAY_11), discord)
}

fn planned() -> (Story, Arc<Discord>) {
    let (mut story, discord) = on_discord(&settings());
    story.says("ada", PLAN);
    (story, discord)
}

fn id(text: &str) -> u64 {
    text.parse().unwrap()
}

fn words(story: &Story, kind: &str) -> Vec<Value> {
    story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == kind).collect()
}

/// Messages in the channel itself.
fn mains(story: &Story) -> usize {
    story.messages().iter().filter(|m| m["thread"].is_null() && m["for"].is_null()).count()
}

/// How many messages of a thread ask for approval.
fn cards(story: &Story) -> usize {
    let asks =
        |m: &&Value| m["message"]["reactions"].as_array().is_some_and(|r| r.iter().any(|n| n == "white_check_mark"));
    story.messages().iter().filter(asks).count()
}

#[test]
fn events_that_come_twice_count_once() {
    let (mut story, discord) = on_discord(&settings());
    discord.shared.world().shape.twice = true;
    story.says("ada", PLAN);
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(words(&story, "word.given").len(), 1);
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(story.get("/api/plans")["plans"].as_array().unwrap().len(), 1);
}

#[test]
fn events_in_another_order_come_to_the_same() {
    let (story, discord) = planned();
    let card = id(&story.card());
    discord.shared.world().shape.held = Some(Vec::new());
    discord.react("lin", card, "✅");
    discord.react("grace", card, "✋");
    discord.react("noor", card, "⛔");
    discord.shared.world().release();
    discord.is_heard();
    eventually("three words", || words(&story, "word.given").len() == 3);
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "objected");
}

#[test]
fn a_line_that_breaks_before_a_command_is_heard_loses_nothing() {
    let (story, discord) = on_discord(&settings());
    {
        let mut world = discord.shared.world();
        world.shape.away = true;
        world.cut();
    }
    discord.people_wait(false);
    discord.command("ada", PLAN);
    discord.shared.world().shape.away = false;
    discord.shared.until("the session is resumed", |world| world.resumed > 0);
    discord.shared.until("the command is answered", |world| world.unanswered().is_empty());
    story.settle();
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn a_line_that_breaks_while_a_reaction_is_told_loses_nothing() {
    let (story, discord) = planned();
    let card = id(&story.card());
    discord.shared.world().cut();
    discord.react("lin", card, "✅");
    discord.shared.until("the session is resumed", |world| world.resumed > 0);
    discord.is_heard();
    eventually("her word", || words(&story, "word.given").len() == 1);
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn what_happened_while_a_session_was_lost_is_read_back() {
    let (story, discord) = planned();
    let card = id(&story.card());
    {
        let mut world = discord.shared.world();
        world.shape.away = true;
        world.forget();
        world.cut();
    }
    discord.react("lin", card, "✅");
    discord.shared.world().shape.away = false;
    discord.shared.until("the bot is back", |world| world.is_connected());
    eventually("her word is read back", || words(&story, "word.given").len() == 1);
    story.settle();
    assert_eq!(words(&story, "word.given")[0]["data"]["read_back"], true);
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn a_limit_is_waited_for_and_nothing_is_said_twice() {
    let (mut story, discord) = on_discord(&settings());
    discord.plans("POST", "/messages", Fault::Slow(0.3), 2);
    discord.plans("PUT", "/reactions/", Fault::Slow(0.2), 1);
    story.says("ada", PLAN);
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn a_platform_that_fails_is_asked_again() {
    let (mut story, discord) = on_discord(&settings());
    discord.plans("POST", "/messages", Fault::Refuse(503, 0), 1);
    story.says("ada", PLAN);
    // What waits for a moment on the program's own clock has its moment.
    story.advances(10);
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn an_answer_that_got_lost_after_the_post_makes_no_second_post() {
    let (mut story, discord) = on_discord(&settings());
    discord.plans("POST", "/messages", Fault::Cut, 3);
    story.says("ada", PLAN);
    for _ in 0..4 {
        story.advances(10);
    }
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
    assert!(discord.shared.world().faults.is_empty(), "the fault was played");
}

#[test]
fn a_post_that_was_answered_too_late_is_not_posted_again() {
    let (mut story, discord) = on_discord(&settings());
    // Longer than a call may take.
    discord.plans("POST", "/messages", Fault::Late(Duration::from_millis(12_500)), 1);
    story.says("ada", PLAN);
    eventually("the fault was played", || discord.shared.world().faults.is_empty());
    for _ in 0..3 {
        story.advances(10);
    }
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn an_interaction_that_ran_out_is_carried_out_all_the_same() {
    let (story, discord) = on_discord(&settings());
    discord.plans("POST", "/callback", Fault::Refuse(404, 10062), 1);
    discord.people_wait(false);
    let token = discord.command("ada", PLAN);
    discord.shared.until("the answer was tried", |world| world.faults.is_empty());
    discord.shared.world().interactions.get_mut(&token).unwrap().expired = true;
    story.settle();
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn a_deployment_without_a_plan_is_asked_about_in_the_servers_channel() {
    let (mut story, _discord) = on_discord(&settings());
    let report = json!({ "id": "ci-7", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.1.0", "actor": "deploybot" });
    story.reports(&report);
    story.reports(&report);
    assert_eq!(story.texts().matches("without a plan. Whose").count(), 1, "{}", story.texts());
}

#[test]
fn a_moderator_who_removes_all_reactions_voids_the_words_aloud() {
    let (mut story, discord) = planned();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    discord.clear(id(&card), None);
    discord.is_heard();
    eventually("the words are void", || words(&story, "word.voided").len() == 1);
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert!(story.texts().contains("removed all reactions"), "{}", story.texts());
}

#[test]
fn a_moderator_who_removes_one_emoji_takes_the_words_that_it_stood_for() {
    let (mut story, discord) = planned();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("noor", &card, "raised_hand");
    discord.clear(id(&card), Some("✅"));
    discord.is_heard();
    // All words are void, and those whose marks still stand are read back.
    eventually("the words are void", || words(&story, "word.voided").len() == 1);
    eventually("the hold is read back", || words(&story, "word.given").len() == 3);
    story.settle();
    assert_eq!(words(&story, "word.given")[2]["data"]["read_back"], true);
    assert_eq!(story.plan("shop-1")["state"], "held");
    assert_eq!(story.plan("shop-1")["approvals"]["given"].as_array().unwrap().len(), 0);
}

#[test]
fn a_deleted_plan_message_is_posted_again_and_recorded() {
    let (story, discord) = planned();
    let main = story.main()["id"].as_str().unwrap().to_owned();
    discord.shared.world().remove(id(&main));
    discord.is_heard();
    eventually("it is posted again", || words(&story, "message.reposted").len() == 1);
    story.settle();
    let again = story.main();
    assert_ne!(again["id"], main);
    assert!(again["text"].as_str().unwrap().contains("shop"), "{again}");
}

#[test]
fn a_deleted_card_is_posted_again_and_its_words_are_void() {
    let (mut story, discord) = planned();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    discord.shared.world().remove(id(&card));
    discord.is_heard();
    eventually("it is posted again", || words(&story, "message.reposted").len() == 1);
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "advised");
    let again = story.card();
    assert_ne!(again, card);
    story.reacts("lin", &again, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn who_takes_no_direct_messages_is_told_in_the_thread_without_what_it_is_about() {
    let (mut story, discord) = planned();
    let main = story.main()["id"].as_str().unwrap().to_owned();
    {
        let mut world = discord.shared.world();
        let lin = world.user("lin");
        world.users.get_mut(&lin).unwrap().open = false;
    }
    story.reacts("lin", &main, "white_check_mark");
    let said = story.texts();
    assert!(said.contains("@lin, there is a private answer for you"), "{said}");
    assert!(!said.contains("Not counted"), "{said}");
    assert_eq!(story.whispered_to("lin"), "");
}

#[test]
fn the_command_is_registered_only_when_it_differs() {
    let (mut story, discord) = on_discord(&settings());
    assert_eq!(discord.shared.world().registered, 1);
    assert!(story.stop());
    story.start(MONDAY_11);
    discord.is_heard();
    eventually("the commands were compared", || discord.asked("GET", "/commands") >= 2);
    assert_eq!(discord.shared.world().registered, 1);
    assert!(story.stop());
    discord.shared.world().commands[0]["description"] = "something else".into();
    story.start(MONDAY_11);
    discord.shared.until("it is registered again", |world| world.registered == 2);
}

#[test]
fn services_and_plans_are_offered_while_they_are_typed() {
    let (_story, discord) = planned();
    assert_eq!(discord.completes("ada", "/deploy plan sh", "service"), ["shop"]);
    assert_eq!(discord.completes("ada", "/deploy start sho", "plan"), ["shop-1"]);
    assert!(discord.completes("ada", "/deploy plan shop prod", "environment").contains(&"production".to_owned()));
}

#[test]
fn who_has_not_passed_the_door_or_has_left_does_not_count() {
    let (mut story, discord) = planned();
    let card = story.card();
    {
        let mut world = discord.shared.world();
        let (lin, noor) = (world.user("lin"), world.user("noor"));
        world.users.get_mut(&lin).unwrap().pending = true;
        world.users.get_mut(&noor).unwrap().left = true;
    }
    // What was asked of Discord a minute ago is asked anew.
    story.advances(61);
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("noor", &card, "white_check_mark");
    let refused: Vec<String> = story.refused("shop-1").into_iter().map(|(who, why)| format!("{who} {why}")).collect();
    assert_eq!(refused, ["lin guest", "noor deactivated"]);
    assert_eq!(story.plan("shop-1")["state"], "advised");
}

#[test]
fn a_role_of_the_server_gives_ours() {
    let with = settings().replace("[people.lin]\nemail = [\"lin@example.org\"]\nroles = [\"lead\"]", "[people.lin]");
    let roles = "[chat.discord.guild.roles]\nlead = [\"77\"]\n";
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = Play::open().and(roles);
    let discord = play.discord.clone();
    let lin = discord.shared.world().user("lin");
    discord.shared.world().users.get_mut(&lin).unwrap().roles = vec![77];
    let mut story = Story::begin_on(Box::new(play), folder, &with, MONDAY_11);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved", "{}", story.whispered_to("lin"));
}

#[test]
fn a_thread_that_closed_by_itself_is_opened_again_while_its_plan_lives() {
    let (story, discord) = planned();
    let thread = id(story.main()["id"].as_str().unwrap());
    discord.shared.world().archive(thread, true);
    discord.is_heard();
    discord.shared.until("the thread is open again", |world| !world.channels[&thread].archived);
    story.settle();
}

#[test]
fn a_token_that_was_revoked_is_said_and_ends_nothing_else() {
    let (mut story, discord) = planned();
    story.expects_error("token");
    story.expects_error("InvalidAuthentication");
    discord.shared.world().revoke();
    eventually("it is said", || story.log().contains("does not accept the bot's token"));
    assert_eq!(story.call("GET", "/healthz", None).0, 200);
    // Nobody can be asked, so the gate cannot tell.
    story.advances(120);
    assert_eq!(story.verdict("shop-1").0, "unknown");
}

#[test]
fn a_command_that_lacks_something_opens_a_form_of_five_fields_at_once() {
    let (mut story, discord) = on_discord(&settings());
    story.says("ada", "/deploy plan shop --why PAY-1");
    let form = story.form_of("ada");
    assert_eq!(form["id"], "plan");
    let names: Vec<&str> = form["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert!(names.len() <= 5 && names.contains(&"environment") && names.contains(&"version"), "{names:?}");
    assert!(story.texts().is_empty(), "only she sees it: {}", story.texts());
    story.submits("ada", "plan", &json!({ "environment": "production", "version": "v9" }));
    let told = story.whispered_to("ada");
    assert!(told.contains("There is no version v9") || told.contains("There is no version `v9`"), "{told}");
    assert_eq!(story.get("/api/plans")["plans"].as_array().unwrap().len(), 0);
    // The form opens again with what was typed.
    let wrong = story.messages().into_iter().rfind(|m| m["for"] == "ada" && m["form"].is_null()).unwrap();
    let again = wrong["message"]["buttons"][0]["id"].as_str().unwrap().to_owned();
    discord.press("ada", id(wrong["id"].as_str().unwrap()), &again);
    let form = story.form_of("ada");
    let version = form["fields"].as_array().unwrap().iter().find(|f| f["name"] == "version").unwrap();
    assert_eq!(version["value"], "v9");
    story.submits("ada", "plan", &json!({ "version": "v1.1.0" }));
    let view = story.plan("shop-1");
    assert_eq!((&view["plan"]["why"], &view["plan"]["version"]), (&json!("PAY-1"), &json!("v1.1.0")));
}

#[test]
fn a_missing_permission_is_said_by_name() {
    let (mut story, discord) = on_discord(&settings());
    // No threads may be made here.
    discord.shared.world().allowed &= !(1 << 35);
    story.expects_error("permission");
    story.sends("ada", PLAN);
    eventually("its name", || story.log().contains("lacks a permission"));
    assert_eq!(mains(&story), 1);
    assert_eq!(cards(&story), 0);
    let (code, out, errors) = story.runs(&["check", "--config", "tidegate.toml"]);
    let told = out + &errors;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("lacks Create Public Threads; without it there is no thread"), "{told}");
    // Once it is given, the thread comes with all that belongs into it.
    discord.shared.world().allowed |= 1 << 35;
    story.post("/console/api/advance", &serde_json::json!({ "seconds": 16 * 60 }));
    eventually("the card", || cards(&story) == 1);
    assert_eq!(mains(&story), 1);
}
