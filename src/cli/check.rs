//! `tidegate check`: reads the settings, asks each source one real question, says what is on, off, wrong.

use std::sync::Arc;

use super::{Place, print};
use crate::advice::facts::{Change, Direction, PackageChange, Version};
use crate::clock::{Clock, DAY};
use crate::name::{Environment, Service};
use crate::source::{Answer, Ask, Learned, Opened, ask_all, build};

pub async fn run(place: Place) -> anyhow::Result<u8> {
    let settings = match place.settings() {
        Ok(settings) => Arc::new(settings),
        Err(error) => {
            print(&format!("wrong  settings: {error:#}"));
            return Ok(1);
        }
    };
    let clock = Clock::system();
    print(&format!(
        "on     settings: {} services, {} environments, {} people, {} sources",
        settings.service.len(),
        settings.environment.len(),
        settings.people.len(),
        settings.source.len()
    ));
    let sources = match build(&settings, &clock) {
        Ok(sources) => sources,
        Err(error) => {
            print(&format!("wrong  sources: {error:#}"));
            return Ok(1);
        }
    };
    let mut wrong = false;
    for source in &sources {
        wrong |= !ask(source, &settings, &clock).await;
    }
    let answered: Vec<_> = sources.iter().flat_map(|s| s.answers().to_vec()).collect();
    for question in crate::source::Question::ALL {
        if !answered.contains(&question) {
            print(&format!("off    {}: no source answers it, so its checks say unknown", question.as_str()));
        }
    }
    wrong |= !anchors(&place, &settings, &clock).await;
    for found in crate::chat::check(&settings).await {
        wrong |= !found.ok;
        print(&format!("{}  {}", if found.ok { "on   " } else { "wrong" }, found.says));
    }
    Ok(u8::from(wrong))
}

/// Whether each place that keeps checkpoints would take one; and, of an instance that runs, how it has been doing.
async fn anchors(place: &Place, settings: &crate::config::Settings, clock: &Clock) -> bool {
    let mut well = true;
    for anchor in &settings.ledger.anchor {
        match crate::ledger::witness::check(settings, anchor, &place.data(), clock.now()).await {
            Ok(says) => print(&format!("on     anchor {}: {says}", anchor.name())),
            Err(why) => {
                well = false;
                print(&format!("wrong  anchor {}: {why:#}", anchor.name()));
            }
        }
    }
    if settings.ledger.anchor.len() < 2 {
        print("off    anchors: fewer than two places outside the database keep checkpoints ([[ledger.anchor]])");
    }
    let Ok(Some(server)) = place.server() else { return well };
    let told = server.get("/api/ledger", &[("most", "1".to_owned())]).await.unwrap_or_default();
    for witness in told.get("witnesses").and_then(|w| w.as_array()).into_iter().flatten() {
        let says = witness.get("says").and_then(|says| says.as_str()).unwrap_or_default();
        let failing = witness.get("failures").and_then(serde_json::Value::as_i64).unwrap_or(0) > 0;
        well &= !failing;
        print(&format!("{}  anchor {says}", if failing { "wrong" } else { "on   " }));
    }
    well
}

/// One real question to one source, for the first target that it concerns.
async fn ask(source: &Arc<Opened>, settings: &Arc<crate::config::Settings>, clock: &Clock) -> bool {
    let name = source.name();
    let targets = settings.service.keys().flat_map(|s| settings.environment.keys().map(move |e| (s, e)));
    let mut concerned = targets.filter(|(s, e)| source.concerns(s, e));
    let (service, environment): (Service, Environment) = match concerned.next() {
        Some((service, environment)) => (service.clone(), environment.clone()),
        None => {
            print(&format!("off    {name}: it concerns no service in any environment"));
            return true;
        }
    };
    let mut well = true;
    // The change is asked for the newest version that the source itself named.
    let mut newest: Option<String> = None;
    for question in source.answers() {
        let now = clock.now();
        let ask = Ask {
            version: newest.clone().or_else(|| Some("HEAD".to_owned())),
            change: Some(Arc::new(sample(now))),
            from: now.plus(-DAY),
            to: now.plus(DAY),
            ..Ask::of(*question, settings, &service, &environment, now)
        };
        for (_, said) in ask_all(std::slice::from_ref(source), &ask, clock).await {
            if let Ok(Answer { learned: Learned::Versions(versions), .. }) = &said {
                newest = versions.known.iter().max_by_key(|version| version.at).map(|version| version.name.clone());
            }
            match said.map(with_gaps) {
                Ok(answer) if answer.incomplete.is_empty() => print(&format!(
                    "on     {name} answers {} (asked for {service} in {environment})",
                    question.as_str()
                )),
                Ok(answer) => print(&format!(
                    "gaps   {name} answers {}, with gaps: {}",
                    question.as_str(),
                    answer.incomplete.join("; ")
                )),
                Err(why) => {
                    well = false;
                    print(&format!("wrong  {name} ({}): {why}", question.as_str()));
                }
            }
        }
    }
    well
}

/// A change that adds one package, so that those who look at changes have something to look at.
fn sample(now: crate::clock::Time) -> Change {
    let version = Version { name: "HEAD".to_owned(), commit: String::new(), at: now };
    let package = ["time", "crates.io", "0.1.44"].map(str::to_owned);
    let [name, ecosystem, to] = package;
    Change {
        base: Some(version.clone()),
        head: version,
        direction: Direction::Forward,
        commits: Vec::new(),
        commit_count: 0,
        files: Vec::new(),
        file_count: 0,
        migrations: Vec::new(),
        migrations_at_head: Vec::new(),
        flags: Vec::new(),
        packages: vec![PackageChange { name, ecosystem, from: None, to: Some(to) }],
        owners: None,
    }
}

/// An answer with what its source could not see around it.
fn with_gaps(mut answer: Answer) -> Answer {
    if let Learned::Migrations(state) = &answer.learned {
        answer.incomplete.extend(state.server.iter().flat_map(|server| server.unseen.clone()));
    }
    answer
}
