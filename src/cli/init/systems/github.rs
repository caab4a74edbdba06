//! GitHub: whether it knows the repositories, their environments, who is behind an address, and members of teams.
//!
//! <https://docs.github.com/en/rest>: `metadata: read`, `contents: read` and `actions: read` of a repository; teams want
//! `members: read` of the organisation.

use serde::Deserialize;

use super::{About, Environment, Told, failure, list};
use crate::cli::init::owners::Owner;
use crate::source::rest::{Failed, Rest};

const NAME: &str = "GitHub";
/// So many repositories and teams are asked about.
const MOST: usize = 10;
/// So many commits are looked at for logins, and so many repositories are listed where none was found.
const MOST_COMMITS: usize = 300;
const MOST_LISTED: usize = 100;

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
    #[serde(default)]
    archived: bool,
}

#[derive(Debug, Deserialize)]
struct Environments {
    environments: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct OneEnvironment {
    name: String,
    #[serde(default)]
    protection_rules: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    #[serde(default)]
    author: Option<Account>,
    commit: Written,
}

#[derive(Debug, Deserialize)]
struct Written {
    author: Option<Who>,
}

#[derive(Debug, Deserialize)]
struct Who {
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Account {
    login: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

pub async fn told(rest: Rest, about: &About) -> Told {
    let rest = rest.header("accept", "application/vnd.github+json").header("x-github-api-version", "2022-11-28");
    let mut told = Told::default();
    let own: Vec<&str> =
        about.repositories.iter().filter(|(kind, _)| *kind == "github").map(|(_, name)| name.as_str()).collect();
    for repository in own.iter().take(MOST) {
        let Some((owner, name)) = repository.split_once('/') else { continue };
        match rest.get_object::<Repository>(&["repos", owner, name], &[]).await {
            Ok(_) => told.known.push(("github", (*repository).to_owned())),
            Err(failed) => {
                told.notes.push(failure(NAME, repository, failed));
                continue;
            }
        }
        environments(&rest, (owner, name), &mut told).await;
        logins(&rest, (owner, name), about, &mut told).await;
    }
    if own.is_empty() {
        let query = [("sort", "pushed"), ("affiliation", "owner,collaborator,organization_member")];
        let asked = (["user", "repos"].as_slice(), query.as_slice(), MOST_LISTED);
        let all: Vec<Repository> = list(&rest, asked, (NAME, "repositories"), &mut told.notes).await;
        let all = all.into_iter().filter(|repository| !repository.archived);
        told.repositories = all.map(|repository| ("github", repository.full_name)).collect();
    }
    teams(&rest, about, &mut told).await;
    told
}

async fn environments(rest: &Rest, (owner, name): (&str, &str), told: &mut Told) {
    let path = ["repos", owner, name, "environments"];
    match rest.get_object::<Environments>(&path, &[("per_page", "100")]).await {
        Ok(found) => {
            for environment in found.environments {
                let Ok(one) = serde_json::from_value::<OneEnvironment>(environment) else { continue };
                told.environments.push(Environment {
                    system: NAME,
                    of: format!("{owner}/{name}"),
                    name: one.name,
                    protected: !one.protection_rules.is_empty(),
                });
            }
        }
        // A repository without any answers so, depending on the plan.
        Err(Failed::Missing) => {}
        Err(failed) => told.notes.push(failure(NAME, &format!("environments of {owner}/{name}"), failed)),
    }
}

/// Who is behind the addresses of the newest commits: GitHub links an address that its owner confirmed there.
async fn logins(rest: &Rest, (owner, name): (&str, &str), about: &About, told: &mut Told) {
    let since = about.since.map(|since| since.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let query: Vec<(&str, &str)> = since.iter().map(|since| ("since", since.as_str())).collect();
    let path = ["repos", owner, name, "commits"];
    let what = format!("commits of {owner}/{name}");
    let mut more = Vec::new();
    let commits: Vec<Commit> = list(rest, (&path, &query, MOST_COMMITS), (NAME, &what), &mut more).await;
    // That there are more commits is no news.
    told.notes.extend(more.into_iter().filter(|note| !note.contains("has more")));
    for commit in commits {
        let email = commit.commit.author.and_then(|who| who.email).map(|email| email.to_lowercase());
        if let (Some(account), Some(email)) = (commit.author.filter(|a| a.kind.as_deref() != Some("Bot")), email) {
            told.logins.insert(email, account.login);
        }
    }
}

async fn teams(rest: &Rest, about: &About, told: &mut Told) {
    let mut teams: Vec<&str> = about
        .owners
        .iter()
        .filter_map(|owner| match owner {
            Owner::Team(team) => Some(team.as_str()),
            _ => None,
        })
        .collect();
    teams.sort_unstable();
    teams.dedup();
    for team in teams.into_iter().take(MOST) {
        let Some((organisation, slug)) = team.split_once('/') else { continue };
        let path = ["orgs", organisation, "teams", slug, "members"];
        let what = format!("members of the team {team}");
        let before = told.notes.len();
        let members: Vec<Account> = list(rest, (&path, &[], 100), (NAME, &what), &mut told.notes).await;
        if told.notes.len() == before {
            told.teams.insert(team.to_owned(), members.into_iter().map(|member| member.login).collect());
        }
    }
}
