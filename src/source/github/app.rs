//! Signing in as a GitHub App: a token of its installation, for this one repository, kept until shortly before it ends.
//!
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>: a claim that ends within ten
//! minutes, begun a minute ago because clocks differ, is exchanged for a token that lasts an hour.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::clock::{MINUTE, SECOND, Time};
use crate::config::Secret;
use crate::source::CannotSay;
use crate::source::grant::signed;
use crate::source::rest::{Asked, Body, Failed, Rest};

/// A token is obtained anew so long before it ends.
const BEFORE_ITS_END: i64 = 5 * MINUTE;

/// The credentials of an App.
pub struct App {
    /// The App's id, or its client id.
    pub id: String,
    pub key: Secret,
    /// Where the key's file is seen from.
    pub folder: PathBuf,
    /// The permissions that its tokens are to have; None: all that the installation gave it.
    pub only: Option<Value>,
    pub kept: Mutex<Option<(SecretString, Time)>>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Granted {
    token: SecretString,
    expires_at: Time,
}

impl App {
    /// The token that is kept, or a new one. Questions that come while it is obtained wait for it.
    pub async fn token(&self, api: &Rest, repository: (&str, &str), now: Time) -> Result<SecretString, CannotSay> {
        let mut kept = self.kept.lock().await;
        if let Some((token, _)) = kept.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let (owner, name) = repository;
        // Read each time one is obtained: a key that was exchanged counts from then on.
        let key = self.key.reveal(&self.folder);
        let key = key.map_err(|why| CannotSay::because(format!("has no private key: {why}")))?;
        let seconds = now.ms() / SECOND;
        let claims = json!({ "iat": seconds - 60, "exp": seconds + 540, "iss": self.id });
        let claim = signed(&claims, key.expose_secret(), None)
            .ok_or_else(|| CannotSay::because("has a private key that is no RSA key in PEM"))?;
        let bearer = Some(SecretString::from(claim));
        let path = ["repos", owner, name, "installation"];
        let installation: Installation =
            api.ask(Asked { path: &path, bearer: bearer.clone(), ..Asked::default() }).await.map_err(not_installed)?;
        let id = installation.id.to_string();
        let path = ["app", "installations", id.as_str(), "access_tokens"];
        let mut body = json!({ "repositories": [name] });
        if let Some(only) = &self.only {
            body["permissions"] = only.clone();
        }
        let body = Some(Body::Json(body));
        let granted: Granted = api.ask(Asked { path: &path, body, bearer, ..Asked::default() }).await?;
        *kept = Some((granted.token.clone(), granted.expires_at.plus(-BEFORE_ITS_END)));
        Ok(granted.token)
    }

    /// A token that was refused is not kept.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

fn not_installed(failed: Failed) -> CannotSay {
    match failed {
        Failed::Missing => CannotSay::because("has no such repository, or the App is not installed on it (404)"),
        Failed::Says(why) => why,
    }
}
