//! Who is in the teams of code hosts: those that give roles by the settings, and those that code owners' files name.
//!
//! What decides rests on nothing older than a minute while the host answers. One that does not answer is believed for an
//! hour longer; then its teams give nothing until it answers again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;

use crate::advice::NeedView;
use crate::advice::facts::{Facts, Owned};
use crate::app::App;
use crate::approval::role::{CODE_OWNER, bare};
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND, Time};
use crate::config::Settings;
use crate::name::{Person, PlanId, Role, SourceName};
use crate::plan::{Plan, brief};
use crate::wording;
use crate::work::Send;

/// A decision rests on nothing older, where the host answers.
const FRESH: Millis = MINUTE;
/// A host that failed is asked again no sooner.
const AGAIN: Millis = 15 * SECOND;
/// How long what a host said is believed while it does not answer.
pub const KEPT: Millis = HOUR;
/// How often all are asked when nobody decides anything.
const EVERY: Millis = 3 * MINUTE;
/// A host that is silent for so long is spoken of.
const SAID_AFTER: Millis = 10 * MINUTE;
/// Teams of code owners are forgotten when no plan named them for so long.
const WANTED: Millis = 2 * DAY;
/// So many teams are asked about at once.
const AT_ONCE: usize = 4;

/// A team at a source, as it is called there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Team {
    pub source: SourceName,
    pub name: String,
}

/// What hosts said of their teams. Nothing of it is stored: a program that starts asks anew.
#[derive(Debug, Default)]
pub struct Teams {
    known: Mutex<BTreeMap<Team, Known>>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Known {
    /// Logins, as they were told then.
    members: Option<(Time, Vec<String>)>,
    /// Since when it fails, and why, as a fragment that follows the source's name.
    failing: Option<(Time, String)>,
    asked: Option<Time>,
    /// Whether people were told that it fails.
    said: bool,
    wanted: Time,
}

impl Known {
    fn wanted(now: Time) -> Known {
        Known { members: None, failing: None, asked: None, said: false, wanted: now }
    }

    fn is_old(&self, now: Time) -> bool {
        let age = if self.failing.is_some() { AGAIN } else { FRESH };
        self.asked.is_none_or(|asked| !(0..=age).contains(&now.since(asked)))
    }

    /// The members, while what was said of them is believed.
    fn believed(&self, now: Time) -> &[String] {
        let told = self.members.as_ref().filter(|(at, _)| (0..=KEPT).contains(&now.since(*at)));
        told.map(|(_, logins)| logins.as_slice()).unwrap_or_default()
    }

    fn heard(&mut self, said: Result<Vec<String>, crate::source::CannotSay>, now: Time) {
        self.asked = Some(now);
        match said {
            Ok(logins) => (self.members, self.failing) = (Some((now, logins)), None),
            Err(why) => {
                let since = self.failing.take().map_or(now, |(since, _)| since);
                self.failing = Some((since, crate::message::tame(&why.0, 300)));
            }
        }
    }
}

impl Teams {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Team, Known>> {
        // A poisoned lock only means that a reader panicked; each entry is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of them that must be asked about.
    fn old(&self, wanted: &BTreeSet<Team>, now: Time) -> Vec<Team> {
        let mut known = self.known();
        for team in wanted {
            known.entry(team.clone()).or_insert_with(|| Known::wanted(now)).wanted = now;
        }
        wanted.iter().filter(|team| known.get(team).is_some_and(|known| known.is_old(now))).cloned().collect()
    }
}

/// Keeps all teams fresh for as long as the program runs.
pub async fn keep(app: App) {
    if let Err(error) = remember(&app).await {
        tracing::warn!(error = format!("{error:#}"), "the code owners of waiting plans were not looked up");
    }
    while !app.is_stopping() {
        let now = app.clock.now();
        let mut wanted = givers(&app.settings());
        wanted.extend(app.teams.known().iter().filter(|(_, k)| now.since(k.wanted) < WANTED).map(|(t, _)| t.clone()));
        ask(&app, &wanted).await;
        tokio::select! {
            () = app.clock.sleep_until(now.plus(EVERY)) => {}
            () = app.stopped() => {}
        }
    }
}

/// Whether anything may rest on a team at all.
pub fn matter(app: &App) -> bool {
    let settings = app.settings();
    settings.policy.names(CODE_OWNER) || !given(&settings).is_empty()
}

/// Before something is decided on a plan: asks anew about the teams that it may depend on, where what is known is old.
pub async fn look(app: &App, id: &PlanId) -> anyhow::Result<()> {
    let settings = app.settings();
    let mut wanted = givers(&settings);
    if settings.policy.names(CODE_OWNER)
        && let Some(row) = app.store.plan(id).await?
        && let Some(revision) = app.store.revision(id, row.revision).await?
    {
        wanted.extend(of_owners(app, &settings, &row.plan, &revision.facts));
    }
    ask(app, &wanted).await;
    Ok(())
}

/// The same before a brief is made of these facts.
pub async fn look_for(app: &App, plan: &Plan, facts: &Facts) {
    let settings = app.settings();
    let mut wanted = givers(&settings);
    if settings.policy.names(CODE_OWNER) {
        wanted.extend(of_owners(app, &settings, plan, facts));
    }
    ask(app, &wanted).await;
}

/// Puts what is believed into the settings that everybody sees.
pub fn tell(app: &App) {
    let (settings, now) = (app.settings(), app.clock.now());
    let known = app.teams.known();
    let members = |team: &Team| {
        let logins = known.get(team).map(|known| known.believed(now)).unwrap_or_default();
        logins.iter().filter_map(|login| settings.person_known_as(login).cloned()).collect::<BTreeSet<Person>>()
    };
    let mut roles: BTreeMap<Person, BTreeSet<Role>> = BTreeMap::new();
    for (team, role) in given(&settings) {
        for person in members(&team) {
            roles.entry(person).or_default().insert(role.clone());
        }
    }
    let mut teams: BTreeMap<String, BTreeSet<Person>> = BTreeMap::new();
    for team in known.keys() {
        teams.entry(team.name.to_lowercase()).or_default().extend(members(team));
    }
    drop(known);
    app.told_teams(roles, teams);
}

/// What of these needs rests on teams that cannot be read just now; sentences.
pub fn doubts(app: &App, needs: &[NeedView]) -> Vec<String> {
    let (settings, now) = (app.settings(), app.clock.now());
    let asked = |role: &Role| needs.iter().any(|view| view.need.role.as_ref() == Some(role));
    let owners = needs.iter().flat_map(|view| &view.owned).flat_map(|owned| &owned.owners);
    let owners: BTreeSet<String> = owners.map(|owner| bare(owner).to_lowercase()).filter(|o| o.contains('/')).collect();
    let giving: BTreeSet<Team> =
        given(&settings).into_iter().filter(|(_, role)| asked(role)).map(|(team, _)| team).collect();
    let known = app.teams.known();
    let meant = known.iter().filter(|(team, _)| giving.contains(team) || owners.contains(&team.name.to_lowercase()));
    let failing = meant.filter_map(|(team, known)| {
        let (_, why) = known.failing.as_ref()?;
        Some(wording::team::doubt(team, why, known.members.as_ref().map(|(at, _)| *at), &settings, now))
    });
    failing.collect()
}

async fn ask(app: &App, wanted: &BTreeSet<Team>) {
    if app.teams.old(wanted, app.clock.now()).is_empty() {
        return;
    }
    // Who comes meanwhile waits for the same answers.
    let _one = app.teams.asking.lock().await;
    let now = app.clock.now();
    let old = app.teams.old(wanted, now);
    if old.is_empty() {
        return;
    }
    let sources = app.sources();
    let asked = futures::stream::iter(old).map(|team| {
        let source = sources.iter().find(|source| *source.name() == team.source);
        async move {
            let said = match source {
                Some(source) => source.members(&team.name, now).await,
                None => Err(crate::source::CannotSay::because("is not set up any more")),
            };
            (team, said)
        }
    });
    let said: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let now = app.clock.now();
    for (team, said) in said {
        if let Err(why) = &said {
            tracing::warn!(source = %team.source, team = team.name, why = why.0, "a team's members stay as they were");
        }
        app.teams.known().entry(team).or_insert_with(|| Known::wanted(now)).heard(said, now);
    }
    tell(app);
    if let Err(error) = say(app, now).await {
        tracing::error!(error = format!("{error:#}"), "that a team cannot be read was not said");
    }
}

/// Says once where a team that gives roles cannot be read, and once when it can again.
async fn say(app: &App, now: Time) -> anyhow::Result<()> {
    let settings = app.settings();
    let mut news = Vec::new();
    for team in givers(&settings) {
        let roles: BTreeSet<Role> =
            given(&settings).into_iter().filter(|(giver, _)| *giver == team).map(|(_, role)| role).collect();
        let mut known = app.teams.known();
        let Some(known) = known.get_mut(&team) else { continue };
        let message = match &known.failing {
            Some((since, why)) if !known.said && now.since(*since) >= SAID_AFTER => {
                let read = known.members.as_ref().map(|(at, _)| *at);
                wording::team::unread(&team, &roles, why, read, &settings, now)
            }
            None if known.said => wording::team::read_again(&team, &roles),
            _ => continue,
        };
        known.said = !known.said;
        news.push((format!("team:{}:{}", team.source, team.name), message));
    }
    if news.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin(now).await?;
    for (key, message) in news {
        tx.send(&Send::home(app, message).key(key)).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The teams that give roles by the settings, each with one of its roles.
fn given(settings: &Settings) -> Vec<(Team, Role)> {
    let each = settings.source.iter().flat_map(|source| {
        source.kind.roles().into_iter().flatten().flat_map(move |(role, names)| {
            names.iter().map(move |name| (Team { source: source.name.clone(), name: name.clone() }, role.clone()))
        })
    });
    each.collect()
}

fn givers(settings: &Settings) -> BTreeSet<Team> {
    given(settings).into_iter().map(|(team, _)| team).collect()
}

/// The teams that own what changes: whoever is no person of ours may be one. They are asked of the host that holds the
/// repository, or of another one where a mere clone tells of the change.
fn of_owners(app: &App, settings: &Settings, plan: &Plan, facts: &Facts) -> BTreeSet<Team> {
    let near = brief::sources_for(app, settings, &plan.service, &plan.environment);
    let mut hosts = near.into_iter().chain(app.sources()).filter(|source| source.roles().is_some());
    let Some(host) = hosts.next() else { return BTreeSet::new() };
    let owned: Vec<&Owned> = facts.change.known.iter().flat_map(|fact| fact.value.owned.iter().flatten()).collect();
    let names = owned.into_iter().flat_map(|owned| &owned.owners).filter(|owner| owner.starts_with('@'));
    let strange = names.map(|owner| bare(owner)).filter(|name| settings.person_known_as(name).is_none());
    // Only GitLab has groups whose names look like people's.
    let gitlab = settings.source.iter().any(|source| source.name == *host.name() && source.kind.word() == "gitlab");
    let strange = strange.filter(|name| gitlab || name.contains('/'));
    strange.map(|name| Team { source: host.name().clone(), name: name.to_lowercase() }).collect()
}

/// Looks up whom the plans that wait depend on.
async fn remember(app: &App) -> anyhow::Result<()> {
    let settings = app.settings();
    if !settings.policy.names(CODE_OWNER) {
        return Ok(());
    }
    let mut wanted = BTreeSet::new();
    for chat in app.chats() {
        for id in app.store.waiting_plans(chat.platform()).await? {
            let Some(row) = app.store.plan(&id).await? else { continue };
            let Some(revision) = app.store.revision(&id, row.revision).await? else { continue };
            wanted.extend(of_owners(app, &settings, &row.plan, &revision.facts));
        }
    }
    ask(app, &wanted).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CannotSay;

    #[test]
    fn what_a_host_said_is_believed_for_an_hour_and_never_longer() {
        let at = |minutes: i64| Time::from_ms(1_000_000_000).plus(minutes * MINUTE);
        let mut team = Known::wanted(at(0));
        assert!(team.is_old(at(0)) && team.believed(at(0)).is_empty());
        team.heard(Ok(vec!["lin-h".to_owned()]), at(0));
        assert!(!team.is_old(at(1)) && team.is_old(at(2)) && team.is_old(at(-1)));
        team.heard(Err(CannotSay::because("did not answer")), at(30));
        assert_eq!(team.believed(at(60)), ["lin-h"]);
        assert!(team.believed(at(61)).is_empty());
        assert!(team.believed(at(-1)).is_empty(), "a clock that stepped back");
        team.heard(Err(CannotSay::because("did not answer")), at(31));
        assert_eq!(team.failing, Some((at(30), "did not answer".to_owned())), "since it began");
        team.heard(Ok(Vec::new()), at(32));
        assert!(team.believed(at(32)).is_empty() && team.failing.is_none(), "whoever was removed is gone at once");
    }
}
