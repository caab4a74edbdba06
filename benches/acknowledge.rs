//! The whole process, as its users meet it: `cargo bench --bench acknowledge`.
//!
//! Starts the program on a store of its own and measures, from outside and over loopback: start to first answer, resident
//! memory idle and under load, and how many commands a second are acknowledged, one and thirty-two at once, each durable
//! before it is answered. Beside it stands the disk's own rate of durable commits, measured in the same run and folder.
//! Aims: first answer under 100 ms; memory under 20 MB idle and 40 MB under load.

// Another program is what is measured, and the table is what this one says.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

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
    let person = running.person()?;
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

/// The program, started; stopped when this is dropped.
#[derive(Debug)]
struct Running {
    child: Child,
    address: String,
    first_answer: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed anywhere, nothing is lost: so this is how it is stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(arguments: &[&str], data: &Path) -> Result<Running> {
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--data", text(data)?])
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start tidegate")?;
        let mut running = Running { child, address: String::new(), first_answer: Duration::ZERO };
        let out = running.child.stdout.take().context("no standard output")?;
        for line in BufReader::new(out).lines() {
            let line = line.context("could not read what tidegate prints")?;
            if let Some((_, address)) = line.split_once("http://") {
                running.address = address.split(['/', ' ']).next().unwrap_or_default().to_owned();
                break;
            }
        }
        ensure!(
            !running.address.is_empty(),
            "tidegate {} ended without an address; run it to see why",
            arguments.join(" ")
        );
        let (status, _) = Connection::open(&running.address)?.get("/healthz")?;
        running.first_answer = began.elapsed();
        ensure!(status == 200, "/healthz answered {status}");
        Ok(running)
    }

    fn person(&self) -> Result<String> {
        let (_, body) = Connection::open(&self.address)?.get("/console/api/about")?;
        let about: serde_json::Value = serde_json::from_slice(&body).context("/console/api/about does not read")?;
        let users = about["users"].as_array().context("/console/api/about names no users")?;
        let member = users.iter().find(|user| user["kind"] == "member").context("the sample company has no member")?;
        Ok(member["name"].as_str().context("a user has no name")?.to_owned())
    }

    /// Waits until nothing is left to do; tells how long that took.
    fn settle(&self) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(180) {
            if Connection::open(&self.address)?.get("/console/api/settled")?.0 == 200 {
                return Ok(began.elapsed());
            }
        }
        bail!("something was still left to do after 3 minutes")
    }

    fn resident(&self) -> Result<String> {
        self.status("VmRSS")
    }

    /// A line of /proc, which only Linux has; elsewhere it is said that it was not measured.
    fn status(&self, name: &str) -> Result<String> {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", self.child.id())) else {
            return Ok("not measured: no /proc here".to_owned());
        };
        let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in /proc"))?;
        let kib: u32 =
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).context("a number of kB")?;
        Ok(format!("{:.1} MB", f64::from(kib) * 1024.0 / 1e6))
    }
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

fn rate(mut took: Vec<Duration>, all: Duration) -> String {
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).or(took.last()).copied().map_or("–".to_owned(), ms);
    let per_second = u32::try_from(took.len()).map_or(f64::NAN, f64::from) / all.as_secs_f64();
    format!("{per_second:.0} per second; p50 {}, p99 {} (n = {})", at(50), at(99), took.len())
}

/// One connection that is kept: HTTP/1.1, nothing more, so that the measuring costs little.
#[derive(Debug)]
struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Connection {
    fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address).with_context(|| format!("could not reach {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(90)))?;
        Ok(Connection { stream: BufReader::new(stream), address: address.to_owned() })
    }

    fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.ask(&head)
    }

    fn post(&mut self, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let to = &self.address;
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {to}\r\norigin: http://{to}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.ask(&request)
    }

    fn ask(&mut self, request: &str) -> Result<(u16, Vec<u8>)> {
        self.stream.get_mut().write_all(request.as_bytes()).context("could not send")?;
        let mut line = String::new();
        self.stream.read_line(&mut line).context("no answer")?;
        let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok()).context("not HTTP")?;
        let mut length = 0_usize;
        loop {
            line.clear();
            self.stream.read_line(&mut line).context("the answer ended in its head")?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().context("a content-length that is no number")?;
            }
        }
        ensure!(length < 4_000_000, "an answer of {length} bytes");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).context("the answer ended early")?;
        Ok((status, body))
    }
}

fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn tenths(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
