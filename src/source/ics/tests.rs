//! Behaviour of reading and expanding, told by small calendars.

use proptest::prelude::*;

use super::*;

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}\r\nEND:VCALENDAR\r\n", events.trim().replace('\n', "\r\n"))
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\n{}\nEND:VEVENT", lines.trim()))
}

fn look(text: &str, from: &str, to: &str, zone: Tz) -> Expansion {
    expand(text, time(from)..time(to), zone, &Limits::default())
}

/// Starts and ends in UTC, without the date's dashes and the seconds.
fn times(expansion: &Expansion) -> Vec<String> {
    assert_eq!(expansion.incomplete, Vec::<String>::new());
    expansion.occurrences.iter().map(|o| format!("{} {}", o.start.rfc3339(), o.end.rfc3339())).collect()
}

#[test]
fn a_series_keeps_its_wall_clock_time_when_the_clocks_change() {
    let text = event(
        "UID:a\nDTSTART;TZID=Europe/Berlin:20261024T230000\nDTEND;TZID=Europe/Berlin:20261025T050000\n\
         RRULE:FREQ=DAILY;COUNT=2",
    );
    let got = look(&text, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", Tz::UTC);
    assert_eq!(times(&got), ["2026-10-24T21:00:00Z 2026-10-25T04:00:00Z", "2026-10-25T22:00:00Z 2026-10-26T04:00:00Z"]);
}

#[test]
fn a_time_in_a_gap_moves_forward_and_of_two_the_first_is_meant() {
    let gap = event("UID:a\nDTSTART;TZID=America/New_York:20260308T023000\nDURATION:PT30M");
    let got = look(&gap, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z", Tz::UTC);
    assert_eq!(times(&got)[0].split(' ').next(), Some("2026-03-08T07:30:00Z"));
    let twice = event("UID:a\nDTSTART;TZID=America/New_York:20261101T013000");
    let got = look(&twice, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", Tz::UTC);
    assert_eq!(times(&got), ["2026-11-01T05:30:00Z 2026-11-01T05:30:00Z"]);
}

#[test]
fn dates_and_times_without_a_zone_are_read_in_the_calendars_zone_or_else_the_teams() {
    let day = "BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20261124\nEND:VEVENT";
    let got = look(&calendar(day), "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::America__Los_Angeles);
    assert_eq!(times(&got), ["2026-11-24T08:00:00Z 2026-11-25T08:00:00Z"]);
    assert!(got.occurrences[0].all_day);
    let stated = calendar(&format!("X-WR-TIMEZONE:Asia/Tokyo\n{day}"));
    let got = look(&stated, "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z", Tz::America__Los_Angeles);
    assert_eq!(times(&got), ["2026-11-23T15:00:00Z 2026-11-24T15:00:00Z"]);
}

#[test]
fn a_freeze_whose_end_is_its_own_day_lasts_that_day() {
    let text = event("UID:a\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224");
    let got = look(&text, "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z", Tz::UTC);
    assert_eq!(got.busy, [(time("2026-12-24T00:00:00Z"), time("2026-12-25T00:00:00Z"))]);
}

const STANDUP: &str = "BEGIN:VEVENT\nUID:s\nDTSTART:20261123T090000Z\nDTEND:20261123T091500Z\nSUMMARY:Standup\n\
                       RRULE:FREQ=DAILY\nEXDATE:20261125T090000Z\nEND:VEVENT";

#[test]
fn exceptions_and_changed_occurrences_replace_what_the_rule_says() {
    let moved = "BEGIN:VEVENT\nUID:s\nRECURRENCE-ID:20261124T090000Z\nDTSTART:20261124T140000Z\n\
                 DTEND:20261124T150000Z\nSUMMARY:Standup, moved\nSEQUENCE:3\nEND:VEVENT";
    let got = look(&calendar(&format!("{STANDUP}\n{moved}")), "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z", Tz::UTC);
    assert_eq!(
        times(&got),
        [
            "2026-11-23T09:00:00Z 2026-11-23T09:15:00Z",
            "2026-11-24T14:00:00Z 2026-11-24T15:00:00Z",
            "2026-11-26T09:00:00Z 2026-11-26T09:15:00Z"
        ]
    );
}

#[test]
fn a_change_to_this_and_all_future_moves_the_rest() {
    let onwards = "BEGIN:VEVENT\nUID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261126T090000Z\n\
                   DTSTART:20261126T100000Z\nDTEND:20261126T103000Z\nSUMMARY:Later standup\nEND:VEVENT";
    let text = calendar(&format!("{STANDUP}\n{onwards}"));
    let got = look(&text, "2026-11-24T00:00:00Z", "2026-11-28T00:00:00Z", Tz::UTC);
    assert_eq!(
        times(&got),
        [
            "2026-11-24T09:00:00Z 2026-11-24T09:15:00Z",
            "2026-11-26T10:00:00Z 2026-11-26T10:30:00Z",
            "2026-11-27T10:00:00Z 2026-11-27T10:30:00Z"
        ]
    );
}

#[test]
fn cancelled_and_transparent_entries_are_listed_but_take_no_time() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261124T090000Z\nDTEND:20261124T100000Z\nSTATUS:CANCELLED\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20261124T110000Z\nDTEND:20261124T120000Z\nTRANSP:TRANSPARENT\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:c\nDTSTART:20261124T130000Z\nDTEND:20261124T140000Z\nSTATUS:CONFIRMED\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:d\nDTSTART:20261124T140000Z\nDTEND:20261124T150000Z\nEND:VEVENT",
    );
    let got = look(&text, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::UTC);
    assert_eq!(got.occurrences.len(), 4);
    assert_eq!(calendar_json(&got)["busy"], serde_json::json!([["2026-11-24T13:00:00Z", "2026-11-24T15:00:00Z"]]));
    assert_eq!(
        calendar_json(&got)["occurrences"][1],
        serde_json::json!({"uid": "b", "start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z", "summary": "",
                           "status": null, "transparent": true})
    );
}

#[test]
fn a_zone_that_a_calendar_defines_itself_is_followed() {
    let text = calendar(
        "BEGIN:VTIMEZONE\nTZID:Our Office\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\n\
         TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
         DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n\
         END:DAYLIGHT\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=Our Office:20260701T120000\n\
         RRULE:FREQ=MONTHLY;BYMONTH=7,12\nEND:VEVENT",
    );
    let got = look(&text, "2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z", Tz::UTC);
    assert_eq!(times(&got), ["2026-07-01T10:00:00Z 2026-07-01T10:00:00Z", "2026-12-01T11:00:00Z 2026-12-01T11:00:00Z"]);
}

#[test]
fn windows_zones_are_known_and_unknown_ones_are_named() {
    let known = event("UID:a\nDTSTART;TZID=W. Europe Standard Time:20261124T120000");
    assert_eq!(
        times(&look(&known, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::UTC)),
        ["2026-11-24T11:00:00Z 2026-11-24T11:00:00Z"]
    );
    let unknown = event("UID:a\nSUMMARY:Launch\nDTSTART;TZID=Middle Earth:20261124T120000");
    let got = look(&unknown, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::UTC);
    assert_eq!(got.occurrences.len(), 1);
    assert_eq!(got.incomplete, ["“Launch”: its time zone `Middle Earth` is unknown, so its times may be off."]);
}

#[test]
fn a_zone_name_behind_a_path_is_known() {
    let text = event("UID:a\nDTSTART;TZID=/example.org/Tzfile/America/Argentina/Buenos_Aires:20261124T120000");
    let got = look(&text, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::UTC);
    assert_eq!(times(&got), ["2026-11-24T15:00:00Z 2026-11-24T15:00:00Z"]);
}

#[test]
fn what_is_wrong_with_an_entry_that_begins_later_is_not_told_yet() {
    let text = event("UID:a\nDTSTART:20280101T000000Z\nRRULE:FREQ=SECONDLY");
    assert!(look(&text, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", Tz::UTC).incomplete.is_empty());
    assert!(!look(&text, "2027-11-24T00:00:00Z", "2028-11-25T00:00:00Z", Tz::UTC).incomplete.is_empty());
}

#[test]
fn a_count_is_obeyed_wherever_one_looks() {
    for rule in ["FREQ=DAILY;COUNT=500", "FREQ=DAILY;COUNT=500;BYHOUR=9", "FREQ=WEEKLY;COUNT=72;BYDAY=SU"] {
        let text = event(&format!("UID:a\nDTSTART:20250706T090000Z\nRRULE:{rule}"));
        let got = look(&text, "2026-11-01T00:00:00Z", "2027-11-25T00:00:00Z", Tz::UTC);
        let last = times(&got).last().cloned().unwrap_or_default();
        assert!(last.starts_with("2026-11-17") || last.starts_with("2026-11-15"), "{rule}: {last}");
    }
}

#[test]
fn a_long_list_of_problems_is_summed_up() {
    let events = (0..50).map(|n| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20261301T000000Z\nEND:VEVENT"));
    let got = look(
        &calendar(&events.collect::<Vec<_>>().join("\n")),
        "2026-11-24T00:00:00Z",
        "2026-11-25T00:00:00Z",
        Tz::UTC,
    );
    assert_eq!(got.incomplete.len(), 21);
    assert_eq!(got.incomplete[20], "There are 30 more problems like these.");
}

/// Looking at a year of `many` copies of an event: how long it took, and what came of it.
fn burdened(many: usize, lines: &str) -> (u128, Expansion) {
    let events = (0..many).map(|n| format!("BEGIN:VEVENT\nUID:{n}\n{lines}\nEND:VEVENT")).collect::<Vec<_>>();
    let text = calendar(&events.join("\n"));
    let began = std::time::Instant::now();
    let got = look(&text, "2026-11-20T00:00:00Z", "2027-11-20T00:00:00Z", Tz::America__New_York);
    (began.elapsed().as_millis(), got)
}

#[test]
fn heavy_calendars_are_cut_short_and_say_so() {
    for lines in [
        "DTSTART:20100101T090000Z\nRRULE:FREQ=DAILY",
        "DTSTART:20010228T090000Z\nRRULE:FREQ=HOURLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;BYHOUR=1",
        "DTSTART:20010228T090000Z\nRRULE:FREQ=MONTHLY;COUNT=100000;BYDAY=MO;BYSETPOS=-1",
        "DTSTART;TZID=Nowhere:20010228T090000\nRRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=1,2,3,4,5,6,7,8",
    ] {
        let (took, got) = burdened(3_000, lines);
        println!("{took} ms, {} occurrences, {:?}: {lines:?}", got.occurrences.len(), got.incomplete.first());
        assert!(!got.incomplete.is_empty(), "{lines}");
        assert!(took < 10_000, "{took} ms without optimisation: {lines}");
    }
    let (took, got) = burdened(1, &format!("DTSTART:20261120T090000Z{}", "\nRRULE:FREQ=DAILY".repeat(1_000)));
    println!("{took} ms: a thousand rules");
    assert!(!got.incomplete.is_empty());
    let dates = (0..100_000).map(|n| format!("\nRDATE:20261121T{:02}{:02}{:02}Z", n / 3600 % 24, n / 60 % 60, n % 60));
    let (took, got) = burdened(1, &format!("DTSTART:20261120T090000Z{}", dates.collect::<String>()));
    println!("{took} ms: {} extra dates", got.occurrences.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_text_makes_it_panic(edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..12usize, ".{0,12}"), 0..12)) {
        let zone = "BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0200\n\
                    TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE";
        let extra = "BEGIN:VEVENT\nUID:x\nDTSTART;TZID=Z:20261124T090000\nDURATION:PT1H\n\
                     RDATE;VALUE=PERIOD:20261125T090000Z/PT2H\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1;UNTIL=20270101\n\
                     RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T090000Z\nEND:VEVENT";
        let mut text = calendar(&format!("{zone}\n{STANDUP}\n{extra}"));
        for (place, length, with) in edits {
            let at = (0..=place.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let end = (at..=(at + length).min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap();
            text.replace_range(at..end, &with);
        }
        let got = look(&text, "2026-11-20T00:00:00Z", "2027-11-20T00:00:00Z", Tz::Europe__Berlin);
        prop_assert!(!got.incomplete.iter().any(|says| says.contains("gave up")), "{:?}", got.incomplete);
    }
}

#[test]
fn calendars_put_together_keep_all_entries_and_all_problems() {
    let limits = Limits::default();
    let one = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261124T100000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261001T100000Z\nEND:VEVENT\nEND:VCALENDAR\n";
    let other = one.replace("RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=SECONDLY");
    let mut together = Calendar::none(&limits);
    for text in [one, &other] {
        together.add(&Calendar::parse(text, &limits).unwrap());
    }
    together.note("Something is missing.".to_owned());
    let at = |text| Time::parse_rfc3339(text).unwrap();
    let found = together.expand(at("2026-11-01T00:00:00Z")..at("2026-12-01T00:00:00Z"), Tz::UTC);
    assert_eq!((found.occurrences.len(), found.incomplete.len()), (4, 2), "{found:?}");
    assert!(together.effort() > 0 && together.effort() < limits.steps);
}

#[test]
fn what_outlook_publishes_about_its_owner_is_kept() {
    let text = |status: &str| {
        format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261124T100000Z\nDTEND:20261124T110000Z\n\
             X-MICROSOFT-CDO-BUSYSTATUS:{status}\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    let at = |text| Time::parse_rfc3339(text).unwrap();
    let range = at("2026-11-01T00:00:00Z")..at("2026-12-01T00:00:00Z");
    let said = |status| {
        let found = expand(&text(status), range.clone(), Tz::UTC, &Limits::default());
        found.occurrences[0].entry.presence
    };
    assert_eq!(said("OOF"), Some(Presence::OutOfOffice));
    assert_eq!(said("WORKINGELSEWHERE"), Some(Presence::Elsewhere));
    assert_eq!(said("BUSY"), None);
}
