//! A throw-away Radicale, which is a CalDAV server, with one user; and a recorder in front of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// The user and their password.
pub const USER: (&str, &str) = ("ada", "hush-hush-hush");

/// A running server; it ends when it is dropped.
pub struct Radicale {
    address: String,
    child: Child,
    folder: tempfile::TempDir,
    client: reqwest::Client,
}

impl Radicale {
    /// None, said aloud, where there is no Radicale.
    pub async fn start() -> Option<Radicale> {
        let Some(program) = program() else {
            // Past the capture of the test's output: what was not tested is to be seen.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: Radicale is not installed (tests/run does); CalDAV is not tried."
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("users"), format!("{}:{}\n", USER.0, USER.1)).unwrap();
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
             htpasswd_encryption = plain\ndelay = 0\n[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = {}\n\
             [logging]\nlevel = error\n",
            at("users"),
            at("kept")
        );
        std::fs::write(at("config"), config).unwrap();
        let mut command = Command::new(program);
        command.args(["--config", &at("config")]).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let client = tidegate::http::trusted(Duration::from_secs(20)).unwrap();
        let mut radicale = Radicale { address: format!("http://127.0.0.1:{port}"), child, folder, client };
        radicale.wait().await;
        Some(radicale)
    }

    async fn wait(&mut self) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            assert!(self.child.try_wait().unwrap().is_none(), "radicale ended at once");
            if self.client.get(&self.address).send().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("radicale was not ready after 30 s");
    }

    /// The address of the server itself.
    pub fn root(&self) -> &str {
        &self.address
    }

    /// The address of a calendar of the user's.
    pub fn calendar(&self, name: &str) -> String {
        format!("{}/{}/{name}/", self.address, USER.0)
    }

    /// Makes a calendar.
    pub async fn make(&self, calendar: &str) {
        self.ask("MKCALENDAR", &self.calendar(calendar), String::new()).await;
    }

    /// Writes an entry: the lines between `BEGIN:VEVENT` and `END:VEVENT`, `UID` aside; several where changed instances follow.
    pub async fn write(&self, calendar: &str, name: &str, events: &[&str]) {
        let event = |lines: &&str| {
            let lines = lines.trim().replace('\n', "\r\n");
            format!("BEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20261101T000000Z\r\n{lines}\r\nEND:VEVENT\r\n")
        };
        let events: String = events.iter().map(event).collect();
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:story\r\n{events}END:VCALENDAR\r\n");
        self.ask("PUT", &format!("{}{name}.ics", self.calendar(calendar)), text).await;
    }

    /// Makes a calendar of so many entries of an hour each, one after the other from this day on.
    pub async fn fill(&self, calendar: &str, entries: i64, from: chrono::DateTime<chrono::Utc>) {
        let entry = |number: i64| {
            let start = from + chrono::TimeDelta::hours(number);
            let (start, end) =
                (start.format("%Y%m%dT%H%M%SZ"), (start + chrono::TimeDelta::hours(1)).format("%Y%m%dT%H%M%SZ"));
            format!(
                "BEGIN:VEVENT\r\nUID:filled-{number}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\n\
                 SUMMARY:Filled {number}\r\nEND:VEVENT\r\n"
            )
        };
        let all: String = (0..entries).map(entry).collect();
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:story\r\n{all}END:VCALENDAR\r\n");
        let request = self.client.put(self.calendar(calendar)).basic_auth(USER.0, Some(USER.1));
        let request = request.header("content-type", "text/calendar; charset=utf-8").timeout(Duration::from_secs(120));
        assert!(request.body(text).send().await.unwrap().status().is_success());
    }

    pub async fn delete(&self, calendar: &str, name: &str) {
        self.ask("DELETE", &format!("{}{name}.ics", self.calendar(calendar)), String::new()).await;
    }

    /// Loses what it remembers of former states, so that no token of an earlier sync is known.
    pub fn forget_states(&self, calendar: &str) {
        let cache = Path::new("kept/collection-root").join(USER.0).join(calendar).join(".Radicale.cache/sync-token");
        std::fs::remove_dir_all(self.folder.path().join(cache)).unwrap();
    }

    /// The same server behind a recorder that may change its answers.
    pub async fn recorded(&self, change: fn(String) -> String) -> Recorded {
        self.slowed(change, Duration::ZERO).await
    }

    /// The same far away: every request takes so much longer.
    pub async fn slowed(&self, change: fn(String) -> String, by: Duration) -> Recorded {
        let (address, client) = (self.address.clone(), self.client.clone());
        let recorder = Recorder { address, client, requests: Arc::default(), change, by };
        let requests = Arc::clone(&recorder.requests);
        let router = Router::new().fallback(pass).with_state(Arc::new(recorder));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Recorded { address, requests }
    }

    async fn ask(&self, method: &str, url: &str, body: String) {
        let request = self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        let request = request.basic_auth(USER.0, Some(USER.1)).header("content-type", "text/calendar; charset=utf-8");
        let status = request.body(body).send().await.unwrap().status();
        assert!(status.is_success(), "{method} {url}: {status}");
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was asked through a recorder.
pub struct Recorded {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    /// What was asked since the last look, each as its method and its body.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

struct Recorder {
    address: String,
    client: reqwest::Client,
    requests: Arc<Mutex<Vec<String>>>,
    change: fn(String) -> String,
    by: Duration,
}

async fn pass(State(recorder): State<Arc<Recorder>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    recorder.requests.lock().unwrap().push(format!("{} {}", parts.method, String::from_utf8_lossy(&body)));
    let mut headers: HeaderMap = parts.headers;
    for name in ["host", "content-length"] {
        headers.remove(name);
    }
    tokio::time::sleep(recorder.by).await;
    let url = format!("{}{}", recorder.address, parts.uri.path());
    let answer = recorder.client.request(parts.method, url).headers(headers).body(body).send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    (status, (recorder.change)(answer.text().await.unwrap())).into_response()
}

/// On the path, or where tests/run puts it.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/radicale/bin");
    std::env::split_paths(&path).chain([own]).map(|folder| folder.join("radicale")).find(|file| file.is_file())
}
