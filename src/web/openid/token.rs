//! An ID token: whose signature it bears, for whom it is, and whether the sign-in that it tells of is fresh. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock::{MINUTE, SECOND, Time};
use crate::config::SignInSettings;

/// By how much the provider's clock may differ from ours.
const SKEW: i64 = MINUTE;
/// The longest token that is read.
const LONGEST: usize = 64 * 1024;
/// So many keys are kept at most.
const MOST_KEYS: usize = 50;

/// What a provider says of who signed in, after everything about it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub issuer: String,
    pub subject: String,
    pub auth_time: Time,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    /// The value of the claim that names the person; of an address only one that is verified. None: the token does not
    /// hold it, and the provider is asked for it.
    pub names: Option<String>,
}

/// What a token must be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub sign_in: &'a SignInSettings,
    pub nonce: &'a str,
    pub now: Time,
}

/// Why a token is not taken; one sentence for whoever signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("The provider's word does not read.")]
    Unread,
    #[error("The provider's word is not signed in a way that is taken here.")]
    Algorithm,
    #[error("The provider's word is signed with a key that it does not publish.")]
    NoKey,
    #[error("The provider's word does not bear its signature.")]
    Signature,
    #[error("The word on who signed in is from another issuer.")]
    Issuer,
    #[error("The word on who signed in was not made for Tidegate.")]
    Audience,
    #[error("The word on who signed in is for another sign-in than this one.")]
    Nonce,
    #[error("The word on who signed in has run out, or is from a time to come. Sign in again.")]
    Time,
    #[error("The provider does not say when you signed in, so it cannot be told that it was just now.")]
    NoAuthTime,
    #[error("You signed in too long ago. Sign in again, with your password or key.")]
    Stale,
    #[error("The provider does not vouch for your e-mail address.")]
    Unverified,
    #[error("The provider does not say who you are (`{0}`).")]
    Nameless(String),
}

/// The provider's public keys that a token may be signed with.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Keys {
    /// From a key set (RFC 7517); keys of other kinds or uses are left out.
    pub fn read(set: &Value) -> Keys {
        let keys = set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Keys(keys.iter().filter_map(Key::read).take(MOST_KEYS).collect())
    }

    /// How many can be used here.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

impl Key {
    fn read(key: &Value) -> Option<Key> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|used| used != "sig") {
            return None;
        }
        let point = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
        };
        let public = match (text("kty")?, text("crv")) {
            ("RSA", _) => Public::Rsa { n: bytes("n")?, e: bytes("e")? },
            ("EC", Some("P-256")) => Public::P256(point(32)?),
            ("EC", Some("P-384")) => Public::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes("x").filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(Key { id: text("kid").map(str::to_owned), algorithm: text("alg").map(str::to_owned), public })
    }

    /// Whether a token that names this key and this algorithm may be checked with it.
    fn fits(&self, id: Option<&str>, algorithm: &str) -> bool {
        let same_id = id.is_none() || self.id.as_deref() == id;
        same_id && self.algorithm.as_deref().is_none_or(|own| own == algorithm) && self.takes(algorithm)
    }

    fn takes(&self, algorithm: &str) -> bool {
        matches!(
            (&self.public, algorithm),
            (Public::Rsa { .. }, "RS256" | "PS256")
                | (Public::P256(_), "ES256")
                | (Public::P384(_), "ES384")
                | (Public::Ed25519(_), "EdDSA" | "Ed25519")
        )
    }

    fn verifies(&self, algorithm: &str, message: &[u8], signed: &[u8]) -> bool {
        let plain = |with: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(with, key).verify(message, signed).is_ok()
        };
        match &self.public {
            Public::Rsa { n, e } => {
                let with = match algorithm {
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(with, message, signed).is_ok()
            }
            Public::P256(key) => plain(&signature::ECDSA_P256_SHA256_FIXED, key),
            Public::P384(key) => plain(&signature::ECDSA_P384_SHA384_FIXED, key),
            Public::Ed25519(key) => plain(&signature::ED25519, key),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: f64,
    iat: f64,
    #[serde(default)]
    auth_time: Option<f64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    acr: Option<String>,
    #[serde(default)]
    amr: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Reads a token, and takes it only where everything about it is as it must be.
pub fn read(token: &str, keys: &Keys, wanted: &Wanted<'_>) -> Result<Word, Wrong> {
    let mut parts = token.split('.');
    let (Some(header), Some(body), Some(signed), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Wrong::Unread);
    };
    if token.len() > LONGEST {
        return Err(Wrong::Unread);
    }
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Wrong::Unread);
    let head: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| Wrong::Unread)?;
    const TAKEN: [&str; 6] = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"];
    if !TAKEN.contains(&head.alg.as_str()) || head.crit.is_some() {
        return Err(Wrong::Algorithm);
    }
    let mut fitting = keys.0.iter().filter(|key| key.fits(head.kid.as_deref(), &head.alg)).peekable();
    if fitting.peek().is_none() {
        return Err(Wrong::NoKey);
    }
    let (message, signed) = (format!("{header}.{body}"), bytes(signed)?);
    if !fitting.any(|key| key.verifies(&head.alg, message.as_bytes(), &signed)) {
        return Err(Wrong::Signature);
    }
    let body = bytes(body)?;
    let claims: Claims = serde_json::from_slice(&body).map_err(|_| Wrong::Unread)?;
    let all: Value = serde_json::from_slice(&body).map_err(|_| Wrong::Unread)?;
    check(claims, &all, wanted)
}

fn check(claims: Claims, all: &Value, wanted: &Wanted<'_>) -> Result<Word, Wrong> {
    let Wanted { sign_in, nonce, now } = *wanted;
    if claims.iss != sign_in.issuer {
        return Err(Wrong::Issuer);
    }
    let ours = |one: &String| *one == sign_in.client_id;
    let for_us = match &claims.aud {
        Audience::One(one) => ours(one),
        // Of several the one that it was given to must be named, and be us.
        Audience::Many(many) => many.iter().any(ours) && (many.len() == 1 || claims.azp.is_some()),
    };
    if !for_us || !claims.azp.as_ref().is_none_or(ours) {
        return Err(Wrong::Audience);
    }
    if claims.nonce.as_deref() != Some(nonce) {
        return Err(Wrong::Nonce);
    }
    let at = |seconds: f64| {
        let fits = seconds.is_finite() && (0.0..1e11).contains(&seconds);
        fits.then(|| Time::from_ms((seconds * 1_000.0) as i64)).ok_or(Wrong::Time)
    };
    let (ends, made) = (at(claims.exp)?, at(claims.iat)?);
    if now.since(ends) >= SKEW || made.since(now) > SKEW {
        return Err(Wrong::Time);
    }
    let auth_time = at(claims.auth_time.ok_or(Wrong::NoAuthTime)?)?;
    if auth_time.since(now) > SKEW {
        return Err(Wrong::Time);
    }
    // Told in whole seconds.
    if now.since(auth_time) > sign_in.fresh.ms() + SECOND {
        return Err(Wrong::Stale);
    }
    let names = named(all, &sign_in.claim)?;
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(Wrong::Unread);
    }
    let short = |text: String| crate::message::tame(&text, 200);
    Ok(Word {
        issuer: claims.iss,
        subject: claims.sub,
        auth_time,
        acr: claims.acr.map(short),
        amr: claims.amr.unwrap_or_default().into_iter().take(20).map(short).collect(),
        names,
    })
}

/// What a claim says of the person, where it is there; an address that the provider does not vouch for names nobody.
pub fn named(claims: &Value, claim: &str) -> Result<Option<String>, Wrong> {
    let Some(name) = claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.len() > 320 {
        return Err(Wrong::Nameless(claim.to_owned()));
    }
    let verified = claims.get("email_verified");
    // Some providers write it as a text.
    let verified = verified == Some(&Value::Bool(true)) || verified.and_then(Value::as_str) == Some("true");
    if claim == "email" && !verified {
        return Err(Wrong::Unverified);
    }
    Ok(Some(name.to_owned()))
}

/// What proves later that a code is asked for by whoever began: the hash of the verifier (RFC 7636, 4.2).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    const NOW: Time = Time::from_ms(1_800_000_000_000);
    const NONCE: &str = "n";

    fn settings() -> SignInSettings {
        let text = "issuer = \"https://login.example\"\nclient-id = \"tidegate\"\n";
        toml::from_str(text).unwrap()
    }

    fn claims() -> Value {
        let now = NOW.ms() / 1_000;
        json!({ "iss": "https://login.example", "sub": "1", "aud": "tidegate", "nonce": NONCE, "iat": now, "exp": now + 60,
            "auth_time": now, "email": "lin@example.org", "email_verified": true })
    }

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// A token and the keys that it can be checked with.
    fn signed(algorithm: &str, claims: &Value) -> (String, Keys) {
        let random = SystemRandom::new();
        let message = format!("{}.{}", part(&json!({ "alg": algorithm, "kid": "k" })), part(claims));
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (signed, key) = match algorithm {
            "ES256" => {
                let way = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let key = EcdsaKeyPair::generate_pkcs8(way, &random).unwrap();
                let key = EcdsaKeyPair::from_pkcs8(way, key.as_ref(), &random).unwrap();
                let point = key.public_key().as_ref().to_vec();
                let public =
                    json!({ "kty": "EC", "crv": "P-256", "x": number(&point[1..33]), "y": number(&point[33..]) });
                (key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(), public)
            }
            _ => {
                let key = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
                let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": number(key.public_key().as_ref()) });
                (key.sign(message.as_bytes()).as_ref().to_vec(), public)
            }
        };
        let mut key = key;
        key["kid"] = json!("k");
        (format!("{message}.{}", number(&signed)), Keys::read(&json!({ "keys": [key] })))
    }

    fn read_as(token: &str, keys: &Keys) -> Result<Word, Wrong> {
        read(token, keys, &Wanted { sign_in: &settings(), nonce: NONCE, now: NOW })
    }

    #[test]
    fn a_token_of_either_kind_of_key_is_read() {
        for algorithm in ["ES256", "EdDSA"] {
            let (token, keys) = signed(algorithm, &claims());
            let word = read_as(&token, &keys).unwrap();
            assert_eq!((word.subject.as_str(), word.names.as_deref()), ("1", Some("lin@example.org")));
            assert_eq!(word.auth_time, NOW);
        }
    }

    #[test]
    fn a_token_with_any_sign_changed_is_none() {
        let (token, keys) = signed("EdDSA", &claims());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let spoilt = String::from_utf8(bytes).unwrap();
            assert!(read_as(&spoilt, &keys).is_err(), "{at}");
        }
        for other in ["", ".", "..", "a.b.c.d", &token[..token.len() - 2], &format!("{token}AA")] {
            assert!(read_as(other, &keys).is_err(), "{other}");
        }
    }

    #[test]
    fn a_key_for_something_else_checks_nothing() {
        let (token, _) = signed("ES256", &claims());
        let (_, others) = signed("EdDSA", &claims());
        assert_eq!(read_as(&token, &others), Err(Wrong::NoKey));
        assert_eq!(
            read_as(&token, &Keys::read(&json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "k" }] }))),
            Err(Wrong::NoKey)
        );
        let enc =
            json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([0; 32]), "use": "enc" }] });
        assert!(Keys::read(&enc).0.is_empty());
        assert!(Keys::read(&json!({ "keys": "none" })).0.is_empty());
    }

    #[test]
    fn what_the_token_leaves_out_is_asked_for_and_what_is_not_vouched_for_refused() {
        let mut told = claims();
        told.as_object_mut().unwrap().remove("email");
        let (token, keys) = signed("ES256", &told);
        assert_eq!(read_as(&token, &keys).unwrap().names, None);
        assert_eq!(
            named(&json!({ "email": "a@b.c", "email_verified": "true" }), "email"),
            Ok(Some("a@b.c".to_owned()))
        );
        assert_eq!(named(&json!({ "email": "a@b.c", "email_verified": "yes" }), "email"), Err(Wrong::Unverified));
        assert_eq!(named(&json!({ "sub": " 7 " }), "sub"), Ok(Some("7".to_owned())));
        assert_eq!(named(&json!({ "sub": 7 }), "sub"), Ok(None));
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
