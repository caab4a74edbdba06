//! When to deploy: windows, the beginning and end of daylight saving, two zones, and what `why` says of a moment.

use serde_json::{Value, json};

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

#[test]
fn on_friday_afternoon_the_first_good_window_is_monday_morning_and_it_says_so() {
    let mut story = Story::sample("2026-11-20T16:30:00-08:00");
    story.says("ada", "/deploy plan search production v3.2.0 --why S-1 --risk low --rollback \"redeploy v3.1.5\"");
    let view = story.plan("search-1");
    assert!(view["blockers"].as_array().unwrap().contains(&json!("timing.window")), "{}", view["blockers"]);
    let window = story.flag("search-1", "timing.window");
    assert!(window["says"].as_str().unwrap().contains("override by vp-engineering"), "{window}");
    assert_eq!(view["none_before"], "2026-11-23T18:00:00Z");
    assert_eq!(view["windows"][0]["start"], "2026-11-23T18:00:00Z");
    let text = story.main()["text"].as_str().unwrap().to_owned();
    let line = text.lines().find(|l| l.contains("Nothing good in the next")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("First good: Mon 23 Nov 10:00"), "{line}");
    assert_eq!(line.to_lowercase().matches("nothing good").count(), 1, "said twice: {line}");
    assert!(!story.texts().contains("0 ms of working time") && !story.texts().contains("+-"), "{}", story.texts());
}

#[test]
fn windows_in_json_have_the_fields_of_the_contract() {
    let story = Story::sample("2026-11-20T16:30:00-08:00");
    let data = story.data().display().to_string();
    let (code, out, err) = story.runs(&["windows", "checkout", "production", "--json", "--data", &data]);
    assert_eq!(code, 0, "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    for name in ["zone", "horizon_end", "now", "windows", "none_before"] {
        assert!(found.get(name).is_some(), "{name}: {found}");
    }
    assert_eq!(found["zone"], "America/Los_Angeles");
    assert_eq!(found["none_before"], found["windows"][0]["start"]);
    assert!(found["now"]["score"].is_number() && found["now"]["reasons"].is_array());
    for window in found["windows"].as_array().unwrap() {
        assert!(
            window["start"].is_string()
                && window["end"].is_string()
                && window["score"].is_number()
                && window["reasons"].is_array(),
            "{window}"
        );
    }
}

#[test]
fn a_plan_in_json_has_the_fields_of_the_contract_and_records_nothing() {
    let story = Story::sample("2026-11-23T11:00:00-08:00");
    let data = story.data().display().to_string();
    let (code, out, err) = story.runs(&["plan", "checkout", "production", "v2.14.0", "--json", "--data", &data]);
    assert_eq!(code, 0, "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    for path in [
        "/plan/id",
        "/plan/kind",
        "/plan/service",
        "/plan/environment",
        "/plan/version",
        "/plan/commit",
        "/plan/by",
        "/plan/why",
        "/plan/when",
        "/plan/rollback",
        "/revision",
        "/brief",
        "/flags/0/code",
        "/flags/0/level",
        "/flags/0/says",
        "/flags/0/because",
        "/flags/0/points",
        "/flags/0/of",
        "/flags/0/would_help",
        "/blockers",
        "/score/value",
        "/score/band",
        "/score/confidence",
        "/score/rate/bad",
        "/score/rate/n",
        "/score/rate/low",
        "/score/rate/high",
        "/score/model",
        "/windows/0/start",
        "/mitigations/0/says",
        "/mitigations/0/delta",
        "/approvals/needed",
        "/approvals/given",
        "/approvals/eligible",
        "/state",
    ] {
        assert!(found.pointer(path).is_some(), "{path}: {found}");
    }
    assert!(story.messages().is_empty(), "a look in the terminal said something in the channel");
    let (code, out, err) = story.runs(&["plan", "nope", "production", "v1", "--json", "--data", &data]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("There is no service `nope`"), "{err}");
}

#[test]
fn daylight_saving_moves_the_first_good_window_by_an_hour() {
    for (friday, monday, said) in [
        ("2026-10-30T16:30:00-07:00", "2026-11-02T18:00:00Z", "Mon 2 Nov 10:00 PST"),
        ("2027-03-12T16:30:00-08:00", "2027-03-15T17:00:00Z", "Mon 15 Mar 10:00 PDT"),
    ] {
        let mut story = Story::begin_at(&settings(), friday);
        story.says("ada", PLAN);
        assert_eq!(story.plan("shop-1")["none_before"], monday);
        let window = story.flag("shop-1", "timing.window");
        assert!(window["says"].as_str().unwrap().contains(said), "{window}");
    }
}

#[test]
fn somebody_in_another_zone_is_said_to_be_in_their_evening() {
    let mut story = Story::sample("2026-11-23T11:00:00-08:00");
    story.says("kim", "/deploy plan docs-site production v2.3.7 --why D-1 --risk low --rollback \"redeploy v2.3.6\"");
    let windows = story.plan("docs-site-1")["windows"].to_string();
    assert!(windows.contains("Kim's evening"), "{windows}");
    assert!(!windows.contains("Lin's evening"), "{windows}");
}

#[test]
fn why_for_a_moment_says_who_what_when_to_the_second_why_how_and_the_way_back() {
    let mut story =
        Story::begin_at(&settings().replace("protected = true", "protected = false"), "2027-03-15T15:30:00-07:00");
    story.says("ada", &format!("{PLAN} --how \"make deploy\""));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.plan("shop-1")["state"], "started", "{}", story.whispered_to("ada"));
    story.advances(960);
    story.says("ada", "/deploy finished shop-1");
    story.advances(120);
    story.says("grace", "/deploy why 15 March 15:47");
    let said = story.whispered_to("grace");
    for part in [
        "shop v1.1.0 → production",
        "ada",
        "15 March 2027 15:",
        "PDT",
        "PAY-1",
        "make deploy",
        "redeploy v1.0.0",
        "lin",
        "Flags that were shown",
    ] {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

#[test]
fn a_calendar_is_read_or_called_incomplete_by_its_exit_code() {
    let story = Story::begin(&settings());
    let write = |name: &str, text: &str| std::fs::write(story.folder.path().join(name), text).unwrap();
    write(
        "good.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:story\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261124T180000Z\r\nDTEND:20261124T190000Z\r\nSUMMARY:Launch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    write("empty.ics", "");
    let look = |file: &str| story.runs(&["calendar", file, "--from", "2026-11-23", "--to", "2026-11-30"]);
    let (code, out, err) = look("good.ics");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0, "{err}");
    assert_eq!(found["occurrences"][0]["summary"], "Launch");
    for name in ["uid", "start", "end", "summary", "status", "transparent"] {
        assert!(found["occurrences"][0].get(name).is_some(), "{name}: {found}");
    }
    assert_eq!(found["busy"].as_array().unwrap().len(), 1);
    let (code, out, _) = look("empty.ics");
    assert_eq!(code, 2);
    assert!(out.contains("It is empty, which is not the same as a calendar without events"), "{out}");
    let (code, out, err) = story.runs(&["check", "--config", "missing.toml"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("missing.toml"), "{out}");
    let (code, out, err) = story.runs(&["check", "--config", "tidegate.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("on     code answers"), "{out}");
}
