//! A team's calendar: 1,000 recurring events, parsed once and looked at for a year, and for two weeks.

use std::fmt::Write;

use chrono_tz::Tz;
use divan::Bencher;
use tidegate::clock::{DAY, Time};
use tidegate::source::ics::{Calendar, Limits};

fn main() {
    divan::main();
}

/// A thousand series of the kinds that teams have, most of them years old.
fn calendar() -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n");
    let zones = ["America/Los_Angeles", "Europe/Berlin", "W. Europe Standard Time", "Asia/Kolkata"];
    let rules = [
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=DAILY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=900",
        "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=WEEKLY;UNTIL=20271231T000000Z",
    ];
    for number in 0..1_000 {
        let (zone, rule) = (zones[number % zones.len()], rules[number % rules.len()]);
        let (year, month, day) = (2016 + number % 10, 1 + number % 12, 1 + number % 28);
        let start = format!("{year}{month:02}{day:02}T{:02}0000", 8 + number % 10);
        let _ = write!(
            text,
            "BEGIN:VEVENT\r\nUID:{number}@example.com\r\nSUMMARY:Series {number}\r\nDTSTART;TZID={zone}:{start}\r\n\
             DURATION:PT45M\r\nRRULE:{rule}\r\nEXDATE;TZID={zone}:{start}\r\nEND:VEVENT\r\n"
        );
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

fn parsed() -> Calendar {
    Calendar::parse(&calendar(), &Limits::default()).expect("it is a calendar")
}

fn from() -> Time {
    Time::parse_rfc3339("2026-11-21T00:00:00Z").expect("it is a time")
}

#[divan::bench]
fn parse_1000_recurring_events(bencher: Bencher<'_, '_>) {
    let text = calendar();
    bencher.bench(|| Calendar::parse(&text, &Limits::default()).expect("it is a calendar"));
}

#[divan::bench(args = [14, 365])]
fn expand_1000_recurring_events(bencher: Bencher<'_, '_>, days: i64) {
    let calendar = parsed();
    let whole = calendar.expand(from()..from().plus(days * DAY), Tz::UTC);
    assert!(whole.incomplete.is_empty(), "{:?}", whole.incomplete);
    bencher.bench(|| calendar.expand(from()..from().plus(days * DAY), Tz::UTC));
}
