//! The second step by a fresh sign-in: the whole way at a real OpenID provider, and providers that answer what they must
//! not.

use serde_json::{Value, json};

use crate::harness::openid::{Browser, HOME, Pretend, Real, section};
use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn with(issuer: &str) -> String {
    let category = "[policy.category.till]\nsays = \"the till\"\npaths = [\"src/**\"]\nsecond-step = \"sign-in\"\n";
    format!("{}{category}{}", settings(), section(issuer))
}

/// A plan of Ada's on whose card Lin reacted, the card, and the link that she was sent.
fn asked(settings: &str, at: &str) -> (Story, String, String) {
    let mut story = Story::begin_at(settings, at);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let link = link(&story);
    (story, card, link)
}

/// The link in the newest private message about a step; on every platform the same.
fn link(story: &Story) -> String {
    let body = story.word_in_database("select body from message where key like 'step:%' order by key desc limit 1");
    let body: Value = serde_json::from_str(&body).unwrap();
    let spans = body["blocks"].as_array().unwrap().iter().flat_map(|b| b["spans"].as_array().into_iter().flatten());
    let link = spans.filter_map(|span| span["link"].as_str()).next();
    link.unwrap_or_else(|| panic!("no link in {body}")).to_owned()
}

fn given(story: &Story) -> Option<Value> {
    story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "word.given")
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

/// What Tidegate's clock shows, in seconds.
fn seconds(story: &Story) -> i64 {
    let now = story.get("/console/api/settled")["now"].as_str().unwrap().to_owned();
    tidegate::clock::Time::parse_rfc3339(&now).unwrap().ms() / 1_000
}

#[test]
fn a_real_provider_signs_the_giver_in_and_the_approval_counts() {
    let Some(provider) = Real::start() else { return };
    // The provider goes by the machine's clock.
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let (mut story, card, link) = asked(&with(&provider.issuer), &now);
    assert_eq!(story.plan("shop-1")["unconfirmed"][0]["how"], "sign-in");
    assert!(link.starts_with(&format!("{HOME}/confirm/")), "{link}");
    // Somebody else who signs in confirms nothing, and the record has it.
    let mut noors = Browser::default();
    let began = noors.opens(&story, &link).leads_to.unwrap();
    assert!(began.contains("prompt=login") && began.contains("max_age=0"), "{began}");
    let back = noors.signs_in(&story, &provider, &began, "noor");
    let page = noors.opens(&story, &back);
    assert!(page.status == 403 && page.text.contains("Only lin confirms"), "{} {}", page.status, page.text);
    let refused = story.ledger("shop-1").into_iter().rfind(|entry| entry["kind"] == "word.refused").unwrap();
    assert_eq!(
        (&refused["data"]["because"], &refused["data"]["signed_in"]),
        (&json!("sign-in.person"), &json!("noor"))
    );
    // She herself.
    let mut browser = Browser::default();
    let began = browser.opens(&story, &link).leads_to.unwrap();
    let back = browser.signs_in(&story, &provider, &began, "lin");
    let page = browser.opens(&story, &back);
    assert_eq!(page.status, 200, "{}", page.text);
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    for part in ["shop", "v1.1.0", "production", "redeploy v1.0.0", &commit] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(given(&story).is_none(), "signing in alone approves nothing");
    let fields = [("step", page.field("step")), ("proof", page.field("proof"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // Another browser has nothing to confirm with.
    let page = noors.posts(&story, &format!("{HOME}/confirm/approve"), &fields);
    assert_eq!(page.status, 403, "{}", page.text);
    assert!(given(&story).is_none());
    let page = browser.posts(&story, &format!("{HOME}/confirm/approve"), &fields);
    assert!(page.status == 200 && page.text.contains("counts"), "{} {}", page.status, page.text);
    story.settle();
    let word = given(&story).unwrap();
    assert_eq!((&word["data"]["confirmed"], &word["data"]["issuer"]), (&json!("sign-in"), &json!(provider.issuer)));
    assert_eq!((&word["actor"]["person"], &word["actor"]["role"]), (&json!("lin"), &json!("lead")));
    assert!(word["data"]["subject"].as_str().unwrap().starts_with("sha256:") && word["data"]["auth_time"].is_i64());
    assert_eq!(story.plan("shop-1")["approvals"]["given"][0]["confirmed"], "sign-in");
    assert!(story.texts().contains("confirmed by signing in"), "{}", story.texts());
    is_sound(&story);
    // Neither the link nor the page nor the code does anything twice.
    for page in [browser.opens(&story, &link), browser.opens(&story, &back)] {
        assert!((400..500).contains(&page.status), "{} {}", page.status, page.text);
    }
    assert_ne!(browser.posts(&story, &format!("{HOME}/confirm/approve"), &fields).status, 200);
    let words = story.ledger("shop-1").iter().filter(|entry| entry["kind"] == "word.given").count();
    assert_eq!(words, 1);
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["approvals"]["given"], json!([]));
    is_sound(&story);
}

#[test]
fn a_word_that_is_not_for_this_sign_in_by_this_person_now_confirms_nothing() {
    let provider = Pretend::start();
    let (story, _, link) = asked(&with(&provider.issuer), MONDAY_11);
    let now = seconds(&story);
    // One answer of the provider, from the link to the page that comes of it.
    let answered = |claims: Value, header: Option<Value>, forged: bool| {
        {
            let mut answers = provider.answers();
            (answers.claims, answers.header, answers.forged, answers.now) = (claims, header, forged, seconds(&story));
        }
        let mut browser = Browser::default();
        let began = browser.opens(&story, &link);
        let back = provider.signs_in(&began.leads_to.unwrap_or_else(|| panic!("{} {}", began.status, began.text)));
        let page = browser.opens(&story, &back);
        assert!(!page.text.contains("name=\"proof\"") || page.status == 200, "{}", page.text);
        (page, browser, back)
    };
    let far = now - 3_600;
    for (claims, says) in [
        (json!({ "nonce": "another" }), "for another sign-in"),
        (json!({ "nonce": null }), "for another sign-in"),
        (json!({ "aud": "somebody-else" }), "not made for Tidegate"),
        (json!({ "aud": ["tidegate", "another"] }), "not made for Tidegate"),
        (json!({ "aud": ["tidegate", "another"], "azp": "another" }), "not made for Tidegate"),
        (json!({ "iss": "https://evil.example" }), "from another issuer"),
        (json!({ "auth_time": now - 600 }), "too long ago"),
        (json!({ "auth_time": null }), "does not say when you signed in"),
        (json!({ "auth_time": now + 3_600 }), "a time to come"),
        (json!({ "exp": far }), "has run out"),
        (json!({ "iat": now + 3_600 }), "a time to come"),
        (json!({ "email": "noor@example.org" }), "Only lin confirms"),
        (json!({ "email": "nobody@example.org" }), "Only lin confirms"),
        (json!({ "email_verified": false }), "does not vouch"),
        (json!({ "email_verified": null }), "does not vouch"),
        (json!({ "email": null }), "does not say who you are"),
        (json!({ "exp": "soon" }), "does not read"),
    ] {
        let (page, ..) = answered(claims.clone(), None, false);
        assert!(page.status == 403 && page.text.contains(says), "{claims}: {} {}", page.status, page.text);
    }
    for header in [json!({ "alg": "none" }), json!({ "alg": "HS256" }), json!({ "alg": "ES256", "crit": ["b64"] })] {
        let (page, ..) = answered(json!({}), Some(header.clone()), false);
        assert!(page.status == 403 && page.text.contains("not signed in a way"), "{header}: {}", page.text);
    }
    let (page, ..) = answered(json!({}), Some(json!({ "alg": "ES256", "kid": "first" })), false);
    assert!(page.status == 403 && page.text.contains("does not bear its signature"), "{}", page.text);
    let (page, ..) = answered(json!({}), None, true);
    assert!(page.status == 403 && page.text.contains("does not bear its signature"), "{}", page.text);
    assert!(given(&story).is_none());
    assert_eq!(story.plan("shop-1")["state"], "advised");
    // A key that was changed is looked for; then everything is as it must be.
    provider.rotates();
    let (page, mut browser, back) = answered(json!({}), None, false);
    assert_eq!(page.status, 200, "{}", page.text);
    let fields = [("step", page.field("step")), ("proof", page.field("proof"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // The same code once more, and the same link: both are used.
    let again = browser.opens(&story, &back);
    assert!(again.status == 409 && again.text.contains("used already"), "{} {}", again.status, again.text);
    let again = Browser::default().opens(&story, &link);
    assert!(again.status == 409 && again.text.contains("used already"), "{} {}", again.status, again.text);
    // A form that was made up, and a page of another browser.
    let made_up = [fields[0], ("proof", "made-up")];
    assert_eq!(browser.posts(&story, &format!("{HOME}/confirm/approve"), &made_up).status, 403);
    assert_eq!(Browser::default().posts(&story, &format!("{HOME}/confirm/approve"), &fields).status, 400);
    assert!(given(&story).is_none());
    let page = browser.posts(&story, &format!("{HOME}/confirm/approve"), &fields);
    assert!(page.status == 200 && page.text.contains("counts"), "{} {}", page.status, page.text);
    let word = given(&story).unwrap();
    assert_eq!((&word["data"]["acr"], &word["data"]["amr"]), (&json!("urn:story:2"), &json!(["pwd", "otp"])));
    assert_eq!(provider.answers().complaints, [""; 0]);
    story.settle();
    is_sound(&story);
}

#[test]
fn a_link_is_for_one_reaction_on_one_brief_in_one_browser() {
    let provider = Pretend::start();
    let (mut story, card, first) = asked(&with(&provider.issuer), MONDAY_11);
    provider.answers().now = seconds(&story);
    assert_eq!(Browser::default().opens(&story, &format!("{HOME}/confirm/guessed")).status, 404);
    // Begun in one browser, it does not end in another; nor does a state that was made up.
    let mut browser = Browser::default();
    let began = browser.opens(&story, &first).leads_to.unwrap();
    let back = provider.signs_in(&began);
    let page = Browser::default().opens(&story, &back);
    assert!(page.status == 400 && page.text.contains("did not begin in this browser"), "{}", page.text);
    let page = browser.opens(&story, &back.replace("state=", "state=x"));
    assert_eq!(page.status, 400, "{}", page.text);
    let page = browser.opens(&story, &back.replace("iss=http", "iss=https"));
    assert!(page.status == 403 && page.text.contains("not from the provider that was asked"), "{}", page.text);
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let denied = format!("{HOME}/confirm/return?state={state}&error=access_denied");
    let page = browser.opens(&story, &denied);
    assert!(page.status == 403 && page.text.contains("access_denied"), "{} {}", page.status, page.text);
    // The reaction is gone, and with it the link; the next one has its own.
    story.unreacts("lin", &card, "white_check_mark");
    let page = browser.opens(&story, &first);
    assert!(page.status == 409 && page.text.contains("took your reaction"), "{}", page.text);
    story.reacts("lin", &card, "white_check_mark");
    let second = link(&story);
    assert_ne!(first, second);
    // Signed in, and the brief changes before the page is sent.
    let began = browser.opens(&story, &second).leads_to.unwrap();
    let page = browser.opens(&story, &provider.signs_in(&began));
    assert_eq!(page.status, 200, "{}", page.text);
    let fields = [("step", page.field("step")), ("proof", page.field("proof"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    let page = browser.posts(&story, &format!("{HOME}/confirm/approve"), &fields);
    assert!(page.status == 409 && page.text.contains("changed meanwhile"), "{} {}", page.status, page.text);
    // Signed in, and then nothing for too long.
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let third = link(&story);
    let began = browser.opens(&story, &third).leads_to.unwrap();
    provider.answers().now = seconds(&story);
    let page = browser.opens(&story, &provider.signs_in(&began));
    let fields = [("step", page.field("step")), ("proof", page.field("proof"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    story.advances(6 * 60);
    let page = browser.posts(&story, &format!("{HOME}/confirm/approve"), &fields);
    assert!(page.status == 409 && page.text.contains("too long ago"), "{} {}", page.status, page.text);
    story.advances(31 * 60);
    let page = browser.opens(&story, &third);
    assert!(page.status == 409 && page.text.contains("is over"), "{} {}", page.status, page.text);
    assert!(given(&story).is_none());
    is_sound(&story);
}

#[test]
fn a_claim_of_ones_own_choice_names_the_person() {
    let provider = Pretend::start();
    let by_subject = with(&provider.issuer)
        .replace("client-id = \"tidegate\"\n", "client-id = \"tidegate\"\nclaim = \"sub\"\n")
        .replace("email = [\"lin@example.org\"]\n", "email = [\"lin@example.org\"]\nsign-in = [\"subject-of-lin\"]\n");
    let (story, _, link) = asked(&by_subject, MONDAY_11);
    let mut browser = Browser::default();
    for (subject, status) in [("subject-of-noor", 403), ("subject-of-lin", 200)] {
        {
            let mut answers = provider.answers();
            (answers.now, answers.subject) = (seconds(&story), subject.to_owned());
        }
        let began = browser.opens(&story, &link).leads_to.unwrap();
        let page = browser.opens(&story, &provider.signs_in(&began));
        assert_eq!(page.status, status, "{subject}: {}", page.text);
    }
    story.settle();
}

#[test]
fn a_provider_that_is_away_or_another_is_one_clear_sentence() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut story, _, link) = asked(&with(&format!("http://{gone}")), MONDAY_11);
    let page = Browser::default().opens(&story, &link);
    assert!(page.status == 502 && page.text.contains("could not be reached"), "{} {}", page.status, page.text);
    let (code, said, _) = story.runs_with(&["check"], &[], "");
    assert!(code == 1 && said.contains(&format!("wrong  sign-in at http://{gone}: it could not be reached")), "{said}");
    let provider = Pretend::start();
    let other = format!("{}/", provider.issuer);
    story.changes_settings(&format!("issuer = \"http://{gone}\""), &format!("issuer = \"{other}\""));
    let page = Browser::default().opens(&story, &link);
    assert!(page.status == 502 && page.text.contains("it calls itself"), "{} {}", page.status, page.text);
    story.changes_settings(&format!("issuer = \"{other}\""), &format!("issuer = \"{}\"", provider.issuer));
    let (_, said, _) = story.runs_with(&["check"], &[], "");
    assert!(said.contains(&format!("on     sign-in at {}: it answers, with 1 key", provider.issuer)), "{said}");
}
