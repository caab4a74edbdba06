//! `tidegate check`: reads the settings, asks each source one real question, says what is on, off, wrong.

use std::sync::Arc;

use super::{Place, print};
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
    for found in crate::chat::check(&settings).await {
        wrong |= !found.ok;
        print(&format!("{}  {}", if found.ok { "on   " } else { "wrong" }, found.says));
    }
    Ok(u8::from(wrong))
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

/// An answer with what its source could not see around it.
fn with_gaps(mut answer: Answer) -> Answer {
    if let Learned::Migrations(state) = &answer.learned {
        answer.incomplete.extend(state.server.iter().flat_map(|server| server.unseen.clone()));
    }
    answer
}
