//! What calendar entries mean for deployments: one reading for every kind of source that holds a calendar.

use crate::advice::facts::{CalendarEvent, Means, Shift};
use crate::clock::Time;
use crate::config::{Settings, SourceSettings};
use crate::message::tame;
use crate::name::{Environment, Person, Service};
use crate::source::ics::feed::Feed;
use crate::source::ics::{Occurrence, Presence};
use crate::source::{Answer, Ask, CannotSay, Learned, Question};

/// The most gaps of an answer that are named.
const MOST_GAPS: usize = 20;

/// How the entries of one calendar are read, by the settings of its source.
#[derive(Clone, Debug)]
pub struct Reading {
    services: Vec<Service>,
    environments: Vec<Environment>,
    means: Option<Means>,
    person: Option<Person>,
}

impl Reading {
    /// `means`: what every entry is; without it each one's kind and words decide. `person`: whose own calendar it is.
    pub fn of(settings: &SourceSettings, means: Option<Means>, person: Option<&Person>) -> Reading {
        Reading {
            services: settings.services.clone(),
            environments: settings.environments.clone(),
            means,
            person: person.cloned(),
        }
    }

    /// The answer from calendars as they were last read; what could not be read of them is told with it.
    pub async fn expanded(&self, ask: &Ask, feeds: Vec<Feed>, now: Time) -> Result<Answer, CannotSay> {
        let zone = ask.settings.team.zone;
        let (mut found, mut incomplete, mut at) = (Vec::new(), Vec::new(), now);
        let mut readable = false;
        for feed in feeds {
            readable |= feed.calendar.is_some();
            at = at.min(feed.fetched_at.unwrap_or(now));
            let range = ask.from..ask.to;
            let expansion = tokio::task::spawn_blocking(move || feed.expand(range, zone)).await;
            let expansion = expansion.map_err(|_| CannotSay::because("could not be expanded"))?;
            found.extend(expansion.occurrences);
            incomplete.extend(expansion.incomplete);
        }
        if !readable {
            let why = incomplete.first().cloned().unwrap_or_else(|| "holds no calendar".to_owned());
            return Err(CannotSay::because(format!(
                "could not be read: {}",
                why.trim_start_matches("It could not be read: ").trim_end_matches('.')
            )));
        }
        incomplete.truncate(MOST_GAPS);
        Ok(Answer { learned: self.learned(ask, &found), at, link: None, incomplete })
    }

    /// What the occurrences say to the question; those that are cancelled or take no time say nothing.
    pub fn learned(&self, ask: &Ask, found: &[Occurrence]) -> Learned {
        let taking = found.iter().filter(|o| !o.entry.is_cancelled() && o.end > o.start);
        match ask.question {
            Question::OnCall => Learned::OnCall(taking.map(|o| self.shift(o, &ask.settings)).collect()),
            _ => Learned::Calendar(taking.map(|o| self.event(o, &ask.settings)).collect()),
        }
    }

    fn event(&self, occurrence: &Occurrence, settings: &Settings) -> CalendarEvent {
        let entry = &occurrence.entry;
        let summary = tame(entry.summary.as_deref().unwrap_or("(without a title)"), 120);
        let words = format!("{} {}", summary, entry.categories.join(" ")).to_lowercase();
        let mut means = self.means.unwrap_or_else(|| match entry.presence {
            Some(Presence::OutOfOffice) => Means::OutOfOffice,
            Some(Presence::Elsewhere) => Means::Other,
            None => meaning(&words, self.person.is_some()),
        });
        if entry.transparent && matches!(means, Means::Meeting) {
            means = Means::Other;
        }
        let all = format!("{words} {}", entry.description.as_deref().unwrap_or_default().to_lowercase());
        let services = match self.services.as_slice() {
            // An entry that names services of ours concerns those.
            [] => settings.service.keys().filter(|s| names(&all, s.as_str())).cloned().collect(),
            own => own.to_vec(),
        };
        CalendarEvent {
            uid: tame(&entry.uid, 200),
            start: occurrence.start,
            end: occurrence.end,
            all_day: occurrence.all_day,
            summary,
            means,
            services,
            environments: self.environments.clone(),
            owner: entry.organizer.as_deref().map(|o| tame(o, 80)),
            person: self.person.clone(),
        }
    }

    fn shift(&self, occurrence: &Occurrence, settings: &Settings) -> Shift {
        let title = tame(occurrence.entry.summary.as_deref().unwrap_or_default(), 120);
        Shift {
            person: called(&title, settings),
            service: self.services.first().filter(|_| self.services.len() == 1).cloned(),
            start: occurrence.start,
            end: Some(occurrence.end),
            level: 1,
        }
    }
}

/// What an entry means by its words, where its calendar does not say.
fn meaning(words: &str, of_person: bool) -> Means {
    const WORDS: &[(&[&str], Means)] = &[
        (&["freeze", "code freeze", "no deploy", "change stop", "moratorium"], Means::Freeze),
        (&["out of office", "ooo", "vacation", "holiday leave", "sick", "pto", "away"], Means::OutOfOffice),
        (&["launch", "go-live", "go live", "release party"], Means::Launch),
        (&["campaign", "sale", "promotion", "black friday", "newsletter"], Means::Campaign),
        (&["demo"], Means::Demo),
        (&["training"], Means::Training),
        (
            &[
                "public holiday",
                "bank holiday",
                "thanksgiving",
                "christmas",
                "new year",
                "independence day",
                "labor day",
                "memorial day",
            ],
            Means::Holiday,
        ),
        (&["quarter end", "quarter-end", "end of quarter", "quarter close", "books close"], Means::QuarterEnd),
        (&["maintenance"], Means::Maintenance),
    ];
    let hit = WORDS.iter().find(|(list, _)| list.iter().any(|word| names(words, word)));
    match hit {
        Some((_, means)) => *means,
        None if of_person => Means::Meeting,
        None => Means::Other,
    }
}

/// Whether a text holds a word or phrase as such, not as a part of a longer word.
fn names(text: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
        !inside(before) && !inside(after)
    })
}

/// The person whom a rotation's entry names: `On call: Lin`, `lin@harbor.example`, `Lin Park (primary)`.
fn called(title: &str, settings: &Settings) -> Person {
    let lower = title.to_lowercase();
    let is_meant = |name: &Person, p: &crate::config::PersonSettings| {
        p.on_call.iter().any(|alias| names(&lower, alias))
            || p.email.iter().any(|email| lower.contains(&email.to_lowercase()))
            || p.name.as_ref().is_some_and(|full| names(&lower, full))
            || names(&lower, name.as_str())
    };
    match settings.people.iter().find(|(name, p)| is_meant(name, p)) {
        Some((name, _)) => name.clone(),
        None => Person::new(title.rsplit(':').next().unwrap_or(title).trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_an_entry_means() {
        assert_eq!(meaning("q4 code freeze", false), Means::Freeze);
        assert_eq!(meaning("wholesale report", false), Means::Other);
        assert_eq!(meaning("autumn sale", false), Means::Campaign);
        assert_eq!(meaning("1:1", true), Means::Meeting);
    }
}
