//! `[sign-in]`: the OpenID provider at which people sign in afresh to confirm an approval.

use serde::Deserialize;
use url::Url;

use super::{SecondStep, Secret, Settings, Span};
use crate::clock::MINUTE;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignInSettings {
    /// As the provider calls itself, to the letter; its discovery document lies below it.
    pub issuer: String,
    pub client_id: String,
    /// A client without one is known by the proof of its code alone.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// What of the provider's word names the person: `email` (verified, and among theirs in `[people]`), or another claim,
    /// such as `sub`, whose value stands in their `sign-in`.
    #[serde(default = "email")]
    pub claim: String,
    /// How old a sign-in may be when it is used.
    #[serde(default = "five_minutes")]
    pub fresh: Span,
}

fn email() -> String {
    "email".to_owned()
}

fn five_minutes() -> Span {
    Span::from_ms(5 * MINUTE)
}

impl Settings {
    /// What is wrong with signing in as it is set: at which key, and why.
    pub(super) fn wrong_sign_in(&self) -> Option<(String, String)> {
        let Some(sign_in) = &self.sign_in else {
            let mut asking = self.policy.category.iter();
            let (name, _) = asking.find(|(_, category)| category.second_step == Some(SecondStep::SignIn))?;
            let says = "a second step by sign-in needs the section `[sign-in]`: which provider?".to_owned();
            return Some((format!("policy.category.{name}.second-step"), says));
        };
        let at = |key: &str, says: &str| Some((format!("sign-in.{key}"), says.to_owned()));
        let Ok(issuer) = Url::parse(&sign_in.issuer) else { return at("issuer", "the issuer is an address") };
        let here = matches!(issuer.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && here) {
            return at("issuer", "the issuer begins with https://");
        }
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return at("issuer", "the issuer is an address without `?` and `#`");
        }
        if self.web.url.is_none() {
            return at("issuer", "signing in needs `[web] url`: the provider sends people back to it");
        }
        None
    }
}
