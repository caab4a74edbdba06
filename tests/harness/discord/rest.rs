//! The HTTP side: takes a request apart, holds it against the contract, plays the planned fault, answers.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::fault::{self, Fault};
use super::world::World;
use super::{Shared, act, contract, limits};

/// What an operation answers: a status and a body, where it has one.
pub type Answer = (u16, Value);

/// A refusal with Discord's own code.
pub fn refusal(status: u16, code: i64, message: &str) -> Answer {
    (status, json!({ "message": message, "code": code }))
}

/// One request, taken apart.
#[derive(Debug)]
pub struct Asked {
    pub method: String,
    /// Without `/api/v10`, decoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub token: Option<String>,
    pub body: Option<Value>,
    /// Names of files that came along, and what stands in them.
    pub files: Vec<(String, String)>,
}

pub async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 32 << 20).await.unwrap_or_default();
    let path = head.uri.path().strip_prefix("/api/v10").unwrap_or(head.uri.path());
    let (parsed, files) = parts(&head.headers, &body);
    let asked = Asked {
        method: head.method.to_string(),
        path: decoded(path),
        query: pairs(head.uri.query().unwrap_or_default()),
        token: head.headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: parsed,
        files,
    };
    let (fault, (status, said)) = {
        let mut world = shared.world();
        let fault = fault::next(&mut world.faults, &asked.method, &asked.path);
        let said = match &fault {
            Some(Fault::Slow(after)) => {
                (429, json!({ "message": "You are being rate limited.", "retry_after": after, "global": false }))
            }
            Some(Fault::Refuse(status, code)) => refusal(*status, *code, "The story wants it so"),
            _ => carry_out(&mut world, &asked),
        };
        world.requests.push((asked.method.clone(), asked.path.clone(), said.0));
        (fault, said)
    };
    shared.changed.notify_all();
    match fault {
        Some(Fault::Cut) => return cut(),
        Some(Fault::Late(after)) => tokio::time::sleep(after).await,
        _ => {}
    }
    let status = StatusCode::from_u16(status).unwrap();
    let mut response = match said {
        Value::Null => status.into_response(),
        said => (status, axum::Json(said.clone())).into_response(),
    };
    if let Some(Fault::Slow(after)) = fault {
        let headers = response.headers_mut();
        headers.insert("retry-after", (after.ceil() as u64).into());
        headers.insert("x-ratelimit-scope", "user".parse().unwrap());
        headers.insert("x-ratelimit-bucket", "story".parse().unwrap());
        headers.insert("x-ratelimit-reset-after", after.to_string().parse().unwrap());
    }
    response
}

/// Checks a request and does what it asks for.
fn carry_out(world: &mut World, asked: &Asked) -> Answer {
    let said = format!("{} {}", asked.method, asked.path);
    let Some(operation) = contract::operation(&asked.method, &asked.path) else {
        world.violations.push(format!("{said}: Discord has no such path"));
        return refusal(404, 0, "404: Not Found");
    };
    let by_token = operation.id.contains("webhook") || operation.id == "create_interaction_response";
    if !by_token && asked.token.as_deref() != Some(&format!("Bot {}", world.token)) {
        return refusal(401, 0, "401: Unauthorized");
    }
    let files = act::files(world, &operation, asked);
    let checked = contract::check(&operation, &asked.query, asked.body.as_ref());
    let checked =
        checked.and_then(|()| limits::check(&operation.id, asked.body.as_ref().unwrap_or(&Value::Null), &files));
    if let Err(wrong) = checked {
        world.violations.push(format!("{said}: {wrong}"));
        let (field, reason) = (&wrong.field, &wrong.reason);
        let errors = json!({ field: { "_errors": [{ "code": "BASE_TYPE_BAD", "message": reason }] } });
        return (400, json!({ "message": "Invalid Form Body", "code": 50035, "errors": errors }));
    }
    let answer = act::act(world, &operation, asked, files);
    if let Some(message) = answer.1["id"].as_str().and_then(|id| world.messages.get_mut(&id.parse().ok()?)) {
        message.texts.retain(|name, _| message.files.contains(name));
        let texts = asked.files.iter().filter(|(name, _)| name.ends_with(".txt"));
        message.texts.extend(texts.cloned());
    }
    answer
}

/// Headers, and a body that breaks off.
fn cut() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("the line broke"))]);
    Response::builder().header("content-type", "application/json").body(Body::from_stream(broken)).unwrap()
}

/// The JSON of a body, and its files.
fn parts(headers: &HeaderMap, body: &[u8]) -> (Option<Value>, Vec<(String, String)>) {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((_, boundary)) = kind.split_once("boundary=") else {
        let parsed = (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap_or(json!("not JSON")));
        return (parsed, Vec::new());
    };
    let text = String::from_utf8_lossy(body);
    let (mut payload, mut files) = (json!({}), Vec::new());
    for part in text.split(&format!("--{}", boundary.trim_matches('"'))) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let named = |key: &str| Some(head.split_once(&format!("{key}=\""))?.1.split_once('"')?.0.to_owned());
        match (named(" name"), named("filename")) {
            (Some(name), _) if name == "payload_json" => {
                payload = serde_json::from_str(content.trim_end()).unwrap_or(json!("not JSON"));
            }
            (_, Some(file)) => files.push((file, content.trim_end().to_owned())),
            _ => {}
        }
    }
    (Some(payload), files)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (decoded(name), decoded(value)));
    query.split('&').filter_map(pair).collect()
}

/// Undoes `%xx`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
