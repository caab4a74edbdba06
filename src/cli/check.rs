//! `tidegate check`: reads the settings, asks each source everything that it answers once, says what is on, off, wrong.
//!
//! Each question is put as a brief puts it: over the same time, about a version that is really there. What cannot be asked
//! so (a review without a commit) is said to be unasked, and never counts as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;

use super::{Place, print};
use crate::advice::facts::{Change, Direction, PackageChange, Version, Versions};
use crate::clock::{Clock, DAY, HOUR, Time};
use crate::config::{Settings, SourceSettings};
use crate::http::Clients;
use crate::name::{Environment, Service};
use crate::source::{Answer, Ask, Learned, Opened, Opening, Question, SourceKind, ask_all, open};
use crate::wording;

/// So many sources are asked at once.
const AT_ONCE: usize = 6;
/// A flag that nobody has: that it is not there is an answer too.
const NO_FLAG: &str = "tidegate-check";
/// What is asked about where nobody named a version.
const NO_VERSION: &str = "HEAD";

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
    // Each by itself: one that cannot be opened hides nothing of the others.
    let clients = Clients::default();
    let open = |source| (source, opened(source, &settings, &clock, &clients));
    let opened: Vec<_> = settings.source.iter().map(open).collect();
    let working: Vec<Arc<Opened>> = opened.iter().filter_map(|(_, opened)| opened.as_ref().ok().cloned()).collect();
    let known = Known::learn(&working, &settings, &clock).await;
    let told = futures::stream::iter(opened.iter().map(|(source, opened)| async {
        match opened {
            Ok(opened) => {
                let mut told = ask(source, opened, &known, &settings, &clock).await;
                told.extend(roles(source, opened, &settings, &clock).await);
                told
            }
            Err(error) => vec![(State::Wrong, format!("{}: {error:#}", source.name))],
        }
    }));
    let mut told = told.buffered(AT_ONCE);
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    while let Some(lines) = told.next().await {
        for (state, says) in lines {
            *counts.entry(state).or_default() += 1;
            print(&format!("{} {says}", state.word()));
        }
    }
    for (state, says) in webhooks(&settings) {
        if state == State::Wrong {
            *counts.entry(state).or_default() += 1;
        }
        print(&format!("{} {says}", state.word()));
    }
    for (state, says) in gates(&settings, &working, &clock).await {
        *counts.entry(state).or_default() += 1;
        print(&format!("{} {says}", state.word()));
    }
    for question in Question::ALL {
        if !working.iter().any(|source| source.answers().contains(&question)) {
            let lost = wording::check::lost(question);
            print(&format!("off    {}: no source answers it: {lost}", question.as_str()));
        }
    }
    for (state, says) in anchors(&place, &settings, &clock).await {
        if state == State::Wrong {
            *counts.entry(state).or_default() += 1;
        }
        print(&format!("{} {says}", state.word()));
    }
    if let Some(sign_in) = &settings.sign_in {
        let (state, says) = match crate::web::Provider::default().check(&settings, clock.now()).await {
            Ok(says) => (State::On, says),
            Err(why) => (State::Wrong, why),
        };
        *counts.entry(state).or_default() += 1;
        print(&format!("{} sign-in at {}: {says}", state.word(), crate::message::tame(&sign_in.issuer, 120)));
    }
    for found in crate::chat::check(&settings).await {
        let state = if found.ok { State::On } else { State::Wrong };
        *counts.entry(state).or_default() += 1;
        print(&format!("{} {}", state.word(), found.says));
    }
    let count = |state: State| counts.get(&state).copied().unwrap_or_default();
    let (on, gaps, wrong) = (count(State::On), count(State::Gaps), count(State::Wrong));
    super::tell(&format!("{} answers, {gaps} of them with gaps; {wrong} wrong.", on + gaps));
    Ok(u8::from(wrong > 0))
}

/// Whether each place that keeps checkpoints would take one; and, of an instance that runs, how it has been doing.
async fn anchors(place: &Place, settings: &Settings, clock: &Clock) -> Told {
    let mut told = Told::new();
    for anchor in &settings.ledger.anchor {
        told.push(match crate::ledger::witness::check(settings, anchor, &place.data(), clock.now()).await {
            Ok(says) => (State::On, format!("anchor {}: {says}", anchor.name())),
            Err(why) => (State::Wrong, format!("anchor {}: {why:#}", anchor.name())),
        });
    }
    if settings.ledger.anchor.len() < 2 {
        let says = "anchors: fewer than two places outside the database keep checkpoints ([[ledger.anchor]])";
        told.push((State::Off, says.to_owned()));
    }
    let Ok(Some(server)) = place.server() else { return told };
    let running = server.get("/api/ledger", &[("most", "1".to_owned())]).await.unwrap_or_default();
    for witness in running.get("witnesses").and_then(|w| w.as_array()).into_iter().flatten() {
        let says = witness.get("says").and_then(|says| says.as_str()).unwrap_or_default();
        let failing = witness.get("failures").and_then(serde_json::Value::as_i64).unwrap_or(0) > 0;
        told.push((if failing { State::Wrong } else { State::On }, format!("anchor {says}")));
    }
    told
}

/// How a question fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    On,
    /// It answers, and says what it could not see.
    Gaps,
    /// It is not asked.
    Off,
    Wrong,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::On => "on    ",
            State::Gaps => "gaps  ",
            State::Off => "off   ",
            State::Wrong => "wrong ",
        }
    }
}

type Told = Vec<(State, String)>;

/// Where systems may tell by themselves, and whether the secrets are there by which they prove who they are.
fn webhooks(settings: &Settings) -> Told {
    let secrets =
        |source: &SourceSettings| source.webhook.iter().flat_map(|all| all.list()).cloned().collect::<Vec<_>>();
    let each =
        settings.source.iter().flat_map(|source| secrets(source).into_iter().map(move |secret| (source, secret)));
    each.map(|(source, secret)| {
        let (name, kind) = (&source.name, source.kind.word());
        match secret.reveal(&settings.base) {
            Ok(_) => (State::On, format!("{name} may tell by itself, at /hooks/{kind}")),
            Err(why) => (State::Wrong, format!("{name} (webhook): {why}")),
        }
    })
    .collect()
}

/// Whether jobs that wait at a platform's own gate could be answered, and whether all that stands for them is known.
async fn gates(settings: &Settings, sources: &[Arc<Opened>], clock: &Clock) -> Told {
    let mut told = Told::new();
    for source in sources {
        match source.could_review(clock.now()).await {
            None => {}
            Some(Ok(says)) => told.push((State::On, format!("{} (protection): {says}", source.name()))),
            Some(Err(why)) => {
                let needs = "it needs an App that is installed on the repository, with Deployments: read and write";
                let why = crate::message::tame(&why.0, 300);
                told.push((State::Wrong, format!("{} (protection): {why}; {needs}", source.name())));
            }
        }
    }
    for source in &settings.source {
        let SourceKind::Github(keys) = &source.kind else { continue };
        let Some(rule) = keys.protection() else { continue };
        if source.webhook.is_none() {
            let says = format!("{} (protection): without `webhook` no job is ever heard of", source.name);
            told.push((State::Wrong, says));
        }
        for (gate, target) in &rule.map {
            let (service, environment) = target.split_once('/').map_or((None, target.as_str()), |(s, e)| (Some(s), e));
            let known = settings.environment.keys().any(|known| known.as_str() == environment)
                && service.is_none_or(|service| settings.service.keys().any(|known| known.as_str() == service));
            if !known {
                let says = format!(
                    "{} (protection.map): `{gate}` stands for `{target}`, which the settings do not know",
                    source.name
                );
                told.push((State::Wrong, says));
            }
        }
    }
    told
}

fn opened(
    source: &SourceSettings,
    settings: &Settings,
    clock: &Clock,
    clients: &Clients,
) -> anyhow::Result<Arc<Opened>> {
    let patience = source.timeout.unwrap_or(settings.policy.source_timeout).std();
    let keep = std::time::Duration::ZERO;
    open(&Opening { settings: source, folder: &settings.base, clock, patience, keep, clients }).map(Arc::new)
}

/// What later questions need: the newest versions of each service, and what lies between the last two.
#[derive(Debug, Default)]
struct Known {
    versions: BTreeMap<Service, Vec<Version>>,
    change: BTreeMap<Service, Arc<Change>>,
}

impl Known {
    async fn learn(sources: &[Arc<Opened>], settings: &Arc<Settings>, clock: &Clock) -> Known {
        let mut known = Known::default();
        for service in settings.service.keys() {
            let Some(environment) = environments(settings).next() else { continue };
            let home = settings.service.get(service).and_then(|about| about.repository.as_ref());
            let own: Vec<Arc<Opened>> =
                sources.iter().filter(|source| home.is_none_or(|home| home == source.name())).cloned().collect();
            let about = |question| Ask::of(question, settings, service, environment, clock.now());
            let mut versions = versions(&own, &about(Question::Versions), clock).await;
            if versions.is_empty() {
                // Without tags, or with tags that have no day, what a branch leads to is a version too.
                let [head, main, master] = ["HEAD", "main", "master"].map(str::to_owned);
                let named = Ask { version: Some(head), names: vec![main, master], ..about(Question::Versions) };
                versions = self::versions(&own, &named, clock).await;
            }
            known.versions.insert(service.clone(), versions);
            let Some(newest) = known.newest(service) else { continue };
            let running = known.before(service).map(|version| version.commit.clone());
            let ask = Ask { version: Some(newest.commit.clone()), running, ..about(Question::Change) };
            for (_, said) in ask_all(&own, &ask, clock).await {
                if let Ok(Answer { learned: Learned::Change(change), .. }) = said {
                    known.change.entry(service.clone()).or_insert_with(|| Arc::new(*change));
                }
            }
        }
        known
    }

    fn newest(&self, service: &Service) -> Option<&Version> {
        self.versions.get(service)?.first()
    }

    /// The version before the newest.
    fn before(&self, service: &Service) -> Option<&Version> {
        let versions = self.versions.get(service)?;
        versions.iter().find(|version| version.commit != versions[0].commit)
    }
}

/// What the first source that knows any calls versions, newest first.
async fn versions(sources: &[Arc<Opened>], ask: &Ask, clock: &Clock) -> Vec<Version> {
    for (_, said) in ask_all(sources, ask, clock).await {
        let Ok(Answer { learned: Learned::Versions(Versions { mut known, resolved }), .. }) = said else { continue };
        known.sort_by_key(|version| std::cmp::Reverse(version.at));
        if known.is_empty() {
            let named =
                resolved.into_iter().filter_map(|(name, commit)| Some(Version { name, commit: commit?, at: ask.now }));
            known.extend(named.take(1));
        }
        if !known.is_empty() {
            return known;
        }
    }
    Vec::new()
}

/// Environments in which most is at stake come first.
fn environments(settings: &Settings) -> impl Iterator<Item = &Environment> {
    let mut all: Vec<_> = settings.environment.iter().collect();
    all.sort_by_key(|(name, about)| (name.as_str() != "production", !about.needs_start()));
    all.into_iter().map(|(name, _)| name)
}

/// Everything that one source answers, for the first target that it concerns.
async fn ask(
    source: &SourceSettings,
    opened: &Arc<Opened>,
    known: &Known,
    settings: &Arc<Settings>,
    clock: &Clock,
) -> Told {
    let name = opened.name();
    let targets = environments(settings).flat_map(|e| settings.service.keys().map(move |s| (s, e)));
    let mut concerned = targets.filter(|(service, environment)| {
        let home = settings.service.get(*service).and_then(|about| about.repository.as_ref());
        let is_code = opened.answers().contains(&Question::Change);
        (!is_code || home.is_none_or(|home| home == name)) && opened.concerns(service, environment)
    });
    let Some((service, environment)) = concerned.next() else {
        return vec![(State::Off, format!("{name}: it concerns no service in any environment, and is never asked"))];
    };
    let place = format!("{service} in {environment}");
    let mut told = Vec::new();
    for &question in opened.answers() {
        let word = question.as_str();
        let ask = put(question, source, (service, environment), known, settings, clock.now());
        for (_, said) in ask_all(std::slice::from_ref(opened), &ask, clock).await {
            told.push(match said.map(with_gaps) {
                Ok(answer) => {
                    let says = wording::check::learned(&answer.learned, ask.now, settings.team.zone);
                    let gaps: Vec<String> =
                        answer.incomplete.iter().map(|gap| crate::message::tame(gap, 300)).collect();
                    match gaps.is_empty() {
                        true => (State::On, format!("{name} answers {word}: {says} ({place})")),
                        false => {
                            (State::Gaps, format!("{name} answers {word}: {says} ({place}); but {}", gaps.join("; ")))
                        }
                    }
                }
                Err(why) => {
                    let refused = ["(401)", "(403)", "(404)"].iter().any(|status| why.0.contains(status));
                    let permission = wording::check::permission(source.kind.word(), question).filter(|_| refused);
                    let needs = permission.map(|needs| format!("; it needs {needs}")).unwrap_or_default();
                    (State::Wrong, format!("{name} ({word}): {}{needs} ({place})", crate::message::tame(&why.0, 300)))
                }
            });
        }
    }
    told
}

/// Which roles a source gives by its teams, and to whom.
async fn roles(source: &SourceSettings, opened: &Opened, settings: &Settings, clock: &Clock) -> Told {
    let name = opened.name();
    let each = opened.roles().into_iter().flatten();
    let mut told = Told::new();
    for (role, team) in each.flat_map(|(role, teams)| teams.iter().map(move |team| (role, team))) {
        told.push(match opened.members(team, clock.now()).await {
            Ok(logins) => {
                let known: Vec<&str> =
                    logins.iter().filter_map(|login| Some(settings.person_known_as(login)?.as_str())).collect();
                let says = wording::check::gives(role, team, &known, logins.len() - known.len());
                (if known.is_empty() { State::Gaps } else { State::On }, format!("{name} {says}"))
            }
            Err(why) => {
                let refused = ["(401)", "(403)", "(404)"].iter().any(|status| why.0.contains(status));
                let permission = wording::check::permission_for_teams(source.kind.word()).filter(|_| refused);
                let needs = permission.map(|needs| format!("; it needs {needs}")).unwrap_or_default();
                let why = crate::message::tame(&why.0, 300);
                (State::Wrong, format!("{name} (team {}): {why}{needs}", crate::message::tame(team, 100)))
            }
        });
    }
    told
}

/// The question as a brief puts it, about the newest version that anybody named.
fn put(
    question: Question,
    source: &SourceSettings,
    (service, environment): (&Service, &Environment),
    known: &Known,
    settings: &Arc<Settings>,
    now: Time,
) -> Ask {
    let ask = Ask::of(question, settings, service, environment, now);
    let about = Ask { from: now.plus(-2 * DAY), to: now.plus(95 * DAY), ..ask };
    let newest = known.newest(service);
    let back = |length: i64| Ask { from: now.plus(-length), to: now, ..about.clone() };
    match question {
        Question::Versions => Ask { version: newest.map(|version| version.name.clone()), ..about },
        Question::Change | Question::Reviews | Question::Builds => {
            let running = known.before(service).map(|version| version.commit.clone());
            let version = newest.map_or(NO_VERSION, |version| &version.commit).to_owned();
            Ask { version: Some(version), running, ..about }
        }
        Question::Findings | Question::Coverage => {
            let mut change = known.change.get(service).map_or_else(|| nothing(now), |change| (**change).clone());
            if change.packages.is_empty() {
                change.packages.push(package());
            }
            let named = if change.head.commit.is_empty() { &change.head.name } else { &change.head.commit };
            Ask { version: Some(named.clone()), change: Some(Arc::new(change)), ..about }
        }
        Question::Deployments => back(550 * DAY),
        Question::Incidents | Question::Load | Question::Support => back(30 * DAY),
        Question::Health | Question::Series => back(HOUR),
        Question::Flags => {
            let mentioned = known.change.get(service).map(|change| change.flags.clone()).unwrap_or_default();
            let names = if mentioned.is_empty() { vec![NO_FLAG.to_owned()] } else { mentioned };
            Ask { names, ..about }
        }
        Question::Ticket => Ask { names: vec![source.kind.some_ticket()], ..about },
        Question::Alerts => Ask { version: newest.map(|version| version.name.clone()), ..about },
        Question::Calendar | Question::OnCall | Question::Migrations => about,
    }
}

/// A change of nothing, where nobody told one.
fn nothing(now: Time) -> Change {
    let version = Version { name: NO_VERSION.to_owned(), commit: String::new(), at: now };
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
        packages: Vec::new(),
        owners: None,
        owned: None,
    }
}

/// A package with a known advisory, so that those who look at packages have something to look at.
fn package() -> PackageChange {
    let [name, ecosystem, to] = ["time", "crates.io", "0.1.44"].map(str::to_owned);
    PackageChange { name, ecosystem, from: None, to: Some(to) }
}

/// An answer with what its source could not see around it.
fn with_gaps(mut answer: Answer) -> Answer {
    if let Learned::Migrations(state) = &answer.learned {
        answer.incomplete.extend(state.server.iter().flat_map(|server| server.unseen.clone()));
    }
    answer
}
