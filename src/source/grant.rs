//! Access tokens that are obtained first: OAuth 2.0 by client credentials (RFC 6749, 4.4) or by a signed claim (RFC 7523).
//! A token is kept until shortly before it ends, or until the credentials are others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{SignatureScheme, crypto::ring::sign::any_supported_type};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::CannotSay;
use super::rest::{Asked, Body, Failed, Rest, refused, says};
use crate::clock::{MINUTE, SECOND, Time};

/// A token is obtained anew so long before it ends.
const BEFORE_ITS_END: i64 = MINUTE;
/// The longest that one is kept, in seconds, whatever its server says.
const LONGEST: i64 = 86_400;

/// The token of one source. Questions that come while it is obtained wait for it.
#[derive(Default)]
pub struct Token(Mutex<Option<Kept>>);

struct Kept {
    /// Of what it was obtained, as a digest.
    of: [u8; 32],
    token: SecretString,
    until: Time,
}

impl Token {
    /// The token that is kept, or a new one for these fields of a form, posted to the address of `rest`. `of` is what the
    /// fields were made of: where it changes, the token does.
    pub async fn get(
        &self,
        rest: &Rest,
        of: &[&str],
        now: Time,
        fields: impl FnOnce() -> Result<Vec<(&'static str, String)>, CannotSay>,
    ) -> Result<SecretString, CannotSay> {
        let of = digest(of);
        let mut kept = self.0.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.of == of && now < kept.until) {
            return Ok(kept.token.clone());
        }
        let Granted { access_token, expires_in } = obtain(rest, fields()?).await?;
        let lasts = expires_in.unwrap_or(300).clamp(0, LONGEST) * SECOND;
        *kept = Some(Kept { of, token: access_token.clone(), until: now.plus(lasts - BEFORE_ITS_END) });
        Ok(access_token)
    }

    /// Asks with the token that `bearer` gives, and once more with a new one where it was refused: it may have been
    /// withdrawn before its end.
    pub async fn ask<T, F>(&self, rest: &Rest, asked: Asked<'_>, bearer: impl Fn() -> F) -> Result<T, Failed>
    where
        T: DeserializeOwned,
        F: Future<Output = Result<SecretString, CannotSay>>,
    {
        let mut received = rest.send(Asked { bearer: Some(bearer().await?), ..asked.clone() }).await?;
        if received.status == StatusCode::UNAUTHORIZED {
            *self.0.lock().await = None;
            received = rest.send(Asked { bearer: Some(bearer().await?), ..asked }).await?;
        }
        match received.status {
            StatusCode::OK => rest.read(&received),
            status => Err(refused(status, &received.headers)),
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

async fn obtain(rest: &Rest, fields: Vec<(&'static str, String)>) -> Result<Granted, CannotSay> {
    let received = rest.send(Asked { body: Some(Body::Form(fields)), ..Asked::default() }).await?;
    if received.status.is_success() {
        return Ok(rest.read(&received)?);
    }
    // RFC 6749, 5.2. Only words that are known are passed on.
    const KNOWN: [&str; 6] =
        ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope", "access_denied"];
    let denied = serde_json::from_slice::<Denied>(&received.body).ok().map(|denied| denied.error);
    match denied.and_then(|error| KNOWN.into_iter().find(|known| *known == error)) {
        Some(error) if received.status.is_client_error() => {
            Err(says(&format!("gave no access token ({error})")).into())
        }
        _ => Err(refused(received.status, &received.headers).into()),
    }
}

/// Claims as a JSON Web Token, signed with RS256 by a private key in PEM; None where the key is no RSA key.
pub fn signed(claims: &Value, key: &str, key_id: Option<&str>) -> Option<String> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
    let signer = any_supported_type(&key).ok()?.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?;
    let mut head = serde_json::json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(key_id) = key_id {
        head["kid"] = key_id.into();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&head), part(claims));
    let signature = signer.sign(message.as_bytes()).ok()?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
