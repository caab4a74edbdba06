//! Harbor's calendars, written around the day on which the sample starts, so that every day has something ahead.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::day::{
    at_hour, date_of, is_weekday, monday_of, on, public_holidays, quarter_end, thanksgiving, working_day_after,
};
use super::ical::{Entry, When, Zone, write};
use crate::clock::Time;

/// Who is on call in turn, a week each; the first of them has the week that holds the start.
pub const ROTA: [&str; 3] = ["Lin", "Rae", "Max"];

/// Every calendar: its file below `calendars/`, and its text.
pub fn calendars(now: Time) -> Vec<(String, String)> {
    let today = date_of(now);
    let shared = [
        ("freezes", "Freezes", freezes(today)),
        ("launches", "Launches", launches(today)),
        ("marketing", "Marketing", marketing(today)),
        ("support", "Customer support", support(today)),
        ("holidays", "Public holidays (US)", holidays(today)),
        ("finance", "Finance", finance(today)),
        ("company", "Company", company(today)),
        ("on-call", "On call: payments platform", on_call(now)),
    ];
    let mut files: Vec<(String, String)> =
        shared.iter().map(|(file, name, entries)| (format!("{file}.ics"), write(name, entries, now))).collect();
    for (person, entries) in people(today) {
        files.push((format!("people/{person}.ics"), write(&format!("{person} (Harbor)"), &entries, now)));
    }
    files
}

fn hours(day: NaiveDate, hour: u32, minute: u32, minutes: u32) -> When {
    When::Hours { start: at_hour(day, hour, minute), minutes, zone: Zone::LosAngeles }
}

/// Black Friday's where it is near, another one about ten days ahead otherwise, and the one at the end of the year.
fn freezes(today: NaiveDate) -> Vec<Entry> {
    let mut entries = Vec::new();
    for year in [today.year(), today.year() + 1] {
        let thursday = thanksgiving(year);
        let start = on(thursday - Days::new(1), 12, 0);
        let end = on(thursday + Days::new(4), 9, 0);
        let black_friday = Entry::new(&format!("freeze-black-friday-{year}"), "Black Friday", When::Utc { start, end });
        entries.push(
            black_friday
                .by("Finance")
                .about("No deployments to production: the busiest days of the year.")
                .url("https://harbor.example/wiki/black-friday"),
        );
        if let Some(first) = NaiveDate::from_ymd_opt(year, 12, 21) {
            let year_end =
                Entry::new(&format!("freeze-year-end-{year}"), "Year-end freeze", When::Days { first, days: 14 });
            entries.push(year_end.by("Finance"));
        }
    }
    let last_black_friday = thanksgiving(today.year()) + Days::new(4);
    let near = today < last_black_friday && (last_black_friday - today).num_days() <= 18;
    if !near {
        let first = working_day_after(today + Days::new(9), 1);
        let start = at_hour(first, 9, 0);
        let last = working_day_after(first, 1);
        let end = at_hour(last, 17, 0);
        let minutes = u32::try_from((end - start).num_minutes()).unwrap_or(0);
        let freeze = Entry::new(
            &format!("freeze-card-network-{first}"),
            "Card network certification",
            When::Hours { start, minutes, zone: Zone::LosAngeles },
        );
        entries.push(freeze.by("Finance").about("The card network tests us: production stays as it is."));
    }
    // One that is over, and one that was called off: neither may stop anybody.
    let past = monday_of(today) - Days::new(35);
    entries.push(Entry::new("freeze-audit", "Yearly audit", When::Days { first: past, days: 3 }).by("Finance"));
    let off = working_day_after(today, 4);
    let called_off = Entry::new("freeze-called-off", "Move of the data centre", hours(off, 8, 0, 600));
    entries.push(called_off.by("Platform").cancelled());
    entries
}

fn launches(today: NaiveDate) -> Vec<Entry> {
    let next = working_day_after(today, 1);
    let later = working_day_after(today, 9);
    vec![
        Entry::new(&format!("launch-gift-cards-{next}"), "Launch: gift cards in the app", hours(next, 13, 0, 120))
            .by("Mobile team")
            .about("The app's new version goes out to everybody. All of it goes through checkout.")
            .url("https://harbor.example/wiki/gift-cards"),
        Entry::new(&format!("launch-canada-{later}"), "Launch: Harbor in Canada", hours(later, 9, 0, 240))
            .by("International team"),
    ]
}

fn marketing(today: NaiveDate) -> Vec<Entry> {
    let day = working_day_after(today, 2);
    let months_ago = today - Days::new(400);
    let first = NaiveDate::from_weekday_of_month_opt(months_ago.year(), months_ago.month(), Weekday::Tue, 1)
        .unwrap_or(months_ago);
    vec![
        Entry::new(&format!("campaign-{day}"), "Campaign: 20 % off everything, 2.1 M e-mails", hours(day, 9, 0, 600))
            .by("Marketing")
            .about("The e-mail leaves at 09:00; expect twice the usual traffic until noon.")
            .url("https://harbor.example/wiki/campaigns"),
        Entry::new("newsletter", "Campaign: monthly newsletter", hours(first, 10, 0, 90))
            .rule("FREQ=MONTHLY;BYDAY=1TU")
            .by("Marketing"),
    ]
}

fn support(today: NaiveDate) -> Vec<Entry> {
    let day = working_day_after(today, 3);
    let training = When::Hours { start: at_hour(day, 17, 0), minutes: 120, zone: Zone::Berlin };
    let weeks_ago = monday_of(today) - Days::new(140);
    vec![
        Entry::new(&format!("training-{day}"), "Support training: the new refund screen", training)
            .by("Kim Vogel")
            .about("All of support is in the room: half the usual answers."),
        Entry::new(
            "support-weekly",
            "Support training: questions of the week",
            When::Hours { start: at_hour(weeks_ago + Days::new(3), 15, 0), minutes: 45, zone: Zone::Berlin },
        )
        .rule("FREQ=WEEKLY;BYDAY=TH")
        .by("Kim Vogel"),
    ]
}

fn holidays(today: NaiveDate) -> Vec<Entry> {
    let mut entries = Vec::new();
    for year in [today.year() - 1, today.year(), today.year() + 1] {
        for (day, name) in public_holidays(year) {
            let uid = format!("holiday-{day}");
            entries.push(Entry::new(&uid, name, When::Days { first: day, days: 1 }).free());
            let weekend = match (day.weekday(), name) {
                (Weekday::Mon, _) => Some((day - Days::new(2), 3)),
                (Weekday::Thu, "Thanksgiving Day") => Some((day, 4)),
                (Weekday::Fri, name) if name != "Day after Thanksgiving" => Some((day, 3)),
                _ => None,
            };
            if let Some((first, days)) = weekend {
                let short = name.trim_end_matches(" Day");
                let name = format!("{short} weekend");
                entries.push(Entry::new(&format!("weekend-{day}"), &name, When::Days { first, days }).free());
            }
        }
    }
    entries
}

/// The last three working days of each quarter, and the books' close after it.
fn finance(today: NaiveDate) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut end = quarter_end(today - Days::new(100));
    for _ in 0..6 {
        let mut first = end;
        let mut working = u32::from(is_weekday(end));
        while working < 3 {
            first = first - Days::new(1);
            working += u32::from(is_weekday(first));
        }
        let days = u32::try_from((end - first).num_days()).unwrap_or(0) + 1;
        let quarter = format!("Q{} {}", end.month0() / 3 + 1, end.year());
        let entry = Entry::new(&format!("quarter-{end}"), &format!("End of {quarter}"), When::Days { first, days });
        entries.push(
            entry.by("Finance").about("Reports are drawn from production. Nothing that touches the books.").free(),
        );
        end = quarter_end(end + Days::new(1));
    }
    entries
}

fn company(today: NaiveDate) -> Vec<Entry> {
    let monday = monday_of(today) - Days::new(84);
    let all_hands = at_hour(monday + Days::new(2), 11, 0);
    let next_all_hands = at_hour(monday_of(today) + Days::new(9), 11, 0);
    let demo = working_day_after(today, 5);
    vec![
        Entry::new(&format!("demo-{demo}"), "Demo for Bluewater Bank (production)", hours(demo, 11, 0, 60))
            .by("Sales")
            .about("They look at checkout in production, live."),
        Entry::new("vacuum", "Maintenance: vacuum of orders-db", hours(monday + Days::new(6), 2, 0, 90))
            .rule("FREQ=WEEKLY;BYDAY=SU")
            .by("Platform"),
        Entry::new("all-hands", "All-hands", When::Hours { start: all_hands, minutes: 50, zone: Zone::LosAngeles })
            .rule("FREQ=WEEKLY;BYDAY=WE")
            .except([next_all_hands])
            .by("People team"),
    ]
}

/// Weeks from Monday 09:00 to Monday 09:00, in turn; last week was swapped.
fn on_call(now: Time) -> Vec<Entry> {
    let today = date_of(now);
    let mut monday = monday_of(today);
    if on(monday, 9, 0) > now {
        monday = monday - Days::new(7);
    }
    // A whole number of rounds back, so that the first of the rota has the week of the start.
    let first = monday - Days::new(7 * 3 * 8);
    let week = 7 * 24 * 60;
    let mut entries: Vec<Entry> = (0u64..)
        .zip(ROTA)
        .map(|(turn, who)| {
            let uid = format!("on-call-{}", who.to_lowercase());
            Entry::new(&uid, who, hours(first + Days::new(7 * turn), 9, 0, week))
                .rule("FREQ=WEEKLY;INTERVAL=3")
                .category("primary")
                .url("https://harbor.example/on-call")
        })
        .collect();
    // Max was ill last week, so that week was Rae's.
    let swapped = at_hour(monday - Days::new(7), 9, 0);
    let swap = Entry::new("on-call-max", "Rae", When::Hours { start: swapped, minutes: week, zone: Zone::LosAngeles });
    entries.push(swap.instead_of(swapped).category("primary"));
    entries
}

fn people(today: NaiveDate) -> Vec<(&'static str, Vec<Entry>)> {
    let monday = monday_of(today) - Days::new(84);
    let next_monday = monday_of(today) + Days::new(7);
    let stand_up = |who: &str| {
        Entry::new(&format!("stand-up-{who}"), "Stand-up", hours(monday, 9, 30, 15))
            .rule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
    };
    vec![
        (
            "ada",
            vec![
                stand_up("ada"),
                Entry::new("ada-one-on-one", "Ada and Noor", hours(monday + Days::new(1), 14, 0, 45))
                    .rule("FREQ=WEEKLY;BYDAY=TU"),
                Entry::new("ada-dentist", "Out of office: dentist", hours(working_day_after(today, 4), 15, 0, 90)),
            ],
        ),
        (
            "grace",
            vec![
                Entry::new("grace-board", "Board preparation", hours(working_day_after(today, 1), 10, 0, 90)),
                Entry::new("grace-staff", "Leadership meeting", hours(monday, 13, 0, 90)).rule("FREQ=WEEKLY;BYDAY=MO"),
            ],
        ),
        (
            "lin",
            vec![
                stand_up("lin"),
                Entry::new("lin-payments", "Payments review", hours(monday + Days::new(3), 11, 0, 60))
                    .rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"),
            ],
        ),
        (
            "noor",
            vec![
                stand_up("noor"),
                Entry::new(
                    "noor-away",
                    "Out of office: conference",
                    When::Days { first: next_monday + Days::new(3), days: 2 },
                ),
            ],
        ),
        (
            "rae",
            vec![
                stand_up("rae"),
                Entry::new("rae-interview", "Interview", hours(working_day_after(today, 2), 13, 0, 60)),
            ],
        ),
        (
            "kim",
            vec![
                Entry::new(
                    "kim-team",
                    "Support team",
                    When::Hours { start: at_hour(monday, 10, 0), minutes: 60, zone: Zone::Berlin },
                )
                .rule("FREQ=WEEKLY;BYDAY=MO"),
            ],
        ),
        (
            "max",
            vec![
                stand_up("max"),
                Entry::new(
                    "max-away",
                    "Out of office: holiday",
                    When::Days { first: next_monday + Days::new(7), days: 5 },
                ),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY, HOUR};
    use crate::source::ics::{Expansion, Limits, expand};

    fn text(name: &str, now: Time) -> String {
        calendars(now).into_iter().find(|(file, _)| file == name).unwrap().1
    }

    fn ahead(name: &str, now: Time, days: i64) -> Expansion {
        let zone = crate::cli::sample::day::ZONE;
        let seen = expand(&text(name, now), now..now.plus(days * DAY), zone, &Limits::default());
        assert!(seen.incomplete.is_empty(), "{name}: {:?}", seen.incomplete);
        seen
    }

    fn titles(seen: &Expansion) -> Vec<String> {
        let live = seen.occurrences.iter().filter(|o| !o.entry.is_cancelled());
        live.map(|o| o.entry.summary.clone().unwrap()).collect()
    }

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn every_calendar_reads_whole_on_any_day() {
        for day in 0..366 {
            let now = at("2026-01-01T20:30:00Z").plus(day * DAY + day * HOUR);
            if day % 9 == 0 {
                for (file, _) in calendars(now) {
                    ahead(&file, now, 21);
                }
            }
            let freezes = titles(&ahead("freezes.ics", now, 16));
            assert!(!freezes.is_empty(), "no freeze ahead of {}", now.rfc3339());
        }
    }

    #[test]
    fn black_friday_freezes_what_is_near_it_and_another_freeze_stands_at_other_times() {
        let november = ahead("freezes.ics", at("2026-11-21T00:30:00Z"), 14);
        assert_eq!(titles(&november), ["Black Friday"]);
        let freeze = &november.occurrences.iter().find(|o| !o.entry.is_cancelled()).unwrap();
        assert_eq!(freeze.end, at("2026-11-30T17:00:00Z"));
        assert_eq!(freeze.entry.organizer.as_deref(), Some("Finance"));
        assert_eq!(titles(&ahead("freezes.ics", at("2026-05-12T18:00:00Z"), 14)), ["Card network certification"]);
    }

    #[test]
    fn somebody_is_on_call_at_every_moment_and_the_first_of_the_rota_now() {
        for now in ["2026-11-21T00:30:00Z", "2026-11-23T16:59:00Z", "2026-11-23T17:00:00Z", "2026-03-06T20:00:00Z"] {
            let now = at(now);
            let seen = ahead("on-call.ics", now, 30);
            assert_eq!(seen.occurrences[0].entry.summary.as_deref(), Some("Lin"), "{}", now.rfc3339());
            assert_eq!(seen.busy.len(), 1, "a gap or none: {:?}", seen.busy);
        }
    }

    #[test]
    fn a_launch_and_a_campaign_follow_on_the_next_working_days() {
        let friday = at("2026-11-21T00:30:00Z");
        let launch = ahead("launches.ics", friday, 6);
        assert_eq!(launch.occurrences[0].start, at("2026-11-23T21:00:00Z"));
        let campaign = ahead("marketing.ics", friday, 6);
        assert_eq!(campaign.occurrences[0].start, at("2026-11-24T17:00:00Z"));
    }

    #[test]
    fn a_long_weekend_and_the_end_of_the_quarter_are_there() {
        let seen = titles(&ahead("holidays.ics", at("2026-11-21T00:30:00Z"), 10));
        assert_eq!(seen, ["Thanksgiving Day", "Thanksgiving weekend", "Day after Thanksgiving"]);
        let seen = ahead("finance.ics", at("2026-12-15T20:00:00Z"), 20);
        assert_eq!(titles(&seen), ["End of Q4 2026"]);
    }
}
