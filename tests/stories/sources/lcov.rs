//! Coverage from tracefiles of LCOV.

use std::path::Path;
use std::sync::Arc;

use tidegate::advice::facts::{Change, Coverage, Covered, FileChange, FileStatus};
use tidegate::clock::{DAY, Time};
use tidegate::source::{Answer, Ask, Learned, Question};

use super::change_of;
use crate::harness::source;

const BASE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";

fn file(path: &str, new_lines: Option<Vec<(u32, u32)>>) -> FileChange {
    FileChange {
        path: path.to_owned(),
        was: None,
        status: FileStatus::Changed,
        added: Some(3),
        deleted: Some(0),
        churn: None,
        age_days: None,
        new_lines,
    }
}

fn change(files: Vec<FileChange>) -> Change {
    let mut change = Change { file_count: u32::try_from(files.len()).unwrap(), files, ..change_of(&[]) };
    change.head.commit = HEAD.to_owned();
    change.base.as_mut().unwrap().commit = BASE.to_owned();
    change.head.at = Time::from_ms(0);
    change
}

/// Asked now: the files of a story are as new as the story.
async fn ask(path: &Path, change: Change, later: i64) -> Result<Answer, String> {
    let source = source::opened(&format!("kind = 'lcov'\npath = '{}'", path.display())).unwrap();
    let written = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Time::from_ms(i64::try_from(written.as_millis()).unwrap()).plus(later);
    let asked = Ask { change: Some(Arc::new(change)), now, ..source::asking(Question::Coverage, "") };
    source.ask(&asked).await.map_err(|why| why.0)
}

fn coverage(answer: &Answer) -> Coverage {
    let Learned::Coverage(coverage) = &answer.learned else { panic!("{answer:?}") };
    coverage.clone()
}

const TRACE: &str =
    "TN:\nSF:/home/runner/work/shop/src/cart.ts\nDA:9,1\nDA:10,1\nDA:11,0\nDA:12,4\nDA:40,0\nend_of_record\n";

#[tokio::test]
async fn new_lines_that_can_be_run_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lcov.info");
    std::fs::write(&path, TRACE).unwrap();
    let files =
        vec![file("src/cart.ts", Some(vec![(10, 12), (90, 99), (7, 3)])), file("README.md", Some(vec![(1, 9)]))];
    let answer = ask(&path, change(files), 0).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let told = coverage(&answer);
    assert_eq!(told.touched, Some(Covered { lines: 2, of: 3 }));
    assert_eq!((told.project, told.delta), (Some(60.0), None));
    let files = vec![file("src/cart.ts", None), file("src/other.ts", Some(vec![(1, 2)]))];
    let mut partial = change(files);
    partial.file_count = 9;
    let gaps = [
        "no coverage is told of `src/other.ts`",
        "which lines are new is not known of 1 of the files",
        "not all files of the change are known",
    ];
    assert_eq!(ask(&path, partial, 0).await.unwrap().incomplete, gaps);
}

#[tokio::test]
async fn files_that_are_named_by_commit_are_compared_with_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let write = |commit: &str, text: &str| {
        std::fs::create_dir(folder.path().join(commit)).unwrap();
        std::fs::write(folder.path().join(commit).join("web.info"), text).unwrap();
    };
    let path = folder.path().join("{commit}");
    let files = || vec![file("src/cart.ts", Some(vec![(10, 12)]))];
    assert_eq!(ask(&path, change(files()), 0).await.unwrap_err(), "found no such file or folder");
    write(HEAD, TRACE);
    assert_eq!(coverage(&ask(&path, change(files()), 0).await.unwrap()).delta, None);
    write(BASE, "SF:src/cart.ts\nDA:1,1\nend_of_record\n");
    assert_eq!(coverage(&ask(&path, change(files()), 0).await.unwrap()).delta, Some(-40.0));
    let mut unknown = change(files());
    unknown.head.commit = "../../etc".to_owned();
    assert_eq!(ask(&path, unknown, 0).await.unwrap_err(), "names files by commit, and the commit is not known");
}

#[tokio::test]
async fn coverage_of_another_time_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lcov.info");
    std::fs::write(&path, TRACE).unwrap();
    let why = ask(&path, change(Vec::new()), 8 * DAY).await.unwrap_err();
    assert_eq!(why, "holds coverage that is 8 days old, which is too old");
    let mut newer = change(Vec::new());
    newer.head.at = Time::from_ms(i64::MAX / 4);
    assert_eq!(ask(&path, newer, 0).await.unwrap_err(), "holds coverage from before the commit was made");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(ask(empty.path(), change(Vec::new()), 0).await.unwrap_err(), "holds no file whose name ends in `.info`");
    std::fs::write(empty.path().join("a.info"), "<html>").unwrap();
    let why = ask(empty.path(), change(Vec::new()), 0).await.unwrap_err();
    assert_eq!(why, "holds no tracefile of LCOV that can be read");
    std::fs::write(empty.path().join("b.info"), TRACE).unwrap();
    let half = ask(empty.path(), change(Vec::new()), 0).await.unwrap();
    assert_eq!(half.incomplete, ["`a.info` could not be read: it is not in LCOV's format"]);
}
