//! A pretend server of a vendor: every request is held against the vendor's own description, every answer begins as the
//! vendor's own example.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::described::{self, Description, Operation};

/// A request that the vendor describes.
#[derive(Clone, Debug)]
pub struct Asked {
    pub operation: Operation,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
}

impl Asked {
    pub fn id(&self) -> &str {
        &self.operation.id
    }

    /// A value of the path.
    pub fn value(&self, name: &str) -> &str {
        self.operation.value(name)
    }

    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of one name in the query.
    pub fn queries(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// What is answered: status, headers, body.
#[derive(Clone, Debug)]
pub struct Reply(pub u16, pub Vec<(&'static str, String)>, pub Value);

impl Reply {
    pub fn ok(body: Value) -> Reply {
        Reply(200, Vec::new(), body)
    }

    pub fn status(status: u16) -> Reply {
        Reply(status, Vec::new(), json!({}))
    }
}

/// What the vendor demands of every request.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// What stands before the paths of the description, such as `/api/v4`.
    pub prefix: &'static str,
    /// Headers and their values; who sends another value of the first one is unauthorized.
    pub credential: (&'static str, &'static str),
    pub headers: &'static [(&'static str, &'static str)],
    /// Operations that are allowed without the credential, such as the one that gives it.
    pub open: &'static [&'static str],
}

/// A running pretend server over a world `W`.
#[derive(Debug)]
pub struct Vendor<W> {
    shared: Arc<Mutex<Shared<W>>>,
    pub address: String,
}

/// What a story sees and sets.
#[derive(Debug)]
pub struct Shared<W> {
    pub world: W,
    /// Answered instead, if set.
    pub fault: Option<Reply>,
    /// What was wrong with requests.
    pub complaints: Vec<String>,
    /// Path and query of each.
    pub requests: Vec<String>,
    /// How many were answered with 304.
    pub unchanged: usize,
}

/// A pretend server, whatever its world.
pub trait Pretend: Send {
    /// What was wrong with requests.
    fn complaints(&self) -> Vec<String>;
}

impl<W: Send + 'static> Pretend for Vendor<W> {
    fn complaints(&self) -> Vec<String> {
        self.shared().complaints.clone()
    }
}

type Answer<W> = fn(&mut W, &Asked) -> Reply;

struct Server<W> {
    shared: Arc<Mutex<Shared<W>>>,
    description: Description,
    manners: Manners,
    answer: Answer<W>,
}

impl<W: Send + 'static> Vendor<W> {
    /// Begins. `answer` is asked for every request that the description knows and that has the credential.
    pub async fn open(description: Description, manners: Manners, world: W, answer: Answer<W>) -> Vendor<W> {
        let shared = Shared { world, fault: None, complaints: Vec::new(), requests: Vec::new(), unchanged: 0 };
        let shared = Arc::new(Mutex::new(shared));
        let server = Arc::new(Server { shared: Arc::clone(&shared), description, manners, answer });
        let router = Router::new().fallback(serve::<W>).with_state(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Vendor { shared, address }
    }

    /// To be let go of before the next question is asked.
    pub fn shared(&self) -> MutexGuard<'_, Shared<W>> {
        self.shared.lock().unwrap()
    }

    /// Fails where a request was not as the vendor describes it, and where there was none.
    pub fn is_content(&self) {
        let shared = self.shared();
        assert!(!shared.requests.is_empty(), "nothing was asked");
        assert!(shared.complaints.is_empty(), "{:#?}", shared.complaints);
    }
}

async fn serve<W: Send + 'static>(State(server): State<Arc<Server<W>>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let mut shared = server.shared.lock().unwrap();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    shared.requests.push(format!("{path}?{query}"));
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let body = match (body.is_empty(), text("content-type")) {
        (true, _) => None,
        (false, Some("application/x-www-form-urlencoded")) => {
            let fields = url::form_urlencoded::parse(&body);
            Some(fields.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect())
        }
        (false, _) => Some(serde_json::from_slice(&body).unwrap_or(Value::Null)),
    };
    let found = path
        .strip_prefix(server.manners.prefix)
        .and_then(|path| described::operation(server.description, parts.method.as_str(), path));
    let asked = found.map(|mut operation| {
        for (_, value) in &mut operation.values {
            // A slash inside a value is written as an escape: one that is not divides the path.
            *value = value.replace("%2F", "/").replace("%20", " ");
        }
        Asked { operation, query, body }
    });
    let method = &parts.method;
    match &asked {
        None => shared.complaints.push(format!("{method} {path} is none of the vendor's operations")),
        Some(asked) => {
            if let Err(wrong) = asked.operation.check(&asked.query, asked.body.as_ref()) {
                shared.complaints.push(format!("{}: {wrong}", asked.id()));
            }
            let fixed = server.manners.headers.iter().filter(|(name, value)| text(name) != Some(value));
            let fixed: Vec<String> = fixed.map(|(name, value)| format!("`{name}: {value}`")).collect();
            let needed: Vec<String> = asked.operation.headers().filter(|name| text(name).is_none()).collect();
            for missing in fixed.iter().chain(&needed) {
                shared.complaints.push(format!("{} was asked without {missing}", asked.id()));
            }
        }
    }
    if text("user-agent").is_none() {
        shared.complaints.push(format!("{method} {path} says not who asks"));
    }
    if let Some(fault) = shared.fault.clone() {
        return fault.into_response();
    }
    let Some(asked) = asked else { return Reply::status(404).into_response() };
    let (name, value) = server.manners.credential;
    if !server.manners.open.contains(&asked.id()) && text(name) != Some(value) {
        return Reply::status(401).into_response();
    }
    let reply = (server.answer)(&mut shared.world, &asked);
    if reply.0 != 200 || asked.body.is_some() {
        return reply.into_response();
    }
    let told = reply.2.to_string();
    let tag = format!("\"{:x}\"", told.bytes().fold(7_u64, |hash, b| hash.wrapping_mul(31) ^ u64::from(b)));
    if text("if-none-match") == Some(tag.as_str()) {
        shared.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([("etag", tag)], reply).into_response()
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap();
        let mut response = match self.2 {
            // A story's own rubbish, which is no JSON.
            Value::String(raw) => (status, raw).into_response(),
            body => (status, axum::Json(body)).into_response(),
        };
        for (name, value) in self.1 {
            response.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        response
    }
}

/// The vendor's example with the story's values laid over it.
pub fn laid_over(mut example: Value, story: Value) -> Value {
    if let (Some(fields), Value::Object(story)) = (example.as_object_mut(), story) {
        fields.extend(story);
    }
    example
}
