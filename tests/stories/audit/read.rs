//! What auditors take with them: the report, exports in every form, and the pages.

use serde_json::Value;

use super::{PLAN, report, started};
use crate::harness::{Story, settings};

fn found(report: &Value, code: &str) -> Value {
    let all = report["findings"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    all.iter().find(|found| found["code"] == code).unwrap_or_else(|| panic!("no {code}: {report:#}")).clone()
}

/// One change as it should be, one without a plan, one never approved, one with another commit, one only approved.
fn a_quarter() -> Story {
    let mut story = started();
    story.reports(&report("ci-1", "started", "v1.1.0"));
    story.reports(&report("ci-1", "succeeded", "v1.1.0"));
    story.says("ada", "/deploy outcome shop-1 clean");
    story.reports(&report("ci-2", "succeeded", "v9"));
    story.says("ada", PLAN);
    story.reports(&report("ci-3", "started", "v1.1.0"));
    story.says("ada", "/deploy finished shop-2");
    story.says("ada", "/deploy plan shop production v1.0.0 --why PAY-2 --risk low --rollback \"redeploy v1.1.0\"");
    let mut other = report("ci-4", "started", "v1.0.0");
    other["plan"] = "shop-3".into();
    other["commit"] = "ffffffffffffffffffffffffffffffffffffffff".into();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reports(&other);
    story.says("ada", "/deploy plan shop production v1.1.0 --why \"=HYPERLINK(\\\"http://evil\\\")\" --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story
}

#[test]
fn a_report_finds_what_is_incomplete_both_ways() {
    let story = a_quarter();
    let report = story.get("/api/ledger/report?from=2026-11-01&to=2026-12-31");
    assert_eq!((&report["plans"], &report["first_gap"]), (&4.into(), &Value::Null), "{report:#}");
    for (code, names) in [
        ("override", vec![]),
        ("unapproved", vec!["shop-2"]),
        ("other_commit", vec!["shop-3"]),
        ("started_not_deployed", vec![]),
        ("approved_not_deployed", vec!["shop-4"]),
    ] {
        let found = found(&report, code);
        let changes: Vec<&str> =
            found["changes"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(changes, names, "{code}: {report:#}");
    }
    assert_eq!(found(&report, "unplanned")["count"], 1, "{report:#}");
    assert!(report["checkpoint"].as_str().unwrap().contains('—'));
    let none = story.get("/api/ledger/report?from=2026-01-01&to=2026-01-31");
    assert_eq!((&none["plans"], &none["stretch"]["entries"]), (&0.into(), &0.into()), "{none:#}");
    let (status, wrong) = story.call("GET", "/api/ledger/report?from=2026-12-01&to=2026-11-01", None);
    assert_eq!((status, wrong["error"]["code"].as_str()), (400, Some("bad-request")));
    let (code, text, _) = story.runs(&["audit", "report", "--data", "data", "--from", "2026-11-01"]);
    assert_eq!(code, 0);
    let order =
        ["Overrides", "Emergency", "Owed and not given", "Deployed without a plan", "Another commit", "never begun"];
    let places: Vec<usize> =
        order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"))).collect();
    assert!(places.is_sorted(), "what went around the rules comes first: {text}");
    let (_, table, _) = story.runs(&["audit", "report", "--data", "data", "--format", "csv"]);
    assert_eq!(table.lines().next().unwrap().split(',').next(), Some("change"));
    assert!(table.contains("shop-3,other_commit,shop,production,v1.0.0"), "{table}");
}

#[test]
fn lines_of_a_plan_of_a_period_and_of_everything_verify_with_nothing_but_the_key() {
    let mut story = a_quarter();
    let key = story.get("/api/ledger")["key"].as_str().unwrap().to_owned();
    for (name, arguments) in [
        ("plan", vec!["--plan", "shop-3"]),
        ("period", vec!["--from", "2026-11-23T19:00:00Z", "--to", "2026-12-31"]),
        ("all", vec![]),
    ] {
        let file = format!("{name}.jsonl");
        let (code, _, says) =
            story.runs(&[&["audit", "export", "--data", "data", "--out", &file], &arguments[..]].concat());
        assert_eq!(code, 0, "{says}");
        let (code, verdict) = story.verified(&["audit", "verify", &file, "--key", &key]);
        assert_eq!(code, 0, "{name}: {verdict:#}");
        let text = std::fs::read_to_string(story.folder.path().join(&file)).unwrap();
        let forged = text.replacen("production", "productiom", 1);
        assert_ne!(text, forged);
        std::fs::write(story.folder.path().join("forged.jsonl"), forged).unwrap();
        let (code, verdict) = story.verified(&["audit", "verify", "forged.jsonl", "--key", &key]);
        assert_eq!(code, 1, "{name}: {verdict:#}");
    }
    // The same without a server, from the store itself.
    assert!(story.stop(), "{}", story.log());
    let (code, own, says) =
        story.runs(&["audit", "export", "--config", "tidegate.toml", "--data", "data", "--plan", "shop-3"]);
    assert_eq!(code, 0, "{says}");
    assert!(own.lines().count() > 4 && own.lines().last().unwrap().contains("checkpoint"), "{own}");
    story.start("2026-11-23T12:00:00-08:00");
}

#[test]
fn a_table_of_entries_runs_nothing() {
    let story = a_quarter();
    let (code, table, _) = story.runs(&["audit", "export", "--data", "data", "--format", "csv", "--plan", "shop-4"]);
    assert_eq!(code, 0);
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let texts = rows.headers().unwrap().iter().position(|name| name == "texts").unwrap();
    let all: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert!(all.iter().any(|row| row[texts].contains("HYPERLINK")), "{table}");
    for row in &all {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
}

#[test]
fn a_pack_stands_alone_says_what_it_proves_and_holds_lines_that_verify() {
    let story = a_quarter();
    let key = story.get("/api/ledger")["key"].as_str().unwrap().to_owned();
    let (code, pack, says) = story.runs(&["audit", "export", "--data", "data", "--format", "html"]);
    assert_eq!(code, 0, "{says}");
    for part in
        ["Completeness", "The brief as it was seen", "tidegate audit verify", "The proof for shop-1", &key, "Evidence,"]
    {
        assert!(pack.contains(part), "{part}: {pack}");
    }
    assert!(!pack.contains("<script") && !pack.contains("src=") && !pack.contains("<link"), "nothing is loaded");
    for plan in ["shop-1", "shop-2", "shop-3", "shop-4"] {
        let lines = pack.split(&format!("id=\"lines-{plan}\">")).nth(1).unwrap().split("</pre>").next().unwrap();
        let lines = lines.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        std::fs::write(story.folder.path().join("lines.jsonl"), lines).unwrap();
        let (code, verdict) = story.verified(&["audit", "verify", "lines.jsonl", "--key", &key]);
        assert_eq!(code, 0, "{plan}: {verdict:#}");
    }
    let (code, _, says) = story.runs(&[
        "audit",
        "export",
        "--data",
        "data",
        "--plan",
        "shop-1",
        "--format",
        "pdf",
        "--out",
        "shop-1.pdf",
    ]);
    assert_eq!(code, 0, "{says}");
    let pdf = std::fs::read(story.folder.path().join("shop-1.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF\n"), "{} bytes", pdf.len());
    let (code, _, says) = story.runs(&["audit", "export", "--data", "data", "--plan", "shop-99"]);
    assert_eq!((code, says.contains("There is no such plan.")), (2, true), "{says}");
}

#[test]
fn the_story_of_a_plan_reads_the_same_on_the_command_line_and_on_its_page() {
    let story = a_quarter();
    let (code, told, _) = story.runs(&["audit", "show", "--data", "data", "--plan", "shop-1"]);
    assert_eq!(code, 0);
    for part in [
        "Who planned",
        "lin approved revision 1",
        "Rollback plan",
        "Outcome",
        "clean",
        "The rules that it was decided under",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let page = story.get("/audit/plans/shop-1");
    let page = page.as_str().unwrap();
    for part in ["Why shop-1", "lin approved revision 1", "Evidence pack"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(story.get("/plans/shop-1").as_str().unwrap().contains("Why shop-1"));
    let list = story.get("/audit?from=2026-11-01&to=2026-12-31");
    let list = list.as_str().unwrap();
    for part in ["/audit/plans/shop-4", "not approved", "other commit", "No gap in the sequence"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    let by_person = story.get("/audit?from=2026-11-01&to=2026-12-31&q=grace");
    assert!(by_person.as_str().unwrap().contains("No plan was made"), "grace did nothing");
    let by_handle = story.get("/audit?q=shop-2");
    let by_handle = by_handle.as_str().unwrap();
    assert!(by_handle.contains("/audit/plans/shop-2") && !by_handle.contains("/audit/plans/shop-3"));
    assert_eq!(story.call("GET", "/audit/plans/shop-99", None).0, 404);
}

#[test]
fn what_is_owed_is_listed_for_programs_too() {
    let mut story = Story::begin(&settings());
    story.reports(&report("ci-2", "succeeded", "v9"));
    let (code, out, _) = story.runs(&["audit", "obligations", "--data", "data", "--json"]);
    assert_eq!(code, 0);
    let owed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(owed["obligations"][0]["what"], "report", "{owed:#}");
    let (_, words, _) = story.runs(&["audit", "obligations", "--data", "data"]);
    assert!(words.contains("Report after a deployment without a plan: owed by ada"), "{words}");
}
