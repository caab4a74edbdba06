//! A custom deployment protection rule: GitHub holds a job until the App behind the rule says whether it may deploy.
//!
//! The App has a credential of its own, and its token is asked for `deployments: write` of this one repository and nothing
//! else: it answers that one question. <https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/create-custom-protection-rules>:
//! a word without `state` is a status report, of at most 1,024 characters, ten times for each deployment.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::app::App;
use super::{Github, Keys, VERSION};
use crate::clock::{HOUR, Time};
use crate::config::{Secret, Span};
use crate::source::rest::{Asked, Body, Credential, Received, Rest, refused};
use crate::source::{CannotSay, Opening, Review, Untold};

/// What the App of the rule is, and how its environments are called here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protection {
    /// The App's id, or its client id.
    app_id: String,
    private_key: Secret,
    /// How long a job waits for humans before it is refused. GitHub itself gives up after 30 days.
    #[serde(default = "a_day")]
    pub wait: Span,
    /// GitHub's name of an environment to ours: `"production"`, or `"checkout/production"` where it stands for one service.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

/// The App, signed in for nothing but answers.
pub struct Gate {
    app: App,
    api: Rest,
}

impl Gate {
    pub fn open(protection: &Protection, url: &url::Url, opening: &Opening<'_>) -> anyhow::Result<Gate> {
        let (id, key, folder) = (protection.app_id.clone(), protection.private_key.clone(), opening.folder.to_owned());
        let api = Rest::open(opening, "GitHub", url, Credential::None)?
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION);
        let only = Some(json!({ "deployments": "write" }));
        Ok(Gate { app: App { id, key, folder, only, kept: Mutex::default() }, api })
    }
}

impl Keys {
    /// How jobs that wait are answered, where they are.
    pub fn protection(&self) -> Option<&Protection> {
        self.protection.as_ref()
    }

    /// The run that a callback address is about: one of this repository, at the API that the settings name. The address
    /// itself is never called; what is called is built from its parts.
    pub fn run_of(&self, callback: &str) -> Option<u64> {
        if callback.len() > 500 {
            return None;
        }
        let url = url::Url::parse(callback).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if url.origin() != self.url.origin() || !plain || url.fragment().is_some() {
            return None;
        }
        let segments: Vec<&str> = url.path_segments()?.collect();
        let base: Vec<&str> = self.url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
        let ["repos", owner, name, "actions", "runs", run, "deployment_protection_rule"] =
            segments.strip_prefix(base.as_slice())?
        else {
            return None;
        };
        // A number that the record can hold to the last digit.
        let number = !run.is_empty() && run.len() <= 15 && run.bytes().all(|b| b.is_ascii_digit());
        if self.is_of(&format!("{owner}/{name}")) && number { run.parse().ok() } else { None }
    }
}

impl Github {
    /// Tells GitHub about a job, with a new token where the one that was kept has ended before its time.
    pub(super) async fn tell(&self, review: &Review, now: Time) -> Result<(), Untold> {
        let Some(gate) = &self.gate else {
            return Err(Untold::Denied(CannotSay::because("has no `protection` in the settings to answer with")));
        };
        let mut received = self.post(gate, review, now).await?;
        if received.status == StatusCode::UNAUTHORIZED {
            gate.app.forget().await;
            received = self.post(gate, review, now).await?;
        }
        let because = |why: String| CannotSay::because(why);
        match received.status.as_u16() {
            200..=204 => Ok(()),
            401 => Err(Untold::Denied(because("refused the App's token (401)".to_owned()))),
            403 if !is_spent(&received) => Err(Untold::Denied(because(
                "refused the answer (403): the App needs the permission Deployments, read and write".to_owned(),
            ))),
            status @ (400 | 404 | 409 | 410 | 422) => {
                Err(Untold::Over(because(format!("no longer waits for an answer about this job ({status})"))))
            }
            _ => Err(Untold::Later(CannotSay::from(refused(received.status, &received.headers)))),
        }
    }

    async fn post(&self, gate: &Gate, review: &Review, now: Time) -> Result<std::sync::Arc<Received>, Untold> {
        let bearer = Some(self.gate_token(gate, now).await.map_err(Untold::Later)?);
        let run = review.run.to_string();
        let path = self.path(&["actions", "runs", &run, "deployment_protection_rule"]);
        let mut body: Value = json!({ "environment_name": review.gate, "comment": review.comment });
        if let Some(decision) = review.decision {
            body["state"] = decision.as_str().into();
        }
        let asked = Asked { path: &path, body: Some(Body::Json(body)), bearer, ..Asked::default() };
        gate.api.send(asked).await.map_err(|failed| Untold::Later(failed.into()))
    }

    /// Whether the App's key, installation and permission would let an answer through.
    pub(super) async fn could_tell(&self, now: Time) -> Option<Result<String, CannotSay>> {
        let gate = self.gate.as_ref()?;
        let token = self.gate_token(gate, now).await;
        let (owner, name) = (&self.repository.0, &self.repository.1);
        Some(token.map(|_| {
            format!(
                "may answer deployment protection rules of {owner}/{name}, with `deployments: write` and nothing else"
            )
        }))
    }

    async fn gate_token(&self, gate: &Gate, now: Time) -> Result<SecretString, CannotSay> {
        gate.app.token(&gate.api, (self.repository.0.as_str(), self.repository.1.as_str()), now).await
    }
}

/// Whether a refusal is about how often was asked.
fn is_spent(received: &Received) -> bool {
    let zero = received.headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0");
    zero || received.headers.contains_key("retry-after")
}

fn a_day() -> Span {
    Span::from_ms(24 * HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(url: &str) -> Keys {
        toml::from_str(&format!("repository = 'harbor/shop'\nurl = '{url}'")).unwrap()
    }

    #[test]
    fn a_callback_is_a_run_of_this_repository_at_this_api_or_nothing() {
        let cloud = keys("https://api.github.com");
        let rule = |host: &str, of: &str| format!("{host}/repos/{of}/deployment_protection_rule");
        let callback = rule("https://api.github.com", "Harbor/Shop/actions/runs/23625057533");
        assert_eq!(cloud.run_of(&callback), Some(23_625_057_533));
        let enterprise = keys("https://github.harbor.test/api/v3/");
        let own = rule("https://github.harbor.test/api/v3", "harbor/shop/actions/runs/7");
        assert_eq!((enterprise.run_of(&own), enterprise.run_of(&callback)), (Some(7), None));
        for bad in [
            rule("http://api.github.com", "harbor/shop/actions/runs/7"),
            rule("https://api.github.com:8443", "harbor/shop/actions/runs/7"),
            rule("https://api.github.com.evil.test", "harbor/shop/actions/runs/7"),
            rule("https://api.github.com@evil.test", "harbor/shop/actions/runs/7"),
            rule("https://x@api.github.com", "harbor/shop/actions/runs/7"),
            rule("https://api.github.com", "harbor/other/actions/runs/7"),
            rule("https://api.github.com", "harbor/shop/actions/runs/"),
            rule("https://api.github.com", "harbor/shop/actions/runs/7e3"),
            rule("https://api.github.com", "harbor/shop/actions/runs/1234567890123456"),
            rule("https://api.github.com", "harbor/shop/actions/runs/7/.."),
            rule("https://api.github.com/api/v3", "harbor/shop/actions/runs/7"),
            format!("{callback}?x=1"),
            format!("{callback}#x"),
            format!("{callback}/"),
            "x".repeat(501),
            String::new(),
        ] {
            assert_eq!(cloud.run_of(&bad), None, "{bad}");
        }
    }
}
