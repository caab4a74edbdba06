//! Slack's signed commands over HTTP: `cargo bench --bench signed`.
//!
//! The same requests, each signed and with an id of its own, to three programs in one run: Tidegate, which checks the
//! signature and has the command on disk before it answers; a bare handler that only checks the signature; and the same
//! handler on `@slack/bolt`, which stores nothing either (installed by npm into a scratch folder; left out where there is
//! no npm or no registry). What Tidegate says in answer goes to a Slack of our own that accepts everything.
//! Aims: three times Bolt's rate, p99 under 15 ms at 32 at once, under 40 MB.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

#[path = "../load/mod.rs"]
mod load;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use load::{Connection, Running, rate, row};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const MOST_REQUESTS: usize = 40_000;
const LONGEST: Duration = Duration::from_secs(8);
const AT_ONCE: [usize; 2] = [1, 32];
const BOLT: &str = "@slack/bolt@5.1.0";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare") {
        return bare();
    }
    // `cargo test` builds and runs benches too; only `cargo bench` says so.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("could not make a folder")?;
    println!("| measured | figure |\n|---|---|");
    tidegate(folder.path())?;
    let mut program = Command::new(std::env::current_exe().context("where is this program?")?);
    program.arg("--bare");
    measure("a bare axum handler that checks the signature", &Running::spawn(program)?)?;
    match bolt(folder.path()) {
        Ok(running) => measure("the same on @slack/bolt", &running),
        Err(why) => {
            row("the same on @slack/bolt", &format!("not measured: {why:#}"));
            Ok(())
        }
    }
}

fn tidegate(folder: &Path) -> Result<()> {
    let slack = pretend_slack()?;
    let settings = folder.join("tidegate.toml");
    let text = format!(
        "[environment.production]\n[service.shop]\n[people.ada]\nslack = [\"T0BENCH/U0ADA\"]\n\
         [chat.slack]\napi = \"{slack}/api/\"\n[[chat.slack.workspace]]\nteam = \"T0BENCH\"\nchannel = \"C0BENCH\"\n\
         bot-token = {{ value = \"xoxb-bench\" }}\nsigning-secret = {{ value = \"{SECRET}\" }}\n"
    );
    std::fs::write(&settings, text).context("could not write settings")?;
    let running = Running::start(&["serve", "--config", load::text(&settings)?], &folder.join("data"))?;
    measure("Tidegate, durable before it answers", &running)
}

fn measure(what: &str, running: &Running) -> Result<()> {
    std::thread::sleep(Duration::from_secs(1));
    row(&format!("{what}: idle, resident"), &running.resident()?);
    for at_once in AT_ONCE {
        row(&format!("{what}: {at_once} at once"), &commands(&running.address, at_once)?);
    }
    row(&format!("{what}: under load, resident at most"), &running.status("VmHWM")?);
    Ok(())
}

/// Sends signed commands over so many connections, the next as soon as the last is answered.
fn commands(address: &str, at_once: usize) -> Result<String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let sent = AtomicUsize::new(0);
    let began = Instant::now();
    let one = || -> Result<Vec<Duration>> {
        let mut connection = Connection::open(address)?;
        let mut took = Vec::new();
        while began.elapsed() < LONGEST && sent.fetch_add(1, Ordering::Relaxed) < MOST_REQUESTS {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let (headers, body) = signed(number)?;
            let one = Instant::now();
            let (status, answer) = connection.post_with("/slack/commands", &headers, &body)?;
            took.push(one.elapsed());
            ensure!(status == 200, "a command was answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(took)
    };
    let took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(one)).collect();
        let each =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a connection's thread panicked")));
        each.collect::<Result<Vec<_>>>()
    })?;
    Ok(rate(took.concat(), began.elapsed()))
}

/// One command as Slack sends it, from one of a hundred people.
fn signed(number: usize) -> Result<(String, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
    let body = format!(
        "token=legacy&team_id=T0BENCH&team_domain=bench&channel_id=C0BENCH&channel_name=deploys&user_id=U{:03}\
         &user_name=somebody&command=%2Fdeploy&text=help&api_app_id=A0BENCH&is_enterprise_install=false\
         &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0BENCH%2F1%2Fx&trigger_id={number}.{now}.bench",
        number % 100
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).context("a key")?;
    mac.update(format!("v0:{now}:{body}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = format!(
        "content-type: application/x-www-form-urlencoded\r\nx-slack-request-timestamp: {now}\r\n\
         x-slack-signature: v0={signature}\r\n"
    );
    Ok((headers, body))
}

/// The bare handler, in a process of its own.
fn bare() -> Result<()> {
    async fn checked(headers: HeaderMap, body: Bytes) -> StatusCode {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return StatusCode::UNAUTHORIZED };
        mac.update(format!("v0:{}:", header("x-slack-request-timestamp")).as_bytes());
        mac.update(&body);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        if header("x-slack-signature") == format!("v0={expected}") { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    }
    serve(Router::new().route("/slack/commands", post(checked)), |address| println!("http://{address}"))
}

/// A Slack that accepts everything that is said to it.
fn pretend_slack() -> Result<String> {
    async fn accepted() -> ([(&'static str, &'static str); 1], &'static str) {
        let answer = r#"{"ok":true,"ts":"1.1","message_ts":"1.1","channel":"C0BENCH","team":"bench","team_id":"T0BENCH","user_id":"U0BOT","bot_id":"B0BOT","url":"https://bench.slack.com/","user":{"id":"U0ADA","name":"ada","is_bot":false,"deleted":false},"users":[],"messages":[]}"#;
        ([("content-type", "application/json")], answer)
    }
    let (said, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        serve(Router::new().fallback(accepted), |address| drop(said.send(format!("http://{address}"))))
    });
    address.recv().context("the pretend Slack did not start")
}

fn serve(router: Router, started: impl FnOnce(std::net::SocketAddr)) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port")?;
        started(listener.local_addr().context("no address")?);
        axum::serve(listener, router).await.context("the listener failed")
    })
}

/// Bolt, installed into a scratch folder and started.
fn bolt(folder: &Path) -> Result<Running> {
    let prefix = folder.join("bolt");
    std::fs::create_dir_all(&prefix).context("could not make a folder")?;
    let installed = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix", load::text(&prefix)?, BOLT])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("npm is not here")?;
    ensure!(installed.success(), "npm could not install {BOLT}");
    std::fs::write(prefix.join("bolt.js"), include_str!("bolt.js")).context("could not write the app")?;
    let mut program = Command::new("node");
    program
        .arg(prefix.join("bolt.js"))
        .current_dir(&prefix)
        .env("SIGNING_SECRET", SECRET)
        .env("NODE_ENV", "production");
    Running::spawn(program)
}
