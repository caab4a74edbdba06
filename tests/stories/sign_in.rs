//! Signing in to the console of `serve`, in a real browser and over HTTP: each person as themselves, with a token.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::harness::browser::{Browser, Device};

const SETTINGS: &str = r#"
[team]
name = "Story"
zone = "America/Los_Angeles"
[chat.console]
enabled = true
[service.shop]
[environment.production]
[people.ada]
roles = ["developer"]
console = { value = "ada-token-0001" }
[people.lin]
roles = ["lead"]
console = { value = "lin-token-0002" }
[people.dee]
kind = "deactivated"
console = { value = "dee-token-0003" }
"#;

/// `tidegate serve` with a console, in a folder of its own.
struct Served {
    folder: tempfile::TempDir,
    program: Child,
    address: String,
}

impl Served {
    fn begin() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let (program, address) = start(&folder, SETTINGS, "127.0.0.1:0");
        Served { folder, program, address }
    }

    /// Starts again at the same address, with other settings.
    fn again(&mut self, settings: &str) {
        self.end();
        let place = self.address.trim_start_matches("http://").to_owned();
        self.program = start(&self.folder, settings, &place).0;
    }

    fn end(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    /// Status, the cookie that was set, and the body.
    fn asks(&self, path: &str, cookie: Option<&str>, body: Option<Value>) -> (u16, Option<String>, Value) {
        let url = format!("{}{path}", self.address);
        tidegate::http::provide_tls();
        let client = tidegate::http::trusted(std::time::Duration::from_secs(10)).unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let request = body.map_or_else(|| client.get(&url), |body| client.post(&url).json(&body));
            let request = cookie.map_or(request.try_clone().unwrap(), |cookie| request.header("cookie", cookie));
            let answer = request.send().await.unwrap();
            let set = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), set, answer.json().await.unwrap_or(Value::Null))
        })
    }

    fn signs_in(&self, user: &str, token: &str) -> (u16, Option<String>, Value) {
        self.asks("/console/api/sign-in", None, Some(json!({ "user": user, "token": token })))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

fn start(folder: &tempfile::TempDir, settings: &str, listen: &str) -> (Child, String) {
    std::fs::write(folder.path().join("tidegate.toml"), settings).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["serve", "--config", "tidegate.toml", "--data", "data", "--listen", listen])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().split("http://").nth(1).unwrap_or_else(|| panic!("it did not start: {first}"));
    (program, format!("http://{address}"))
}

#[test]
fn the_page_asks_for_name_and_token_once_and_signs_out_again() {
    let served = Served::begin();
    let page = Browser::open(Device::Desktop);
    page.opens(&format!("{}/console", served.address));
    page.sees("dialog.sign-in #sign-in-name");
    page.types("#sign-in-name", "ada");
    page.types("#sign-in-token", "lin-token-0002");
    page.presses_key(Key::Enter);
    page.reads(".sign-in .error", "This name and this token do not belong together.");
    assert_eq!(page.js("return document.querySelector('#sign-in-token').value", vec![]), "", "it is not kept");

    page.types("#sign-in-token", "ada-token-0001");
    page.presses_key(Key::Enter);
    page.sees("body.ready");
    page.sees("#person[data-user=ada]");
    page.loses("dialog.sign-in");
    assert_eq!(page.js("return document.cookie", vec![]), "", "no script reads the session");
    assert_eq!(
        page.js("return location.search + location.hash", vec![]).as_str().map(|s| s.contains("token")),
        Some(false)
    );
    page.types("#composer-text", "/deploy status");
    page.presses_key(Key::Enter);
    page.reads("article.private", "What is going on");

    // Once: another look needs no token.
    page.opens(&format!("{}/console", served.address));
    page.sees("body.ready");
    page.sees("#person[data-user=ada]");
    page.clicks("#sign-out");
    page.sees("dialog.sign-in #sign-in-token");
    assert_eq!(page.js("return document.querySelector('#sign-in-name').value", vec![]), "ada");
    assert!(!page.texts("body")[0].contains("What is going on"), "what she was told is gone with her");
}

#[test]
fn a_session_is_one_persons_until_the_token_changes_and_wrong_tokens_are_slowed() {
    let mut served = Served::begin();
    let (status, set, body) = served.signs_in("ada", "ada-token-0001");
    let set = set.expect("a cookie");
    assert_eq!((status, &body["user"]), (200, &json!("ada")));
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    assert!(!set.contains("ada-token-0001"), "the cookie is not the token: {set}");
    let session = set.split(';').next().unwrap().to_owned();
    let about = |served: &Served, cookie: Option<&str>| served.asks("/console/api/about", cookie, None);
    assert_eq!(about(&served, Some(&session)).2["you"], "ada");
    assert_eq!(about(&served, None).0, 401);
    // Another's name over the same proof is nobody's.
    let forged = session.replacen("YWRh", "bGlu", 1);
    assert_ne!(forged, session);
    assert_eq!(about(&served, Some(&forged)).0, 401);
    let speak = json!({ "user": "lin", "channel": "deploys", "text": "/deploy help" });
    assert_eq!(served.asks("/console/api/command", Some(&session), Some(speak)).0, 401, "ada is not lin");
    assert_eq!(served.signs_in("dee", "dee-token-0003").0, 401, "who has left");

    // A restart signs nobody out; a new token does.
    served.again(SETTINGS);
    assert_eq!(about(&served, Some(&session)).0, 200);
    served.again(&SETTINGS.replace("ada-token-0001", "ada-token-0009"));
    assert_eq!(about(&served, Some(&session)).0, 401);

    let answers: Vec<u16> = (0..6).map(|i| served.signs_in("ada", &format!("guess-{i}")).0).collect();
    assert_eq!(answers, [401, 401, 401, 401, 401, 429]);
    let (status, _, body) = served.signs_in("ada", "ada-token-0009");
    assert_eq!(
        (status, &body["error"]["message"]),
        (429, &json!("Too many wrong tokens. Wait a minute, then try again."))
    );
    assert_eq!(served.signs_in("lin", "lin-token-0002").0, 200, "others are not held up");
}
