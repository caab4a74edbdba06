//! A pretend GitHub for one repository. Every request is held against GitHub's own description (tests/data/github), and every
//! answer begins as GitHub's own example.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::{Value, json};

pub const TOKEN: &str = "github_pat_story";
pub const REPOSITORY: &str = "harbor/shop";

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
    /// Answered instead, if set: status, headers, body.
    pub fault: Option<(u16, Vec<(String, String)>, String)>,
    /// What was wrong with requests.
    pub complaints: Vec<String>,
    pub requests: Vec<String>,
    /// How many were answered with 304.
    pub unchanged: usize,
}

#[derive(Clone, Debug)]
pub struct Github {
    world: Arc<Mutex<World>>,
    pub address: String,
}

impl Github {
    pub async fn open() -> Github {
        let world: Arc<Mutex<World>> = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Github { world, address }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Adds a commit and returns its id.
    pub fn commit(&self, message: &str, by: &str, at: &str) -> String {
        let mut world = self.world();
        let id = format!("{:040x}", 0xabc0 + world.commits.len());
        world.commits.push((id.clone(), message.to_owned(), by.to_owned(), at.to_owned()));
        id
    }
}

fn described() -> &'static Value {
    static DESCRIBED: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../data/github/rest.json")).unwrap());
    &DESCRIBED
}

/// What is wrong with a request, by the description; and which operation it is.
fn held(method: &Method, path: &str, query: &[(String, String)], headers: &HeaderMap) -> (Option<String>, Vec<String>) {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.trim_start_matches('/').split('/').collect();
        // A file's path, and a ref, may hold slashes of their own.
        let long = template.ends_with("/contents/{path}") && parts.len() >= wanted.len();
        (long || wanted.len() == parts.len())
            && wanted.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
    };
    let known = described().as_object().unwrap().keys().find(|template| fits(template)).cloned();
    let Some(template) = &known else {
        return (None, vec![format!("{method} {path} is none of GitHub's operations")]);
    };
    if method != Method::GET {
        wrong.push(format!("{method} {path} writes"));
    }
    let parameters = described()[template]["parameters"].as_array().unwrap();
    for (name, value) in query {
        let Some(parameter) = parameters.iter().find(|p| p["name"] == name.as_str() && p["in"] == "query") else {
            wrong.push(format!("{template} has no parameter `{name}`"));
            continue;
        };
        if parameter["type"] == "integer" && value.parse::<u32>().is_err() {
            wrong.push(format!("`{name}` of {template} is a number, not `{value}`"));
        }
        let choices = parameter["enum"].as_array();
        if choices.is_some_and(|all| all.iter().all(|choice| choice != value.as_str())) {
            wrong.push(format!("`{name}` of {template} may not be `{value}`"));
        }
        if name == "per_page" && value.parse::<u32>().is_ok_and(|n| n > 100) {
            wrong.push(format!("{template} has at most 100 to a page"));
        }
    }
    let has = |name: &str, value: &str| headers.get(name).and_then(|v| v.to_str().ok()) == Some(value);
    if !has("accept", "application/vnd.github+json") || !has("x-github-api-version", "2022-11-28") {
        wrong.push(format!("{template} was asked without GitHub's media type and version"));
    }
    if !headers.contains_key("user-agent") {
        wrong.push("GitHub refuses requests without a user agent".to_owned());
    }
    (known, wrong)
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request<Body>) -> Response {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let query = request.uri().query().unwrap_or_default();
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut world = world.lock().unwrap();
    world.requests.push(format!("{path}?{}", request.uri().query().unwrap_or_default()));
    let (template, wrong) = held(request.method(), &path, &query, &headers);
    world.complaints.extend(wrong);
    if let Some((status, headers, body)) = world.fault.clone() {
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(axum::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        return response;
    }
    let bearer = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if bearer != format!("Bearer {TOKEN}") {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({ "message": "Bad credentials" }))).into_response();
    }
    let Some(template) = template else { return StatusCode::NOT_FOUND.into_response() };
    let rest = path.strip_prefix(&format!("/repos/{REPOSITORY}/")).unwrap_or_default();
    let rest = percent(rest);
    let page: usize = query.iter().find(|(name, _)| name == "page").and_then(|(_, v)| v.parse().ok()).unwrap_or(1);
    let Some(body) = world.body(&template, &rest, &query) else {
        return (StatusCode::NOT_FOUND, axum::Json(json!({ "message": "Not Found" }))).into_response();
    };
    let body = match body {
        Value::Array(_) if page > 1 => json!([]),
        body => body,
    };
    let tag = format!("\"{:x}\"", body.to_string().bytes().fold(7_u64, |hash, b| hash.wrapping_mul(31) ^ u64::from(b)));
    if headers.get("if-none-match").and_then(|v| v.to_str().ok()) == Some(tag.as_str()) {
        world.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([("etag", tag)], axum::Json(body)).into_response()
}

fn percent(text: &str) -> String {
    text.replace("%2F", "/")
}

/// GitHub's example of an operation, or its first entry where it is a list.
fn example(template: &str) -> Value {
    let example = &described()[template]["example"];
    example.get(0).unwrap_or(example).clone()
}

impl World {
    fn find(&self, name: &str) -> Option<usize> {
        let id = self.refs.get(name).map_or(name, String::as_str);
        self.commits.iter().position(|(commit, ..)| commit == id || (id.len() >= 7 && commit.starts_with(id)))
    }

    fn told(&self, at: usize) -> Value {
        let (id, message, by, day) = &self.commits[at];
        let mut commit = example("/repos/{owner}/{repo}/commits/{ref}");
        commit["sha"] = json!(id);
        commit["html_url"] = json!(format!("https://github.com/{REPOSITORY}/commit/{id}"));
        commit["commit"]["message"] = json!(message);
        for who in ["author", "committer"] {
            commit["commit"][who] = json!({ "name": by, "email": by, "date": day });
        }
        commit["files"] = json!(self.files);
        commit
    }

    fn body(&self, template: &str, rest: &str, query: &[(String, String)]) -> Option<Value> {
        let asked = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match template.strip_prefix("/repos/{owner}/{repo}/").unwrap_or_default() {
            "tags" => {
                Some(self.refs.iter().map(|(name, id)| json!({ "name": name, "commit": { "sha": id } })).collect())
            }
            "releases" => Some(
                self.releases
                    .iter()
                    .map(|(tag, day)| {
                        let mut release = example(template);
                        release["tag_name"] = json!(tag);
                        release["published_at"] = json!(day);
                        release
                    })
                    .collect(),
            ),
            "commits/{ref}" => Some(self.told(self.find(rest.strip_prefix("commits/")?)?)),
            "compare/{basehead}" => {
                let (base, head) = rest.strip_prefix("compare/")?.split_once("...")?;
                let (from, to) = (self.find(base)?, self.find(head)?);
                let mut compared = example(template);
                let between: Vec<Value> = (from + 1..=to).map(|at| self.told(at)).collect();
                compared["status"] = json!(if to > from { "ahead" } else { "behind" });
                compared["ahead_by"] = json!(to.saturating_sub(from));
                compared["behind_by"] = json!(from.saturating_sub(to));
                compared["total_commits"] = json!(between.len());
                compared["files"] = if to > from { json!(self.files) } else { json!([]) };
                compared["commits"] = between.into();
                Some(compared)
            }
            "contents/{path}" => {
                let path = rest.strip_prefix("contents/")?;
                let entry = |path: &str, text: &str| {
                    let mut file = example(template);
                    file["path"] = json!(path);
                    file["name"] = json!(path.rsplit('/').next());
                    file["content"] = json!(base64::engine::general_purpose::STANDARD.encode(text));
                    file
                };
                if let Some(text) = self.texts.get(path) {
                    return Some(entry(path, text));
                }
                let below = |file: &&String| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
                let listed: Vec<Value> = self.texts.keys().filter(below).map(|file| entry(file, "")).collect();
                (!listed.is_empty()).then(|| listed.into())
            }
            "deployments" => {
                let here = |told: &&Value| asked("environment").is_none_or(|e| told["environment"] == e);
                Some(self.deployments.iter().filter(here).map(|more| laid_over(example(template), more)).collect())
            }
            "deployments/{deployment_id}/statuses" => {
                let id = rest.split('/').nth(1)?.parse().ok()?;
                let state = self.states.get(&id)?;
                Some(json!([laid_over(example(template), &json!({ "state": state }))]))
            }
            "issues" => Some(
                self.issues
                    .iter()
                    .filter(|issue| asked("state").is_none_or(|state| state == "all" || issue["state"] == state))
                    .map(|more| laid_over(example(template), more))
                    .collect(),
            ),
            _ => None,
        }
    }
}

fn laid_over(mut example: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        example[name] = value.clone();
    }
    if more.get("pull_request").is_none()
        && let Some(object) = example.as_object_mut()
    {
        object.remove("pull_request");
    }
    example
}
