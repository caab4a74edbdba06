//! A source as the program opens it, from its `[[source]]`, and questions to put to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate::advice::facts::{CalendarEvent, Change, Incident, Shift, Versions};
use tidegate::clock::{Clock, DAY, Time};
use tidegate::config::{Settings, SourceSettings};
use tidegate::http::Clients;
use tidegate::source::{Answer, Ask, Learned, Opened, Opening, Question};

/// The moment at which sources' stories happen.
pub fn now() -> Time {
    at("2026-11-23T12:00:00Z")
}

/// Opens the source of a stanza (without `[[source]]` and `name`, which is `told`).
pub fn opened(stanza: &str) -> anyhow::Result<Opened> {
    opened_within(stanza, Duration::from_secs(20))
}

/// The same with a limit on how long each of its requests may take.
pub fn opened_within(stanza: &str, patience: Duration) -> anyhow::Result<Opened> {
    let settings: SourceSettings = toml::from_str(&format!("name = 'told'\n{stanza}"))?;
    let clock = Clock::beginning_at(now());
    tidegate::source::open(&Opening {
        settings: &settings,
        folder: Path::new("."),
        clock: &clock,
        patience,
        keep: Duration::ZERO,
        clients: &Clients::default(),
    })
}

/// A question about `shop` in `production`, with more settings; it looks 30 days back and two ahead.
pub fn asking(question: Question, settings: &str) -> Ask {
    let least = "[team]\nname = 'Story'\nzone = 'UTC'\n";
    let settings = Settings::read(&format!("{least}{settings}"), "story", ".".into()).unwrap();
    let about = Ask::of(question, &Arc::new(settings), &"shop".into(), &"production".into(), now());
    Ask { from: now().plus(-30 * DAY), to: now().plus(2 * DAY), ..about }
}

/// A moment, as it is written in stories.
pub fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

/// What a source tells, and what it says is missing.
pub type Told<T> = (Vec<T>, Vec<String>);

pub async fn incidents(source: &Opened, ask: &Ask) -> Told<Incident> {
    let answer = source.ask(ask).await.unwrap();
    let Answer { learned: Learned::Incidents(found), incomplete, .. } = answer else { panic!("{answer:?}") };
    (found, incomplete)
}

pub async fn shifts(source: &Opened, ask: &Ask) -> Told<Shift> {
    let answer = source.ask(ask).await.unwrap();
    let Answer { learned: Learned::OnCall(found), incomplete, .. } = answer else { panic!("{answer:?}") };
    (found, incomplete)
}

pub async fn events(source: &Opened, ask: &Ask) -> Told<CalendarEvent> {
    let answer = source.ask(ask).await.unwrap();
    let Answer { learned: Learned::Calendar(found), incomplete, .. } = answer else { panic!("{answer:?}") };
    (found, incomplete)
}

pub fn versions(answer: Answer) -> Versions {
    let Learned::Versions(versions) = answer.learned else { panic!("{answer:?}") };
    versions
}

pub fn change(answer: Answer) -> Change {
    let Learned::Change(change) = answer.learned else { panic!("{answer:?}") };
    *change
}
