//! The auditor's walk of docs/audit.md, line by line as it stands there.

use serde_json::Value;

use crate::harness::{MONDAY_11, Story};

const TEXT: &str = include_str!("../../../docs/audit.md");

/// The lines of the blocks of one kind in the walk.
fn block(kind: &str, at: usize) -> Vec<String> {
    let walk = TEXT.split("## An auditor's walk").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = walk.split(&format!("```{kind}\n")).nth(at).unwrap().split("```").next().unwrap();
    block.lines().map(str::to_owned).collect()
}

#[test]
fn the_auditors_walk_works_command_by_command() {
    assert_eq!(block("sh", 1), [format!("tidegate try --data data --at {MONDAY_11}")]);
    let mut story = Story::sample(MONDAY_11);
    for line in block("console", 1) {
        let (who, said) = line.split_once(": ").unwrap();
        match (who, said) {
            ("ci", report) => drop(story.reports(&serde_json::from_str::<Value>(report).unwrap())),
            (who, "✅") => {
                let card = story.card();
                story.reacts(who, &card, "white_check_mark");
            }
            (who, command) if command.starts_with('/') => story.says(who, command),
            (who, reply) => {
                let thread = story.main()["id"].as_str().unwrap().to_owned();
                story.replies(who, &thread, reply);
            }
        }
    }
    for line in block("sh", 2) {
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let (code, out, says) = story.runs(&arguments);
        assert_eq!(code, 0, "{line}: {out} {says}");
        if line.contains("audit report") && !line.contains("csv") {
            assert!(out.contains("search v3.2.0 → production"), "{out}");
        }
        if line.contains("obligations") {
            assert!(out.contains("Root cause after an incident") && out.contains("without a plan"), "{out}");
        }
    }
}
