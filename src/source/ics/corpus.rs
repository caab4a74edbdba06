//! Agreement with other implementations on real and made-up calendars; see `tests/data/ics/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

#[derive(Debug, Default)]
struct Score {
    exact: usize,
    all: usize,
    wrong: Vec<String>,
}

fn measure(folder: &Path) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    for file in files.iter().filter(|file| file.to_string_lossy().ends_with(".expected.json")) {
        let expected: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let id = expected["id"].as_str().unwrap();
        let text = std::fs::read(folder.join(format!("{id}.ics"))).unwrap();
        let text = String::from_utf8_lossy(&text);
        let calendar = Calendar::parse(&text, &Limits::default());
        let score = scores.entry(id.split('-').next().unwrap().to_owned()).or_default();
        for (number, query) in expected["queries"].as_array().unwrap().iter().enumerate() {
            if query["contested"] == true {
                continue;
            }
            score.all += 1;
            let at = |name: &str| Time::parse_rfc3339(query[name].as_str().unwrap()).unwrap();
            let zone = query["default_tz"].as_str().unwrap().parse().unwrap();
            let difference = match &calendar {
                Ok(calendar) => difference(&calendar.expand(at("start")..at("end"), zone), query),
                Err(unreadable) => Some(unreadable.to_string()),
            };
            match difference {
                None => score.exact += 1,
                Some(difference) => score.wrong.push(format!("{id} #{number}: {difference}")),
            }
        }
    }
    scores
}

fn difference(ours: &Expansion, expected: &Value) -> Option<String> {
    // A date with a zone is still all day here, and not for the oracle; so that word is left to the unit tests.
    let line = |start: &str, end: &str, uid: &str, status: &str, transparent: bool, summary: &str| {
        format!("{start} {end} {uid} {status} {transparent} {}", summary.trim())
    };
    let mut got = ours.occurrences.iter().map(|o| {
        let status = o.entry.status.as_deref().unwrap_or("-");
        line(
            &o.start.rfc3339(),
            &o.end.rfc3339(),
            &o.entry.uid,
            status,
            o.entry.transparent,
            o.entry.summary.as_deref().unwrap_or_default(),
        )
    });
    let mut got = got.by_ref().collect::<Vec<_>>();
    let wanted = expected["occurrences"].as_array().unwrap().iter().map(|o| {
        let text = |name: &str| o[name].as_str().unwrap_or("-");
        let uid = o["uid"].as_str().unwrap_or("");
        line(
            text("start"),
            text("end"),
            uid,
            &text("status").to_ascii_uppercase(),
            text("transp") == "TRANSPARENT",
            o["summary"].as_str().unwrap_or_default(),
        )
    });
    let mut wanted = wanted.collect::<Vec<_>>();
    got.sort();
    wanted.sort();
    if got != wanted {
        let extra = got.iter().filter(|line| !wanted.contains(line)).take(3).collect::<Vec<_>>();
        let missing = wanted.iter().filter(|line| !got.contains(line)).take(3).collect::<Vec<_>>();
        return Some(format!(
            "{} for {}; extra {extra:?} missing {missing:?} said {:?}",
            got.len(),
            wanted.len(),
            ours.incomplete
        ));
    }
    let busy = calendar_json(ours)["busy"].clone();
    (busy != expected["busy"]).then(|| format!("busy {busy} for {}", expected["busy"]))
}

/// What a folder of hostile calendars got wrong: too slow, or silent where a problem must be named.
fn judge_hostile(folder: &Path) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if !file.to_string_lossy().ends_with(".expected.json") {
            continue;
        }
        cases += 1;
        let expected: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let id = expected["id"].as_str().unwrap();
        let text = std::fs::read(folder.join(format!("{id}.ics"))).unwrap();
        let at = |name: &str| Time::parse_rfc3339(expected[name].as_str().unwrap()).unwrap();
        let zone = expected["default_tz"].as_str().unwrap().parse().unwrap();
        let began = std::time::Instant::now();
        let got = expand(&String::from_utf8_lossy(&text), at("start")..at("end"), zone, &Limits::default());
        let took = began.elapsed().as_millis();
        println!("{id}: {} occurrences, {took} ms, {:?}", got.occurrences.len(), got.incomplete);
        if took > u128::from(expected["max_ms"].as_u64().unwrap()) {
            wrong.push(format!("{id} took {took} ms"));
        }
        if expected["must_report_problem"] == true && got.incomplete.is_empty() {
            wrong.push(format!("{id} says nothing"));
        }
        if expected["expected_count"].as_u64().is_some_and(|count| count != got.occurrences.len() as u64) {
            wrong.push(format!("{id} has {} occurrences", got.occurrences.len()));
        }
    }
    (cases, wrong)
}

/// Below these the agreement must not fall, for each origin: exact answers of scored queries.
const AGREED: [(&str, usize, usize); 6] = [
    ("ical4j", 67, 67),
    ("icalrs", 15, 17),
    ("icsparser", 2, 2),
    ("nodeical", 27, 27),
    ("pyical", 37, 37),
    ("synthetic", 40, 40),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn real_and_made_up_calendars_are_read_as_others_read_them() {
    let scores = measure(&root().join("tests/data/ics"));
    for (origin, score) in &scores {
        println!("{origin}: {} of {} {:#?}", score.exact, score.all, score.wrong);
    }
    for (origin, exact, all) in AGREED {
        let score = &scores[origin];
        assert_eq!(score.all, all, "{origin}");
        assert!(score.exact >= exact, "{origin}: {} of {all}: {:#?}", score.exact, score.wrong);
    }
}

#[test]
fn hostile_calendars_are_read_in_time_and_never_silently() {
    let (cases, wrong) = judge_hostile(&root().join("tests/data/ics/hostile"));
    assert_eq!((cases, wrong), (15, Vec::new()));
}

/// The larger collection that these files were taken from, where it is at hand.
#[test]
fn a_larger_collection_beside_the_repository_is_measured_too() {
    for up in ["../shared/data", "../../shared/data"] {
        let folder = root().join(up);
        if folder.join("ics").is_dir() {
            for (origin, score) in measure(&folder.join("ics")) {
                println!("{origin}: {} of {} {:#?}", score.exact, score.all, score.wrong);
            }
            println!("{:?}", judge_hostile(&folder.join("ics_hostile")));
        }
    }
}
