//! A team's calendar: 1,000 recurring events, parsed once and looked at for a year, and for two weeks. And the calendars of
//! `tests/data/ics`, beside Python's recurring_ical_events in the same run.

#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use chrono_tz::Tz;
use divan::Bencher;
use tidegate::clock::{DAY, Time};
use tidegate::source::ics::{Calendar, Limits};

fn main() {
    if let Err(why) = beside() {
        println!("Nothing to compare with: {why:#}");
    }
    divan::main();
}

/// What is compared with: who made the answers of `tests/data/ics`.
const PYTHON: [&str; 2] = ["recurring_ical_events==3.8.2", "icalendar==7.3.0"];

/// A calendar's text, and the stretches to look at.
type Work = Vec<(String, Vec<(Time, Time)>)>;

/// Reads every calendar of `tests/data/ics` once and looks at each of its stretches, here and in Python.
fn beside() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ics");
    let work = work(&folder)?;
    let (mut own, mut found) = (Vec::new(), 0);
    for _ in 0..20 {
        let began = Instant::now();
        found = round(&work);
        own.push(began.elapsed().as_secs_f64());
    }
    let own = median(own);
    let stretches: usize = work.iter().map(|(_, stretches)| stretches.len()).sum();
    println!("{} calendars, {stretches} stretches, parsed and expanded, median of rounds:", work.len());
    println!("  here    {:9.1} ms, {found} occurrences", own * 1e3);
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    // It warns about odd names of time zones.
    let told = Command::new(python(scratch.path())?)
        .args(["-W", "ignore"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/calendar/beside.py"))
        .arg(&folder)
        .arg("3")
        .stderr(Stdio::inherit())
        .output()
        .context("Python did not start")?;
    ensure!(told.status.success(), "Python failed");
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).context("Python said nothing")?;
    let seconds = told["seconds"].as_array().context("Python said no times")?;
    let python = median(seconds.iter().filter_map(serde_json::Value::as_f64).collect());
    println!(
        "  Python  {:9.1} ms, {} occurrences, {} stretches failed: {:.0} times as long",
        python * 1e3,
        told["found"],
        told["failed"],
        python / own
    );
    Ok(())
}

fn work(folder: &Path) -> Result<Work> {
    let mut work = Work::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if !path.to_string_lossy().ends_with(".expected.json") {
            continue;
        }
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let text = std::fs::read(folder.join(format!("{}.ics", expected["id"].as_str().context("no id")?)))?;
        let at = |query: &serde_json::Value, name: &str| Time::parse_rfc3339(query[name].as_str()?);
        let queries = expected["queries"].as_array().context("no queries")?;
        let scored = queries.iter().filter(|query| query["contested"] != true);
        let stretches = scored.filter_map(|query| Some((at(query, "start")?, at(query, "end")?)));
        work.push((String::from_utf8_lossy(&text).into_owned(), stretches.collect()));
    }
    Ok(work)
}

/// How many occurrences there are.
fn round(work: &Work) -> usize {
    let mut found = 0;
    for (text, stretches) in work {
        let Ok(calendar) = Calendar::parse(text, &Limits::default()) else { continue };
        found +=
            stretches.iter().map(|(from, to)| calendar.expand(*from..*to, Tz::UTC).occurrences.len()).sum::<usize>();
    }
    found
}

/// A Python with what is compared with.
fn python(scratch: &Path) -> Result<PathBuf> {
    let run = |program: &Path, arguments: &[&str]| -> Result<()> {
        let done = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
        ensure!(done.is_ok_and(|status| status.success()), "`{}` could not {arguments:?}", program.display());
        Ok(())
    };
    let home = scratch.join("python");
    run(Path::new("python3"), &["-m", "venv", home.to_str().context("an odd path")?])?;
    let python = home.join("bin/python");
    run(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON[0], PYTHON[1]])?;
    Ok(python)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
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
