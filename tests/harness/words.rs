//! What stories about people, the record and the gate ask of a running Tidegate.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::Value;

use super::Story;

impl Story {
    /// The gate's verdict on a plan, and the codes of its reasons.
    pub fn verdict(&self, plan: &str) -> (String, Vec<String>) {
        said(&self.gate(&format!("plan={plan}")))
    }

    /// The entries of the ledger about a plan, oldest first.
    pub fn ledger(&self, plan: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/ledger?plan={plan}"));
        let entries = answer["entries"].as_array().unwrap_or_else(|| panic!("{answer}"));
        entries.iter().map(|entry| serde_json::from_str(entry["bytes"].as_str().unwrap()).unwrap()).collect()
    }

    /// The refused words on a plan: who, and why.
    pub fn refused(&self, plan: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refused = self.ledger(plan).into_iter().filter(|entry| entry["kind"] == "word.refused");
        let who = |entry: &Value| self.stage().person(&text(&entry["actor"]["user"]));
        refused.map(|entry| (who(&entry), text(&entry["data"]["because"]))).collect()
    }

    /// The message with this id, as it stands now.
    pub fn message(&self, id: &str) -> Value {
        self.messages().into_iter().find(|m| m["id"] == id).unwrap_or_else(|| panic!("no message {id}"))
    }

    /// The last thing that one person alone was told, without the signs that mark something as typed: some platforms show
    /// them, others show what is typed in another face.
    pub fn plainly_told(&self, user: &str) -> String {
        self.whispered_to(user).replace('`', "")
    }

    /// The newest form that one person was given.
    pub fn form_of(&self, user: &str) -> Value {
        self.stage().open_form(self, user);
        let forms = self.messages().into_iter().filter(|m| m["for"] == user && !m["form"].is_null());
        forms
            .max_by_key(|m| m["id"].as_str().unwrap_or_default().to_owned())
            .unwrap_or_else(|| panic!("no form for {user}"))["form"]
            .clone()
    }

    /// Several people react to a message before anything of it is handled: who, with what, and whether it is taken back.
    pub fn react_at_once(&mut self, message: &str, reactions: &[(&str, &str, bool)]) {
        for (user, reaction, removed) in reactions {
            self.stage().react(self, user, message, reaction, *removed);
        }
        self.settle();
    }

    /// Changes the settings while the program runs, and waits until it has read them.
    pub fn changes_settings(&mut self, from: &str, to: &str) {
        assert!(self.config.contains(from), "the settings hold no {from}");
        self.config = self.config.replace(from, to);
        std::fs::write(self.folder.path().join("tidegate.toml"), &self.config).unwrap();
        let read = |story: &Story| story.log().matches(" anew.").count();
        let before = read(self);
        self.hang_up();
        super::eventually("reading the settings anew", || read(self) > before);
        self.settle();
    }

    /// Pipelines that ask the gate again and again, each on a thread of its own.
    pub fn pipelines(&self, query: &str, count: usize) -> Pipelines {
        tidegate::http::provide_tls();
        let over = Arc::new(AtomicBool::new(false));
        let asking = (0..count).map(|_| {
            let (over, url) = (over.clone(), format!("{}/api/gate?{query}", self.address));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let client = tidegate::http::trusted(std::time::Duration::from_secs(20)).unwrap();
                    let mut heard = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let answer = client.get(&url).send().await.unwrap();
                        heard.push(serde_json::from_str(&answer.text().await.unwrap()).unwrap());
                    }
                    heard
                })
            })
        });
        Pipelines { asking: asking.collect(), over }
    }

    /// The status of a GET with this bearer token.
    pub fn status_with(&self, path: &str, token: &str) -> u16 {
        tidegate::http::provide_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = tidegate::http::trusted(std::time::Duration::from_secs(20)).unwrap();
            let request =
                client.get(format!("{}{path}", self.address)).header("authorization", format!("Bearer {token}"));
            request.send().await.unwrap().status().as_u16()
        })
    }

    /// A subcommand with `--config` and `--data` of this story, with variables set and something typed into it.
    pub fn runs_with(&self, arguments: &[&str], variables: &[(&str, &str)], typed: &str) -> (i32, String, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.path().join("tidegate.toml"))
            .arg("--data")
            .arg(self.data())
            .env("HOME", self.folder.path())
            .envs(variables.iter().copied())
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = program.stdin.take().unwrap();
        // Who does not ask does not read: a closed pipe is no failure of the story.
        let _ = std::io::Write::write_all(&mut stdin, typed.as_bytes());
        drop(stdin);
        let done = program.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
    }
}

/// Verdict and codes of a gate's answer.
pub fn said(answer: &Value) -> (String, Vec<String>) {
    let verdict = answer["verdict"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    let reasons = answer["reasons"].as_array().unwrap();
    (verdict, reasons.iter().map(|r| r["code"].as_str().unwrap().to_owned()).collect())
}

/// Pipelines that ask until somebody wants to know what they heard.
pub struct Pipelines {
    over: Arc<AtomicBool>,
    asking: Vec<JoinHandle<Vec<Value>>>,
}

impl Pipelines {
    pub fn heard(self) -> Vec<Value> {
        self.over.store(true, Ordering::Relaxed);
        self.asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    }
}
