//! Who read the change: the pull requests that brought its commits, with their reviews.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::Github;
use crate::advice::facts::{MergeRequest, Review, Reviews, Verdict};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{is_web, tame};
use crate::name::Person;
use crate::source::code::rollback;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// Of so many commits it is asked by which request they came; each is a question of its own.
const MOST_COMMITS: usize = 30;
/// So many requests are looked at.
const MOST_REQUESTS: usize = 15;
/// So many questions are asked at once.
const AT_ONCE: usize = 6;

#[derive(Debug, Deserialize)]
struct Brought {
    number: u64,
    #[serde(default)]
    merged_at: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct Pull {
    number: u64,
    title: String,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    created_at: Time,
    #[serde(default)]
    additions: u32,
    #[serde(default)]
    deletions: u32,
    #[serde(default)]
    comments: u32,
    #[serde(default)]
    review_comments: u32,
    head: Sha,
    #[serde(default)]
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Sha {
    sha: String,
}

#[derive(Debug, Deserialize)]
struct Told {
    /// None: an account that is gone.
    #[serde(default)]
    user: Option<User>,
    state: String,
    #[serde(default)]
    commit_id: Option<String>,
    #[serde(default)]
    submitted_at: Option<Time>,
}

impl Github {
    pub(super) async fn reviews(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (head, base) = (self.head(ask).await?, self.base(ask).await?);
        let mut incomplete = Vec::new();
        let commits = self.commits_between(base.as_ref(), &head).await?;
        if commits.len() > MOST_COMMITS {
            incomplete.push(format!("only for the newest {MOST_COMMITS} of {} commits it was asked", commits.len()));
        }
        let asked = commits.into_iter().take(MOST_COMMITS).map(|commit| self.brought(commit));
        let brought: Vec<Vec<u64>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let direct = brought.iter().filter(|numbers| numbers.is_empty()).count();
        let numbers: BTreeSet<u64> = brought.into_iter().flatten().collect();
        if numbers.len() > MOST_REQUESTS {
            let all = numbers.len();
            incomplete.push(format!("only the newest {MOST_REQUESTS} of {all} pull requests were looked at"));
        }
        let asked = numbers.into_iter().rev().take(MOST_REQUESTS).map(|number| self.request(number, &ask.settings));
        let requests = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let reviews = Reviews { commit: head.sha, requests, direct: u32::try_from(direct).unwrap_or(u32::MAX) };
        Ok(Answer { learned: Learned::Reviews(reviews), at: ask.now, link: head.html_url, incomplete })
    }

    /// The merged pull requests that a commit came by.
    async fn brought(&self, commit: String) -> Result<Vec<u64>, CannotSay> {
        let pulls: Vec<Brought> = self.api.get(&self.path(&["commits", &commit, "pulls"]), &[]).await?;
        Ok(pulls.into_iter().filter(|pull| pull.merged_at.is_some()).map(|pull| pull.number).collect())
    }

    async fn request(&self, number: u64, settings: &Settings) -> Result<MergeRequest, CannotSay> {
        let number = number.to_string();
        let (pull, told) = (self.path(&["pulls", &number]), self.path(&["pulls", &number, "reviews"]));
        let (pull, told) =
            futures::try_join!(self.api.get::<Pull>(&pull, &[]), self.api.pages::<Told>(&told, &[], 200))?;
        Ok(MergeRequest {
            id: format!("#{}", pull.number),
            title: tame(&pull.title, 200),
            author: person(pull.user.as_ref(), settings),
            labels: pull.labels.iter().take(30).map(|label| tame(&label.name, 60)).collect(),
            opened: pull.created_at,
            last_push: None,
            lines: pull.additions.saturating_add(pull.deletions),
            comments: pull.comments.saturating_add(pull.review_comments),
            reviews: last_words(&told.0, &pull.head.sha, settings),
            rollback: pull.body.as_deref().and_then(rollback::section),
            link: pull.html_url.filter(|link| is_web(link)),
        })
    }
}

/// The last word of each reviewer: a comment takes nothing back, a dismissal does.
fn last_words(told: &[Told], head: &str, settings: &Settings) -> Vec<Review> {
    let mut words: BTreeMap<Person, Review> = BTreeMap::new();
    for told in told {
        let Some(at) = told.submitted_at else { continue };
        let by = person(told.user.as_ref(), settings);
        let verdict = match told.state.as_str() {
            "APPROVED" => Verdict::Approved,
            "CHANGES_REQUESTED" => Verdict::ChangesRequested,
            "DISMISSED" => {
                words.remove(&by);
                continue;
            }
            "COMMENTED" if !words.contains_key(&by) => Verdict::Commented,
            _ => continue,
        };
        let newest = told.commit_id.as_ref().map(|commit| commit == head);
        words.insert(by.clone(), Review { by, verdict, at, newest });
    }
    words.into_values().collect()
}

fn person(user: Option<&User>, settings: &Settings) -> Person {
    let login = user.map_or("ghost", |user| user.login.as_str());
    settings.person_known_as(login).cloned().unwrap_or_else(|| Person::new(tame(login, 60)))
}
