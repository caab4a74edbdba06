//! The console's page, in a real browser.

use fantoccini::key::Key;
use serde_json::json;

use crate::harness::browser::Browser;
use crate::harness::{MONDAY_11, Story, settings};
use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// The id of the newest message outside threads.
fn newest(browser: &Browser) -> String {
    browser.attribute("#channel-roll article:last-of-type", "data-message").unwrap()
}

/// Chooses who speaks, by the mouse.
fn speak_as(browser: &Browser, user: &str) {
    browser.clicks("#person");
    browser.clicks(&format!("dialog [data-user={user}]"));
    browser.sees(&format!("#person[data-user={user}]"));
}

#[test]
fn a_command_typed_in_the_composer_becomes_a_message_that_edits_itself() {
    let mut story = Story::begin(&settings());
    let page = Browser::at(&story, "channel=deploys&user=ada");
    page.types("#composer-text", PLAN);
    page.presses_key(Key::Enter);
    page.reads("#channel-roll article", "shop v1.1.0 → production");
    page.reads("#channel-roll article", "risk ");
    assert_eq!(
        page.js("return document.querySelector('#composer-text').value", vec![]),
        "",
        "the composer is empty again"
    );
    let message = newest(&page);
    // Whatever happens from here on happens to this page, without a reload.
    page.js("window.kept = true", vec![]);
    page.reads("#channel-roll article", "Approvals 0 of 1");
    story.settle();
    story.reacts("lin", &story.card(), "white_check_mark");
    page.reads(&format!("[data-message=\"{message}\"]"), "Approvals 1 of 1: approved");
    page.sees(&format!("[data-message=\"{message}\"] .edited"));
    assert_eq!(page.js("return window.kept", vec![]), true);
    assert_eq!(newest(&page), message, "one message per plan");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_plan_is_approved_and_unapproved_by_a_click_as_another_person() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let page = Browser::at(&story, "channel=deploys&user=ada");
    page.clicks(".thread-summary");
    page.reads("#thread article", "Evidence");
    speak_as(&page, "lin");
    let card = story.card();
    let check = format!("#thread [data-message=\"{card}\"] [data-reaction=white_check_mark]");
    assert_eq!(page.attribute(&check, "aria-pressed").as_deref(), Some("false"));
    page.clicks(&check);
    page.reads("#thread article", "@lin approved revision 1");
    page.reads("#channel-roll article", "Approvals 1 of 1: approved");
    page.sees(&format!("{check}[aria-pressed=true]"));
    page.clicks(&check);
    page.reads("#thread article", "@lin took the approval back");
    page.reads("#channel-roll article", "Approvals 0 of 1");
    page.sees(&format!("{check}[aria-pressed=false]"));
    story.settle();
    assert_eq!(story.plan("shop-1")["approvals"]["given"], json!([]));
}

#[test]
fn what_is_for_one_person_alone_is_seen_by_that_person_alone() {
    let story = Story::begin(&settings());
    let mut story = story;
    story.says("ada", PLAN);
    let root = story.main()["id"].as_str().unwrap().to_owned();
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}"));
    let card = story.card();
    page.clicks(&format!("#thread [data-message=\"{card}\"] [data-reaction=white_check_mark]"));
    page.reads("article.private", "Not counted, ada");
    page.reads("article.private", "Only you see this");
    let note = page.attribute("article.private", "data-message").unwrap();
    speak_as(&page, "grace");
    page.reads("#thread article", "Evidence");
    page.loses(&format!("[data-message=\"{note}\"]"));
    assert!(!page.texts("body")[0].contains("Not counted"));
    speak_as(&page, "ada");
    page.reads(&format!("[data-message=\"{note}\"]"), "Not counted, ada");
    page.clicks(&format!("[data-message=\"{note}\"] .only button"));
    page.loses(&format!("[data-message=\"{note}\"]"));
}

#[test]
fn a_form_asks_for_what_is_missing_and_says_what_is_wrong_beside_the_field() {
    let story = Story::begin(&settings());
    let page = Browser::at(&story, "channel=deploys&user=ada");
    page.types("#composer-text", "/deploy plan shop");
    page.presses_key(Key::Enter);
    let form = "form[data-form=plan]";
    page.sees(form);
    assert_eq!(
        page.js("return document.querySelector('form[data-form=plan] [name=service]').value", vec![]),
        "shop",
        "what was typed is kept"
    );
    page.types(&format!("{form} [data-field=when] input"), "next blue moon");
    page.types(&format!("{form} [data-field=why] textarea"), "PAY-7");
    page.clicks(&format!("{form} button[type=submit]"));
    page.reads(&format!("{form} [data-field=environment] .error"), "is needed");
    page.js(
        "const select = document.querySelector('form[data-form=plan] [name=environment]'); select.value = 'production'; select.dispatchEvent(new Event('input', { bubbles: true }))",
        vec![],
    );
    page.types(&format!("{form} [data-field=version] input"), "v1.1.0");
    page.clicks(&format!("{form} button[type=submit]"));
    page.reads(&format!("{form} [data-field=when] .error"), "next blue moon");
    page.sees(&format!("{form} [data-field=when] [aria-invalid=true]"));
    assert_eq!(
        page.js("return document.querySelector('form[data-form=plan] [name=why]').value", vec![]),
        "PAY-7",
        "what was right is kept"
    );
    page.js("document.querySelector('form[data-form=plan] [name=when]').value = ''", vec![]);
    page.types(&format!("{form} [data-field=when] input"), "tomorrow 10:30");
    page.clicks(&format!("{form} button[type=submit]"));
    page.reads("#channel-roll article", "shop v1.1.0 → production");
    story.settle();
    assert_eq!(story.plan("shop-1")["plan"]["why"], "PAY-7");
}

#[test]
fn a_button_does_what_it_says_and_a_refusal_is_told_privately() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let root = story.main()["id"].as_str().unwrap().to_owned();
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}"));
    page.clicks("#thread [data-button=\"start shop-1\"]");
    page.reads("article.private", "cannot start");
    page.clicks("#thread [data-button=\"cancel shop-1\"]");
    page.reads("#channel-roll article", "Cancelled.");
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "cancelled");
}

#[test]
fn a_protected_environment_is_confirmed_in_the_form_by_typing_its_name() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let root = story.main()["id"].as_str().unwrap().to_owned();
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}"));
    page.clicks("#thread [data-button=\"start shop-1\"]");
    let form = "form[data-form=\"confirm:shop-1\"]";
    page.types(&format!("{form} input"), "staging");
    page.presses_key(Key::Enter);
    page.reads(&format!("{form} .error"), "That is not the name");
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "approved");
    page.js(
        "const field = document.querySelector('form[data-form=\"confirm:shop-1\"] input'); if (field) field.value = ''",
        vec![],
    );
    page.types(&format!("{form} input"), "production");
    page.presses_key(Key::Enter);
    page.reads("#channel-roll article", "Started by @ada");
}

#[test]
fn everything_can_be_done_by_the_keyboard() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let first = story.main()["id"].as_str().unwrap().to_owned();
    story.says("ada", &PLAN.replace("production", "staging"));
    let page = Browser::at(&story, "channel=deploys&user=lin");
    let here = "const a = document.activeElement; return a ? (a.id || a.dataset.message || a.tagName) : ''";
    assert_eq!(page.js(here, vec![]), "composer-text", "one can type at once");
    page.presses_key(Key::Escape);
    page.presses("j");
    assert_eq!(page.js(here, vec![]), first.as_str());
    page.presses("j");
    assert_ne!(page.js(here, vec![]), first.as_str());
    page.presses("k");
    assert_eq!(page.js(here, vec![]), first.as_str());
    page.presses("t");
    page.sees("#thread");
    page.reads("#thread article", "Evidence");
    page.holds("the reply is where one writes", "return document.activeElement.id === 'reply-text'");
    page.presses_key(Key::Escape);
    page.loses("#thread");
    page.presses("?");
    page.reads("dialog.keys", "next and previous message");
    page.presses_key(Key::Escape);
    page.loses("dialog.keys");
    page.presses("/");
    assert_eq!(page.js(here, vec![]), "composer-text");
    page.types("#composer-text", "/deploy hel");
    page.sees("#composer-offers li");
    page.presses_key(Key::Tab);
    assert_eq!(page.js("return document.activeElement.value.trim()", vec![]), "/deploy help");
    page.presses_key(Key::Escape);
    page.presses_key(Key::Enter);
    page.reads("article.private", "/deploy plan");
}

#[test]
fn a_phone_shows_everything_without_scrolling_sideways() {
    let mut story = Story::begin(&settings());
    let page = Browser::on_a_phone(&story, "channel=deploys&user=ada");
    assert_eq!(page.js("return innerWidth", vec![]), 360);
    let fits = "return document.documentElement.scrollWidth <= 360 && [...document.querySelectorAll('.scroll, .pane')].filter(e => e.checkVisibility()).every(e => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= 360.5)";
    page.holds("the first screen is wider than a phone", fits);
    story.says("ada", &PLAN.replace("--risk low", "--how \"kubectl apply -f https://example.org/a/very/long/address/that/has/no/place/to/break/anywhere.yaml\""));
    page.reads("#channel-roll article", "risk ");
    page.holds("the brief is wider than a phone", fits);
    story.says("ada", "/deploy windows shop production");
    story.says("ada", "/deploy why shop-1");
    story.says("ada", "/deploy help");
    story.says("ada", "/deploy verify");
    story.says("ada", "/deploy plan");
    page.sees("form[data-form=plan]");
    page.holds("an answer is wider than a phone", fits);
    let root = story.main()["id"].as_str().unwrap().to_owned();
    page.goes_to(&story, &format!("channel=deploys&user=ada&thread={root}"));
    page.reads("#thread article", "Evidence");
    page.js("document.querySelectorAll('details').forEach(e => e.open = true)", vec![]);
    page.holds("the thread is wider than a phone", fits);
    let small = page.js(
        "return [...document.querySelectorAll('#thread .reactions button, #thread .buttons button, #thread .head button')].filter(e => e.checkVisibility()).filter(e => e.getBoundingClientRect().height < 32).map(e => e.outerHTML.slice(0, 120))",
        vec![],
    );
    assert_eq!(small, json!([]), "too small for a finger");
    page.clicks("#thread-head button");
    page.loses("#thread");
}

/// The contrast of every piece of text on the page with what lies behind it, lowest first, as [ratio, text].
const CONTRASTS: &str = r"
    const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return c.startsWith('color(srgb') ? [m[0] * 255, m[1] * 255, m[2] * 255, m[3] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = e => { const chain = []; for (let n = e; n; n = n.parentElement) chain.push(parse(getComputedStyle(n).backgroundColor)); return chain.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.trim();
        const e = walk.currentNode.parentElement;
        if (!text || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest('[disabled], .unseen, script, style, noscript, svg, .avatar')) continue;
        const under = behind(e);
        const ink = over(parse(getComputedStyle(e).color), under);
        const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
        found.push([Math.round((a + 0.05) / (b + 0.05) * 100) / 100, text.slice(0, 60)]);
    }
    return found.sort((x, y) => x[0] - y[0]).filter(([ratio]) => ratio < 4.5).slice(0, 12);
";

#[test]
fn light_and_dark_are_both_legible() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    story.says("ada", "/deploy why shop-1");
    let card = story.card();
    story.reacts("ada", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    let root = story.main()["id"].as_str().unwrap().to_owned();
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}&theme=dark"));
    page.reads("#thread article", "@lin approved");
    let brightness = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number); return (r + g + b) / 3";
    assert!(page.js(brightness, vec![]).as_f64().unwrap() < 60.0, "dark is dark");
    page.js("document.querySelectorAll('details').forEach(e => e.open = true)", vec![]);
    assert_eq!(page.js(CONTRASTS, vec![]), json!([]), "dark: too little contrast");
    page.goes_to(&story, &format!("channel=deploys&user=ada&thread={root}&theme=light"));
    page.reads("#thread article", "@lin approved");
    assert!(page.js(brightness, vec![]).as_f64().unwrap() > 200.0, "light is light");
    page.js("document.querySelectorAll('details').forEach(e => e.open = true)", vec![]);
    assert_eq!(page.js(CONTRASTS, vec![]), json!([]), "light: too little contrast");
}

#[test]
fn the_picture_of_the_windows_is_drawn_and_can_be_enlarged() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let root = story.main()["id"].as_str().unwrap().to_owned();
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}&theme=dark"));
    page.sees("#thread .picture img.on-dark");
    page.js("document.querySelector('#thread .picture').scrollIntoView()", vec![]);
    page.holds(
        "the picture is not drawn",
        "const i = document.querySelector('#thread .picture img.on-dark'); return i.complete && i.naturalWidth > 300",
    );
    let alt = page.attribute("#thread .picture img.on-dark", "alt").unwrap();
    assert!(alt.len() > 30, "{alt}");
    page.clicks("#thread .picture");
    page.sees("dialog.lightbox img");
    page.presses_key(Key::Escape);
    page.loses("dialog.lightbox");
}

const HOSTILE: &str = "<img src=x onerror=window.harmed=1><script>window.harmed=1</script> <!channel> @everyone [a](javascript:window.harmed=1)";

#[test]
fn what_others_wrote_is_shown_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |day: &str| tidegate::clock::Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    make(
        &folder.path().join("code.git"),
        &RepositoryStory::new(vec![
            CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open")
                .file("src/main.rs", "fn main() {}\n")
                .tag("v1.0.0"),
            CommitStory::new("Eve", "eve@example.org", at("2026-11-10"), HOSTILE)
                .file("src/<img src=x onerror=window.harmed=1>.rs", "fn harm() {}\n")
                .tag("v1.1.0"),
        ]),
    )
    .unwrap();
    let busy = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261123T190000Z\r\nDTEND:20261123T230000Z\r\nSUMMARY:Launch <img src=x onerror=window.harmed=1> <!channel>\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    std::fs::write(folder.path().join("busy.ics"), busy).unwrap();
    let with_calendar = settings().replace(
        "[service.shop]",
        "[[source]]\nkind = \"ics\"\nname = \"team\"\nfrom = \"busy.ics\"\n\n[service.shop]",
    );
    let mut story = Story::begin_in(folder, &with_calendar, MONDAY_11);
    story.says("ada", &format!("/deploy plan shop production v1.1.0 --why \"{HOSTILE}\" --rollback \"{HOSTILE}\""));
    let root = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("lin", &root, HOSTILE);
    story.says("ada", "/deploy why shop-1");
    story.says("ada", &format!("/deploy plan {HOSTILE}"));
    let page = Browser::at(&story, &format!("channel=deploys&user=ada&thread={root}"));
    page.js("document.querySelectorAll('details').forEach(e => e.open = true)", vec![]);
    page.reads("#thread article.from-person", "<script>window.harmed=1</script>");
    page.reads("#channel-roll article", "<img src=x onerror=window.harmed=1>");
    let state = page.js(
        "return [window.harmed ?? 0, document.querySelectorAll('[src=x], article script, article b, a[href^=javascript], [onerror]').length]",
        vec![],
    );
    assert_eq!(state, json!([0, 0]));
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_lost_connection_is_said_and_found_again() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let page = Browser::at(&story, "channel=deploys&user=ada");
    page.reads("#channel-roll article", "Approvals 0 of 1");
    page.js("window.kept = true", vec![]);
    page.loses("#connection");
    story.kill();
    page.reads("#connection", "Connection lost");
    page.types("#composer-text", "/deploy status");
    page.presses_key(Key::Enter);
    page.reads(".composer .note", "Not sent");
    assert_eq!(
        page.js("return document.querySelector('#composer-text').value", vec![]),
        "/deploy status",
        "the words are kept"
    );
    story.starts_where_it_was(MONDAY_11);
    page.clicks("#connection button");
    page.loses("#connection");
    story.reacts("lin", &story.card(), "white_check_mark");
    page.reads("#channel-roll article", "Approvals 1 of 1: approved");
    page.types("#composer-text", &char::from(Key::Enter).to_string());
    page.reads("article.private", "What is going on");
    assert_eq!(page.js("return window.kept", vec![]), true, "the page was not loaded anew");
}

#[test]
fn the_first_screen_says_what_to_type() {
    let story = Story::begin(&settings());
    let page = Browser::at(&story, "channel=deploys&user=ada");
    page.reads(".welcome", "Plan a deployment");
    page.reads(".welcome", "/deploy");
}
