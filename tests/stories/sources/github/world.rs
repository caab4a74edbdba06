//! A pretend GitHub for one repository.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use serde_json::{Value, json};

use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../data/github/rest.json")).unwrap());

pub const TOKEN: &str = "github_pat_story";
pub const REPOSITORY: &str = "harbor/shop";

const MANNERS: Manners = Manners {
    prefix: "",
    credential: ("authorization", "Bearer github_pat_story"),
    headers: &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")],
    open: &["apps/get-repo-installation", "apps/create-installation-access-token"],
};

/// What lives in the repository.
#[derive(Debug, Default)]
pub struct World {
    /// Commits, oldest first: id, message, author's address, day.
    pub commits: Vec<(String, String, String, String)>,
    /// Tags and branches: name to commit.
    pub refs: BTreeMap<String, String>,
    /// Days of releases by tag.
    pub releases: BTreeMap<String, String>,
    /// What a comparison tells of files.
    pub files: Vec<Value>,
    /// Texts at the head by path.
    pub texts: BTreeMap<String, String>,
    pub deployments: Vec<Value>,
    /// The newest state of each deployment.
    pub states: BTreeMap<u64, String>,
    pub issues: Vec<Value>,
    /// Pull requests by number, the commits that each brought, and its reviews.
    pub pulls: BTreeMap<u64, (Value, Vec<String>, Vec<Value>)>,
    pub check_runs: Vec<Value>,
    pub statuses: Vec<Value>,
    pub required: Vec<String>,
    pub workflow_runs: Vec<Value>,
    /// Scans and alerts of code scanning; None: it is not enabled.
    pub scans: Option<(Vec<Value>, Vec<Value>)>,
    /// Alerts of secret scanning; None: it is not enabled.
    pub leaks: Option<Vec<Value>>,
    /// Members of teams, by `organisation/team`.
    pub teams: BTreeMap<String, Vec<Value>>,
    /// How many tokens of the App were given.
    pub tokens: usize,
    /// What each of them was asked for.
    pub tokens_for: Vec<Value>,
    /// What was told of jobs that wait, with the run.
    pub told: Vec<(u64, Value)>,
    /// Answered instead, once for each, when a job is told of.
    pub answers: Vec<u16>,
    /// Tokens last for days.
    pub lasting: bool,
}

pub type Github = Vendor<World>;

/// Begins with a world.
pub async fn open(world: World) -> Github {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let page: usize = asked.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let refused = |status, message: &str| Reply(status, Vec::new(), json!({ "message": message }));
    match (asked.id(), &world.scans, &world.leaks) {
        (id, None, _) if id.starts_with("code-scanning/") => {
            return refused(403, "Code Security must be enabled for this repository to use code scanning.");
        }
        ("secret-scanning/list-alerts-for-repo", _, None) => {
            return refused(404, "Secret scanning is disabled on this repository.");
        }
        _ => {}
    }
    if asked.id() == "teams/list-members-in-org" {
        let team = format!("{}/{}", asked.value("org"), asked.value("team_slug"));
        let size: usize = asked.query("per_page").and_then(|size| size.parse().ok()).unwrap_or(30);
        return match world.teams.get(&team) {
            None => refused(404, "Not Found"),
            Some(members) => {
                let one = asked.operation.example_of_one();
                let all = members.iter().map(|member| laid_over(one.clone(), member.clone()));
                Reply::ok(all.skip((page - 1) * size).take(size).collect())
            }
        };
    }
    if asked.id() == "actions/review-custom-gates-for-run" {
        if !world.answers.is_empty() {
            return refused(world.answers.remove(0), "No.");
        }
        world.told.extend(asked.body.clone().map(|told| (asked.operation.number("run_id"), told)));
        return Reply(204, Vec::new(), Value::Null);
    }
    match world.body(asked) {
        None => Reply(404, Vec::new(), json!({ "message": "Not Found" })),
        Some(Value::Array(_)) if page > 1 => Reply::ok(json!([])),
        Some(body) => Reply::ok(body),
    }
}

/// GitHub's example of a commit, whoever asks.
fn commit() -> Value {
    let described = &DESCRIBED["paths"]["/repos/{owner}/{repo}/commits/{ref}"]["get"];
    described["responses"]["200"]["content"]["application/json"]["example"].clone()
}

impl World {
    /// Adds a commit and returns its id.
    pub fn commit(&mut self, message: &str, by: &str, at: &str) -> String {
        let id = format!("{:040x}", 0xabc0 + self.commits.len());
        self.commits.push((id.clone(), message.to_owned(), by.to_owned(), at.to_owned()));
        id
    }

    fn find(&self, name: &str) -> Option<usize> {
        let id = self.refs.get(name).map_or(name, String::as_str);
        self.commits.iter().position(|(commit, ..)| commit == id || (id.len() >= 7 && commit.starts_with(id)))
    }

    fn told(&self, at: usize) -> Value {
        let (id, message, by, day) = &self.commits[at];
        let mut commit = commit();
        commit["sha"] = json!(id);
        commit["html_url"] = json!(format!("https://github.com/{REPOSITORY}/commit/{id}"));
        commit["commit"]["message"] = json!(message);
        for who in ["author", "committer"] {
            commit["commit"][who] = json!({ "name": by, "email": by, "date": day });
        }
        commit["files"] = json!(self.files);
        commit
    }

    fn body(&mut self, asked: &Asked) -> Option<Value> {
        let one = || asked.operation.example_of_one();
        let all = |told: &[Value]| -> Value { told.iter().map(|more| laid_over(one(), more.clone())).collect() };
        Some(match asked.id() {
            "repos/list-tags" => {
                self.refs.iter().map(|(name, id)| json!({ "name": name, "commit": { "sha": id } })).collect()
            }
            "repos/list-releases" => {
                let day =
                    |(tag, day): (&String, &String)| laid_over(one(), json!({ "tag_name": tag, "published_at": day }));
                self.releases.iter().map(day).collect()
            }
            "repos/get-commit" => self.told(self.find(asked.value("ref"))?),
            "repos/compare-commits-with-basehead" => {
                let (base, head) = asked.value("basehead").split_once("...")?;
                let (from, to) = (self.find(base)?, self.find(head)?);
                let between: Vec<Value> = (from + 1..=to).map(|at| self.told(at)).collect();
                let told = json!({
                    "status": if to > from { "ahead" } else { "behind" },
                    "ahead_by": to.saturating_sub(from), "behind_by": from.saturating_sub(to),
                    "total_commits": between.len(), "commits": between,
                    "files": if to > from { json!(self.files) } else { json!([]) },
                });
                laid_over(asked.operation.example(), told)
            }
            "repos/get-content" => {
                let path = asked.value("path");
                let entry = |path: &str, text: &str| {
                    let content = base64::engine::general_purpose::STANDARD.encode(text);
                    laid_over(one(), json!({ "path": path, "name": path.rsplit('/').next(), "content": content }))
                };
                if let Some(text) = self.texts.get(path) {
                    return Some(entry(path, text));
                }
                let below = |file: &&String| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
                let listed: Vec<Value> = self.texts.keys().filter(below).map(|file| entry(file, "")).collect();
                (!listed.is_empty()).then(|| listed.into())?
            }
            "repos/list-deployments" => {
                let here = |told: &&Value| asked.query("environment").is_none_or(|e| told["environment"] == e);
                all(&self.deployments.iter().filter(here).cloned().collect::<Vec<_>>())
            }
            "repos/list-deployment-statuses" => {
                let state = self.states.get(&asked.operation.number("deployment_id"))?;
                json!([laid_over(one(), json!({ "state": state }))])
            }
            "issues/list-for-repo" => {
                let chosen =
                    |issue: &&Value| asked.query("state").is_none_or(|state| state == "all" || issue["state"] == state);
                let mut found = all(&self.issues.iter().filter(chosen).cloned().collect::<Vec<_>>());
                // The example is a pull request's issue; most are none.
                for (issue, told) in found.as_array_mut().into_iter().flatten().zip(self.issues.iter().filter(chosen)) {
                    if told.get("pull_request").is_none() {
                        issue.as_object_mut().unwrap().remove("pull_request");
                    }
                }
                found
            }
            "apps/get-repo-installation" => laid_over(one(), json!({ "id": 77 })),
            "apps/create-installation-access-token" if asked.value("installation_id") == "77" => {
                self.tokens += 1;
                self.tokens_for.extend(asked.body.clone());
                // Stories of sources happen at noon, those of jobs on the same day.
                let until = if self.lasting { "2026-11-25T19:00:00Z" } else { "2026-11-23T13:00:00Z" };
                laid_over(one(), json!({ "token": TOKEN, "expires_at": until }))
            }
            "repos/get" => laid_over(one(), json!({ "default_branch": "main" })),
            "repos/list-pull-requests-associated-with-commit" => {
                let commit = asked.value("commit_sha").to_owned();
                let brought = self.pulls.values().filter(|(_, commits, _)| commits.contains(&commit));
                brought.map(|(pull, ..)| laid_over(one(), pull.clone())).collect()
            }
            "pulls/get" => laid_over(one(), self.pulls.get(&asked.operation.number("pull_number"))?.0.clone()),
            "pulls/list-reviews" => all(&self.pulls.get(&asked.operation.number("pull_number"))?.2),
            "checks/list-for-ref" => {
                let like = asked.operation.example()["check_runs"][0].clone();
                let told: Value = self.check_runs.iter().map(|run| laid_over(like.clone(), run.clone())).collect();
                json!({ "total_count": self.check_runs.len(), "check_runs": told })
            }
            "repos/get-combined-status-for-ref" => {
                let like = asked.operation.example()["statuses"][0].clone();
                let told: Value = self.statuses.iter().map(|status| laid_over(like.clone(), status.clone())).collect();
                laid_over(one(), json!({ "total_count": self.statuses.len(), "statuses": told }))
            }
            "repos/get-branch-rules" => {
                let names: Vec<Value> = self.required.iter().map(|name| json!({ "context": name })).collect();
                let demands = json!({ "strict_required_status_checks_policy": false, "required_status_checks": names });
                json!([{ "type": "deletion" }, { "type": "required_status_checks", "parameters": demands }])
            }
            "actions/list-workflow-runs-for-repo" => {
                let like = asked.operation.example()["workflow_runs"][0].clone();
                let told: Value = self.workflow_runs.iter().map(|run| laid_over(like.clone(), run.clone())).collect();
                json!({ "total_count": self.workflow_runs.len(), "workflow_runs": told })
            }
            "code-scanning/list-recent-analyses" => all(&self.scans.as_ref()?.0),
            "code-scanning/list-alerts-for-repo" => {
                let chosen = |told: &&Value| {
                    let state = told["state"].as_str().unwrap_or("open");
                    asked.query("state") == Some(state)
                        && asked.query("ref").is_none_or(|branch| branch == "refs/heads/main")
                };
                all(&self.scans.as_ref()?.1.iter().filter(chosen).cloned().collect::<Vec<_>>())
            }
            "secret-scanning/list-alerts-for-repo" => {
                let mut told = all(self.leaks.as_ref()?);
                if asked.query("hide_secret") != Some("true") {
                    told.as_array_mut().into_iter().flatten().for_each(|leak| leak["secret"] = json!("hush-hush"));
                }
                told
            }
            _ => return None,
        })
    }
}
