//! Signing in to the console of `serve`: a name and a token once, then a session in a cookie that no script can read.
//!
//! The session is `name.end.proof`, where the proof is an HMAC under the person's token: nothing is kept on the server,
//! a restart signs nobody out, and a token that is changed or taken away ends its sessions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::Site;

use super::answers::{Answered, Wrong, json as answer, read_json};
use crate::clock::{HOUR, MINUTE, Time};
use crate::config::{PersonKind, Settings};
use crate::name::Person;
use crate::webhook::signature::same;

const COOKIE: &str = "tidegate_console";
/// A working day.
const SESSION: i64 = 12 * HOUR;
/// So many wrong tokens for one name, and for all names together, within a minute.
const MOST_FOR_ONE: usize = 5;
const MOST_FOR_ALL: usize = 50;

/// Wrong tokens of the last minute. A name that nobody has counts like any other, under one key.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<BTreeMap<String, Vec<Time>>>>);

impl Attempts {
    fn too_many(&self, name: &str, now: Time) -> bool {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for times in failed.values_mut() {
            times.retain(|at| now.since(*at) < MINUTE);
        }
        failed.retain(|_, times| !times.is_empty());
        let all: usize = failed.values().map(Vec::len).sum();
        all >= MOST_FOR_ALL || failed.get(name).is_some_and(|times| times.len() >= MOST_FOR_ONE)
    }

    fn failed(&self, name: &str, now: Time) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().push(now);
    }
}

/// The person whose token the request carries as a bearer, or whose session it carries as a cookie.
pub fn signed_in(site: &Site, headers: &HeaderMap) -> Option<Person> {
    let settings = site.app.settings();
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if let Some(given) = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
        return whose(&settings, given);
    }
    let pairs = text(header::COOKIE)?.split(';').map(str::trim);
    let session = pairs.filter_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('=')).next()?;
    let (rest, proof) = session.rsplit_once('.')?;
    let (name, end) = rest.rsplit_once('.')?;
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
    let (name, end) = (Person::new(name), Time::from_ms(end.parse().ok()?));
    let own = token(&settings, &name)?;
    (site.app.clock.now() < end && same(proof, &prove(&own, &name, end)?)).then_some(name)
}

/// The person whose own token this is.
pub fn whose(settings: &Settings, given: &str) -> Option<Person> {
    let mut all = settings.people.keys();
    all.find(|name| token(settings, name).is_some_and(|own| same(given, own.expose_secret()))).cloned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    user: String,
    token: SecretString,
}

pub async fn sign_in(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let given: SignIn = read_json(&headers, &body)?;
    let (settings, now) = (site.app.settings(), site.app.clock.now());
    let name = Person::new(given.user.trim().trim_start_matches('@'));
    let key = if settings.people.contains_key(&name) { name.as_str() } else { "" };
    if site.attempts.too_many(key, now) {
        let says = "Too many wrong tokens. Wait a minute, then try again.";
        return Err(Wrong::new(StatusCode::TOO_MANY_REQUESTS, "too-many", says));
    }
    let own = token(&settings, &name).filter(|own| same(given.token.expose_secret().trim(), own.expose_secret()));
    let end = now.plus(SESSION);
    let Some(proof) = own.and_then(|own| prove(&own, &name, end)) else {
        site.attempts.failed(key, now);
        tracing::warn!(person = key, "a sign-in to the console was refused");
        return Err(Wrong::new(
            StatusCode::UNAUTHORIZED,
            "sign-in",
            "This name and this token do not belong together.",
        ));
    };
    let session = format!("{}.{}.{proof}", URL_SAFE_NO_PAD.encode(name.as_str()), end.ms());
    Ok(([(header::SET_COOKIE, cookie(&session, SESSION / 1_000))], axum::Json(json!({ "ok": true, "user": name })))
        .into_response())
}

pub async fn sign_out() -> Answered {
    let mut answered = answer(json!({ "ok": true }))?;
    if let Ok(value) = cookie("", 0).parse() {
        answered.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(answered)
}

fn cookie(session: &str, seconds: i64) -> String {
    format!("{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}")
}

/// A person's own token; none for who has left.
fn token(settings: &Settings, name: &Person) -> Option<SecretString> {
    let person = settings.people.get(name).filter(|person| person.kind != PersonKind::Deactivated)?;
    let secret = person.console.as_ref()?.reveal(&settings.base).ok()?;
    (!secret.expose_secret().is_empty()).then_some(secret)
}

fn prove(token: &SecretString, name: &Person, end: Time) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes()).ok()?;
    mac.update(format!("tidegate console session\0{name}\0{}", end.ms()).as_bytes());
    Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_wrong_token_in_a_minute_is_one_too_many_for_that_name_alone() {
        let (attempts, now) = (Attempts::default(), Time::from_ms(0));
        for _ in 0..MOST_FOR_ONE {
            assert!(!attempts.too_many("ada", now));
            attempts.failed("ada", now);
        }
        assert!(attempts.too_many("ada", now.plus(MINUTE - 1)));
        assert!(!attempts.too_many("lin", now));
        assert!(!attempts.too_many("ada", now.plus(MINUTE)));
    }

    #[test]
    fn a_session_is_of_one_token_one_person_and_one_end() {
        let token = SecretString::from("one");
        let (ada, end) = (Person::from("ada"), Time::from_ms(1));
        let proof = prove(&token, &ada, end);
        assert_eq!(proof, prove(&token, &ada, end));
        assert_ne!(proof, prove(&SecretString::from("two"), &ada, end));
        assert_ne!(proof, prove(&token, &Person::from("lin"), end));
        assert_ne!(proof, prove(&token, &ada, Time::from_ms(2)));
    }
}
