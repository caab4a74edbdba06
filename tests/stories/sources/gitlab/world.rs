//! A pretend GitLab for one project.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use serde_json::{Value, json};

use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../data/gitlab/rest.json")).unwrap());

pub const TOKEN: &str = "glpat-story";
pub const PROJECT: &str = "harbor/shop";

const MANNERS: Manners = Manners {
    prefix: "/api/v4",
    credential: ("private-token", "glpat-story"),
    headers: &[("accept", "application/json")],
    open: &[],
};

/// What lives in the project.
#[derive(Debug, Default)]
pub struct World {
    /// Commits, oldest first: id, message, author's address, day.
    pub commits: Vec<(String, String, String, String)>,
    /// Tags and branches: name to commit.
    pub refs: BTreeMap<String, String>,
    /// What a comparison tells of files.
    pub files: Vec<Value>,
    /// Commits that lie beside the others: between them and any other there is only the first commit.
    pub beside: Vec<String>,
    /// Texts at the head by path.
    pub texts: BTreeMap<String, String>,
    pub deployments: Vec<Value>,
    pub issues: Vec<Value>,
    pub freezes: Vec<Value>,
    /// Merge requests by the commits that they brought, what their notes say, and who approved them.
    pub requests: BTreeMap<String, Value>,
    pub notes: Vec<Value>,
    pub approvals: Vec<Value>,
    pub statuses: Vec<Value>,
    pub pipelines: Vec<Value>,
    /// Members of groups, inherited ones among them, by the group's path.
    pub groups: BTreeMap<String, Vec<Value>>,
    /// What each pipeline found; None: the tier has no such thing.
    pub findings: Option<BTreeMap<u64, Vec<Value>>>,
}

pub type Gitlab = Vendor<World>;

/// Begins with a world.
pub async fn open(world: World) -> Gitlab {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.value("id") != PROJECT && asked.id() != "listAllGroupMembers" {
        return Reply(404, Vec::new(), json!({ "message": "404 Project Not Found" }));
    }
    let page = |name: &str, or: usize| asked.query(name).and_then(|page| page.parse().ok()).unwrap_or(or);
    let (page, size) = (page("page", 1), page("per_page", 20));
    if asked.id() == "listVulnerabilityFindings" && world.findings.is_none() {
        return Reply(403, Vec::new(), json!({ "message": "403 Forbidden" }));
    }
    match world.body(asked) {
        None => Reply(404, Vec::new(), json!({ "message": "404 Not found" })),
        Some(Value::Array(all)) => Reply::ok(all.into_iter().skip((page - 1) * size).take(size).collect()),
        Some(body) => Reply::ok(body),
    }
}

/// GitLab's shape of a commit, whoever asks.
fn commit() -> Value {
    let described = &DESCRIBED["paths"]["/projects/{id}/repository/commits/{sha}"]["get"];
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
        let story = json!({
            "id": id, "message": message, "author_name": by, "author_email": by, "committer_name": by,
            "committer_email": by, "authored_date": day, "committed_date": day, "created_at": day,
            "web_url": format!("https://gitlab.example/{PROJECT}/-/commit/{id}"),
        });
        laid_over(commit(), story)
    }

    fn body(&self, asked: &Asked) -> Option<Value> {
        let one = || asked.operation.example_of_one();
        let all = |told: &[Value]| -> Value { told.iter().map(|more| laid_over(one(), more.clone())).collect() };
        let ask = |name: &str| asked.query(name).unwrap_or_default();
        Some(match asked.id() {
            "listAllGroupMembers" => all(self.groups.get(asked.value("id"))?),
            "listTags" => {
                let tags = self.refs.iter().filter(|(name, _)| name.contains('v')).rev();
                let told = |(name, id): (&String, &String)| {
                    Some(laid_over(one(), json!({ "name": name, "commit": self.told(self.find(id)?) })))
                };
                tags.map(told).collect::<Option<Vec<Value>>>()?.into()
            }
            "getCommit" => self.told(self.find(asked.value("sha"))?),
            "getCommitDiff" => self.find(asked.value("sha")).map(|_| all(&self.files))?,
            "getMergeBase" => {
                let both: Vec<&str> = asked.query.iter().map(|(_, id)| id.as_str()).collect();
                let apart = both.iter().any(|id| self.beside.iter().any(|beside| beside == id));
                let oldest = both.iter().map(|id| self.find(id)).min()??;
                self.told(if apart { 0 } else { oldest })
            }
            "compare" => {
                let (from, to) = (self.find(ask("from"))?, self.find(ask("to"))?);
                let between: Vec<Value> = (from + 1..=to).map(|at| self.told(at)).collect();
                let files =
                    if to > from { all_of(&asked.operation.example()["diffs"][0], &self.files) } else { json!([]) };
                laid_over(asked.operation.example(), json!({ "commits": between, "diffs": files }))
            }
            "getFile" => {
                let content =
                    base64::engine::general_purpose::STANDARD.encode(self.texts.get(asked.value("file_path"))?);
                laid_over(one(), json!({ "content": content, "file_path": asked.value("file_path") }))
            }
            "getTree" => {
                let folder = format!("{}/", ask("path"));
                let below = self.texts.keys().filter(|path| path.starts_with(&folder));
                let entries: Vec<Value> = below.map(|path| laid_over(one(), json!({ "path": path }))).collect();
                (!entries.is_empty()).then_some(entries)?.into()
            }
            "listDeployments" => {
                let here = |told: &&Value| {
                    let told = laid_over(one(), (*told).clone());
                    told["environment"]["name"] == ask("environment") && told["status"] == ask("status")
                };
                all(&self.deployments.iter().filter(here).cloned().collect::<Vec<_>>())
            }
            "listIssues" => {
                let kind = |issue: &Value| issue["issue_type"] == ask("issue_type") && issue["state"] == ask("state");
                let Value::Array(told) = all(&self.issues) else { return None };
                told.into_iter().filter(kind).collect()
            }
            "getIssue" => {
                let issue = self.issues.iter().find(|issue| issue["iid"] == asked.operation.number("issue_iid"))?;
                laid_over(one(), issue.clone())
            }
            "listFreezePeriods" => all(&self.freezes),
            "getProject" => asked.operation.example(),
            "listCommitMergeRequests" => {
                let brought: Vec<Value> = self.requests.get(asked.value("sha")).cloned().into_iter().collect();
                all(&brought)
            }
            "listCommitStatuses" => all(&self.statuses),
            "listPipelines" => {
                let chosen = |told: &&Value| asked.query("sha").is_none_or(|sha| told["sha"] == sha);
                all(&self.pipelines.iter().filter(chosen).cloned().collect::<Vec<_>>())
            }
            "listVulnerabilityFindings" => {
                let pipeline: u64 = ask("pipeline_id").parse().ok()?;
                all(self.findings.as_ref()?.get(&pipeline).map(Vec::as_slice).unwrap_or_default())
            }
            "getMergeRequestApprovals" => {
                laid_over(asked.operation.example(), json!({ "approved_by": self.approvals }))
            }
            "listMergeRequestNotes" => all(&self.notes),
            "listMergeRequestDiffs" => all(&self.files),
            _ => return None,
        })
    }
}

fn all_of(example: &Value, told: &[Value]) -> Value {
    told.iter().map(|more| laid_over(example.clone(), more.clone())).collect()
}
