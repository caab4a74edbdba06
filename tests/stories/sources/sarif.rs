//! Findings from files in SARIF 2.1.0.

use std::sync::Arc;

use serde_json::{Value, json};

use tidegate::advice::facts::{Change, FileChange, FileStatus, Finding, FindingKind};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Question};

use super::change_of;
use crate::harness::source;

fn result(rule: &str, path: &str, line: u32) -> Value {
    json!({ "ruleId": rule, "level": "error", "message": { "text": "user input reaches a query" },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": path }, "region": { "startLine": line } } }] })
}

fn log(tool: &str, results: &[Value]) -> Value {
    json!({ "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{
        "tool": { "driver": { "name": tool, "rules": [
            { "id": "js/sql-injection", "shortDescription": { "text": "Query built from user input" },
                "properties": { "security-severity": "8.8" }, "helpUri": "https://example.org/sql" },
            { "id": "style", "defaultConfiguration": { "level": "none" } } ] } },
        "results": results }] })
}

fn change() -> Change {
    let file = |path: &str, new_lines| FileChange {
        path: path.to_owned(),
        was: None,
        status: FileStatus::Changed,
        added: Some(3),
        deleted: Some(0),
        churn: None,
        age_days: None,
        new_lines,
    };
    let files = vec![file("src/cart.ts", Some(vec![(10, 12)])), file("src/large.ts", None)];
    Change { files, file_count: 2, ..change_of(&[]) }
}

async fn ask(path: &std::path::Path, change: Option<Change>) -> Result<Answer, CannotSay> {
    let source = source::opened(&format!("kind = 'sarif'\npath = '{}'", path.display())).unwrap();
    source.ask(&Ask { change: change.map(Arc::new), ..source::asking(Question::Findings, "") }).await
}

fn findings(answer: &Answer) -> Vec<Finding> {
    let Learned::Findings(found) = &answer.learned else { panic!("{answer:?}") };
    found.clone()
}

#[tokio::test]
async fn findings_in_new_lines_are_new_and_those_elsewhere_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = result("js/sql-injection", "src/cart.ts", 11);
    known["baselineState"] = json!("unchanged");
    let mut suppressed = result("js/sql-injection", "src/cart.ts", 11);
    suppressed["suppressions"] = json!([{ "kind": "inSource" }]);
    let mut quiet = result("style", "src/cart.ts", 11);
    quiet.as_object_mut().unwrap().remove("level");
    let results = [
        result("js/sql-injection", "file:///home/runner/work/shop/src/cart.ts", 11),
        result("js/sql-injection", "src/cart.ts", 40),
        result("js/sql-injection", "src/large.ts", 5),
        result("js/sql-injection", "src/other.ts", 5),
        known,
        suppressed,
        quiet,
    ];
    let file = folder.path().join("codeql.sarif");
    std::fs::write(&file, log("CodeQL", &results).to_string()).unwrap();
    let answer = ask(&file, Some(change())).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = findings(&answer);
    let news: Vec<(Option<bool>, &str)> = found.iter().map(|f| (f.new, f.path.as_deref().unwrap())).collect();
    assert_eq!(
        news,
        [
            (Some(true), "/home/runner/work/shop/src/cart.ts"),
            (None, "src/cart.ts"),
            (None, "src/large.ts"),
            (Some(false), "src/cart.ts"),
            (Some(false), "src/other.ts"),
        ]
    );
    assert_eq!((found[0].kind, found[0].severity.as_deref()), (FindingKind::Code, Some("high")));
    assert_eq!(found[0].title, "Query built from user input");
    assert_eq!(found[0].link.as_deref(), Some("https://example.org/sql"));
    assert!(findings(&ask(&file, None).await.unwrap()).iter().any(|finding| finding.new.is_none()));
}

#[tokio::test]
async fn a_folder_holds_one_file_for_each_tool_and_what_is_not_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert_eq!(ask(folder.path(), None).await.unwrap_err().0, "holds no file whose name ends in `.sarif`");
    write("broken.sarif", "{\"runs\": [");
    assert_eq!(ask(folder.path(), None).await.unwrap_err().0, "holds no file in SARIF 2.1.0 that can be read");
    let leak = json!({ "ruleId": "aws-key", "message": { "text": "AKIA-hush-hush was found" } });
    write("gitleaks.sarif", &log("gitleaks", &[leak]).to_string());
    let mut old = log("CodeQL", &[]);
    old["version"] = json!("1.0.0");
    write("old.sarif", &old.to_string());
    let mut stale = log("Semgrep OSS", &[result("x\u{202e}\ny", "src/cart.ts", 1)]);
    stale["runs"][0]["versionControlProvenance"] = json!([{ "revisionId": "0123456789abcdef" }]);
    write("stale.sarif", &stale.to_string());
    write("notes.txt", "no sarif");
    let answer = ask(folder.path(), Some(change())).await.unwrap();
    assert_eq!(
        answer.incomplete,
        [
            "`broken.sarif` could not be read: it is not in the format of SARIF",
            "`old.sarif` could not be read: it is of another version of SARIF than 2.1.0",
            "`stale.sarif` is about another commit, 0123456789ab…",
        ]
    );
    let found = findings(&answer);
    let secret = found.iter().find(|finding| finding.kind == FindingKind::Secret).unwrap();
    assert_eq!((secret.id.as_str(), secret.title.as_str()), ("aws-key", ""), "what was found is not repeated");
    assert!(found.iter().all(|finding| !finding.id.contains(['\u{202e}', '\n'])));
    let why = ask(&folder.path().join("absent.sarif"), None).await.unwrap_err().0;
    assert_eq!(why, "found no such file or folder");
}
