//! An export's memory does not grow with what is exported: measured on the real program.

use std::path::Path;
use std::process::{Command, Stdio};

use tidegate::clock::{Clock, MINUTE, Time};
use tidegate::config::Settings;
use tidegate::ledger::Statement;

const SETTINGS: &str = "[store]\nurl = \"sqlite://tidegate.db\"\n";

/// A store with so many entries, a minute apart.
fn filled(entries: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), SETTINGS).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::beginning_at(Time::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let settings = Settings::read(SETTINGS, "test", folder.path().to_owned()).unwrap();
        let app = tidegate::cli::serve::build(settings, clock.clone(), data).await.unwrap();
        for _ in 0..entries / 500 {
            let mut tx = app.store.begin(clock.now()).await.unwrap();
            for n in 0..500 {
                let words = "Why it did not count, in as many words as people use. ".repeat(8);
                let record =
                    Statement::new("word.refused").with("because", "role").with("n", n).text("says", Some(&words));
                tx.record(&app, record).await.unwrap();
            }
            tx.commit().await.unwrap();
            clock.advance(500 * MINUTE);
        }
        app.store.close().await;
    });
    folder
}

/// Bytes of the export, and the most memory that the program held, in KiB.
fn exported(folder: &Path, format: &str) -> (u64, u64) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args([
            "audit",
            "export",
            "--config",
            "tidegate.toml",
            "--data",
            "data",
            "--from",
            "2026-01-01",
            "--format",
            format,
        ])
        .args(["--out", "out"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").trim().parse().ok());
        most = most.max(peak.unwrap_or(0));
        if let Some(done) = program.try_wait().unwrap() {
            assert!(done.success());
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (std::fs::metadata(folder.join("out")).unwrap().len(), most)
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "the program's memory is read from /proc")]
fn forty_times_the_record_takes_the_same_memory() {
    let (few, many) = (filled(500), filled(20_000));
    for format in ["jsonl", "csv"] {
        let ((small, held_for_small), (large, held_for_large)) =
            (exported(few.path(), format), exported(many.path(), format));
        println!("{format}: {small} bytes in {held_for_small} KiB, {large} bytes in {held_for_large} KiB");
        assert!(large > 30 * small, "{format}: {small} {large}");
        let more = held_for_large.saturating_sub(held_for_small) * 1024;
        // What the store's own cache of pages takes at most; the lines written are several times that.
        assert!(large > 11 * 1024 * 1024, "{format}: {large}");
        assert!(more < 6 * 1024 * 1024, "{format}: {more} bytes more held for {large} bytes written");
    }
}
