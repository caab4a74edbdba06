//! A real Unleash server on a throw-away PostgreSQL.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::postgres::Database;

/// What stands in `tests/data/unleash/package.json`.
const VERSION: &str = "8.2.0";
const ADMIN: &str = "*:*.story-admin";

/// A running server.
#[derive(Debug)]
pub struct Unleash {
    child: Child,
    pub address: String,
    /// Of an account with the role Viewer.
    pub token: String,
    _folder: tempfile::TempDir,
}

impl Unleash {
    /// Starts one, where `tests/run` has installed it; elsewhere it says aloud that there is none.
    pub fn start() -> Option<Unleash> {
        let modules = installed();
        if !modules.join("unleash-server").is_dir() {
            // Past the capture of the test program's output: nobody is to take this for a story that was told.
            let told = format!("SKIPPED: no Unleash {VERSION} in {} (tests/run installs it)\n", modules.display());
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // A module is looked for beside the file that asks for it.
        std::os::unix::fs::symlink(&modules, folder.path().join("node_modules")).unwrap();
        std::fs::write(folder.path().join("start.mjs"), include_str!("../data/unleash/start.mjs")).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .arg("start.mjs")
            .args([Database::new().url, port.to_string(), ADMIN.to_owned()])
            .current_dir(&folder)
            .env("NODE_ENV", "production")
            .env("SEND_TELEMETRY", "false")
            .env("CHECK_VERSION", "false")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let token = said.find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
        let token = token.expect("Unleash ended before it was ready");
        // Whatever it says from here on is nobody's concern, but must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        Some(Unleash { child, address: format!("http://127.0.0.1:{port}"), token, _folder: folder })
    }

    /// Asks the admin API as somebody who may do everything; the answer's status and body.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.asks(ADMIN, method, path, body).await
    }

    pub async fn asks(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let client = reqwest::Client::new();
        let request = client.request(method.parse().unwrap(), format!("{}/api/admin/{path}", self.address));
        let answer = request.header("authorization", token).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }
}

impl Drop for Unleash {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `tests/run` installs it.
fn installed() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_default();
    let folder =
        set("TIDEGATE_TEST_UNLEASH").unwrap_or_else(|| cache().join(format!("tidegate-tests/unleash-{VERSION}")));
    folder.join("node_modules")
}
