//! The whole process, as its users meet it: `cargo bench --bench acknowledge`.
//!
//! Starts the program on a store of its own and measures, from outside and over loopback: start to first answer, resident
//! memory idle and under load, and how many commands a second are acknowledged, one and thirty-two at once, each durable
//! before it is answered. Beside it stands the disk's own rate of durable commits, measured in the same run and folder.
//! Aims: first answer under 100 ms; memory under 20 MB idle and 40 MB under load.

// Another program is what is measured, and the table is what this one says.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod load;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use load::{Connection, Running, ms, rate, row, tenths, text};

/// Each measurement ends after so many requests or so long, whichever comes first.
const MOST_REQUESTS: usize = 20_000;
const LONGEST: Duration = Duration::from_secs(8);
const AT_ONCE: [usize; 2] = [1, 32];
/// How often the bare program is started; the middle one counts.
const STARTS: usize = 7;

fn main() -> Result<()> {
    // `cargo test` builds and runs benches too; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("could not make a folder")?;
    println!("| measured | figure |\n|---|---|");
    starts(folder.path())?;
    load(folder.path())
}

/// A bare `serve`: no sources, one person, a store that is there already.
fn starts(folder: &Path) -> Result<()> {
    let settings = folder.join("bare.toml");
    fs::write(&settings, "[environment.production]\n[service.shop]\n[people.ada]\n")
        .context("could not write settings")?;
    let data = folder.join("bare");
    let mut took = Vec::new();
    for start in 0..=STARTS {
        let running = Running::start(&["serve", "--config", text(&settings)?], &data)?;
        // The first one makes the store.
        match start {
            0 => row("`serve`, a new store: start to first answer", &ms(running.first_answer)),
            _ => took.push(running.first_answer),
        }
        if start == STARTS {
            std::thread::sleep(Duration::from_secs(2));
            row("`serve`, no sources, idle: resident", &running.resident()?);
        }
    }
    took.sort();
    let says = format!("{} (of {STARTS}: {} to {})", ms(took[STARTS / 2]), ms(took[0]), ms(took[STARTS - 1]));
    row("`serve`, its store there: start to first answer", &says);
    Ok(())
}

/// The sample company under commands from many people at once.
fn load(folder: &Path) -> Result<()> {
    let running = Running::start(&["try"], &folder.join("sample"))?;
    row("`try`: start to first answer, the sample company made", &ms(running.first_answer));
    running.settle()?;
    std::thread::sleep(Duration::from_secs(2));
    row("`try`, idle: resident", &running.resident()?);
    row("the disk: durable commits, one at a time", &disk(folder)?);
    let person = person(&running)?;
    for at_once in AT_ONCE {
        let body = format!(r#"{{"user":"{person}","channel":"deploys","text":"/deploy help"}}"#);
        let measured = commands(&running.address, &body, at_once)?;
        row(&format!("acknowledged, {at_once} at once"), &measured);
        row(&format!("all of them handled, {at_once} at once"), &format!("{} s later", tenths(running.settle()?)));
        row(&format!("the disk again, after {at_once} at once"), &disk(folder)?);
    }
    row("`try`, after the load: resident", &running.resident()?);
    row("`try`, under the load: resident at most", &running.status("VmHWM")?);
    Ok(())
}

/// Durable commits as a database makes them: a page appended, then flushed to the disk.
fn disk(folder: &Path) -> Result<String> {
    let mut file = File::create(folder.join("commits")).context("could not make a file")?;
    let page = [7_u8; 4096];
    let mut took = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) && took.len() < MOST_REQUESTS {
        let one = Instant::now();
        file.write_all(&page).and_then(|()| file.sync_data()).context("could not write to the disk")?;
        took.push(one.elapsed());
    }
    Ok(rate(took, began.elapsed()))
}

/// Sends commands over so many connections, the next as soon as the last is answered.
fn commands(address: &str, body: &str, at_once: usize) -> Result<String> {
    let sent = AtomicUsize::new(0);
    let began = Instant::now();
    let took = std::thread::scope(|scope| {
        let one = || -> Result<Vec<Duration>> {
            let mut connection = Connection::open(address)?;
            let mut took = Vec::new();
            while began.elapsed() < LONGEST && sent.fetch_add(1, Ordering::Relaxed) < MOST_REQUESTS {
                let one = Instant::now();
                let (status, answer) = connection.post("/console/api/command", body)?;
                took.push(one.elapsed());
                ensure!(status == 200, "a command was answered {status}: {}", String::from_utf8_lossy(&answer));
            }
            Ok(took)
        };
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(one)).collect();
        let each =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a connection's thread panicked")));
        each.collect::<Result<Vec<_>>>()
    })?;
    Ok(rate(took.concat(), began.elapsed()))
}

/// A member of the sample company.
fn person(running: &Running) -> Result<String> {
    let (_, body) = Connection::open(&running.address)?.get("/console/api/about")?;
    let about: serde_json::Value = serde_json::from_slice(&body).context("/console/api/about does not read")?;
    let users = about["users"].as_array().context("/console/api/about names no users")?;
    let member = users.iter().find(|user| user["kind"] == "member").context("the sample company has no member")?;
    Ok(member["name"].as_str().context("a user has no name")?.to_owned())
}
