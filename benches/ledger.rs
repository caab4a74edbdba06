//! The record at a million entries: `cargo bench --bench ledger` (`-- --entries 100000` for fewer).
//!
//! Makes a ledger as an export and as a store, and measures how many entries a second are verified from each, beside bare
//! SHA-256 over the same bytes and with the memory that grew meanwhile; then how many entries a second are added, one
//! durable transaction each, beside the disk's own durable commits. All in one run, so that the ratios hold.
//! Aims: 500,000 a second from an export, 200,000 from the store, memory flat.

// The table is what this program says.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor};
use tidegate::clock::Time;
use tidegate::ledger::{
    Actor, Checkpoint, Entry, Evidence, Head, Kind, Node, Origin, PolicyRef, Signer, Trust, Verdict, export,
    verify_with,
};
use tidegate::store::Store;

const BEGAN: i64 = 1_800_000_000_000;
/// Rows of one statement.
const ROWS: usize = 500;

fn main() -> Result<()> {
    // `cargo test` builds and runs benches too; only `cargo bench` says so.
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let entries = arguments.iter().position(|argument| argument == "--entries");
    let entries: u64 = entries.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("could not make a folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("| measured | figure |\n|---|---|");
    runtime.block_on(measure(folder.path(), entries))
}

async fn measure(folder: &Path, entries: u64) -> Result<()> {
    let origin = Origin::parse("tidegate.example/01BENCH/1")?;
    let signer = Signer::open(folder, &origin, 0, None)?;
    let file = folder.join("record.jsonl");
    let began = Instant::now();
    made(folder, &file, &origin, &signer, entries).await?;
    row(
        &format!("made: {entries} entries, as an export and as a store"),
        &format!("{:.1} s", began.elapsed().as_secs_f64()),
    );
    let size = std::fs::metadata(&file)?.len();
    row("the export", &format!("{} MB, {} bytes an entry", size / 1_000_000, size / entries));

    for _ in 0..2 {
        let hashed = timed(|| bare(&file))?;
        row("bare SHA-256 over the export's bytes", &a_second(entries, hashed.0));
        let trust = Trust { keys: vec![signer.public()], ..Trust::default() };
        let (took, (verdict, grew)) =
            timed(|| watched(|| Ok(export::verify(BufReader::with_capacity(1 << 20, File::open(&file)?), trust))))?;
        sound(&verdict, entries)?;
        let ratio = hashed.0.as_secs_f64() / took.as_secs_f64();
        row(
            "verified from the export",
            &format!("{}, {:.2} of bare SHA-256; memory grew by {grew} KB", a_second(entries, took), ratio),
        );
    }
    let store = Store::open_for_reading("sqlite://tidegate.db", folder).await?;
    for _ in 0..2 {
        let before = resident();
        let peak = Peak::begin();
        let began = Instant::now();
        let verdict = verify_with(&store, vec![signer.public()], &[]).await?;
        let took = began.elapsed();
        sound(&verdict, entries)?;
        row(
            "verified from the store",
            &format!("{}; memory grew by {} KB", a_second(entries, took), peak.end().saturating_sub(before)),
        );
    }
    store.close().await;
    appended(folder, &signer).await
}

/// An entry such as an approval: who, which plan's brief, on what evidence, under which rule. Its plan stands among the
/// data: plans themselves are not what is measured here.
fn entry(n: u64) -> Entry {
    let who = ["ada", "grace", "lin", "noor"][usize::try_from(n % 4).unwrap_or(0)];
    let evidence = Evidence {
        platform: Some("slack".to_owned()),
        channel: Some("T0SHOP/C0DEPLOYS".to_owned()),
        message: Some(format!("T0SHOP/C0DEPLOYS/17{n:08}.000200")),
        event_id: Some(format!("01JD{n:022}")),
        ..Evidence::default()
    };
    let digest = "sha256:5b1f3f0d6f0d8a1b6a6c8f0e2d4b6a8c0e2f4a6b8c0d2e4f6a8b0c2d4e6f8a0b";
    let policy =
        PolicyRef { digest: digest.to_owned(), rule: Some("payments".to_owned()), quorum: Some("2".to_owned()) };
    Entry::new(
        Kind::WORD_GIVEN,
        Time::from_ms(BEGAN + i64::try_from(n).unwrap_or(0)),
        Actor::user("slack", "T0SHOP", "T0SHOP/U0ADA").person(who).role("payments-lead"),
    )
    .evidence(evidence)
    .policy(policy)
    .verdict("approve")
    .with("brief", digest)
    .with("plan", format!("checkout-{n}"))
}

/// The same ledger twice: as lines, and as rows, in statements of many.
async fn made(folder: &Path, file: &Path, origin: &Origin, signer: &Signer, entries: u64) -> Result<()> {
    let store = Store::open("sqlite://tidegate.db", folder).await?;
    store.found_ledger(origin, Time::from_ms(BEGAN)).await?;
    store.close().await;
    let url = format!("sqlite://{}", folder.join("tidegate.db").display());
    let mut database = sqlx::AnyConnection::connect(&url).await?;
    database.execute("begin immediate").await?;
    let mut lines = BufWriter::with_capacity(1 << 20, File::create(file)?);
    write!(lines, "{}", export::header(&signer.public()))?;
    let (mut head, mut rows, mut nodes) = (Head::new(origin.clone()), Vec::new(), Vec::<Node>::new());
    for n in 1..=entries {
        let done = head.append(entry(n))?;
        let leaf = done.leaf.to_string();
        lines.write_all(export::entry_line(done.seq, &leaf, &done.bytes, None, None).as_bytes())?;
        nodes.extend(done.nodes);
        rows.push(format!(
            "({n}, {}, '{}', null, '{}', '{leaf}')",
            done.at.ms(),
            done.kind,
            done.bytes.replace('\'', "''")
        ));
        if rows.len() == ROWS || n == entries {
            insert(&mut database, "ledger_entry (seq, at, kind, plan, bytes, leaf)", &mut rows).await?;
            let mut of_nodes = nodes
                .drain(..)
                .map(|node| format!("({}, {}, '{}')", node.at.level, node.at.index, node.hash))
                .collect();
            insert(&mut database, "ledger_node (level, pos, hash)", &mut of_nodes).await?;
        }
    }
    let seal = signer.sign(&Checkpoint::of(&head));
    lines.write_all(export::closing_line(&seal).as_bytes())?;
    lines.flush()?;
    let last = format!(
        "update ledger_head set size = {entries}, leaf = '{}', frontier = '{}', at = {}, seal = '{seal}' where id = 1",
        head.leaf,
        head.frontier.text(),
        head.at.ms()
    );
    database.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(last))).await?;
    database.execute("commit").await?;
    database.close().await?;
    Ok(())
}

async fn insert(database: &mut sqlx::AnyConnection, into: &str, rows: &mut Vec<String>) -> Result<()> {
    if !rows.is_empty() {
        let statement = format!("insert into {into} values {}", rows.join(", "));
        database.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await?;
    }
    rows.clear();
    Ok(())
}

/// Every line of the export, hashed: what no verification can do without.
fn bare(file: &Path) -> Result<()> {
    let (mut lines, mut line) = (BufReader::with_capacity(1 << 20, File::open(file)?), Vec::new());
    let mut all = 0u8;
    while lines.read_until(b'\n', &mut line)? > 0 {
        all ^= Sha256::digest(&line)[0];
        line.clear();
    }
    std::hint::black_box(all);
    Ok(())
}

/// Entries added one durable transaction at a time, beside the disk's own durable commits.
async fn appended(folder: &Path, signer: &Signer) -> Result<()> {
    let store = Store::open("sqlite://tidegate.db", folder).await?;
    for _ in 0..2 {
        let disk = disk(folder)?;
        row("the disk: durable commits (4 KiB and fdatasync), one at a time", &format!("{disk:.0} a second"));
        let (began, mut n) = (Instant::now(), 0u32);
        while began.elapsed() < Duration::from_secs(3) {
            let mut tx = store.begin(Time::from_ms(BEGAN + 10_000_000)).await?;
            tx.append(signer, entry(2_000_000 + u64::from(n)), None).await?;
            tx.commit().await?;
            n += 1;
        }
        let rate = f64::from(n) / began.elapsed().as_secs_f64();
        row(
            "added, one durable transaction each, signed and sealed",
            &format!("{rate:.0} a second, {:.2} of the disk's", rate / disk),
        );
    }
    store.close().await;
    Ok(())
}

fn disk(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("commits"))?;
    let (began, mut n) = (Instant::now(), 0u32);
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data())?;
        n += 1;
    }
    Ok(f64::from(n) / began.elapsed().as_secs_f64())
}

fn sound(verdict: &Verdict, entries: u64) -> Result<()> {
    ensure!(verdict.ok && verdict.size == entries, "what was made is not sound: {}", verdict.says);
    Ok(())
}

fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let began = Instant::now();
    let done = act()?;
    Ok((began.elapsed(), done))
}

/// What was done, and by how many KB memory grew at most meanwhile.
fn watched<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let before = resident();
    let peak = Peak::begin();
    let done = act()?;
    Ok((done, peak.end().saturating_sub(before)))
}

/// Looks at the resident memory every 20 ms.
struct Peak(std::sync::Arc<(AtomicBool, AtomicU64)>, std::thread::JoinHandle<()>);

impl Peak {
    fn begin() -> Peak {
        let shared = std::sync::Arc::new((AtomicBool::new(false), AtomicU64::new(resident())));
        let seen = shared.clone();
        let looking = std::thread::spawn(move || {
            while !seen.0.load(Ordering::Relaxed) {
                seen.1.fetch_max(resident(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Peak(shared, looking)
    }

    fn end(self) -> u64 {
        self.0.0.store(true, Ordering::Relaxed);
        // A thread that only looks does not panic.
        let _ = self.1.join();
        self.0.1.load(Ordering::Relaxed)
    }
}

/// Resident memory in KB, as Linux tells it.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn a_second(entries: u64, took: Duration) -> String {
    let mut text = String::new();
    // Writing into a string does not fail; a rate of a few digits loses nothing as a float.
    #[allow(clippy::cast_precision_loss)]
    let _ = write!(text, "{:.0} a second ({:.2} s)", entries as f64 / took.as_secs_f64(), took.as_secs_f64());
    text
}

fn row(measured: &str, figure: &str) {
    println!("| {measured} | {figure} |");
}
