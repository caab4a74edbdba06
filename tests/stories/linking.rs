//! One person with accounts on several platforms: linked by a one-time code, known by an address, never by a name.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::discord::{self, Discord, world as guild};
use crate::harness::slack::world::TEAM;
use crate::harness::slack::{self, Slack};
use crate::harness::stage::Console;
use crate::harness::{MONDAY_11, Story, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// A team on Slack, whose server on Discord knows nobody yet; `more` stands behind the workspace's settings.
fn on_both(settings: &str, more: &str) -> (Story, Arc<Slack>, Arc<Discord>) {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let server = discord::Play::open().discord;
    let chat = format!(
        "{more}\n[chat.discord]\napi = \"{}\"\ntoken = {{ value = \"{}\" }}\n[[chat.discord.guild]]\nid = \"{}\"\nchannel = \"{}\"\n",
        server.api,
        discord::TOKEN,
        guild::GUILD,
        guild::HOME
    );
    let play = slack::Play::open().and(&chat);
    let slack = play.slack.clone();
    let story = Story::begin_on(Box::new(play), folder, settings, MONDAY_11);
    server.is_joined();
    (story, slack, server)
}

/// What Discord's server told one of its people alone, last.
fn told(discord: &Discord, user: &str) -> String {
    let last = discord.shared.world().said().into_iter().rfind(|message| message["for"] == user);
    last.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

fn types(story: &Story, discord: &Discord, user: &str, text: &str) -> String {
    discord.command(user, text);
    story.settle();
    told(discord, user)
}

/// The code in a private answer.
fn code_in(said: &str) -> String {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut codes = words.filter(|word| word.len() == 14 && word.matches('-').count() == 2);
    codes.next().unwrap_or_else(|| panic!("no code: {said}")).to_owned()
}

/// A code for somebody on Slack.
fn code(story: &mut Story, user: &str) -> String {
    story.says(user, "/deploy link");
    code_in(&story.whispered_to(user))
}

/// The entries of one kind, in order.
fn entries(story: &Story, kind: &str) -> Vec<Value> {
    let all = story.get("/api/ledger?from=1&most=1000");
    let all = all["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind);
    all.map(|entry| serde_json::from_str(entry["bytes"].as_str().unwrap()).unwrap()).collect()
}

fn refusals(story: &Story) -> Vec<String> {
    let because = |entry: &Value| entry["data"]["because"].as_str().unwrap().to_owned();
    entries(story, "identity.refused").iter().map(because).collect()
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

fn account(user: &str) -> String {
    format!("discord/{}", guild::id_of(user))
}

#[test]
fn a_code_from_one_platform_makes_an_account_on_another_the_same_persons() {
    let (mut story, _slack, discord) = on_both(&settings(), "");
    let before = types(&story, &discord, "hopper", "/deploy status");
    assert!(before.contains("I do not know you") && before.contains("link gives a code"), "{before}");
    let code = code(&mut story, "grace");
    assert!(!story.texts().contains(&code), "the code is for her alone");
    let said = types(&story, &discord, "hopper", &format!("/deploy link {code}"));
    assert!(said.contains("This account is now") && said.contains("link unlink"), "{said}");
    // She hears of it where she was known, with how to undo it.
    let notice = story.whispered_to("grace");
    assert!(notice.contains(&account("hopper")) && notice.contains("was linked to you"), "{notice}");
    assert!(notice.contains(&format!("/deploy link unlink {}", account("hopper"))), "{notice}");
    let linked = entries(&story, "identity.linked");
    assert_eq!(linked.len(), 1);
    assert_eq!((&linked[0]["actor"]["person"], &linked[0]["data"]["known_by"]), (&json!("grace"), &json!("code")));
    assert_eq!(linked[0]["data"]["asked_with"], format!("slack/{TEAM}/U0GRACE"));
    assert!(
        !linked[0].to_string().contains(&code) && !entries(&story, "identity.asked")[0].to_string().contains(&code)
    );
    // Nothing that is kept holds the code, once it was told.
    let secret = code.rsplit_once('-').unwrap().1;
    for table in ["work where kind = 'send' and body", "message where body"] {
        let found = story.number(&format!("select count(*) from {table} like '%{secret}%'"));
        assert_eq!(found, 0, "{table}");
    }

    // What the account does is hers; `why` says by what she was known.
    types(&story, &discord, "hopper", PLAN);
    assert_eq!(story.plan("shop-1")["plan"]["by"], "grace");
    let made = story.ledger("shop-1");
    assert_eq!((&made[0]["data"]["known_by"], &made[0]["data"]["known_entry"]), (&json!("code"), &linked[0]["seq"]));
    story.says("lin", "/deploy why shop-1");
    let why = story.whispered_to("lin");
    let known = format!("grace: discord {} by a code since 23 November 2026", guild::id_of("hopper"));
    assert!(why.contains(&known), "{why}");
    let (code_of, out, err) = story.runs_with(&["audit", "show", "--plan", "shop-1"], &[], "");
    assert!(code_of == 0 && out.contains(&known), "{out}{err}");
    let page = story.get("/audit/plans/shop-1").to_string();
    assert!(page.contains(&known), "{page}");

    // The operator sees who is who; settings that are read anew and a restart keep it.
    let (code_of, out, err) = story.runs_with(&["people"], &[], "");
    assert_eq!(code_of, 0, "{err}");
    assert!(out.contains(&format!("slack/{TEAM}/U0GRACE by the settings")), "{out}");
    assert!(out.contains(&format!("{} by a code since 23 November 2026", account("hopper"))), "{out}");
    story.changes_settings("name = \"Story\"", "name = \"Another\"");
    assert!(types(&story, &discord, "hopper", "/deploy status").contains("shop-1"));
    assert!(story.stop(), "{}", story.log());
    story.start("2026-11-23T11:30:00-08:00");
    discord.is_joined();
    assert!(types(&story, &discord, "hopper", "/deploy status").contains("shop-1"));
    is_sound(&story);

    story.says("grace", &format!("/deploy link unlink {}", account("hopper")));
    assert!(told(&discord, "hopper").contains("no longer linked to grace"), "{}", told(&discord, "hopper"));
    assert!(types(&story, &discord, "hopper", "/deploy status").contains("I do not know you"));
    assert_eq!(entries(&story, "identity.ended")[0]["data"]["because"], "unlinked");
    let (_, out, _) = story.runs_with(&["people", "--json"], &[], "");
    assert!(!out.contains(&account("hopper")), "{out}");
    is_sound(&story);
}

#[test]
fn a_code_that_does_not_hold_is_refused_in_one_sentence_and_recorded() {
    let (mut story, slack, discord) = on_both(&settings(), "");
    let refused = |story: &Story, user: &str, typed: &str, says: &str, because: &str| {
        let said = types(story, &discord, user, &format!("/deploy link {typed}"));
        assert!(said.contains(says), "{user} {typed}: {said}");
        assert_eq!(refusals(story).last().map(String::as_str), Some(because), "{said}");
    };
    refused(&story, "eve", "hello", "no code of mine", "wrong");
    let first = code(&mut story, "grace");
    let second = code(&mut story, "grace");
    refused(&story, "eve", &first, "replaced by a newer one", "replaced");
    story.advances(10 * 60);
    refused(&story, "eve", &second, "has expired", "expired");
    // Bots and guests have nobody's word.
    let third = code(&mut story, "grace");
    {
        let mut world = discord.shared.world();
        for (name, bot) in [("robot", true), ("newcomer", false)] {
            let id = world.user(name);
            let user = world.users.get_mut(&id).unwrap();
            (user.bot, user.pending) = (bot, !bot);
        }
    }
    refused(&story, "newcomer", &third, "a guest here", "guest");
    refused(&story, "robot", &third, "A bot is nobody's account", "bot");
    // Where it was asked for, and whose account is somebody's already.
    slack.command("eve", &format!("/deploy link {third}"));
    story.settle();
    assert!(story.whispered_to("eve").contains("That code was asked for here"), "{}", story.whispered_to("eve"));
    story.says("lin", &format!("/deploy link {third}"));
    assert!(story.whispered_to("lin").contains("This account is lin's already"), "{}", story.whispered_to("lin"));
    story.says("grace", &format!("/deploy link {third}"));
    assert!(story.whispered_to("grace").contains("This account is grace's already"), "{}", story.whispered_to("grace"));
    assert_eq!(refusals(&story)[5..], ["same_place", "known", "known"]);
    assert!(types(&story, &discord, "hopper", &format!("/deploy link {}", third.to_lowercase())).contains("now"));
    refused(&story, "eve", &third, "used already", "used");
    // By a code one is known, and asks for no other.
    let said = types(&story, &discord, "hopper", "/deploy link");
    assert!(said.contains("known by a code itself"), "{said}");
    assert!(types(&story, &discord, "eve", "/deploy link").contains("I do not know this account"));
    let at_console = json!({ "user": "mallory", "channel": "deploys", "text": format!("/deploy link {third}") });
    story.post("/console/api/command", &at_console);
    story.settle();
    assert_eq!(refusals(&story).last().map(String::as_str), Some("platform"));
    assert_eq!(entries(&story, "identity.linked").len(), 1);
    is_sound(&story);
}

#[test]
fn whoever_guesses_is_slowed_and_a_code_survives_few_guesses() {
    let (mut story, _slack, discord) = on_both(&settings(), "");
    let right = code(&mut story, "grace");
    let guess = format!("{}-2222-2222", &right[..4]);
    for _ in 0..5 {
        assert!(types(&story, &discord, "eve", &format!("/deploy link {guess}")).contains("no code of mine"));
    }
    let said = types(&story, &discord, "eve", &format!("/deploy link {right}"));
    assert!(said.contains("Too many codes from this account"), "{said}");
    assert_eq!(refusals(&story).last().map(String::as_str), Some("too_many"));
    // Going on fills no record.
    let so_far = refusals(&story).len();
    types(&story, &discord, "eve", "/deploy link 2222-2222-2222");
    assert_eq!(refusals(&story).len(), so_far);
    // Five wrong ones in its place, and the code is good for nobody.
    let said = types(&story, &discord, "hopper", &format!("/deploy link {right}"));
    assert!(said.contains("too many wrong ones"), "{said}");
    story.advances(15 * 60);
    let fresh = code(&mut story, "grace");
    assert!(types(&story, &discord, "eve", &format!("/deploy link {fresh}")).contains("This account is now"));
}

#[test]
fn of_two_accounts_that_use_one_code_at_once_one_wins() {
    let (mut story, _slack, discord) = on_both(&settings(), "");
    let code = code(&mut story, "grace");
    std::thread::scope(|scope| {
        for user in ["hopper", "eve", "mallory"] {
            let (discord, code) = (discord.clone(), code.clone());
            scope.spawn(move || discord.command(user, &format!("/deploy link {code}")));
        }
    });
    story.settle();
    assert_eq!(entries(&story, "identity.linked").len(), 1);
    assert_eq!(refusals(&story), ["used", "used"]);
    assert_eq!(story.number("select count(*) from identity_link where ended_at is null"), 1);
    is_sound(&story);
}

/// Two approvals are asked for.
fn two() -> String {
    settings() + "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 2 }]\n"
}

/// What the console told somebody alone, last.
fn at_the_console(story: &Story, user: &str) -> String {
    use crate::harness::stage::Stage;
    let last = Console.messages(story).into_iter().rfind(|message| message["for"] == user);
    last.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

/// A second account on Slack is linked to somebody by a code from the console.
fn second_account(story: &mut Story, person: &str, user: &str) {
    story.post("/console/api/command", &json!({ "user": person, "channel": "deploys", "text": "/deploy link" }));
    story.settle();
    let code = code_in(&at_the_console(story, person));
    story.says(user, &format!("/deploy link {code}"));
    let said = story.whispered_to(user);
    assert!(said.contains("This account is now"), "{said}");
    assert!(at_the_console(story, person).contains("was linked to you"), "{}", at_the_console(story, person));
}

#[test]
fn a_person_with_two_accounts_approves_from_both_and_counts_once() {
    let (mut story, ..) = on_both(&two(), "");
    second_account(&mut story, "lin", "linus");
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("linus", &card, "white_check_mark");
    assert!(story.texts().contains("1 of 2; still missing"), "{}", story.texts());
    assert!(!story.texts().contains("2 of 2: approved"), "{}", story.texts());
    assert_eq!(story.plan("shop-1")["approvals"]["given"].as_array().unwrap().len(), 1);
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    is_sound(&story);
}

#[test]
fn what_was_said_with_an_account_that_is_unlinked_counts_no_more() {
    let (mut story, ..) = on_both(&two(), "");
    second_account(&mut story, "lin", "linus");
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("linus", &card, "white_check_mark");
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    let given = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "word.given").unwrap();
    assert_eq!((&given["actor"]["person"], &given["data"]["known_by"]), (&json!("lin"), &json!("code")));
    let account = format!("slack/{TEAM}/U0LINUS");
    let arguments = ["people", "unlink", &account, "--by", "noor", "--why", "the session was stolen"];
    let (code, out, err) = story.runs_with(&arguments, &[], "");
    assert_eq!(code, 0, "{out}{err}");
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "advised", "{}", story.texts());
    assert!(story.texts().contains("no longer counts: the account is not theirs any more"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "waiting");
    let ended = &entries(&story, "identity.ended")[0];
    assert_eq!((&ended["actor"]["person"], &ended["data"]["because"]), (&json!("noor"), &json!("operator")));
    // The mark that it left is a stranger's.
    story.reacts("linus", &card, "raised_hand");
    assert_eq!(story.refused("shop-1").last(), Some(&("linus".to_owned(), "stranger".to_owned())));
    is_sound(&story);
    // Her own account is who it was.
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    let (code, _, err) = story.runs_with(&arguments, &[], "");
    assert!(code == 2 && err.contains("No link of"), "{code} {err}");
}

#[test]
fn an_override_given_with_an_account_that_is_unlinked_is_over() {
    let (mut story, ..) = on_both(&settings(), "");
    second_account(&mut story, "grace", "gracie");
    story.advances(7 * 3_600);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "outside-window");
    story.says("gracie", "/deploy override shop-1 timing.window --why \"the till is down\"");
    assert_eq!(story.verdict("shop-1").0, "not-started", "{}", story.whispered_to("gracie"));
    story.says("grace", "/deploy link unlink");
    assert_eq!(story.verdict("shop-1").0, "outside-window");
    assert!(story.texts().contains("which is not grace's account any more"), "{}", story.texts());
    is_sound(&story);
}

#[test]
fn whoever_calls_himself_as_somebody_else_counts_for_nothing() {
    let (mut story, slack, discord) = on_both(&settings(), "");
    story.says("ada", PLAN);
    let card = story.card();
    // "lin" as she is called, with letters that only look like hers, with what cannot be seen, and as she is mentioned.
    for (user, shown) in [("mallory", "lin"), ("eve", "l\u{456}n"), ("trudy", "lin\u{200b}"), ("oscar", "@lin")] {
        {
            let mut world = slack.shared.world();
            let id = world.user(user);
            let known = world.users.get_mut(&id).unwrap();
            (known.shown, known.email) = (Some(shown.to_owned()), Some("lin@example.org".to_owned()));
            let mut world = discord.shared.world();
            let id = world.user(user);
            world.users.get_mut(&id).unwrap().shown = Some(shown.to_owned());
        }
        story.reacts(user, &card, "white_check_mark");
        assert_eq!(story.refused("shop-1").last(), Some(&(user.to_owned(), "stranger".to_owned())));
        let said = types(&story, &discord, user, "/deploy start shop-1");
        assert!(said.contains("I do not know you"), "{said}");
        story.says(user, "/deploy cancel shop-1");
        assert!(story.whispered_to(user).contains("I do not know you"), "{}", story.whispered_to(user));
    }
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert_eq!(story.plan("shop-1")["approvals"]["given"], json!([]));
    assert_eq!(entries(&story, "identity.linked"), Vec::<Value>::new());
}

#[test]
fn the_settings_win_over_a_link_and_nobody_inherits_one() {
    let (mut story, _slack, discord) = on_both(&(settings() + "[people.kim]\n"), "");
    let code_of_grace = code(&mut story, "grace");
    types(&story, &discord, "hopper", &format!("/deploy link {code_of_grace}"));
    let code_of_kim = code(&mut story, "kim");
    types(&story, &discord, "kimono", &format!("/deploy link {code_of_kim}"));
    assert_eq!(entries(&story, "identity.linked").len(), 2);
    // The account is Lin's, say the settings.
    let discord_of_lin = format!("[people.lin]\ndiscord = [\"{}\"]", guild::id_of("hopper"));
    story.changes_settings("[people.lin]", &discord_of_lin);
    // Kim leaves.
    let kim = format!("[people.kim]\nslack = [\"{TEAM}/U0KIM\"]\n");
    story.changes_settings(&kim, "");
    let because: Vec<Value> =
        entries(&story, "identity.ended").iter().map(|entry| entry["data"]["because"].clone()).collect();
    assert_eq!(because, ["settings", "person"]);
    types(&story, &discord, "hopper", PLAN);
    assert_eq!(story.plan("shop-1")["plan"]["by"], "lin");
    // Another Kim comes, and Lin's account is taken out of the settings: neither link is back.
    story.changes_settings(&discord_of_lin, &format!("{kim}[people.lin]"));
    for user in ["hopper", "kimono"] {
        assert!(types(&story, &discord, user, "/deploy status").contains("I do not know you"), "{user}");
    }
    is_sound(&story);
}

/// Kim has an address and no account in the settings; addresses of example.org count.
const BY_ADDRESS: &str = "email-domains = [\"example.org\"]\n\n[people.kim]\nemail = [\"kim@example.org\"]\nroles = [\"lead\"]\n\
     [people.kay]\nemail = [\"shared@example.org\"]\n[people.kit]\nemail = [\"shared@example.org\"]\n";

fn has(slack: &Slack, user: &str, email: &str, confirmed: bool) {
    let mut world = slack.shared.world();
    let id = world.user(user);
    let known = world.users.get_mut(&id).unwrap();
    (known.email, known.confirmed) = (Some(email.to_owned()), confirmed);
}

#[test]
fn a_confirmed_address_that_one_person_has_makes_a_member_that_person() {
    let (mut story, slack, _discord) = on_both(&settings(), BY_ADDRESS);
    story.says("ada", PLAN);
    let card = story.card();
    for (user, email, confirmed) in [
        ("unproved", "kim@example.org", false),
        ("elsewhere", "kim@example.net", true),
        ("shared", "shared@example.org", true),
        // Lin has an account in the settings: another one with her address is one too many.
        ("double", "lin@example.org", true),
        ("external", "kim@example.org", true),
        ("visitor", "kim@example.org", true),
    ] {
        has(&slack, user, email, confirmed);
        {
            let mut world = slack.shared.world();
            let id = world.user(user);
            let known = world.users.get_mut(&id).unwrap();
            (known.stranger, known.guest) = (user == "external", user == "visitor");
        }
        story.reacts(user, &card, "white_check_mark");
        assert_eq!(story.refused("shop-1").last(), Some(&(user.to_owned(), "stranger".to_owned())), "{user}");
    }
    has(&slack, "kk", "Kim@example.org", true);
    story.reacts("kk", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["approvals"]["given"][0]["by"], "kim", "{}", story.log());
    let linked = &entries(&story, "identity.linked")[0];
    assert_eq!((&linked["actor"]["person"], &linked["data"]["known_by"]), (&json!("kim"), &json!("email")));
    assert!(!linked.to_string().contains("kim@example.org"), "an address stands beside the record, to be erased");
    story.says("lin", "/deploy why shop-1");
    let why = story.whispered_to("lin");
    let known = format!("kim: slack {TEAM}/U0KK by a confirmed address since 23 November 2026");
    assert!(why.contains(&known), "{why}");
    is_sound(&story);

    // The address is no longer hers: she is nobody there, and what she said is taken back.
    has(&slack, "kk", "kim@example.net", true);
    story.advances(61);
    story.says("kk", PLAN);
    // The answer and the notice that the link is over come in either order.
    let heard: Vec<Value> = story.messages().into_iter().filter(|message| message["for"] == "kk").collect();
    for says in ["I do not know you", "no longer linked to kim"] {
        assert!(heard.iter().any(|message| message["text"].as_str().unwrap().contains(says)), "{heard:#?}");
    }
    assert_eq!(entries(&story, "identity.ended")[0]["data"]["because"], "email");
    assert_eq!(story.plan("shop-1")["approvals"]["given"], json!([]));
    // It is hers again; once she unlinks it, it does not come back by itself.
    has(&slack, "kk", "kim@example.org", true);
    story.advances(61);
    story.says("kk", "/deploy status");
    assert!(story.whispered_to("kk").contains("shop-1"), "{}", story.whispered_to("kk"));
    story.says("kk", "/deploy link unlink");
    story.advances(61);
    story.says("kk", "/deploy status");
    assert!(story.whispered_to("kk").contains("I do not know you"), "{}", story.whispered_to("kk"));
    is_sound(&story);
}

#[test]
fn an_address_is_not_looked_at_unless_the_settings_say_so() {
    let without = BY_ADDRESS.replace("email-domains = [\"example.org\"]\n", "");
    let (mut story, slack, _discord) = on_both(&settings(), &without);
    has(&slack, "kk", "kim@example.org", true);
    story.says("kk", "/deploy status");
    assert!(story.whispered_to("kk").contains("I do not know you"), "{}", story.whispered_to("kk"));
    assert_eq!(entries(&story, "identity.linked"), Vec::<Value>::new());
}

#[test]
fn a_link_or_a_code_written_into_the_database_is_found_or_not_believed() {
    let (mut story, _slack, discord) = on_both(&settings(), "");
    // A code whose hash the attacker made: no entry asked for it.
    let made = tidegate::people::code::Code::make().unwrap();
    let kept = made.keep().unwrap();
    let row = format!(
        "insert into identity_code (selector, id, person, platform, platform_user, salt, hash, made_at, until, entry)
         values ('{}', 'x', 'grace', 'console', 'grace', '{}', '{}', 0, 9000000000000, 1)",
        kept.selector, kept.salt, kept.hash
    );
    story.by_hand(&row).unwrap();
    story.expects_error("no entry of the record asked for");
    let said = types(&story, &discord, "eve", &format!("/deploy link {}", made.shown()));
    assert!(said.contains("no code of mine"), "{said}");
    let code = code(&mut story, "grace");
    types(&story, &discord, "hopper", &format!("/deploy link {code}"));
    is_sound(&story);
    for (statement, says) in [
        ("update identity_link set person = 'lin'", "The person of the link"),
        ("update identity_link set person = 'grace', platform_user = '42'", "The account of the link"),
        ("update identity_link set ended_at = 1, ended = 'unlinked', ended_entry = 1", "of the link"),
        ("delete from identity_link", "which the store lacks"),
        (
            "insert into identity_link (id, person, platform, platform_user, method, since, entry)
             values ('x', 'grace', 'discord', '7', 'code', 0, 1)",
            "which no entry did",
        ),
    ] {
        story.by_hand(statement).unwrap();
        let verdict = story.get("/api/ledger/verify");
        assert_eq!(verdict["first_bad"]["damage"], "projection", "{statement}: {verdict}");
        assert!(verdict.to_string().contains(says), "{statement}: {verdict}");
    }
}
