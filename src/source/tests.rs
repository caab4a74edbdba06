//! What the tests of the sources share: settings and a question.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Ask, Opened, Opening, Question};
use crate::clock::{Clock, DAY, Time};
use crate::config::{Settings, SourceSettings};
use crate::name::{Environment, Service};

/// The least settings that can be read, and `more`.
pub(super) fn settings(more: &str) -> Arc<Settings> {
    let least = r#"
        team = { name = "Sample", zone = "UTC", hours = ["Mon-Fri 09:00-18:00"] }
        store = {}
        hold = { lock-for = "2h", lock-longest = "24h", lock-asks = "15m", turn = "30m" }
        gate = { longest-wait = "2m" }
        ledger = { origin = "sample.test/deployments", anchor-every = "1h", anchor-at-least = "1d", clock-drift = "2s" }
        web = { listen = "127.0.0.1:0" }
        watch = { length = "30m", every = "1m", least-requests = 100, escalate-after = "10m", find-every = "5m" }
        [chat]
        command = "/deploy"
        channel = "deploys"
        reactions = {}
        console = { enabled = true, channels = ["deploys"] }
        [policy]
        horizon = "2d"
        source-timeout = "2s"
        source-keep = "20s"
        brief-timeout = "4s"
        approval-expires = "1d"
        plan-expires = "7d"
        deployment-length = "15m"
        refresh-every = "5m"
        score-step = 10
        separation = true
        bands = { moderate = 25, elevated = 50, high = 75 }
        blockers = []
        flag-patterns = ['flag_enabled\("([a-z0-9._-]+)"\)']
    "#;
    let text = format!("{least}\n{more}");
    Arc::new(toml::from_str(&text).unwrap_or_else(|error| panic!("{error}")))
}

/// A question about `checkout` in `production` on 2026-11-20.
pub(super) fn ask(question: Question, settings: &Arc<Settings>) -> Ask {
    let now = Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
    Ask {
        question,
        settings: Arc::clone(settings),
        service: Service::new("checkout"),
        environment: Environment::new("production"),
        version: None,
        running: None,
        names: Vec::new(),
        change: None,
        from: now.plus(-DAY),
        to: now.plus(2 * DAY),
        now,
        fresh: false,
    }
}

/// A source of the settings, opened as production does; files are seen from `folder`.
pub(crate) fn opened(settings: &SourceSettings, folder: &Path) -> anyhow::Result<Opened> {
    super::open(&opening(settings, folder, &Clock::system()))
}

/// What a source is opened with.
pub(super) fn opening<'a>(settings: &'a SourceSettings, folder: &'a Path, clock: &'a Clock) -> Opening<'a> {
    let (patience, keep) = (Duration::from_secs(2), Duration::ZERO);
    // One for each: the tests of a program do not share a runtime.
    let clients = Box::leak(Box::default());
    Opening { settings, folder, clock, patience, keep, clients }
}

#[test]
fn a_source_speaks_of_the_services_and_environments_that_it_names_and_answers_what_its_kind_can() {
    let of = |more: &str| {
        let text = format!("[[source]]\nname = \"code\"\nkind = \"git\"\npath = \".\"\n{more}");
        opened(&settings(&text).source[0], Path::new("."))
    };
    let concerns = |more: &str| of(more).unwrap().concerns(&Service::new("checkout"), &Environment::new("production"));
    assert!(concerns("") && concerns("services = [\"web\", \"checkout\"]"));
    assert!(!concerns("services = [\"web\"]") && !concerns("environments = [\"staging\"]"));
    let why = of("answers = [\"load\"]").unwrap_err().to_string();
    assert_eq!(why, "the source `code` cannot answer `load`: as it is set up it can answer `versions`, `change`");
}
