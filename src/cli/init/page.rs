//! The proposal as a settings file that a person can read and correct: what is written counts, what is doubtful stands as a
//! comment, and each line says where it comes from.

use super::draft::{Draft, Service};
use super::people;
use super::place::Place;
use super::services::escaped;
use super::systems::{ALL, Reached};
use super::toml::{Stanza, Value, remark};
use crate::clock::Time;

/// The whole file.
pub fn page(draft: &Draft, now: Time) -> String {
    let mut out = String::new();
    head(&mut out, now);
    team(draft, &mut out);
    part(&mut out, "What is deployed", &[]);
    for service in &draft.services {
        one_service(service, draft).write(&mut out);
    }
    if draft.services.is_empty() {
        let says = "No git repository was found here. A service looks like this:";
        let example = Stanza::table(["service", "shop"]).says(says).with("owners", Value::List(Vec::new()));
        example.doubtful().write(&mut out);
    }
    environments(draft, &mut out);
    everybody(draft, &mut out);
    sources(draft, &mut out);
    chats(&mut out);
    if !draft.notes.is_empty() {
        part(&mut out, "What could not be seen", &[]);
        for note in &draft.notes {
            remark(&mut out, note);
        }
        out.push('\n');
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn head(out: &mut String, now: Time) {
    let day = now.utc().format("%Y-%m-%d");
    for line in [
        format!("Proposed by `tidegate init` on {day}, from what it found. Nobody has decided any of this yet: read it, correct it,"),
        "take out what is wrong. What is doubtful stands as a comment; uncomment what is true. Whatever is left out has its".to_owned(),
        "default. docs/settings.md explains every setting, config/example.toml shows a whole team.".to_owned(),
        String::new(),
        "`tidegate check` asks each source what it answers; `tidegate try --config FILE` shows it all on this machine alone.".to_owned(),
    ] {
        remark(out, &line);
    }
    out.push('\n');
}

/// A line that divides, with what is said below it.
fn part(out: &mut String, title: &str, says: &[&str]) {
    let dashes = 112_usize.saturating_sub(title.len());
    remark(out, &format!("--- {title} {}", "-".repeat(dashes)));
    if !says.is_empty() {
        says.iter().for_each(|line| remark(out, line));
    }
    out.push('\n');
}

fn team(draft: &Draft, out: &mut String) {
    let mut stanza = Stanza::table(["team"]);
    let organisation = draft.places.iter().find_map(|place| {
        let (_, slug) = place.host.as_ref()?;
        Some((slug.split('/').next()?.to_owned(), place.origin.clone()?))
    });
    stanza = match organisation {
        Some((name, from)) => stanza.because("name", Value::text(name), format!("whose repository {from} is")),
        None => stanza.perhaps("name", Value::text("The team"), "what people call you"),
    };
    stanza = match &draft.zone {
        Some((zone, from)) => {
            stanza.because("zone", Value::text(zone.clone()), format!("{from}; times are said in it"))
        }
        None => stanza.perhaps("zone", Value::text("Europe/Berlin"), "without it times are said in UTC"),
    };
    let hours = Value::List(vec!["Mon-Fri 09:00-18:00".to_owned()]);
    stanza.perhaps("hours", hours, "when people are at work").write(out);
}

fn one_service(service: &Service, draft: &Draft) -> Stanza {
    let (found, place) = (&service.found, &draft.places[service.place]);
    let mut stanza = Stanza::table(["service", found.name.as_str()]);
    let files = found.because.iter().take(3).map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
    stanza = stanza.says(match (found.sure, found.folder.is_empty()) {
        (_, true) if files.is_empty() => format!("The whole repository at `{}`, as one service: a guess.", place.path),
        (true, true) => format!("The whole repository at `{}`, by {files}.", place.path),
        (true, false) => format!("By {files} in `{}`.", place.path),
        (false, true) => {
            format!("The whole repository at `{}`, by {files}, beside the services in its folders.", place.path)
        }
        (false, false) => format!("Perhaps deployed on its own, by {files} in `{}`.", place.path),
    });
    stanza = stanza.with("repository", Value::text(place.name.clone()));
    if !found.folder.is_empty() {
        stanza = stanza.with("paths", Value::List(vec![format!("{}/**", escaped(&found.folder))]));
    }
    if let Some((prefix, count)) = &found.tag_prefix {
        stanza = stanza.because(
            "tag-prefix",
            Value::text(prefix.clone()),
            counted(*count, "tag begins so", "tags begin so"),
        );
    }
    if let Some((pattern, count)) = &found.migrations {
        stanza = stanza.because("migrations", Value::text(pattern.clone()), counted(*count, "file", "files"));
    }
    if let (true, Some(busiest)) = (service.owners.is_empty(), &service.busiest) {
        let says = "who wrote most of the repository's last 90 days; CODEOWNERS names nobody";
        stanza = stanza.perhaps("owners", Value::List(vec![busiest.clone()]), says);
    }
    if !service.owners.is_empty() {
        stanza = stanza.because("owners", Value::List(service.owners.clone()), place.owners.from.clone());
    }
    if !service.teams.is_empty() {
        let teams = service.teams.join(", ");
        let says = format!("{} also names the team {teams}: list its people under `owners`.", place.owners.from);
        stanza = stanza.says(says);
    }
    if found.sure { stanza } else { stanza.doubtful() }
}

fn environments(draft: &Draft, out: &mut String) {
    let says = [
        "The rules for approval in the defaults speak of `production`. `mode` is \"advise\" unless it says otherwise: \"observe\"",
        "records and stays silent, \"gate\" is for pipelines that ask and wait.",
    ];
    part(out, "Where it is deployed to", &says);
    let guessed = &draft.environments;
    let mut before: Option<&str> = None;
    for environment in &guessed.found {
        let mut stanza = Stanza::table(["environment", environment.name.as_str()]);
        stanza = stanza.says(format!("From: {}.", environment.because.join("; ")));
        for (system, name) in &environment.called {
            stanza = stanza.says(format!(
                "{system} calls it `{name}`, and its deployments are asked for by the name here: rename one of the two."
            ));
        }
        let production = environment.name == "production";
        if production {
            stanza = stanza.perhaps("mode", Value::text("gate"), "pipelines ask, and wait for the answer");
        }
        let says = match &environment.protected {
            Some(system) => {
                format!("it is protected at {system}: here the planner types its name, and a person says start")
            }
            None => "the planner types its name, and the gate opens only when a person says start".to_owned(),
        };
        if production || environment.protected.is_some() {
            stanza = stanza.perhaps("protected", Value::True, says);
        }
        if let Some(before) = before {
            stanza = stanza.perhaps("after", Value::text(before), "a version must have run there before");
        }
        if production {
            let hours = Value::List(vec!["Mon-Thu 10:00-16:00".to_owned()]);
            stanza = stanza.perhaps("window", hours, "when deployments are allowed; without it always");
        }
        stanza.write(out);
        if !environment.contexts.is_empty() {
            let says = "What shells and commands aim at when they mean it (`tidegate confirm` compares).";
            let path = ["environment", environment.name.as_str(), "target"];
            let mut target = Stanza::table(path).says(says);
            target = target.with("kube-contexts", Value::List(environment.contexts.clone()));
            if !environment.namespaces.is_empty() {
                target = target.perhaps("namespaces", Value::List(environment.namespaces.clone()), "the contexts' own");
            }
            target.write(out);
        }
        before = Some(&environment.name);
    }
    if !guessed.unclear.is_empty() {
        remark(out, "Names that could be environments, and say nothing about which:");
        for (_, from) in &guessed.unclear {
            remark(out, &format!("- {from}"));
        }
        out.push('\n');
    }
}

fn everybody(draft: &Draft, out: &mut String) {
    let says = [
        "This file alone links identities and gives roles, so a person has to read every entry: names and addresses",
        "below are what commits say, and anybody can write a commit under any name. Nobody has a role yet. The default rules ask",
        "for a second person, a `lead` where the risk is high, and a `vp-engineering` for payments and other high-risk categories.",
        "To be heard in chat each needs an id there: slack = [\"U0…\"], discord = [\"1000…\"] (docs/slack.md, docs/discord.md).",
    ];
    part(out, "Who is who", &says);
    for person in &draft.people {
        one_person(person).write(out);
    }
    if draft.people.is_empty() {
        let person = Stanza::table(["people", "ada"]).says("Nobody was found. A person looks like this:");
        let roles = Value::List(vec!["engineer".to_owned(), "lead".to_owned()]);
        person
            .with("email", Value::List(vec!["ada@example.com".to_owned()]))
            .with("roles", roles)
            .doubtful()
            .write(out);
    }
    let users = draft.told.pagerduty.iter().flat_map(|told| &told.users);
    let others: Vec<_> = users
        .filter(|(email, _)| !draft.people.iter().any(|p| p.emails.iter().any(|own| own.eq_ignore_ascii_case(email))))
        .take(40)
        .collect();
    if !others.is_empty() {
        remark(out, "PagerDuty also knows:");
        others.iter().for_each(|(email, name)| remark(out, &format!("- {name} <{email}>")));
        out.push('\n');
    }
}

fn one_person(person: &people::Found) -> Stanza {
    let mut stanza = Stanza::table(["people", person.key.as_str()]);
    let mut says = Vec::new();
    if person.commits > 0 {
        says.push(counted(person.commits, "commit in the last 90 days", "commits in the last 90 days"));
    }
    says.extend(person.says.iter().cloned());
    if !says.is_empty() {
        stanza = stanza.says(says.join("; "));
    }
    if !person.perhaps.is_empty() {
        let others = person.perhaps.join(", ");
        stanza = stanza.says(format!("The same name also stands beside {others}: add what is theirs."));
    }
    if let Some(name) = &person.name {
        stanza = stanza.with("name", Value::text(name.clone()));
    }
    if !person.emails.is_empty() {
        stanza = stanza.with("email", Value::List(person.emails.clone()));
    }
    if !person.logins.is_empty() {
        stanza = stanza.with("logins", Value::List(person.logins.clone()));
    }
    stanza.perhaps("roles", Value::List(vec!["engineer".to_owned()]), "what they may approve as")
}

fn sources(draft: &Draft, out: &mut String) {
    let says =
        ["docs/sources.md says what each can answer and the least permission that it needs. Tokens are read from the"];
    let says = [says[0], "environment when they are needed; none is written here."];
    part(out, "What can be asked", &says);
    for place in &draft.places {
        code(place, draft, out);
    }
    for (kind, name) in &draft.told.repositories {
        let short = name.rsplit('/').next().unwrap_or(name);
        hosted(kind, name, &format!("{short}-code"), draft).says("Your token may read it.").doubtful().write(out);
    }
    pagerduty(draft, out);
    argocd(draft, out);
    let first = draft.services.first().map_or("shop", |service| service.found.name.as_str()).to_owned();
    let calendar =
        Stanza::source("ics", "calendar").says("A calendar of freezes, launches and holidays: a file or an address.");
    calendar.with("from", Value::text("https://calendar.example.com/team.ics")).doubtful().write(out);
    let probe = Value::Table(vec![("url".to_owned(), Value::text("https://shop.example.com/healthz"))]);
    let probe = Value::Table(vec![(format!("{first}/production"), probe)]);
    let says = "A page that is asked every so often: the watch after a deployment works without any metrics system.";
    Stanza::source("http", "probe").says(says).with("probe", probe).doubtful().write(out);
    let metrics =
        Stanza::source("prometheus", "metrics").says("Load and health; the queries stand in docs/sources.md.");
    metrics.with("url", Value::text("https://prometheus.example.com")).doubtful().write(out);
}

/// Where the code of a repository is read: at its host where that knows it, else on disk.
fn code(place: &Place, draft: &Draft, out: &mut String) {
    let clone = |name: &str| Stanza::source("git", name).with("path", Value::text(place.path.clone()));
    let origin = place.origin.as_deref().unwrap_or("no remote");
    match &place.host {
        Some((kind, slug)) if draft.told.known.contains(&(*kind, slug.clone())) => {
            let says = format!("The code of `{}` ({origin}), which answered.", place.path);
            hosted(kind, slug, &place.name, draft).says(says).write(out);
            let says = "Instead of it, the clone on this machine: it is read as it is, so something has to fetch.";
            clone(&format!("{}-clone", place.name)).says(says).doubtful().write(out);
        }
        Some((kind, slug)) => {
            let says = format!("The clone of {origin}. It is read as it is, so something has to fetch.");
            clone(&place.name).says(says).write(out);
            let says = "Reviews, builds and deployments of it, once there is a token that may read them:";
            let answers = ["reviews", "builds", "deployments"].map(str::to_owned).to_vec();
            let stanza = hosted(kind, slug, &format!("{}-host", place.name), draft).says(says);
            stanza.with("answers", Value::List(answers)).doubtful().write(out);
        }
        None => {
            let says =
                format!("The repository on this machine ({origin}). It is read as it is, so something has to fetch.");
            clone(&place.name).says(says).write(out);
        }
    }
}

fn hosted(kind: &str, slug: &str, name: &str, draft: &Draft) -> Stanza {
    let reached = draft.reached.iter().find(|one| one.system.kind == kind);
    let stanza = Stanza::source(kind, name);
    let stanza = stanza.with(if kind == "github" { "repository" } else { "project" }, Value::text(slug));
    at(reached, kind, stanza)
}

/// Address and token of a system.
fn at(reached: Option<&Reached>, kind: &str, stanza: Stanza) -> Stanza {
    let system = ALL.iter().find(|system| system.kind == kind);
    let usual = system.and_then(|system| system.tokens.first()).copied().unwrap_or("TOKEN");
    let variable = reached.map_or(usual, |one| one.token.as_str());
    let url = reached.map(|one| one.url.as_str().trim_end_matches('/'));
    let url = url.filter(|url| system.and_then(|system| system.address) != Some(*url));
    let stanza = match url {
        Some(url) => stanza.with("url", Value::text(url)),
        None => stanza,
    };
    stanza.with("token", Value::Env(variable.to_owned()))
}

fn pagerduty(draft: &Draft, out: &mut String) {
    let Some(told) = &draft.told.pagerduty else { return };
    let reached = draft.reached.iter().find(|one| one.system.kind == "pagerduty");
    let mut stanza = at(reached, "pagerduty", Stanza::source("pagerduty", "pagerduty"));
    let list = |ids: &Vec<String>| Value::List(ids.clone());
    if draft.paged.is_empty() {
        let first = draft.services.first().map_or("shop", |service| service.found.name.as_str());
        let example = Value::Table(vec![(first.to_owned(), Value::List(vec!["PSERVICE".to_owned()]))]);
        stanza =
            stanza.says("No service of PagerDuty has the name of one above: say which is which.").with("map", example);
    } else {
        let map = draft.paged.iter().map(|(service, ids, _)| (service.clone(), list(ids))).collect();
        stanza = stanza.says("Services of the same names.").with("map", Value::Table(map));
        let called = draft.paged.iter().filter(|(.., policies)| !policies.is_empty()).map(|(service, _, policies)| {
            (service.clone(), Value::Table(vec![("escalation-policies".to_owned(), list(policies))]))
        });
        let called: Vec<_> = called.collect();
        if !called.is_empty() {
            stanza = stanza.because("on-call", Value::Table(called), "the services' own escalation policies");
        }
    }
    if draft.paged.is_empty() { stanza.doubtful() } else { stanza }.write(out);
    let mapped = |id: &String| draft.paged.iter().any(|(_, ids, _)| ids.contains(id));
    let others: Vec<String> =
        told.services.iter().filter(|(id, ..)| !mapped(id)).map(|(id, name, _)| format!("{id} {name}")).collect();
    let schedules: Vec<String> = told.schedules.iter().map(|(id, name)| format!("{id} {name}")).collect();
    for (what, all) in [("Other services there", others), ("Schedules there", schedules)] {
        for (at, few) in all.chunks(8).take(10).enumerate() {
            let start = if at == 0 { format!("{what}: ") } else { "- ".to_owned() };
            remark(out, &format!("{start}{}", few.join(", ")));
        }
    }
    out.push('\n');
}

fn argocd(draft: &Draft, out: &mut String) {
    if draft.told.applications.is_empty() {
        return;
    }
    let reached = draft.reached.iter().find(|one| one.system.kind == "argocd");
    let mut stanza = at(reached, "argocd", Stanza::source("argocd", "argocd"));
    if draft.applications.is_empty() {
        stanza = stanza.says("No application has the name of a service and an environment above: say which is which.");
        stanza = stanza.with("application", Value::text("{service}-{environment}")).doubtful();
    } else {
        let all = draft.applications.iter().map(|(place, name)| (place.clone(), Value::text(name.clone()))).collect();
        stanza = stanza.says("Applications by their names and destinations.").with("applications", Value::Table(all));
    }
    stanza.write(out);
    let named = |name: &String| draft.applications.iter().any(|(_, known)| known == name);
    let others: Vec<&str> =
        draft.told.applications.iter().map(|one| &one.name).filter(|name| !named(name)).map(String::as_str).collect();
    for (at, few) in others.chunks(8).take(10).enumerate() {
        let start = if at == 0 { "Other applications there: " } else { "- " };
        remark(out, &format!("{start}{}", few.join(", ")));
    }
    out.push('\n');
}

fn chats(out: &mut String) {
    let says = [
        "`tidegate manifest slack` and `tidegate manifest discord` print what to paste there (docs/slack.md, docs/discord.md).",
        "Until one is set up, `tidegate try --config FILE` has a chat in the browser; `tidegate serve` answers pipelines and",
        "webhooks, and has that chat too for people with a token: [chat.console] enabled = true, [people.NAME] console = …",
    ];
    part(out, "The chat", &says);
}

/// "1 file", "2 files".
pub fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
