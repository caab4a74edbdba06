//! Where roles come from: teams of code hosts, the rota of the moment, the owners of what changes, and names.

use tidegate::cli::sample::repository::{CommitStory, add_commit};
use tidegate::clock::Time;
use tokio::runtime::Runtime;

use super::sources::{github, gitlab};
use crate::harness::vendor::Reply;
use crate::harness::{MONDAY_11, Story, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const HUB: &str = "[[source]]\nkind = \"github\"\nname = \"hub\"\nrepository = \"harbor/shop\"\nurl = \"{address}\"\n\
    token = { value = \"github_pat_story\" }\nanswers = []\n";
const LEAD: &str = "[[policy.approval]]\nbecause = \"payments are regulated\"\nenvironment = \"production\"\nneeds = [{ role = \"payments-lead\" }]\n";

/// The settings of every story, with logins, a source at this address, and more.
fn told(source: &str, address: &str, more: &str) -> String {
    let known = |text: String, name: &str, login: &str| {
        let email = format!("email = [\"{name}@example.org\"]\n");
        text.replace(&email, &format!("{email}logins = [\"{login}\"]\n"))
    };
    let text = known(known(known(settings(), "lin", "lin-h"), "noor", "noor-n"), "grace", "grace-v");
    text + &source.replace("{address}", address) + more
}

fn members(logins: &[&str]) -> Vec<serde_json::Value> {
    logins.iter().map(|login| serde_json::json!({ "login": login })).collect()
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

fn given(story: &Story) -> Vec<serde_json::Value> {
    story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "word.given").collect()
}

fn hub(runtime: &Runtime, team: &str, logins: &[&str]) -> github::world::Github {
    let mut world = github::world::World::default();
    world.teams.insert(team.to_owned(), members(logins));
    runtime.block_on(github::world::open(world))
}

#[test]
fn a_team_of_github_gives_a_role_and_takes_it_back() {
    let runtime = Runtime::new().unwrap();
    let server = hub(&runtime, "harbor/payments-leads", &["octocat", "LIN-H"]);
    let roles = "roles = { payments-lead = [\"payments-leads\"] }\n";
    let mut story = Story::begin(&told(&(HUB.to_owned() + roles), &server.address, LEAD));
    story.says("ada", PLAN);
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    story.reacts("noor", &card, "white_check_mark");
    assert!(story.whispered_to("noor").contains("this asks for payments-lead. @lin can approve now"), "{text}");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert!(story.texts().contains("@lin approved revision 1 as payments-lead"), "{}", story.texts());
    assert_eq!(given(&story)[0]["actor"]["role"], "payments-lead");
    // Whoever left the team has lost the role when anybody asks next, and gets it back with the team.
    server.shared().world.teams.insert("harbor/payments-leads".to_owned(), members(&["octocat"]));
    story.advances(90);
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("cannot start (waiting)"), "{}", story.whispered_to("ada"));
    server.shared().world.teams.insert("harbor/payments-leads".to_owned(), members(&["lin-h"]));
    story.advances(90);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    // What the settings no longer give is gone at once.
    story.changes_settings(roles, "roles = {}\n");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    is_sound(&story);
    server.is_content();
}

#[test]
fn a_host_that_is_silent_is_believed_for_an_hour_and_spoken_of_once() {
    let runtime = Runtime::new().unwrap();
    let server = hub(&runtime, "harbor/payments-leads", &["lin-h"]);
    let roles = "roles = { payments-lead = [\"harbor/payments-leads\"] }\n";
    let mut story = Story::begin(&told(&(HUB.to_owned() + roles), &server.address, LEAD));
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    server.shared().fault = Some(Reply::status(503));
    story.advances(90);
    let (verdict, codes) = story.verdict("shop-1");
    assert!(verdict == "not-started" && codes.contains(&"team.unread".to_owned()), "{verdict} {codes:?}");
    let says = story.gate("plan=shop-1")["reasons"].to_string();
    assert!(says.contains("Who is in the team `harbor/payments-leads` cannot be read (the source `hub`"), "{says}");
    let spoken = |story: &Story| {
        let texts = story.texts();
        texts.lines().filter(|line| line.contains("Who is in the team") && line.contains("cannot be read")).count()
    };
    assert_eq!(spoken(&story), 0, "a moment's silence is not spoken of");
    for _ in 0..3 {
        story.advances(660);
        assert_eq!(story.verdict("shop-1").0, "not-started");
        story.settle();
        assert_eq!(spoken(&story), 1, "{}", story.texts());
    }
    assert!(story.texts().contains("Who was in it keeps"), "{}", story.texts());
    story.advances(1_800);
    let (verdict, codes) = story.verdict("shop-1");
    assert!(verdict == "waiting" && codes.contains(&"team.unread".to_owned()), "{verdict} {codes:?}");
    server.shared().fault = None;
    story.advances(60);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.settle();
    assert!(story.texts().contains("can be read again and gives"), "{}", story.texts());
    server.is_content();
}

#[test]
fn a_group_of_gitlab_gives_a_role_to_its_full_members() {
    let runtime = Runtime::new().unwrap();
    let mut world = gitlab::world::World::default();
    let group = serde_json::json!([
        { "username": "lin-h", "access_level": 30 },
        { "username": "noor-n", "access_level": 10 },
        { "username": "grace-v", "access_level": 50, "state": "blocked" },
    ]);
    world.groups.insert("harbor/payments".to_owned(), group.as_array().unwrap().clone());
    let server = runtime.block_on(gitlab::world::open(world));
    let source = "[[source]]\nkind = \"gitlab\"\nname = \"lab\"\nproject = \"harbor/shop\"\nurl = \"{address}\"\n\
        token = { value = \"glpat-story\" }\nanswers = []\nroles = { payments-lead = [\"harbor/payments\"] }\n";
    let mut story = Story::begin(&told(source, &server.address, LEAD));
    story.says("ada", PLAN);
    let card = story.card();
    for person in ["noor", "grace"] {
        story.reacts(person, &card, "white_check_mark");
        assert!(story.whispered_to(person).contains("this asks for payments-lead"), "{person}");
    }
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    server.is_content();
}

#[test]
fn whoever_is_on_call_as_they_approve_goes_on_counting_after_the_hand_over() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let rota = folder.path().join("on-call.jsonl");
    let shifts = "{\"person\":\"lin@example.org\",\"start\":\"2026-11-23T10:00:00Z\",\"end\":\"2026-11-23T20:00:00Z\"}\n\
        {\"person\":\"noor@example.org\",\"start\":\"2026-11-23T20:00:00Z\",\"end\":\"2026-11-30T20:00:00Z\"}\n\
        {\"person\":\"grace@example.org\",\"start\":\"2026-11-23T10:00:00Z\",\"end\":\"2026-11-30T20:00:00Z\",\"level\":2}\n";
    std::fs::write(&rota, shifts).unwrap();
    let more = "[[source]]\nkind = \"jsonl\"\nname = \"rota\"\non-call = \"on-call.jsonl\"\n[policy]\nscore-step = 100\n\
        [[policy.approval]]\nbecause = \"somebody who is awake answers for it\"\nenvironment = \"production\"\nneeds = [{ role = \"on-call\" }]\n";
    let mut story = Story::begin_in(folder, &(settings() + more), MONDAY_11);
    story.says("ada", PLAN);
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("on-call (somebody who is awake answers for it)") && text.contains("Who can: @lin."),
        "{text}"
    );
    for person in ["noor", "grace"] {
        story.reacts(person, &card, "white_check_mark");
        assert!(story.whispered_to(person).contains("this asks for on-call"), "{}", story.whispered_to(person));
        story.unreacts(person, &card, "white_check_mark");
    }
    story.says("lin", "/deploy delegate grace --until \"in 2h\" --role on-call");
    assert!(story.whispered_to("lin").contains("is nobody's to lend"), "{}", story.whispered_to("lin"));
    story.reacts("lin", &card, "white_check_mark");
    assert!(story.texts().contains("@lin approved revision 1 as on-call"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let entry = given(&story).remove(0);
    assert_eq!(entry["actor"]["role"], "on-call");
    assert!(entry["data"]["on_call_at"].as_str().is_some_and(|at| at.starts_with("2026-11-23T19:")), "{entry}");
    // The shift ends; what was said in it stays said, and nothing new can be said in it.
    story.advances(3_700);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    is_sound(&story);
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.reacts("lin", &card, "white_check_mark");
    assert!(
        story.whispered_to("lin").contains("asks for on-call. @noor can approve now"),
        "{}",
        story.whispered_to("lin")
    );
    // A rota that cannot be read makes nobody on call, and says so.
    std::fs::remove_file(&rota).unwrap();
    story.reacts("noor", &card, "white_check_mark");
    let said = story.whispered_to("noor");
    assert!(said.contains("whether you are on call now could not be told: rota"), "{said}");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.unreacts("noor", &card, "white_check_mark");
    std::fs::write(&rota, shifts).unwrap();
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    is_sound(&story);
}

#[test]
fn an_override_by_whoever_is_on_call_holds_after_the_hand_over() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let shift =
        "{\"person\":\"lin@example.org\",\"start\":\"2026-11-23T10:00:00Z\",\"end\":\"2026-11-24T04:30:00Z\"}\n";
    std::fs::write(folder.path().join("on-call.jsonl"), shift).unwrap();
    let more = "[[source]]\nkind = \"jsonl\"\nname = \"rota\"\non-call = \"on-call.jsonl\"\n[policy]\nscore-step = 100\n\
        [[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 1 }]\n\
        [[policy.override]]\ncodes = [\"timing.window\"]\nroles = [\"on-call\"]\n";
    let mut story = Story::begin_in(folder, &(settings() + more), "2026-11-23T20:00:00-08:00");
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "outside-window");
    story.says("noor", "/deploy override shop-1 timing.window --why \"it burns\"");
    assert!(story.whispered_to("noor").contains("is overridden by on-call"), "{}", story.whispered_to("noor"));
    story.says("lin", "/deploy override shop-1 timing.window --why \"it burns\"");
    assert_eq!(
        story.verdict("shop-1"),
        (
            "not-started".to_owned(),
            vec!["plan.not-started".to_owned(), "plan.unconfirmed".to_owned(), "overridden".to_owned()]
        )
    );
    story.advances(3_600);
    assert_eq!(story.verdict("shop-1").0, "not-started", "the shift is over, the override is not");
    is_sound(&story);
}

#[test]
fn one_owner_of_each_file_that_changes_must_have_seen_it() {
    let runtime = Runtime::new().unwrap();
    let server = hub(&runtime, "harbor/shelves", &["grace-v"]);
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code.git");
    repository(&code);
    let at = Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
    let next = CommitStory::new("Ada", "ada@example.org", at, "Stack twice as fast")
        .file("src/shelf/stack.rs", "// faster\n")
        .file("src/shelf/row.rs", "// the same\n")
        .file("docs/shelf.md", "Faster\n")
        .file("CODEOWNERS", "/src/shelf/ @Lin-H @harbor/shelves\n/docs/ @noor-n\n");
    add_commit(&code, "main", &next).unwrap();
    let more = "[[policy.approval]]\nbecause = \"owners know their code\"\nenvironment = \"production\"\nneeds = [{ role = \"code-owner\" }, { count = 1 }]\n";
    let mut story = Story::begin_in(folder, &told(HUB, &server.address, more), MONDAY_11);
    story.says("ada", &PLAN.replace("v1.1.0", "main"));
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    for part in [
        "1 of the owners of src/shelf/: Lin-H and harbor/shelves (owners know their code)",
        "1 of the owners of docs/shelf.md: noor-n (owners know their code)",
        "An owner's approval counts for all that they own",
        "@grace, @lin, @noor",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    story.reacts("noor", &card, "white_check_mark");
    assert!(story.texts().contains("@noor approved revision 1 as code-owner"), "{}", story.texts());
    let missing = story.gate("plan=shop-1")["needed"].to_string();
    assert!(missing.contains("1 of the owners of src/shelf/") && !missing.contains("docs/"), "{missing}");
    // Grace owns it by her team; her word for it stands and falls with the team.
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert_eq!(given(&story)[1]["actor"]["role"], "code-owner");
    server.shared().world.teams.insert("harbor/shelves".to_owned(), members(&[]));
    story.advances(90);
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    is_sound(&story);
    server.is_content();
}

#[test]
fn where_nobody_owns_what_changes_somebody_approves_all_the_same() {
    let more = "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ role = \"code-owner\" }]\n";
    let mut story = Story::begin(&(settings() + more));
    story.says("ada", PLAN);
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("the repository names no code owners, so anyone"), "{text}");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn a_rule_that_names_somebody_waits_for_that_person() {
    let more = "[[policy.approval]]\nbecause = \"Lin wrote the runbook\"\nenvironment = \"production\"\nneeds = [{ person = \"lin\" }, { count = 2 }]\n";
    let mut story = Story::begin(&(settings() + more));
    story.says("ada", PLAN);
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("1: lin (Lin wrote the runbook)") && text.contains("Needed: 2 approvals"), "{text}");
    story.reacts("noor", &card, "white_check_mark");
    assert!(story.texts().contains("1 of 2; still missing: 1: lin."), "{}", story.texts());
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting", "nobody else is Lin");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    is_sound(&story);
}
