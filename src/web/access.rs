//! Who may ask: bearer tokens of the settings, the token of this process's own user, and in `try` anyone on loopback.

use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};

use super::Site;
use super::answers::Wrong;
use crate::name::{Environment, Service};
use crate::webhook::signature::same;

/// The token that a running server leaves beside its store, for its own user.
#[derive(Clone, Debug)]
pub struct LocalToken(pub SecretString);

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    Gate,
    Read,
    Hooks,
}

impl May {
    fn as_str(self) -> &'static str {
        match self {
            May::Gate => "gate",
            May::Read => "read",
            May::Hooks => "hooks",
        }
    }
}

/// Whose request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The token's name.
    Token { name: String, services: Vec<Service>, environments: Vec<Environment> },
    /// This process's own user, or anyone in `try`.
    Local,
}

impl Who {
    /// Whether a token that is bound to targets covers this one.
    pub fn covers(&self, service: &Service, environment: &Environment) -> bool {
        match self {
            Who::Local => true,
            Who::Token { services, environments, .. } => {
                (services.is_empty() || services.contains(service))
                    && (environments.is_empty() || environments.contains(environment))
            }
        }
    }
}

/// Lets a request in, or refuses it with the same words whatever was wrong.
pub fn allow(site: &Site, headers: &HeaderMap, may: May) -> Result<Who, Wrong> {
    same_site(site, headers)?;
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return if site.trying { Ok(Who::Local) } else { Err(Wrong::unauthorized()) };
    };
    let given = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(Wrong::unauthorized)?;
    if same(given, site.local.0.expose_secret()) {
        return Ok(Who::Local);
    }
    let settings = site.app.settings();
    for token in &settings.gate.tokens {
        let Ok(secret) = token.token.reveal(&settings.base) else { continue };
        if same(given, secret.expose_secret()) && token.may.iter().any(|m| m == may.as_str()) {
            return Ok(Who::Token {
                name: token.name.clone(),
                services: token.services.clone(),
                environments: token.environments.clone(),
            });
        }
    }
    Err(Wrong::unauthorized())
}

/// In `try` nothing but the loopback's own names may be the host, and no other site's page may send requests: that is what
/// stops a web page from speaking through the browser (DNS rebinding, cross-site posts).
pub fn same_site(site: &Site, headers: &HeaderMap) -> Result<(), Wrong> {
    if !site.trying {
        return Ok(());
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !is_loopback(host) {
        return Err(Wrong::new(axum::http::StatusCode::FORBIDDEN, "host", "This listens to this machine alone."));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if origin.strip_prefix("http://") != Some(host) {
            return Err(Wrong::new(
                axum::http::StatusCode::FORBIDDEN,
                "origin",
                "Another site's page may not speak here.",
            ));
        }
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopbacks_own_names_are_the_host() {
        for host in ["127.0.0.1:8420", "localhost:1", "[::1]:8420", "127.9.9.9"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["evil.example:8420", "127.0.0.1.evil.example", "10.0.0.1:8420", "", "localhost.evil.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
