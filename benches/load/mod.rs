//! What the whole-process benches share: the program started as its users start it, one kept connection, and rows of a
//! table.

#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The program, started; stopped when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pub address: String,
    began: Instant,
    pub first_answer: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed anywhere, nothing is lost: so this is how it is stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub fn start(arguments: &[&str], data: &Path) -> Result<Running> {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        program.args(arguments).args(["--listen", "127.0.0.1:0", "--data", text(data)?]).env("RUST_LOG", "off");
        let mut running = Running::spawn(program)?;
        let (status, _) = Connection::open(&running.address)?.get("/healthz")?;
        running.first_answer = running.began.elapsed();
        ensure!(status == 200, "/healthz answered {status}");
        Ok(running)
    }

    /// Any program that prints a line with its `http://ADDRESS`.
    pub fn spawn(mut program: Command) -> Result<Running> {
        let began = Instant::now();
        let child = program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {program:?}"))?;
        let mut running = Running { child, address: String::new(), began, first_answer: Duration::ZERO };
        let out = running.child.stdout.take().context("no standard output")?;
        for line in BufReader::new(out).lines() {
            let line = line.context("could not read what it prints")?;
            if let Some((_, address)) = line.split_once("http://") {
                running.address = address.split(['/', ' ']).next().unwrap_or_default().to_owned();
                break;
            }
        }
        ensure!(!running.address.is_empty(), "{program:?} ended without an address; run it to see why");
        Ok(running)
    }

    /// Waits until nothing is left to do; tells how long that took.
    pub fn settle(&self) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(180) {
            if Connection::open(&self.address)?.get("/console/api/settled")?.0 == 200 {
                return Ok(began.elapsed());
            }
        }
        bail!("something was still left to do after 3 minutes")
    }

    pub fn resident(&self) -> Result<String> {
        self.status("VmRSS")
    }

    /// A line of /proc, which only Linux has; elsewhere it is said that it was not measured.
    pub fn status(&self, name: &str) -> Result<String> {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", self.child.id())) else {
            return Ok("not measured: no /proc here".to_owned());
        };
        let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in /proc"))?;
        let kib: u32 =
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).context("a number of kB")?;
        Ok(format!("{:.1} MB", f64::from(kib) * 1024.0 / 1e6))
    }
}

pub fn rate(mut took: Vec<Duration>, all: Duration) -> String {
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).or(took.last()).copied().map_or("–".to_owned(), ms);
    let per_second = u32::try_from(took.len()).map_or(f64::NAN, f64::from) / all.as_secs_f64();
    format!("{per_second:.0} per second; p50 {}, p99 {} (n = {})", at(50), at(99), took.len())
}

/// One connection that is kept: HTTP/1.1, nothing more, so that the measuring costs little.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Connection {
    pub fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address).with_context(|| format!("could not reach {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(90)))?;
        Ok(Connection { stream: BufReader::new(stream), address: address.to_owned() })
    }

    pub fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.ask(&head)
    }

    pub fn post(&mut self, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let to = &self.address;
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {to}\r\norigin: http://{to}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.ask(&request)
    }

    /// A POST with headers of its own (each line ended by `\r\n`).
    pub fn post_with(&mut self, path: &str, headers: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let (to, length) = (&self.address, body.len());
        let request = format!("POST {path} HTTP/1.1\r\nhost: {to}\r\n{headers}content-length: {length}\r\n\r\n{body}");
        self.ask(&request)
    }

    pub fn ask(&mut self, request: &str) -> Result<(u16, Vec<u8>)> {
        self.stream.get_mut().write_all(request.as_bytes()).context("could not send")?;
        let mut line = String::new();
        self.stream.read_line(&mut line).context("no answer")?;
        let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok()).context("not HTTP")?;
        let mut length = 0_usize;
        let mut chunked = false;
        loop {
            line.clear();
            self.stream.read_line(&mut line).context("the answer ended in its head")?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().context("a content-length that is no number")?;
            }
            chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.trim() == "chunked";
        }
        let mut body = Vec::new();
        if !chunked {
            self.read(length, &mut body)?;
            return Ok((status, body));
        }
        loop {
            line.clear();
            self.stream.read_line(&mut line).context("the answer ended between chunks")?;
            let length = usize::from_str_radix(line.trim(), 16).context("a chunk without a length")?;
            self.read(length, &mut body)?;
            // The end of the chunk, or of all.
            self.stream.read_line(&mut line).context("the answer ended in a chunk")?;
            if length == 0 {
                return Ok((status, body));
            }
        }
    }

    fn read(&mut self, length: usize, into: &mut Vec<u8>) -> Result<()> {
        ensure!(length < 4_000_000, "an answer of {length} bytes");
        let from = into.len();
        into.resize(from + length, 0);
        self.stream.read_exact(&mut into[from..]).context("the answer ended early")
    }
}

pub fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

pub fn tenths(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

pub fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
