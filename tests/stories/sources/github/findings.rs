//! What code scanning and secret scanning found.

use std::sync::Arc;

use serde_json::{Value, json};

use tidegate::advice::facts::{Change, FileChange, FileStatus, Finding, FindingKind};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Question};

use super::super::change_of;
use super::world::{Github as Server, TOKEN};
use super::{CASE, asking, source, world};
use crate::harness::source as open;
use crate::harness::vendor::Reply;

const HEAD: &str = "v1.1.0";
const BASE: &str = "v1.0.0";

/// The change touches line 10 to 12 of one file.
fn change(head: &str) -> Change {
    let file = FileChange {
        path: "src/cart.ts".to_owned(),
        was: None,
        status: FileStatus::Changed,
        added: Some(3),
        deleted: Some(0),
        churn: None,
        age_days: None,
        new_lines: Some(vec![(10, 12)]),
    };
    let mut change = Change { files: vec![file], file_count: 1, ..change_of(&[]) };
    change.head.commit = head.to_owned();
    change
}

async fn ask(server: &Server) -> Result<Answer, CannotSay> {
    let head = server.shared().world.refs[HEAD].clone();
    let change = Some(Arc::new(change(&head)));
    let asked = Ask { change, ..asking(Question::Findings, Some(HEAD), Some(BASE)) };
    source(&server.address, TOKEN).ask(&asked).await
}

fn findings(answer: &Answer) -> Vec<Finding> {
    let Learned::Findings(found) = &answer.learned else { panic!("{answer:?}") };
    found.clone()
}

fn scan(commit: &str, category: &str, at: &str) -> Value {
    json!({ "ref": "refs/heads/main", "commit_sha": commit, "category": category, "created_at": at,
        "error": "", "tool": { "name": "CodeQL", "guid": null, "version": "2.23.1" } })
}

fn alert(rule: &str, path: &str, line: u32, commit: &str) -> Value {
    json!({ "created_at": "2026-11-10T10:20:00Z", "state": "open", "html_url": "https://github.com/harbor/shop/security/code-scanning/7",
        "rule": { "id": rule, "severity": "error", "security_severity_level": "critical", "description": "Query built from user input" },
        "tool": { "name": "CodeQL", "guid": null },
        "most_recent_instance": { "ref": "refs/heads/main", "state": "open", "commit_sha": commit,
            "message": { "text": "hush" }, "location": { "path": path, "start_line": line, "end_line": line } } })
}

/// The head and what runs were scanned; nothing was found.
async fn scanned() -> (Server, String, String) {
    let server = world().await;
    let (head, base) = {
        let world = &mut server.shared().world;
        let (head, base) = (world.refs[HEAD].clone(), world.refs[BASE].clone());
        let scans = vec![scan(&head, "js", "2026-11-10T10:20:00Z"), scan(&base, "js", "2026-11-01T10:20:00Z")];
        (world.scans, world.leaks) = (Some((scans, Vec::new())), Some(Vec::new()));
        (head, base)
    };
    (server, head, base)
}

#[tokio::test]
async fn alerts_in_new_lines_are_new_and_those_in_other_files_are_not() {
    let (server, head, _) = scanned().await;
    let mut note = alert("style", "src/cart.ts", 11, &head);
    note["rule"] = json!({ "id": "style", "severity": "none", "description": "Style" });
    let mut warning = alert("x\u{202e}\ny", "src/cart.ts", 40, &head);
    warning["rule"] = json!({ "id": "x\u{202e}\ny", "severity": "warning", "description": "A".repeat(5_000) });
    server.shared().world.scans.as_mut().unwrap().1 = vec![
        alert("js/sql-injection", "src/cart.ts", 11, &head),
        alert("js/sql-injection", "src/other.ts", 11, &head),
        warning,
        note,
        json!({ "rule": {}, "tool": {}, "most_recent_instance": null, "html_url": "javascript:alert(1)" }),
    ];
    let answer = ask(&server).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = findings(&answer);
    let news: Vec<_> = found.iter().map(|f| (f.new, f.path.as_deref(), f.severity.as_deref())).collect();
    let told = [
        (None, None, None),
        (Some(true), Some("src/cart.ts"), Some("critical")),
        (None, Some("src/cart.ts"), Some("medium")),
        (Some(false), Some("src/other.ts"), Some("critical")),
    ];
    assert_eq!(news, told);
    assert_eq!((found[1].kind, found[1].title.as_str()), (FindingKind::Code, "Query built from user input"));
    assert!(found[1].link.is_some() && found[0].link.is_none());
    assert!(found[2].title.chars().count() <= 161 && !found[2].id.contains(['\u{202e}', '\n']));
    server.is_content();
}

#[tokio::test]
async fn a_secret_is_never_read_and_is_new_where_a_commit_of_the_change_brought_it() {
    let (server, head, base) = scanned().await;
    let leak = |commit: &str, more: bool| {
        json!({ "state": "open", "created_at": "2026-11-10T10:01:00Z", "secret_type": "aws_key", "has_more_locations": more,
            "first_location_detected": { "path": "src/keys.ts", "start_line": 1, "commit_sha": commit, "blob_sha": "b" } })
    };
    let elsewhere = json!({ "secret_type": "in_issue", "created_at": "2026-11-10T10:01:00Z", "has_more_locations": false,
        "first_location_detected": { "issue_title_url": "https://api.github.com/repos/harbor/shop/issues/1" } });
    let old = json!({ "secret_type": "old", "created_at": "2026-01-01T10:00:00Z", "first_location_detected": null });
    server.shared().world.leaks = Some(vec![leak(&head, false), leak(&base, false), elsewhere, old]);
    let mut change = change(&head);
    let mine = tidegate::advice::facts::Commit {
        sha: head.clone(),
        title: "Fix".to_owned(),
        email: String::new(),
        author: None,
        co_authors: Vec::new(),
        at: open::now(),
        ai: tidegate::advice::facts::AiMark::Undeclared,
        fix: false,
    };
    (change.commits, change.commit_count) = (vec![mine], 1);
    let asked = Ask { change: Some(Arc::new(change)), ..asking(Question::Findings, Some(HEAD), Some(BASE)) };
    let answer = source(&server.address, TOKEN).ask(&asked).await.unwrap();
    assert!(!format!("{answer:?}").contains("hush"));
    let found = findings(&answer);
    let mut news: Vec<_> = found.iter().map(|f| (f.id.as_str(), f.new, f.path.as_deref())).collect();
    news.sort_unstable();
    let told = [
        ("aws_key", Some(false), Some("src/keys.ts")),
        ("aws_key", Some(true), Some("src/keys.ts")),
        ("in_issue", Some(false), None),
        ("old", Some(false), None),
    ];
    assert_eq!(news, told);
    assert!(found.iter().all(|finding| finding.kind == FindingKind::Secret && finding.title.is_empty()));
    server.is_content();
}

#[tokio::test]
async fn a_commit_that_was_not_scanned_is_no_all_clear() {
    let (server, head, base) = scanned().await;
    let scans = |scans: Vec<Value>| server.shared().world.scans.as_mut().unwrap().0 = scans;
    scans(vec![scan(&base, "js", "2026-11-01T10:20:00Z")]);
    let why = format!("code scanning has no scan of this commit; the newest is of {}…", &base[..11]);
    assert_eq!(ask(&server).await.unwrap().incomplete, [why.replace('…', &base[11..12])]);
    scans(vec![]);
    assert_eq!(ask(&server).await.unwrap().incomplete, ["code scanning has no scan of this commit"]);
    let mut broken = scan(&head, "js", "2026-11-10T10:20:00Z");
    broken["error"] = json!("hush");
    let go = scan(&base, "go", "2026-11-01T10:20:00Z");
    scans(vec![broken, go]);
    let gaps = [
        "CodeQL scanned what runs and not yet this commit (`go`)",
        "CodeQL ended its scan of this commit with an error",
    ];
    assert_eq!(ask(&server).await.unwrap().incomplete, gaps);
    server.is_content();
}

#[tokio::test]
async fn what_later_commits_mended_or_brought_is_told_as_it_was() {
    let (server, head, _) = scanned().await;
    let later = server.shared().world.refs["main"].clone();
    let mut mended = alert("mended", "src/cart.ts", 11, &head);
    (mended["state"], mended["fixed_at"]) = (json!("fixed"), json!("2026-11-20T10:20:00Z"));
    let mut long_ago = mended.clone();
    long_ago["fixed_at"] = json!("2026-11-02T10:20:00Z");
    let mut brought = alert("brought", "src/cart.ts", 11, &later);
    brought["created_at"] = json!("2026-11-20T10:20:00Z");
    {
        let scans = &mut server.shared().world.scans;
        let (scans, alerts) = scans.as_mut().unwrap();
        scans.insert(0, scan(&later, "js", "2026-11-20T10:20:00Z"));
        *alerts = vec![mended, long_ago, brought, alert("stays", "src/cart.ts", 11, &later)];
    }
    let found = findings(&ask(&server).await.unwrap());
    let ids: Vec<_> = found.iter().map(|f| (f.id.as_str(), f.new)).collect();
    assert_eq!(ids, [("mended", Some(true)), ("stays", None)], "lines of a later commit have other numbers");
    server.is_content();
}

#[tokio::test]
async fn a_feature_that_is_not_enabled_is_said_and_is_no_all_clear() {
    let (server, ..) = scanned().await;
    server.shared().world.leaks = None;
    let off = "secret scanning is not enabled for this repository (404)";
    assert_eq!(ask(&server).await.unwrap().incomplete, [off]);
    server.shared().world.scans = None;
    let why = ask(&server).await.unwrap_err().0;
    let both = format!("tells nothing of findings: code scanning is not enabled for this repository (403); {off}");
    assert_eq!(why, both);
    let alone = |scanning: &str| {
        let all = CASE.filled(&server.address, TOKEN);
        open::opened(&all.replace("['code', 'secrets']", scanning)).unwrap()
    };
    assert!(!alone("[]").answers().contains(&Question::Findings));
    let asked = asking(Question::Findings, Some(HEAD), Some(BASE));
    server.shared().world.leaks = Some(Vec::new());
    assert_eq!(alone("['secrets']").ask(&asked).await.unwrap().incomplete, Vec::<String>::new());
    server.is_content();
    server.shared().fault =
        Some(Reply(403, Vec::new(), json!({ "message": "Resource not accessible by personal access token" })));
    let why = ask(&server).await.unwrap_err().0;
    assert_eq!(why, "refused the question (403): the credential lacks a permission");
}
