//! What stories about faults need: requests that may fail, hands in the database, starts that are refused.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{AnyConnection, Connection, Executor, Row};

use super::{Story, engine};

/// One request, byte for byte; None where no whole answer came.
pub fn attempt(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<(u16, String)> {
    let host = address.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    // A server that refuses a body may close before all of it was sent; its answer counts.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length =
        head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>()));
    match length {
        Some(Ok(length)) if body.len() < length => None,
        _ => Some((status, body.to_owned())),
    }
}

/// A JSON body sent; whether it was acknowledged with 200.
pub fn acknowledged(address: &str, path: &str, body: &Value) -> bool {
    let json = [("Content-Type", "application/json")];
    attempt(address, "POST", path, &json, body.to_string().as_bytes()).is_some_and(|(status, _)| status == 200)
}

impl Story {
    /// A request of the story's own making: status and body.
    pub fn asks(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        attempt(&self.address, method, path, headers, body).unwrap_or_else(|| panic!("no answer: {}", self.log()))
    }

    /// Starts the program where it must not start, with more arguments; returns its exit code and what it said.
    pub fn refuses_to_start(&self, command: &[&str]) -> (i32, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(command)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while program.try_wait().unwrap().is_none() {
            if began.elapsed() > Duration::from_secs(30) {
                program.kill().unwrap();
                panic!("it started: {command:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let done = program.wait_with_output().unwrap();
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&done.stderr).into_owned())
    }

    /// The store's address as somebody with access to the database has it.
    fn database(&self) -> String {
        match engine().as_str() {
            "postgres" => self.store(),
            _ => format!("sqlite://{}", self.data().join("tidegate.db").display()),
        }
    }

    /// Changes the database by hand: every statement, or the first error.
    pub fn by_hand(&self, statements: &str) -> Result<(), String> {
        in_database(&self.database(), async |conn| {
            conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))).await.map(drop)
        })
    }

    /// One number from the database.
    pub fn number(&self, query: &str) -> i64 {
        in_database(&self.database(), async |conn| {
            conn.fetch_one(sqlx::AssertSqlSafe(query.to_owned())).await?.try_get(0)
        })
        .unwrap()
    }

    /// One text from the database.
    pub fn word_in_database(&self, query: &str) -> String {
        in_database(&self.database(), async |conn| {
            conn.fetch_one(sqlx::AssertSqlSafe(query.to_owned())).await?.try_get(0)
        })
        .unwrap()
    }

    /// `tidegate audit verify` with these arguments on this instance's stopped store: exit code and verdict.
    pub fn verifies(&self, arguments: &[&str]) -> (i32, Value) {
        let place = ["audit", "verify", "--config", "tidegate.toml", "--data", "data"];
        self.verified(&[&place[..], arguments].concat())
    }

    /// The same on what the arguments name.
    pub fn verified(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, out, errors) = self.runs(arguments);
        assert!(!errors.contains("panicked"), "{errors}");
        let verdict = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out} {errors}"));
        (code, verdict)
    }
}

/// A TLS server on localhost whose certificate expired years ago.
pub struct Expired {
    server: std::process::Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Expired {
    pub fn begin() -> Expired {
        let folder = tempfile::tempdir().unwrap();
        let config = "[ca]\ndefault_ca = d\n[d]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n\
            policy = p\ncopy_extensions = copy\n[p]\ncommonName = supplied\n";
        for (file, text) in [("config", config), ("index", ""), ("serial", "01\n")] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let openssl = |words: &str| {
            let mut command = Command::new("openssl");
            command.args(words.split(' ')).current_dir(&folder);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let request = "req -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key -out request";
        let sign = "ca -batch -selfsign -config config -startdate 20200101000000Z -enddate 20210101000000Z -keyfile key -in request -out cert";
        for words in [request, sign] {
            let done = openssl(words).status();
            let done = done.expect("openssl is missing: install the package `openssl`, or run tests/run, which does");
            assert!(done.success(), "{words}");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = openssl(&format!("s_server -www -accept {port} -key key -cert cert")).spawn().unwrap();
        super::eventually("the TLS server's port", || TcpStream::connect(("localhost", port)).is_ok());
        Expired { server, port, _folder: folder }
    }
}

impl Drop for Expired {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn in_database<T>(url: &str, act: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>) -> Result<T, String> {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut conn = AnyConnection::connect(url).await.map_err(|e| e.to_string())?;
        let done = act(&mut conn).await.map_err(|e| e.to_string());
        conn.close().await.map_err(|e| e.to_string())?;
        done
    })
}
