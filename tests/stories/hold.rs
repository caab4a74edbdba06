//! Locks, freezes and queues: who waits for whom, who hears of it, and what the gate says meanwhile.

use serde_json::Value;

use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const HOUR: i64 = 3_600;

/// Production without the typed confirmation, so that stories are about what holds.
fn unprotected() -> String {
    settings().replace("protected = true", "start = \"human\"")
}

/// Ada's plan, approved by lin.
fn approved(story: &mut Story) {
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved", "{}", story.texts());
}

fn begun() -> Story {
    let mut story = Story::begin(&unprotected());
    approved(&mut story);
    story
}

/// The entries of one kind, oldest first.
fn entries(story: &Story, kind: &str) -> Vec<Value> {
    let answer = story.get("/api/ledger?most=1000");
    let all = answer["entries"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    let read = all.iter().map(|entry| serde_json::from_str::<Value>(entry["bytes"].as_str().unwrap()).unwrap());
    let mut found: Vec<Value> = read.filter(|entry| entry["kind"] == kind).collect();
    found.sort_by_key(|entry| entry["seq"].as_u64());
    found
}

fn acts(story: &Story, kind: &str) -> Vec<String> {
    entries(story, kind).iter().map(|entry| entry["data"]["act"].as_str().unwrap_or_default().to_owned()).collect()
}

fn verdict(story: &Story) -> (String, Vec<String>) {
    story.verdict("shop-1")
}

fn blocked(code: &str) -> (String, Vec<String>) {
    ("blocked".to_owned(), vec![code.to_owned()])
}

fn ready() -> (String, Vec<String>) {
    ("not-started".to_owned(), vec!["plan.not-started".to_owned()])
}

fn sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

/// The channel's message about a plan.
fn shown(story: &Story, plan: &str) -> String {
    let all = story.messages().into_iter().filter(|m| m["thread"].is_null() && m["for"].is_null());
    let mut texts = all.map(|m| m["text"].as_str().unwrap_or_default().to_owned());
    texts.rfind(|text| text.contains(&format!("· {plan}"))).unwrap_or_else(|| panic!("{}", story.texts()))
}

/// The newest message with this button, and the button's whole id.
fn button(story: &Story, user: &str, begins: &str) -> (String, String) {
    let seen = story.messages().into_iter().filter(|m| m["for"].is_null() || m["for"] == user);
    let found = seen.filter_map(|m| {
        let buttons = m["message"]["buttons"].as_array()?.clone();
        let id = buttons.iter().find_map(|b| b["id"].as_str().filter(|id| id.starts_with(begins)))?.to_owned();
        Some((m["id"].as_str()?.to_owned(), id))
    });
    found.max().unwrap_or_else(|| panic!("no button {begins}: {}", story.texts()))
}

#[test]
fn a_lock_makes_others_wait_until_it_ends_and_each_is_told() {
    let mut story = begun();
    assert_eq!(verdict(&story), ready());
    story.says("grace", "/deploy lock production --why \"the database is being upgraded\" --for 1h");
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    let says = story.gate("plan=shop-1")["reasons"][0]["says"].as_str().unwrap().to_owned();
    for part in ["Production is locked by grace", "since 11:0", "until 12:0", "“the database is being upgraded”"] {
        assert!(says.contains(part), "no {part:?} in {says}");
    }
    let said = story.texts();
    assert!(said.contains("@grace locked production until 12:0"), "{said}");
    assert!(said.contains("shop-1 waits."), "{said}");
    assert!(shown(&story, "shop-1").contains("Production is locked by grace"), "{said}");
    // A lock asks to wait; nobody has to approve anew for it.
    assert_eq!(story.plan("shop-1")["approvals"]["given"].as_array().unwrap().len(), 1);
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("cannot start (blocked)"), "{}", story.whispered_to("ada"));
    story.advances(HOUR - 120);
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    story.advances(240);
    assert_eq!(verdict(&story), ready());
    let said = story.texts();
    assert!(said.contains("ran out. @ada: shop-1 no longer waits for it."), "{said}");
    assert!(!shown(&story, "shop-1").contains("Production is locked"), "{said}");
    assert_eq!((acts(&story, "lock"), acts(&story, "unlock")), (vec!["taken".into()], vec!["expired".into()]));
    assert_eq!(story.plan("shop-1")["revision"], 1);
    sound(&story);
}

#[test]
fn the_owner_of_a_lock_is_never_stopped_by_it() {
    let mut story = begun();
    story.says("ada", "/deploy lock shop/production --why \"my own release\"");
    assert_eq!(verdict(&story), ready());
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.plan("shop-1")["state"], "started");
}

#[test]
fn a_plan_made_under_a_lock_says_so_at_once_and_is_free_with_the_unlock() {
    let mut story = Story::begin(&unprotected());
    story.says("grace", "/deploy lock shop --why \"a repair\"");
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["blockers"].as_array().unwrap(), &["coordination.lock"]);
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    story.says("grace", "/deploy unlock shop");
    assert_eq!(verdict(&story), ready());
    assert!(story.texts().contains("is over: unlocked by @grace. @ada: shop-1 no longer waits"), "{}", story.texts());
    // What was approved stays what was approved, to the letter.
    sound(&story);
}

#[test]
fn a_lock_has_a_reason_an_end_and_a_scope_that_exists() {
    let mut story = Story::begin(&unprotected());
    for (text, says) in [
        ("/deploy lock production", "Say why others should wait"),
        ("/deploy lock production --why x --for 3d", "at most 1d"),
        ("/deploy lock production --why x --for soon", "not a length of time"),
        ("/deploy lock prodction --why x", "Did you mean production?"),
        ("/deploy lock shop/stagin --why x", "Did you mean staging?"),
        ("/deploy lock all --why x", "not about everything"),
        ("/deploy unlock production", "Production is not locked"),
    ] {
        story.says("ada", text);
        assert!(story.plainly_told("ada").contains(says), "{text}: {}", story.whispered_to("ada"));
    }
    assert!(acts(&story, "lock").is_empty());
    story.says("gil", "/deploy lock production --why x");
    assert!(story.whispered_to("gil").contains("Guests may look"), "{}", story.whispered_to("gil"));
}

#[test]
fn of_two_locks_in_the_same_moment_one_stands_and_the_other_hears_whose() {
    let story = Story::begin(&unprotected());
    story.sends("grace", "/deploy lock production --why \"mine\"");
    story.sends("lin", "/deploy lock production --why \"mine\"");
    story.settle();
    let taken = entries(&story, "lock");
    assert_eq!(taken.len(), 1, "{taken:?}");
    let owner = taken[0]["actor"]["person"].as_str().unwrap().to_owned();
    let other = if owner == "grace" { "lin" } else { "grace" };
    let told = story.whispered_to(other);
    assert!(told.contains(&format!("Production is locked by @{owner} until")) && told.contains("--steal"), "{told}");
    sound(&story);
}

#[test]
fn a_lock_is_taken_over_aloud_with_a_reason() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\"");
    story.says("lin", "/deploy lock production --steal");
    assert!(story.whispered_to("lin").contains("Say why"), "{}", story.whispered_to("lin"));
    assert_eq!(acts(&story, "lock"), ["taken"]);
    story.says("lin", "/deploy lock production --steal --why \"the site is down\"");
    let said = story.texts();
    assert!(said.contains("@lin took over the lock on production from @grace"), "{said}");
    let told = story.whispered_to("grace");
    assert!(told.contains("@lin took over your lock on production") && told.contains("the site is down"), "{told}");
    assert_eq!(
        (acts(&story, "lock"), acts(&story, "unlock")),
        (vec!["taken".into(), "stolen".into()], vec!["stolen".into()])
    );
    assert_eq!(entries(&story, "lock")[1]["data"]["former"], "grace");
    let says = story.gate("plan=shop-1")["reasons"][0]["says"].as_str().unwrap().to_owned();
    assert!(says.contains("locked by lin"), "{says}");
    sound(&story);
}

#[test]
fn only_the_owner_and_the_roles_of_the_settings_unlock_and_the_owner_hears() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\"");
    story.says("ada", "/deploy unlock production");
    let told = story.whispered_to("ada");
    assert!(told.contains("They can unlock it, and so can lead or vp-engineering"), "{told}");
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    story.says("lin", "/deploy unlock production --why \"it is done\"");
    assert_eq!(verdict(&story), ready());
    let told = story.whispered_to("grace");
    assert!(told.contains("@lin unlocked production, which you had locked: “it is done”"), "{told}");
}

#[test]
fn the_owner_is_asked_before_the_end_and_may_keep_it() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\" --for 2h");
    story.advances(2 * HOUR - 16 * 60);
    assert!(!story.whispered_to("grace").contains("Is it still needed?"));
    story.advances(120);
    assert!(
        story.whispered_to("grace").contains("Your lock on production ends at 13:0"),
        "{}",
        story.whispered_to("grace")
    );
    let (message, id) = button(&story, "grace", "lock */production");
    story.presses("grace", &message, &id);
    assert!(story.whispered_to("grace").contains("now ends at 14:4"), "{}", story.whispered_to("grace"));
    story.advances(HOUR);
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    assert_eq!(acts(&story, "lock"), ["taken", "kept"]);
    sound(&story);
    let (message, id) = button(&story, "grace", "unlock */production");
    story.presses("grace", &message, &id);
    assert_eq!(verdict(&story), ready());
}

#[test]
fn a_lock_runs_out_also_while_the_program_is_away() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\" --for 1h");
    story.kill();
    story.start("2026-11-23T12:30:00-08:00");
    // Nobody has to say so first: what ran out holds nobody.
    assert_eq!(verdict(&story), ready());
    story.settle();
    assert!(story.texts().contains("The lock on production by @grace ran out"), "{}", story.texts());
    assert_eq!(acts(&story, "unlock"), ["expired"]);
    story.says("lin", "/deploy lock production --why \"the next\"");
    assert_eq!(acts(&story, "lock"), ["taken", "taken"]);
    sound(&story);
}

#[test]
fn a_lock_whose_owner_left_says_so_and_anyone_may_unlock_it() {
    let mut story = begun();
    story.says("noor", "/deploy lock production --why \"an upgrade\" --for 8h");
    story.says("ada", "/deploy unlock production");
    assert_eq!(acts(&story, "unlock").len(), 0);
    let left = story.settings().replace("[people.noor]\n", "[people.noor]\nkind = \"deactivated\"\n");
    std::fs::write(story.folder.path().join("tidegate.toml"), left).unwrap();
    story.hang_up();
    crate::harness::eventually("the settings", || {
        let says = story.gate("plan=shop-1")["reasons"][0]["says"].as_str().unwrap_or_default().to_owned();
        says.contains("noor is no longer here: anyone who may lock can unlock it")
    });
    story.says("ada", "/deploy status production");
    assert!(story.whispered_to("ada").contains("Its owner is no longer here"), "{}", story.whispered_to("ada"));
    story.says("ada", "/deploy unlock production");
    assert_eq!(acts(&story, "unlock"), ["unlocked"]);
    assert_eq!(verdict(&story), ready());
}

#[test]
fn a_freeze_that_is_added_while_a_plan_waits_shuts_the_gate_and_one_that_is_lifted_opens_it() {
    let mut story = begun();
    story.says("lin", "/deploy freeze add production --to \"in 2h\" --why \"an audit\"");
    assert!(story.whispered_to("lin").contains("Freezes are added and lifted by vp-engineering"));
    story.says("grace", "/deploy freeze add production --to \"in 2h\" --why \"an audit\"");
    // A freeze changes what was approved: there is a new revision, and the approvers look again.
    assert_eq!(story.plan("shop-1")["revision"], 2, "{}", story.texts());
    let said = story.texts();
    assert!(said.contains("@grace freezes production") && said.contains("(freeze-1)"), "{said}");
    assert!(said.contains("new blocker: Frozen until 13:0"), "{said}");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(verdict(&story), blocked("timing.freeze"));
    let flag = story.flag("shop-1", "timing.freeze");
    assert!(flag["says"].as_str().unwrap().contains("“an audit” (owner: grace; freeze-1)"), "{flag}");
    story.says("grace", "/deploy freeze lift freeze-1 --why \"it is over\"");
    assert_eq!(verdict(&story), ready());
    assert!(story.texts().contains("@grace lifted the freeze freeze-1 “an audit” on production: “it is over”"));
    assert_eq!(acts(&story, "freeze"), ["added", "lifted"]);
    sound(&story);
}

#[test]
fn a_freeze_that_begins_while_a_plan_waits_is_judged_at_its_hour_and_told() {
    let mut story = Story::begin(&unprotected());
    story.says("grace", "/deploy freeze add production --from 13:00 --to 14:30 --why \"an audit\" --except hotfix");
    approved(&mut story);
    assert_eq!(verdict(&story), ready());
    let flag = story.flag("shop-1", "timing.freeze");
    assert_ne!(flag["level"], "critical", "{flag}");
    story.advances(2 * HOUR + 60);
    assert_eq!(verdict(&story), blocked("timing.freeze"));
    let said = story.texts();
    assert!(said.contains("The freeze begins: production 13:00–14:30 PST: “an audit” (freeze-1; hotfixes"), "{said}");
    assert!(shown(&story, "shop-1").contains("Frozen until 14:30"), "{}", shown(&story, "shop-1"));
    story.says("ada", "/deploy freeze");
    assert!(story.whispered_to("ada").contains("freeze-1"), "{}", story.whispered_to("ada"));
    story.advances(HOUR + 1_800);
    assert_eq!(verdict(&story), ready());
    assert!(story.texts().contains("The freeze freeze-1 “an audit” on production is over."), "{}", story.texts());
    assert_eq!(story.plan("shop-1")["revision"], 1);
}

#[test]
fn a_freeze_lets_through_whom_it_excepts() {
    let mut story = Story::begin(&(unprotected() + "\n[service.docs]\nrepository = \"code\"\nowners = [\"ada\"]\n"));
    story.says("grace", "/deploy freeze add production --to \"in 2h\" --why \"an audit\" --except \"docs, nope\"");
    assert!(story.plainly_told("grace").contains("nope is neither"), "{}", story.whispered_to("grace"));
    story.says("grace", "/deploy freeze add production --to \"in 2h\" --why \"an audit\" --except docs");
    story.says("ada", PLAN);
    story.says("ada", &PLAN.replace("plan shop", "plan docs"));
    assert_eq!(story.flag("shop-1", "timing.freeze")["level"], "critical");
    // No calendar is set up here, so other freezes stay unknown; this one does not stop it.
    let flag = story.flag("docs-1", "timing.freeze");
    assert_eq!(flag["level"], "unknown", "{flag}");
    assert!(!story.plan("docs-1")["blockers"].to_string().contains("timing.freeze"));
}

#[test]
fn who_wants_to_be_told_when_it_is_free_is_told_once() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\" --for 1h");
    let (message, id) = button(&story, "ada", "tell-me shop/production");
    story.presses("ada", &message, &id);
    story.presses("ada", &message, &id);
    assert!(story.whispered_to("ada").contains("You will be told once"), "{}", story.whispered_to("ada"));
    story.says("grace", "/deploy freeze add shop --to \"in 2h\" --why \"an audit\"");
    story.advances(HOUR + 60);
    assert!(story.whispered_to("ada").contains("You will be told once"), "the freeze still holds it");
    story.advances(HOUR + 60);
    let told = |story: &Story| {
        let all = story.messages();
        all.iter().filter(|m| m["for"] == "ada" && m["text"].as_str().unwrap_or_default().contains("is free")).count()
    };
    assert_eq!(told(&story), 1, "{}", story.whispered_to("ada"));
    story.says("grace", "/deploy lock production --why \"again\" --for 10m");
    story.advances(900);
    assert_eq!(told(&story), 1);
    story.presses("ada", &message, &id);
    assert!(
        story.whispered_to("ada").contains("Nothing holds shop in production now"),
        "{}",
        story.whispered_to("ada")
    );
}

#[test]
fn status_shows_what_is_locked_frozen_and_in_line() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\"");
    story.says("grace", "/deploy freeze add shop/staging --from \"tomorrow 10:00\" --to \"tomorrow 12:00\" --why demo");
    story.says("ada", "/deploy status");
    let told = story.whispered_to("ada");
    for part in [
        "Locked",
        "Production is locked by @grace until 13:0",
        "Frozen, or about to be",
        "shop in staging Tue 24 Nov 10:00–12:00",
    ] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    let (message, id) = button(&story, "ada", "tell-me */production");
    story.presses("ada", &message, &id);
    story.says("grace", "/deploy unlock production");
    assert!(story.whispered_to("ada").contains("Production is free"), "{}", story.whispered_to("ada"));
    story.says("ada", "/deploy status staging");
    assert!(!story.whispered_to("ada").contains("Locked"), "{}", story.whispered_to("ada"));
}

/// Two services whose approved plans stand in line for production.
fn queue() -> Story {
    let settings = unprotected().replace("mode = \"gate\"", "mode = \"gate\"\nqueue = true");
    let mut story = Story::begin(&(settings + "\n[service.docs]\nrepository = \"code\"\nowners = [\"ada\"]\n"));
    approved(&mut story);
    story.says("noor", &PLAN.replace("plan shop", "plan docs"));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("docs-1")["state"], "approved");
    story
}

#[test]
fn in_a_queue_one_begins_after_the_other_and_whoever_is_next_is_told() {
    let mut story = queue();
    assert_eq!(verdict(&story), ready());
    assert_eq!(story.verdict("docs-1"), blocked("coordination.queue"));
    assert!(
        story.texts().contains("docs-1 is number 2 in the queue for production, behind shop-1"),
        "{}",
        story.texts()
    );
    story.says("ada", "/deploy status production");
    let told = story.whispered_to("ada");
    assert!(
        told.contains("In line for production") && told.contains("1. shop-1") && told.contains("2. docs-1"),
        "{told}"
    );
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.plan("shop-1")["state"], "started", "{}", story.whispered_to("ada"));
    assert_eq!(story.verdict("docs-1"), blocked("coordination.queue"));
    story.says("noor", "/deploy start docs-1");
    assert!(story.whispered_to("noor").contains("shop-1 is under way in production"), "{}", story.whispered_to("noor"));
    story.says("ada", "/deploy finished shop-1");
    assert_eq!(story.verdict("docs-1"), ready());
    assert!(
        story.whispered_to("noor").contains("@noor: it is the turn of docs-1 in production"),
        "{}",
        story.whispered_to("noor")
    );
}

#[test]
fn who_leaves_a_queue_or_does_not_begin_lets_the_next_one_go() {
    let mut story = queue();
    // Ada does not begin in her turn.
    story.advances(31 * 60);
    assert_eq!(story.verdict("docs-1"), ready());
    assert_eq!(verdict(&story), blocked("coordination.queue"));
    assert!(story.texts().contains("shop-1 was not begun in its turn"), "{}", story.texts());
    story.says("noor", "/deploy cancel docs-1");
    assert_eq!(verdict(&story), ready());
    assert!(
        story.whispered_to("ada").contains("it is the turn of shop-1 in production"),
        "{}",
        story.whispered_to("ada")
    );
}

#[test]
fn without_a_queue_nobody_stands_in_line() {
    let mut story = Story::begin(&(unprotected() + "\n[service.docs]\nrepository = \"code\"\nowners = [\"ada\"]\n"));
    approved(&mut story);
    story.says("ada", &PLAN.replace("plan shop", "plan docs"));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.verdict("docs-1"), ready());
}

#[test]
fn a_lock_ended_by_hand_in_the_database_is_found() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\"");
    story.says("grace", "/deploy freeze add shop --to \"in 2h\" --why \"an audit\"");
    sound(&story);
    assert!(story.stop());
    for (statement, back, says) in [
        (
            "update target_lock set ended_at = at, ended = 'unlocked'",
            "update target_lock set ended_at = null, ended = null",
            "What became of the lock",
        ),
        ("update target_lock set person = 'ada'", "update target_lock set person = 'grace'", "The owner of the lock"),
        (
            "update target_freeze set exceptions = '{\"hotfix\":true}'",
            "update target_freeze set exceptions = '{}'",
            "An exception of the freeze",
        ),
        ("delete from target_freeze", "select 1", "The ledger knows the freeze"),
    ] {
        story.by_hand(statement).unwrap();
        let (code, verdict) = story.verifies(&[]);
        assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("projection")), "{statement}: {verdict}");
        assert!(verdict.to_string().contains(says), "{statement}: {verdict}");
        story.by_hand(back).unwrap();
    }
}

#[test]
fn a_settings_reload_or_a_restart_leaves_locks_as_they_were() {
    let mut story = begun();
    story.says("grace", "/deploy lock production --why \"an upgrade\" --for 4h");
    story.kill();
    story.start(MONDAY_11);
    story.settle();
    assert_eq!(verdict(&story), blocked("coordination.lock"));
    story.says("grace", "/deploy unlock production");
    assert_eq!(verdict(&story), ready());
}
