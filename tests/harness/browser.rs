//! A real browser before the console's page: headless Chromium, driven over WebDriver.
//!
//! A [`Browser`] starts a chromedriver of its own on a port that the system chooses, with a profile that is thrown
//! away. Everything that it looks for is waited for, ten seconds at most; nothing sleeps for a guessed time. When a
//! story fails, what the browser showed is left in `target/browser/`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::Story;

const PATIENCE: Duration = Duration::from_secs(10);

/// One browser at a time: Chromium wants a core for itself, and a starved one fails for no reason of ours.
static SCREEN: Mutex<()> = Mutex::new(());

/// What the browser pretends to be.
#[derive(Clone, Copy)]
pub enum Device {
    /// A window of 1280 × 900.
    Desktop,
    /// A phone, 360 points wide, with a finger for a mouse.
    Phone,
    /// A sheet to be printed into a document: 720 points wide, sharp on good screens.
    Sheet,
}

pub struct Browser {
    runtime: tokio::runtime::Runtime,
    client: Option<Client>,
    driver: Child,
    _profile: tempfile::TempDir,
    _screen: MutexGuard<'static, ()>,
}

impl Browser {
    /// A browser that shows the console of `story`; `place` is what stands behind the `#` of the address, such as
    /// `channel=deploys&user=ada`.
    pub fn at(story: &Story, place: &str) -> Browser {
        let browser = Browser::open(Device::Desktop);
        browser.goes_to(story, place);
        browser
    }

    /// The same on a phone.
    pub fn on_a_phone(story: &Story, place: &str) -> Browser {
        let browser = Browser::open(Device::Phone);
        browser.goes_to(story, place);
        browser
    }

    pub fn open(device: Device) -> Browser {
        let screen = SCREEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (driver, port) = drive();
        let profile = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut capabilities = fantoccini::wd::Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options(device, profile.path()));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let connecting = async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
        };
        let client = runtime.block_on(connecting).unwrap_or_else(|error| {
            panic!("chromedriver could not start Chromium: install the package `chromium` of the same version as `chromium-driver`. {error}")
        });
        Browser { runtime, client: Some(client), driver, _profile: profile, _screen: screen }
    }

    /// Opens the console and waits until it is there.
    pub fn goes_to(&self, story: &Story, place: &str) {
        self.opens(&format!("{}/console#{place}", story.address));
        self.sees("body.ready");
    }

    /// Opens an address, whatever it shows.
    pub fn opens(&self, address: &str) {
        // A change behind the `#` alone would not load the page.
        self.run(self.client().goto("about:blank"));
        self.run(self.client().goto(address));
    }

    /// Waits for a visible element.
    pub fn sees(&self, css: &str) -> Element {
        self.wait(&format!("no `{css}` is shown"), || {
            // An element that was redrawn since it was found is looked for again.
            self.all(css).into_iter().find(|one| self.runtime.block_on(one.is_displayed()).unwrap_or(false))
        })
    }

    /// Waits until the element says `part`.
    pub fn reads(&self, css: &str, part: &str) {
        self.wait(&format!("`{css}` does not say {part:?}, but {:?}", self.texts(css)), || {
            self.texts(css).iter().any(|text| text.contains(part)).then_some(())
        });
    }

    /// Waits until nothing visible answers to the selector.
    pub fn loses(&self, css: &str) {
        self.wait(&format!("`{css}` is still shown"), || {
            let gone = self.js(
                "return [...document.querySelectorAll(arguments[0])].every(e => !e.checkVisibility())",
                vec![json!(css)],
            );
            (gone == Value::Bool(true)).then_some(())
        });
    }

    /// Waits until a script returns true.
    pub fn holds(&self, what: &str, script: &str) {
        self.wait(what, || (self.js(script, Vec::new()) == Value::Bool(true)).then_some(()));
    }

    /// What every element of the selector says, as rendered.
    pub fn texts(&self, css: &str) -> Vec<String> {
        let found =
            self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", vec![json!(css)]);
        serde_json::from_value(found).unwrap()
    }

    /// The value of an attribute of the first element.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.tries(css, "asked for an attribute", async |element| element.attr(name).await)
    }

    pub fn clicks(&self, css: &str) {
        self.tries(css, "clicked", async |element| element.click().await);
    }

    /// Types into a field, as hands do.
    pub fn types(&self, css: &str, text: &str) {
        self.tries(css, "typed into", async |element| element.send_keys(text).await);
    }

    /// Does something with the first visible element; again if it is redrawn or covered at that moment.
    fn tries<T>(&self, css: &str, what: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let began = Instant::now();
        loop {
            let element = self.sees(css);
            match self.runtime.block_on(act(element)) {
                Ok(done) => return done,
                Err(error) => assert!(began.elapsed() < PATIENCE, "`{css}` cannot be {what}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Presses keys where the focus is.
    pub fn presses(&self, keys: &str) {
        let active = self.run(self.client().active_element());
        self.run(active.send_keys(keys));
    }

    pub fn presses_key(&self, key: Key) {
        self.presses(&char::from(key).to_string());
    }

    pub fn js(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.run(self.client().execute(script, arguments))
    }

    /// The first element of the selector as a PNG.
    pub fn picture_of(&self, css: &str) -> Vec<u8> {
        self.tries(css, "drawn", async |element| element.screenshot().await)
    }

    /// Errors on the page's console since the last question.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.run(self.client().issue_cmd(Ask { path: "se/log", body: json!({ "type": "browser" }) }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn all(&self, css: &str) -> Vec<Element> {
        self.run(self.client().find_all(Locator::Css(css)))
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is there until the browser is dropped")
    }

    fn run<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime.block_on(command).unwrap_or_else(|error| panic!("the browser: {error}"))
    }

    fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(40));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            if std::thread::panicking() {
                let name = std::thread::current().name().unwrap_or("page").replace("::", "-");
                let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
                if let Ok(png) = self.runtime.block_on(client.screenshot())
                    && std::fs::create_dir_all(&folder).is_ok()
                    && std::fs::write(folder.join(format!("{name}.png")), png).is_ok()
                {
                    eprintln!("what the browser showed: {}", folder.join(format!("{name}.png")).display());
                }
            }
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts a driver; returns it and its port.
fn drive() -> (Child, u16) {
    let started = Command::new("chromedriver")
        .args(["--port=0", "--allowed-ips=127.0.0.1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut driver = started.unwrap_or_else(|error| {
        panic!("the page is tested in a real browser: install the packages `chromium` and `chromium-driver` (chromedriver: {error})")
    });
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    let port = port.expect("chromedriver says its port when it has started");
    // Its words must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
}

fn options(device: Device, profile: &std::path::Path) -> Value {
    let mut options = json!({
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-prefers-reduced-motion",
            "--window-size=1280,900",
            "--lang=en",
            format!("--user-data-dir={}", profile.display()),
        ],
    });
    if let Device::Phone = device {
        options["mobileEmulation"] =
            json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0, "touch": true } });
    }
    if let Device::Sheet = device {
        options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 720, "height": 2400, "pixelRatio": 1.5, "touch": false, "mobile": false } });
    }
    options
}

/// A request of the driver that the standard does not have.
#[derive(Debug)]
struct Ask {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Ask {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}
