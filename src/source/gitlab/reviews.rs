//! Who read the change: the merge requests that brought its commits, with their approvals, and what their notes tell of when.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::{MergeRequest, Review, Reviews, Verdict};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::tame;
use crate::name::Person;
use crate::source::code::rollback;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// Of so many commits it is asked by which request they came; each is a question of its own.
const MOST_COMMITS: usize = 30;
/// So many requests are looked at.
const MOST_REQUESTS: usize = 15;
/// So many notes of a request are read.
const MOST_NOTES: usize = 200;
/// So many files of a request are counted.
const MOST_FILES: usize = 300;
/// So many questions are asked at once.
const AT_ONCE: usize = 6;

#[derive(Clone, Debug, Deserialize)]
struct Request {
    iid: u64,
    title: String,
    state: String,
    #[serde(default)]
    author: Option<User>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    created_at: Time,
    /// When it was marked as ready, where GitLab tells.
    #[serde(default)]
    prepared_at: Option<Time>,
    #[serde(default)]
    merged_at: Option<Time>,
    #[serde(default)]
    web_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct User {
    username: String,
}

#[derive(Debug, Deserialize)]
struct Approvals {
    #[serde(default)]
    approved_by: Vec<Approval>,
}

#[derive(Debug, Deserialize)]
struct Approval {
    user: User,
    #[serde(default)]
    approved_at: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct Note {
    #[serde(default)]
    body: String,
    #[serde(default)]
    author: Option<User>,
    created_at: Time,
    /// Written by GitLab itself about what somebody did.
    #[serde(default)]
    system: bool,
}

#[derive(Debug, Deserialize)]
struct Difference {
    #[serde(default)]
    diff: Option<String>,
}

impl Gitlab {
    pub(super) async fn reviews(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (head, base) = (self.head(ask).await?, self.base(ask).await?);
        let mut incomplete = Vec::new();
        let commits = self.between(base.as_ref(), &head, &mut incomplete).await?.commits;
        if commits.len() > MOST_COMMITS {
            incomplete.push(format!("only for the newest {MOST_COMMITS} of {} commits it was asked", commits.len()));
        }
        let asked = commits.into_iter().take(MOST_COMMITS).map(|commit| self.brought(commit.id));
        let brought: Vec<Vec<Request>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let direct = brought.iter().filter(|requests| requests.is_empty()).count();
        let all: BTreeMap<u64, Request> = brought.into_iter().flatten().map(|request| (request.iid, request)).collect();
        if all.len() > MOST_REQUESTS {
            incomplete.push(format!("only the newest {MOST_REQUESTS} of {} merge requests were looked at", all.len()));
        }
        let asked = all.into_values().rev().take(MOST_REQUESTS).map(|request| self.request(request, &ask.settings));
        let requests: Vec<(MergeRequest, Vec<String>)> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let (requests, gaps): (Vec<MergeRequest>, Vec<Vec<String>>) = requests.into_iter().unzip();
        incomplete.extend(gaps.into_iter().flatten());
        let reviews = Reviews { commit: head.id, requests, direct: u32::try_from(direct).unwrap_or(u32::MAX) };
        Ok(Answer { learned: Learned::Reviews(reviews), at: ask.now, link: link(head.web_url), incomplete })
    }

    /// The merged requests that a commit came by.
    async fn brought(&self, commit: String) -> Result<Vec<Request>, CannotSay> {
        let path = self.path(&["repository", "commits", &commit, "merge_requests"]);
        let requests: Vec<Request> = self.api.get(&path, &[]).await?;
        Ok(requests.into_iter().filter(|request| request.state == "merged").collect())
    }

    async fn request(&self, request: Request, settings: &Settings) -> Result<(MergeRequest, Vec<String>), CannotSay> {
        let number = request.iid.to_string();
        let path = |what: &'static str| self.path(&["merge_requests", &number, what]);
        let (approvals, notes, differences) = (path("approvals"), path("notes"), path("diffs"));
        let newest = [("sort", "desc"), ("order_by", "created_at")];
        let (approvals, notes, differences) = futures::try_join!(
            self.api.get::<Approvals>(&approvals, &[]),
            self.api.pages::<Note>(&notes, &newest, MOST_NOTES),
            self.api.pages::<Difference>(&differences, &[], MOST_FILES),
        )?;
        let mut incomplete = Vec::new();
        if notes.1 || differences.1 {
            incomplete.push(format!("!{number} is larger than what was read of it"));
        }
        let patches = differences.0.iter().filter_map(|difference| difference.diff.as_deref());
        let lines = patches.flat_map(str::lines).filter(|line| line.starts_with(['+', '-'])).count();
        let history = History::of(&notes.0);
        let mut reviews = Vec::new();
        for approval in approvals.approved_by {
            let name = approval.user.username;
            let told = approval.approved_at.or_else(|| history.said(&name, "approved"));
            // Before it was merged at the latest; which commits were read then is not known.
            let Some(at) = told.or(request.merged_at) else {
                incomplete.push(format!("it is not told when !{number} was approved by {}", tame(&name, 60)));
                continue;
            };
            let newest = told.map(|at| history.pushed.is_none_or(|pushed| pushed <= at));
            reviews.push(Review { by: person(&name, settings), verdict: Verdict::Approved, at, newest });
        }
        reviews.extend(history.others(&reviews, request.author.as_ref(), settings));
        let author = request.author.as_ref().map_or("ghost", |user| user.username.as_str());
        let told = MergeRequest {
            id: format!("!{number}"),
            title: tame(&request.title, 200),
            author: person(author, settings),
            labels: request.labels.iter().take(30).map(|label| tame(label, 60)).collect(),
            opened: history.ready.or(request.prepared_at).unwrap_or(request.created_at),
            last_push: history.pushed,
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            comments: u32::try_from(notes.0.iter().filter(|note| !note.system).count()).unwrap_or(u32::MAX),
            reviews,
            rollback: request.description.as_deref().and_then(rollback::section),
            link: link(request.web_url),
        };
        Ok((told, incomplete))
    }
}

/// What the notes of a request tell of its course.
#[derive(Debug, Default)]
struct History {
    /// When the newest commits came after it was opened.
    pushed: Option<Time>,
    /// When it was marked as ready.
    ready: Option<Time>,
    /// By username: what they last said by a button, and when.
    said: BTreeMap<String, (&'static str, Time)>,
    /// Who commented, and when last.
    commented: BTreeMap<String, Time>,
}

impl History {
    fn of(notes: &[Note]) -> History {
        let mut history = History::default();
        let mut oldest_first: Vec<&Note> = notes.iter().collect();
        oldest_first.sort_by_key(|note| note.created_at);
        for note in oldest_first {
            let at = note.created_at;
            let by = note.author.as_ref().map(|user| user.username.clone()).unwrap_or_default();
            if !note.system {
                history.commented.insert(by, at);
                continue;
            }
            match note.body.as_str() {
                body if body.starts_with("added ") && body.contains(" commit") => history.pushed = Some(at),
                body if body.starts_with("marked this merge request as **ready**") => history.ready = Some(at),
                "approved this merge request" => {
                    history.said.insert(by, ("approved", at));
                }
                "unapproved this merge request" => {
                    history.said.remove(&by);
                }
                "requested changes" => {
                    history.said.insert(by, ("requested", at));
                }
                _ => {}
            }
        }
        history
    }

    fn said(&self, by: &str, what: &str) -> Option<Time> {
        self.said.get(by).filter(|(said, _)| *said == what).map(|(_, at)| *at)
    }

    /// The last word of those who did not approve: changes that they asked for, or comments.
    fn others(&self, approvals: &[Review], author: Option<&User>, settings: &Settings) -> Vec<Review> {
        let done: BTreeSet<&Person> = approvals.iter().map(|review| &review.by).collect();
        let requested = self.said.iter().filter(|(_, (said, _))| *said == "requested");
        let requested = requested.map(|(name, (_, at))| (name, Verdict::ChangesRequested, *at));
        let commented = self.commented.iter().filter(|(name, _)| self.said(name, "requested").is_none());
        let commented = commented.map(|(name, at)| (name, Verdict::Commented, *at));
        let others = requested.chain(commented).filter(|(name, ..)| author.is_none_or(|by| by.username != **name));
        let reviews = others.map(|(name, verdict, at)| {
            let newest = Some(self.pushed.is_none_or(|pushed| pushed <= at));
            Review { by: person(name, settings), verdict, at, newest }
        });
        reviews.filter(|review| !done.contains(&review.by)).collect()
    }
}

fn person(username: &str, settings: &Settings) -> Person {
    settings.person_known_as(username).cloned().unwrap_or_else(|| Person::new(tame(username, 60)))
}
