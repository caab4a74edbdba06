//! Answers: JSON, and errors as `{"error": {"code", "message"}}`.

use std::any::Any;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// What went wrong, for the sender.
#[derive(Debug)]
pub struct Wrong {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

pub type Answered = Result<Response, Wrong>;

impl Wrong {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Wrong {
        Wrong { status, code, message: message.into() }
    }

    pub fn bad(message: impl Into<String>) -> Wrong {
        Wrong::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    /// The same answer whatever was wrong with the credentials.
    pub fn unauthorized() -> Wrong {
        Wrong::new(StatusCode::UNAUTHORIZED, "unauthorized", "The request carries no credential that allows this.")
    }

    pub fn not_found(message: impl Into<String>) -> Wrong {
        Wrong::new(StatusCode::NOT_FOUND, "not-found", message)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": { "code": self.code, "message": self.message } }))).into_response()
    }
}

impl From<anyhow::Error> for Wrong {
    /// Ours, so it is logged; the sender learns only that it was.
    fn from(error: anyhow::Error) -> Wrong {
        tracing::error!(error = format!("{error:#}"), "a request could not be answered");
        let busy = "Tidegate could not store or read what this needs; nothing acknowledged is lost. Its log says why.";
        Wrong::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", busy)
    }
}

pub fn json(value: impl serde::Serialize) -> Answered {
    Ok(Json(value).into_response())
}

/// A strict JSON body: the right content type, no unknown fields where the type says so, an error that names the place.
pub fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Wrong> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Wrong::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            "The body must be application/json.",
        ));
    }
    if holds_nul(body) {
        return Err(Wrong::bad("A text may not hold U+0000."));
    }
    let wrong =
        |error: String| Wrong::bad(format!("The body does not read: {}.", error.chars().take(300).collect::<String>()));
    let mut read = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut read).map_err(|error| wrong(error.to_string()))?;
    read.end().map_err(|error| wrong(error.to_string()))?;
    Ok(value)
}

/// Whether a JSON text writes U+0000, which PostgreSQL cannot keep: it is refused at the edge for both engines.
fn holds_nul(body: &[u8]) -> bool {
    let written = |(at, _): (usize, &[u8])| body[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    body.windows(6).enumerate().filter(|(_, six)| *six == b"\\u0000").any(written)
}

/// The same in an address.
pub async fn without_nul(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let address = request.uri().path_and_query().map_or("", |address| address.as_str());
    if address.contains("%00") {
        return Wrong::bad("An address may not hold U+0000.").into_response();
    }
    next.run(request).await
}

/// Whatever refuses a request before a handler of ours sees it (the router, the body's limit) says so in our form too.
pub async fn in_our_form(response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !(status.is_client_error() || status.is_server_error()) || is_json || is_page {
        return response;
    }
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("not-found", "There is nothing at this address.".to_owned()),
        StatusCode::METHOD_NOT_ALLOWED => ("method", "This address takes another method.".to_owned()),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "The body is longer than what is read here.".to_owned()),
        StatusCode::INTERNAL_SERVER_ERROR => ("internal", "Something in Tidegate broke; its log says what.".to_owned()),
        _ => ("bad-request", "The request does not read.".to_owned()),
    };
    let mut answer = Wrong::new(status, code, message).into_response();
    if let Some(allowed) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    answer
}

pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request's handler broke off");
    Wrong::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something in Tidegate broke; its log says what.")
        .into_response()
}
