//! The OpenID provider of `[sign-in]`: what it says about itself, its keys, and a code for its word on who signed in.
//!
//! OpenID Connect Core 1.0 (authorization code flow), Discovery 1.0, PKCE (RFC 7636, S256), the issuer in the answer (RFC
//! 9207). Signatures are checked with ring, which TLS brings along; no other cryptography is linked for it.

pub mod token;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::advice::says;
use crate::clock::{HOUR, SECOND, Time};
use crate::config::{Settings, SignInSettings};
use crate::http;
use crate::message::tame;
use token::{Keys, Wanted, Word};

const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const LARGEST: usize = 256 * 1024;
/// How long what the provider says about itself is good for.
const KEPT: i64 = HOUR;
/// A key that is not known is asked for no more often than this.
const PAUSE: i64 = 10 * SECOND;

/// What is known of the provider.
#[derive(Clone, Debug, Default)]
pub struct Provider(Arc<Mutex<Option<Known>>>);

#[derive(Clone, Debug)]
struct Known {
    about: About,
    at: Time,
    keys: Keys,
    keys_at: Time,
}

/// A discovery document, as far as it matters.
#[derive(Clone, Debug, Deserialize)]
struct About {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    userinfo_endpoint: Option<Url>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Why somebody could not be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The provider cannot be used: why, for whoever can mend it.
    Provider(String),
    /// Its word is not taken: one sentence for whoever signed in.
    Word(String),
}

impl Failed {
    /// One sentence for whoever signs in.
    pub fn says(&self) -> String {
        match self {
            Failed::Provider(why) => {
                format!("The sign-in provider could not be used: {why}. Nothing was approved; try again in a moment.")
            }
            Failed::Word(says) => says.clone(),
        }
    }
}

/// What one sign-in is bound to. Nothing of it leaves the browser and us, but the state, the nonce and the challenge.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

impl Provider {
    /// Whether people could sign in there now: the provider answers, calls itself so, and publishes keys; and the client's
    /// secret is there. Whether the provider knows the client only a sign-in tells.
    pub async fn check(&self, settings: &Settings, now: Time) -> Result<String, String> {
        let why = |failed: Failed| match failed {
            Failed::Provider(why) | Failed::Word(why) => why,
        };
        let (sign_in, back) = of(settings).map_err(why)?;
        if let Some(secret) = &sign_in.client_secret {
            secret.reveal(&settings.base).map_err(|why| format!("the client's secret is missing: {why}"))?;
        }
        let known = self.known(sign_in, now).await.map_err(why)?;
        match known.keys.count() {
            0 => Err("it publishes no key that is taken here".to_owned()),
            keys => Ok(format!("it answers, with {}; it must send people back to {back}", says::count(keys, "key"))),
        }
    }

    /// Where the browser is sent.
    pub async fn begin(&self, settings: &Settings, attempt: &Attempt, now: Time) -> Result<Url, Failed> {
        let (sign_in, back) = of(settings)?;
        let known = self.known(sign_in, now).await?;
        let mut url = known.about.authorization_endpoint;
        let scope = if sign_in.claim == "email" { "openid email" } else { "openid" };
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &sign_in.client_id)
            .append_pair("redirect_uri", back.as_str())
            .append_pair("scope", scope)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &token::challenge(&attempt.verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "login")
            .append_pair("max_age", "0");
        Ok(url)
    }

    /// The provider's word for a code. `iss`: who answers, where the answer says so.
    pub async fn redeem(
        &self,
        settings: &Settings,
        attempt: &Attempt,
        code: &str,
        iss: Option<&str>,
        now: Time,
    ) -> Result<Word, Failed> {
        let (sign_in, back) = of(settings)?;
        let known = self.known(sign_in, now).await?;
        let told = match iss {
            Some(iss) => iss == sign_in.issuer,
            None => !known.about.authorization_response_iss_parameter_supported,
        };
        if !told {
            return Err(Failed::Word("The answer is not from the provider that was asked.".to_owned()));
        }
        let Granted { id_token, access_token } =
            exchange(settings, sign_in, &known.about, &back, attempt, code).await?;
        let wanted = Wanted { sign_in, nonce: &attempt.nonce, now };
        let failed = |wrong: token::Wrong| Failed::Word(wrong.to_string());
        let mut word = match token::read(&id_token, &known.keys, &wanted) {
            // Providers change their keys: one that is not known is looked for once more.
            Err(token::Wrong::NoKey) => {
                let keys = self.keys_anew(sign_in, now).await?;
                token::read(&id_token, &keys, &wanted)
            }
            read => read,
        }
        .map_err(failed)?;
        // Many a provider tells it only when asked with the token that came along.
        if let (None, Some(endpoint), Some(access)) = (&word.names, &known.about.userinfo_endpoint, access_token) {
            let asked = client(sign_in, endpoint)?.get(endpoint.clone()).bearer_auth(access.expose_secret());
            let told = body(asked.header("accept", "application/json").send().await).await?;
            if told.get("sub").and_then(Value::as_str) != Some(&word.subject) {
                return Err(Failed::Word("The provider speaks of somebody else than who signed in.".to_owned()));
            }
            word.names = token::named(&told, &sign_in.claim).map_err(failed)?;
        }
        match word.names {
            Some(_) => Ok(word),
            None => Err(failed(token::Wrong::Nameless(sign_in.claim.clone()))),
        }
    }

    async fn known(&self, sign_in: &SignInSettings, now: Time) -> Result<Known, Failed> {
        let mut kept = self.0.lock().await;
        let fits = |known: &&Known| known.about.issuer == sign_in.issuer && now.since(known.at) < KEPT;
        if let Some(known) = kept.as_ref().filter(fits) {
            return Ok(known.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", sign_in.issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|_| unreachable("its address does not read"))?;
        let about: About = serde_json::from_value(get(sign_in, &address).await?)
            .map_err(|_| unreachable("what it says about itself does not read"))?;
        if about.issuer != sign_in.issuer {
            let says = format!("it calls itself {}, and the settings {}", tame(&about.issuer, 120), sign_in.issuer);
            return Err(unreachable(&says));
        }
        let methods = about.code_challenge_methods_supported.as_deref();
        if methods.is_some_and(|methods| methods.iter().all(|method| method != "S256")) {
            return Err(unreachable("it does not take the proof of a code (PKCE, S256)"));
        }
        let keys = fetch_keys(sign_in, &about).await?;
        let known = Known { about, at: now, keys, keys_at: now };
        *kept = Some(known.clone());
        Ok(known)
    }

    async fn keys_anew(&self, sign_in: &SignInSettings, now: Time) -> Result<Keys, Failed> {
        let known = self.known(sign_in, now).await?;
        if known.at != known.keys_at && now.since(known.keys_at) < PAUSE {
            return Ok(known.keys);
        }
        let keys = fetch_keys(sign_in, &known.about).await?;
        let mut kept = self.0.lock().await;
        if let Some(known) = kept.as_mut() {
            (known.keys, known.keys_at) = (keys.clone(), now.max(known.at.plus(1)));
        }
        Ok(keys)
    }
}

/// The settings of signing in, and where the provider sends people back to.
fn of(settings: &Settings) -> Result<(&SignInSettings, Url), Failed> {
    let missing = || Failed::Word("Signing in is not set up here any more.".to_owned());
    let (sign_in, base) = settings.sign_in.as_ref().zip(settings.web.url.as_ref()).ok_or_else(missing)?;
    let back = format!("{}/confirm/return", base.as_str().trim_end_matches('/'));
    Ok((sign_in, Url::parse(&back).map_err(|_| missing())?))
}

fn unreachable(why: &str) -> Failed {
    tracing::warn!(why, "the OpenID provider could not be used");
    Failed::Provider(why.to_owned())
}

/// The host of the issuer is one that the settings name; any other came from outside and must be a public one.
fn client(sign_in: &SignInSettings, url: &Url) -> Result<reqwest::Client, Failed> {
    let own = Url::parse(&sign_in.issuer).ok();
    let same = own.as_ref().is_some_and(|own| {
        own.scheme() == url.scheme()
            && own.host() == url.host()
            && own.port_or_known_default() == url.port_or_known_default()
    });
    let made = match same {
        true => http::trusted(TIMEOUT),
        false if http::may_reach(url) => http::guarded(TIMEOUT),
        false => return Err(unreachable("it names an address that may not be reached")),
    };
    made.map_err(|_| unreachable("no connection could be prepared"))
}

async fn get(sign_in: &SignInSettings, url: &Url) -> Result<Value, Failed> {
    let answer = client(sign_in, url)?.get(url.clone()).header("accept", "application/json").send().await;
    body(answer).await
}

async fn body(answer: reqwest::Result<reqwest::Response>) -> Result<Value, Failed> {
    let mut answer = answer.map_err(|error| {
        unreachable(if error.is_timeout() { "it did not answer in time" } else { "it could not be reached" })
    })?;
    let status = answer.status();
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| unreachable("its answer broke off"))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LARGEST {
            return Err(unreachable("its answer is too long"));
        }
    }
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    if !status.is_success() {
        let code = value.as_ref().and_then(|value| value.get("error")?.as_str().map(|code| tame(code, 60)));
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        return Err(unreachable(&format!("it answered {}{code}", status.as_u16())));
    }
    value.ok_or_else(|| unreachable("its answer does not read"))
}

async fn fetch_keys(sign_in: &SignInSettings, about: &About) -> Result<Keys, Failed> {
    Ok(Keys::read(&get(sign_in, &about.jwks_uri).await?))
}

/// What a code is given for.
#[derive(Debug, Deserialize)]
struct Granted {
    id_token: String,
    #[serde(default)]
    access_token: Option<SecretString>,
}

async fn exchange(
    settings: &Settings,
    sign_in: &SignInSettings,
    about: &About,
    back: &Url,
    attempt: &Attempt,
    code: &str,
) -> Result<Granted, Failed> {
    let secret: Option<SecretString> = match &sign_in.client_secret {
        Some(secret) => {
            let revealed = secret.reveal(&settings.base);
            Some(revealed.map_err(|why| unreachable(&format!("the client's secret is missing: {why}")))?)
        }
        None => None,
    };
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", back.as_str()),
        ("code_verifier", &attempt.verifier),
    ];
    let methods = about.token_endpoint_auth_methods_supported.as_deref();
    // What a provider takes where it says nothing is the header.
    let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    let mut request =
        client(sign_in, &about.token_endpoint)?.post(about.token_endpoint.clone()).header("accept", "application/json");
    match &secret {
        Some(secret) if basic => {
            let quoted = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", quoted(&sign_in.client_id), quoted(secret.expose_secret()));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        }
        Some(secret) => {
            fields.push(("client_id", &sign_in.client_id));
            fields.push(("client_secret", secret.expose_secret()));
        }
        None => fields.push(("client_id", &sign_in.client_id)),
    }
    let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = body(request.send().await).await?;
    serde_json::from_value(answer).map_err(|_| unreachable("it gave no word on who signed in"))
}
