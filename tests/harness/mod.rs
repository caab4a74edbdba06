//! The real program, started as its users start it, and talked to as they talk to it.
//!
//! A story fails on its own assertions, and when it is dropped: on a panic or an unannounced error in the program's log,
//! and on work that is left over.

pub mod browser;
pub mod described;
pub mod discord;
pub mod faults;
pub mod mariadb;
pub mod node;
pub mod openid;
pub mod postgres;
pub mod prometheus;
pub mod radicale;
pub mod slack;
pub mod source;
pub mod stage;
pub mod unleash;
pub mod vendor;
mod words;

pub use words::said;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use stage::Stage;
use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};

/// Monday 2026-11-23, 11:00 in Los Angeles: inside every window of [`settings`].
pub const MONDAY_11: &str = "2026-11-23T11:00:00-08:00";

/// A running Tidegate, and everything that it has said.
pub struct Story {
    pub folder: tempfile::TempDir,
    program: Option<Child>,
    pub address: String,
    log: Arc<Mutex<String>>,
    /// Errors in the log that the story expects, by a part of their text.
    expected: Vec<String>,
    store: String,
    config: String,
    /// Where its people talk.
    stage: Option<Box<dyn Stage>>,
    _database: Option<postgres::Database>,
}

/// A small team's settings, with a repository `{folder}/code` that [`Story::begin`] makes: versions v1.0.0, v1.1.0.
pub fn settings() -> String {
    r#"
[team]
name = "Story"
zone = "America/Los_Angeles"

[store]
url = "{store}"

[[source]]
kind = "git"
name = "code"
path = "code.git"

[service.shop]
repository = "code"
owners = ["ada"]

[environment.staging]

[environment.production]
mode = "gate"
protected = true
window = ["Mon-Thu 10:00-16:00"]

[people.ada]
email = ["ada@example.org"]
roles = ["developer"]
[people.grace]
email = ["grace@example.org"]
roles = ["vp-engineering"]
[people.lin]
email = ["lin@example.org"]
roles = ["lead"]
[people.noor]
email = ["noor@example.org"]
roles = ["lead"]
[people.gil]
kind = "guest"
[people.robo]
kind = "bot"
roles = ["lead"]
[people.dee]
kind = "deactivated"
roles = ["lead"]

[[gate.tokens]]
name = "story"
token = { value = "story-token" }
may = ["gate", "read", "hooks"]
"#
    .to_owned()
}

/// The repository that stories begin with.
pub fn repository(path: &Path) {
    // Two versions by ada; `main` is at v1.1.0.
    let at = |day: &str| tidegate::clock::Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    let story = RepositoryStory::new(vec![
        CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open the shop")
            .file("src/main.rs", "fn main() {}\n")
            .file("README.md", "Shop\n")
            .tag("v1.0.0"),
        CommitStory::new("Ada", "ada@example.org", at("2026-11-10"), "Greet the customer")
            .file("src/main.rs", "fn main() {\n    println!(\"hello\");\n}\n")
            .file("tests/greets.rs", "#[test]\nfn greets() {}\n")
            .tag("v1.1.0"),
    ]);
    make(path, &story).unwrap();
}

impl Story {
    /// Starts the program on `settings` at [`MONDAY_11`].
    pub fn begin(settings: &str) -> Story {
        Story::begin_at(settings, MONDAY_11)
    }

    /// Starts the program on `settings` with its clock beginning at `at`. `{store}` and `{folder}` are filled in.
    pub fn begin_at(settings: &str, at: &str) -> Story {
        let folder = tempfile::tempdir().unwrap();
        repository(&folder.path().join("code.git"));
        Story::begin_in(folder, settings, at)
    }

    /// Starts the program in a folder that the story prepared.
    pub fn begin_in(folder: tempfile::TempDir, settings: &str, at: &str) -> Story {
        Story::begin_on(stage::chosen(), folder, settings, at)
    }

    /// The same on a stage of the story's own choice.
    pub fn begin_on(stage: Box<dyn Stage>, folder: tempfile::TempDir, settings: &str, at: &str) -> Story {
        let (store, database) = store();
        let config = stage
            .settings(settings)
            .replace("{store}", &store)
            .replace("{folder}", &folder.path().display().to_string());
        std::fs::write(folder.path().join("tidegate.toml"), &config).unwrap();
        let mut story = Story {
            folder,
            program: None,
            address: String::new(),
            log: Arc::default(),
            expected: Vec::new(),
            store,
            config,
            stage: Some(stage),
            _database: database,
        };
        story.start(at);
        story
    }

    /// The sample company, as `tidegate try` shows it, with its clock beginning at `at`.
    pub fn sample(at: &str) -> Story {
        let (store, database) = store();
        let mut story = Story {
            folder: tempfile::tempdir().unwrap(),
            program: None,
            address: String::new(),
            log: Arc::default(),
            expected: Vec::new(),
            store,
            config: String::new(),
            stage: Some(Box::new(stage::Console)),
            _database: database,
        };
        story.start(at);
        story
    }

    /// Starts the program again on the same folder and store, with its clock at `at`.
    pub fn start(&mut self, at: &str) {
        self.start_on("127.0.0.1:0", at);
    }

    /// The same, on the address that it had before.
    pub fn starts_where_it_was(&mut self, at: &str) {
        let address = self.address.trim_start_matches("http://").to_owned();
        self.start_on(&address, at);
    }

    fn start_on(&mut self, address: &str, at: &str) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(["try", "--chats", "--listen", address, "--at", at])
            .args(self.config_argument())
            .arg("--data")
            .arg(self.data())
            .env("RUST_LOG", "warn,tidegate=info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut errors = program.stderr.take().unwrap();
        let log = self.log.clone();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while let Ok(read @ 1..) = errors.read(&mut buffer) {
                log.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        let mut first = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Some(address) = first.trim().split("http://").nth(1) else {
            std::thread::sleep(Duration::from_millis(200));
            let log = self.log();
            panic!("the program did not start: {first}{log}");
        };
        self.address = format!("http://{address}");
        self.program = Some(program);
        self.stage().joined();
    }

    fn stage(&self) -> &dyn Stage {
        self.stage.as_deref().expect("a story has its stage until it ends")
    }

    /// Which settings the program is started with; none for the sample company.
    fn config_argument(&self) -> Vec<std::ffi::OsString> {
        if self.config.is_empty() {
            return vec!["--store".into(), self.store.clone().into()];
        }
        vec!["--config".into(), self.folder.path().join("tidegate.toml").into()]
    }

    /// Kills the process at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill().unwrap();
            program.wait().unwrap();
            self.stage().killed();
        }
    }

    /// Asks the process to stop and waits for it; returns whether it ended well.
    pub fn stop(&mut self) -> bool {
        let Some(mut program) = self.program.take() else { return true };
        Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
        program.wait().unwrap().success()
    }

    /// Tells the process to read its settings anew.
    pub fn hang_up(&self) {
        let id = self.program.as_ref().map(|program| program.id().to_string()).unwrap_or_default();
        Command::new("kill").args(["-HUP", &id]).status().unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The store's URL: where a story that tampers with it goes.
    pub fn store(&self) -> String {
        self.store.clone()
    }

    pub fn settings(&self) -> &str {
        &self.config
    }

    /// Announces an error in the log that this story is about.
    pub fn expects_error(&mut self, part: &str) {
        self.expected.push(part.to_owned());
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// A command in the channel, carried out to the end.
    pub fn says(&mut self, user: &str, text: &str) {
        self.sends(user, text);
        self.settle();
    }

    /// A command that is only sent.
    pub fn sends(&self, user: &str, text: &str) -> Value {
        self.stage().command(self, user, text)
    }

    pub fn reacts(&mut self, user: &str, message: &str, reaction: &str) {
        self.stage().react(self, user, message, reaction, false);
        self.settle();
    }

    pub fn unreacts(&mut self, user: &str, message: &str, reaction: &str) {
        self.stage().react(self, user, message, reaction, true);
        self.settle();
    }

    pub fn replies(&mut self, user: &str, thread: &str, text: &str) {
        self.stage().reply(self, user, thread, text);
        self.settle();
    }

    pub fn presses(&mut self, user: &str, message: &str, button: &str) -> Value {
        let answer = self.stage().press(self, user, message, button);
        self.settle();
        answer
    }

    pub fn submits(&mut self, user: &str, form: &str, values: &Value) -> Value {
        self.stage().open_form(self, user);
        let answer = self.stage().submit(self, user, form, values);
        self.settle();
        answer
    }

    /// A pipeline's report; `at` and the like come from the caller.
    pub fn reports(&mut self, report: &Value) -> Value {
        let answer = self.post("/hooks/deployments", report);
        self.settle();
        answer
    }

    /// Moves the clock and lets everything that falls due happen.
    pub fn advances(&mut self, seconds: i64) {
        self.post("/console/api/advance", &json!({ "seconds": seconds }));
        self.settle();
    }

    /// Waits until nothing is left to do.
    pub fn settle(&self) {
        self.stage().settle(self);
    }

    /// Everything on the channel, in order of the last change.
    pub fn messages(&self) -> Vec<Value> {
        self.stage().messages(self)
    }

    /// The newest message that asks for approval.
    pub fn card(&self) -> String {
        let cards: Vec<Value> = self
            .messages()
            .into_iter()
            .filter(|m| m["message"]["reactions"].as_array().is_some_and(|r| r.iter().any(|n| n == "white_check_mark")))
            .collect();
        let newest = cards.iter().max_by_key(|m| m["id"].as_str().unwrap_or_default().to_owned());
        newest.unwrap_or_else(|| panic!("no card: {:#?}", self.texts()))["id"].as_str().unwrap().to_owned()
    }

    /// The channel's message of the newest plan.
    pub fn main(&self) -> Value {
        let mains = self.messages().into_iter().filter(|m| m["thread"].is_null() && m["for"].is_null());
        mains
            .max_by_key(|m| m["id"].as_str().unwrap_or_default().to_owned())
            .unwrap_or_else(|| panic!("no message: {}", self.log()))
    }

    /// All texts in the channel and its threads, whispers left out, joined.
    pub fn texts(&self) -> String {
        let said = self.messages().into_iter().filter(|m| m["for"].is_null());
        said.map(|m| m["text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join("\n---\n")
    }

    /// The last thing that one person alone was told.
    pub fn whispered_to(&self, user: &str) -> String {
        let last = self.messages().into_iter().rfind(|m| m["for"] == user);
        last.map(|m| m["text"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    pub fn plan(&self, id: &str) -> Value {
        self.get(&format!("/api/plans/{id}"))
    }

    /// The flag of this code in a plan's brief.
    pub fn flag(&self, plan: &str, code: &str) -> Value {
        let view = self.plan(plan);
        let flags = view["flags"].as_array().unwrap();
        flags.iter().find(|f| f["code"] == code).cloned().unwrap_or_else(|| panic!("no flag {code}: {flags:#?}"))
    }

    pub fn gate(&self, query: &str) -> Value {
        self.get(&format!("/api/gate?{query}"))
    }

    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).1
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(body));
        assert!(status < 500, "{path}: {status} {answer} {}", self.log());
        answer
    }

    /// Status and JSON of one request.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        tidegate::http::provide_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = tidegate::http::trusted(Duration::from_secs(70)).unwrap();
            let url = format!("{}{path}", self.address);
            let request = if method == "GET" { client.get(url) } else { client.post(url) };
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let answer = request.send().await.unwrap_or_else(|e| panic!("{path}: {e} {}", self.log()));
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        })
    }

    /// Runs a subcommand of the program beside the running one: exit code, standard output, standard error.
    pub fn runs(&self, arguments: &[&str]) -> (i32, String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        let running = self.program.is_some();
        let left =
            if running && !std::thread::panicking() { self.get("/console/api/settled") } else { json!({ "ok": true }) };
        let complaints = if std::thread::panicking() { Vec::new() } else { self.stage().complaints() };
        if let Some(mut program) = self.program.take() {
            let _ = program.kill();
            let _ = program.wait();
        }
        if std::thread::panicking() {
            eprintln!("the program's log:\n{}", self.log());
            return;
        }
        assert_eq!(left["ok"], true, "work was left over");
        assert!(complaints.is_empty(), "the platform complains:\n{}", complaints.join("\n"));
        let log = self.log();
        let unexpected: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("panicked") || line.contains("ERROR"))
            .filter(|line| !self.expected.iter().any(|part| line.contains(part.as_str())))
            .collect();
        assert!(
            unexpected.is_empty(),
            "the program logged errors that the story did not announce:\n{}",
            unexpected.join("\n")
        );
    }
}

/// A fresh store on the engine that this run is about.
fn store() -> (String, Option<postgres::Database>) {
    match engine().as_str() {
        "postgres" => {
            let database = postgres::Database::new();
            (database.url.clone(), Some(database))
        }
        "sqlite" => ("sqlite://tidegate.db".to_owned(), None),
        other => panic!("TIDEGATE_TEST_ENGINE is `sqlite` or `postgres`, not `{other}`"),
    }
}

/// The store's engine that this run is about.
pub fn engine() -> String {
    std::env::var("TIDEGATE_TEST_ENGINE").unwrap_or_else(|_| "sqlite".to_owned())
}

/// Tries until something holds, at most ten seconds; for what another process does in its own time.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what} did not come about");
        std::thread::sleep(Duration::from_millis(50));
    }
}
