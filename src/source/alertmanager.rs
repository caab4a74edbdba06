//! Alertmanager: which alerts of a service fire, and what somebody silenced.
//!
//! Read only, version 2 of its API: <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>. An alert
//! belongs to a service by a label; one without that label belongs to none.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use regex::RegexBuilder;
use serde::Deserialize;

use super::rest::{Credential, Failed, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Alert, AlertState};
use crate::advice::says;
use crate::clock::Time;
use crate::config::Secret;
use crate::message::{is_web, tame};
use crate::name::SourceName;

/// So many alerts of one service are told.
const MOST: usize = 100;
/// A silence's pattern may grow to this, in bytes, once it is read.
const LARGEST_PATTERN: usize = 256 << 10;

/// A Prometheus Alertmanager, or what speaks its API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    url: url::Url,
    #[serde(default)]
    token: Option<Secret>,
    /// The label that names the service.
    #[serde(default = "service")]
    service_label: String,
    /// The label that names the environment; an alert without it is about all of them. Empty: it is not looked at.
    #[serde(default = "environment")]
    environment_label: String,
    #[serde(default = "severity")]
    severity_label: String,
    /// An alert that always fires: where it does not, nobody may be telling the Alertmanager anything.
    #[serde(default)]
    heartbeat: Option<String>,
    /// Sent with every question, such as `X-Scope-OrgID`.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Keys {
    /// The labels that name the service and the environment; the latter may be empty.
    pub fn labels(&self) -> (&str, &str) {
        (&self.service_label, &self.environment_label)
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Alerts]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        for (key, label) in [("service-label", &self.service_label), ("severity-label", &self.severity_label)] {
            if !is_label(label) {
                bail!("`{key}` is the name of a label, of letters, digits and `_`");
            }
        }
        if !self.environment_label.is_empty() && !is_label(&self.environment_label) {
            bail!("`environment-label` is the name of a label, of letters, digits and `_`, or empty");
        }
        let credential = self.token.clone().map_or(Credential::None, Credential::Bearer);
        let api = Rest::open(opening, "Alertmanager", &self.url, credential)?.headers(&self.headers)?;
        Ok(Arc::new(Alertmanager { name: opening.settings.name.clone(), keys: self.clone(), api }))
    }
}

struct Alertmanager {
    name: SourceName,
    keys: Keys,
    api: Rest,
}

impl fmt::Debug for Alertmanager {
    /// The name alone: an address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alertmanager").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    starts_at: Time,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    silenced_by: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Silence {
    id: String,
    starts_at: Time,
    ends_at: Time,
    matchers: Vec<Matcher>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    status: Option<SilenceStatus>,
}

#[derive(Debug, Deserialize)]
struct SilenceStatus {
    #[serde(default)]
    state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Matcher {
    name: String,
    value: String,
    is_regex: bool,
    /// Absent in versions before 0.22: it had to be equal.
    #[serde(default)]
    is_equal: Option<bool>,
}

impl Alertmanager {
    async fn alerts(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let filter = format!("{}={}", self.keys.service_label, quoted(ask.service.as_str()));
        // Silenced and inhibited ones too: they fire all the same.
        let of_service = [("filter", filter.as_str())];
        let not_expired = [("expired", "false")];
        let (told, silences, heartbeat) = futures::try_join!(
            self.api.get::<Vec<Told>>(&["api", "v2", "alerts"], &of_service),
            self.api.get::<Vec<Silence>>(&["api", "v2", "silences"], &not_expired),
            self.heartbeat()
        )?;
        let mut incomplete: Vec<String> = heartbeat.into_iter().collect();
        let told = self.here(told, ask, &mut incomplete);
        let mut alerts: Vec<Alert> = told.into_iter().map(|told| self.alert(told, &silences, ask)).collect();
        alerts.sort_by(|a, b| (a.silenced, a.since, &a.name).cmp(&(b.silenced, b.since, &b.name)));
        if alerts.len() > MOST {
            incomplete.push(format!("of {} alerts that fire the first {MOST} were read", alerts.len()));
            alerts.truncate(MOST);
        }
        for silence in silences.iter().filter(|silence| silence.is_on(ask.now)) {
            match self.mutes(silence, ask) {
                Some(true) => alerts.push(muted(silence, ask)),
                Some(false) => {}
                None => incomplete.push("a silence has a pattern that was not understood".to_owned()),
            }
        }
        incomplete.dedup();
        Ok(Answer { learned: Learned::Alerts(alerts), at: ask.now, link: Some(self.link(&filter)), incomplete })
    }

    /// What to say where the alert that always fires does not.
    async fn heartbeat(&self) -> Result<Option<String>, Failed> {
        let Some(name) = &self.keys.heartbeat else { return Ok(None) };
        let filter = format!("alertname={}", quoted(name));
        let told: Vec<Told> = self.api.get(&["api", "v2", "alerts"], &[("filter", &filter)]).await?;
        let name = tame(name, 60);
        Ok(told
            .is_empty()
            .then(|| format!("its `{name}`, which always fires, does not: nobody may be telling it of alerts")))
    }

    /// Those of the environment. One that names an environment which the settings do not know may be about this one.
    fn here(&self, mut told: Vec<Told>, ask: &Ask, incomplete: &mut Vec<String>) -> Vec<Told> {
        let label = &self.keys.environment_label;
        if label.is_empty() {
            return told;
        }
        let mut strange: Vec<String> = Vec::new();
        told.retain(|told| match told.labels.get(label).map(String::as_str).unwrap_or_default() {
            "" => true,
            name if name == ask.environment.as_str() => true,
            name => {
                if !ask.settings.environment.keys().any(|known| known.as_str() == name) {
                    strange.push(format!("`{}`", tame(name, 40)));
                }
                false
            }
        });
        strange.sort();
        strange.dedup();
        if !strange.is_empty() {
            let named = says::some(&strange, 3);
            incomplete.push(format!("alerts of {named} were left out: the settings have no such environment"));
        }
        told
    }

    fn alert(&self, told: Told, silences: &[Silence], ask: &Ask) -> Alert {
        let text = |of: &BTreeMap<String, String>, name: &str, most| {
            of.get(name).map(|text| tame(text, most)).filter(|text| !text.is_empty())
        };
        let annotations = told.annotations.unwrap_or_default();
        let summary = ["summary", "message", "description"].iter().find_map(|name| text(&annotations, name, 200));
        let by = told.status.and_then(|status| status.silenced_by).unwrap_or_default();
        let until = silences.iter().filter(|silence| by.contains(&silence.id)).map(|silence| silence.ends_at).max();
        Alert {
            name: text(&told.labels, "alertname", 100).unwrap_or_else(|| "without a name".to_owned()),
            state: AlertState::Firing,
            severity: text(&told.labels, &self.keys.severity_label, 40),
            summary,
            since: told.starts_at,
            // A silence that was not read with the others has just ended or just begun.
            silenced: (!by.is_empty()).then(|| until.unwrap_or(ask.now)),
            link: told.generator_url.filter(|link| is_web(link)),
        }
    }

    /// Whether a silence keeps alerts of this service here quiet: it names the service or the environment, and nothing else
    /// than these. None: it cannot be told.
    fn mutes(&self, silence: &Silence, ask: &Ask) -> Option<bool> {
        let mut names_one = false;
        for matcher in &silence.matchers {
            let value = match matcher.name.as_str() {
                name if name == self.keys.service_label => ask.service.as_str(),
                name if name == self.keys.environment_label => ask.environment.as_str(),
                _ => continue,
            };
            names_one = true;
            if !matcher.fits(value)? {
                return Some(false);
            }
        }
        Some(names_one)
    }

    /// The page of the service's alerts, without a password that the address may hold.
    fn link(&self, filter: &str) -> String {
        let mut link = self.api.base().clone();
        // Both fail only on addresses without a host, which are refused.
        let _ = link.set_username("");
        let _ = link.set_password(None);
        let filter: String = url::form_urlencoded::byte_serialize(format!("{{{filter}}}").as_bytes()).collect();
        link.set_fragment(Some(&format!("/alerts?filter={filter}")));
        link.into()
    }
}

impl Silence {
    fn is_on(&self, now: Time) -> bool {
        let active =
            self.status.as_ref().and_then(|status| status.state.as_deref()).is_none_or(|state| state == "active");
        active && self.starts_at <= now && now < self.ends_at
    }
}

impl Matcher {
    fn fits(&self, value: &str) -> Option<bool> {
        let same = if self.is_regex {
            let pattern = format!("^(?:{})$", self.value);
            RegexBuilder::new(&pattern).size_limit(LARGEST_PATTERN).build().ok()?.is_match(value)
        } else {
            self.value == value
        };
        Some(same == self.is_equal.unwrap_or(true))
    }
}

impl Source for Alertmanager {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Alerts => self.alerts(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

/// A silence, told as what would be kept quiet.
fn muted(silence: &Silence, ask: &Ask) -> Alert {
    let others = silence.matchers.iter().filter(|matcher| matcher.name == "alertname" && !matcher.value.is_empty());
    let name = others.map(|matcher| tame(&matcher.value, 100)).next().unwrap_or_default();
    let said = |text: &Option<String>| text.as_deref().map(|text| tame(text, 120)).filter(|text| !text.is_empty());
    let summary = match (said(&silence.created_by), said(&silence.comment)) {
        (Some(by), Some(comment)) => Some(format!("{by}: {comment}")),
        (by, comment) => by.or(comment),
    };
    Alert {
        name,
        state: AlertState::Muted,
        severity: None,
        summary,
        since: silence.starts_at.min(ask.now),
        silenced: Some(silence.ends_at),
        link: None,
    }
}

/// A value between the quotes of a matcher.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn is_label(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn service() -> String {
    "service".to_owned()
}

fn environment() -> String {
    "environment".to_owned()
}

fn severity() -> String {
    "severity".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted("checkout"), r#""checkout""#);
        assert_eq!(quoted("a\"},x=\"\\\n"), r#""a\"},x=\"\\\n""#);
    }

    #[test]
    fn a_silence_fits_by_its_pattern_as_a_whole() {
        let fits = |value: &str, is_regex, is_equal| {
            let value = value.to_owned();
            Matcher { name: "service".to_owned(), value, is_regex, is_equal }.fits("checkout")
        };
        assert_eq!(fits("checkout", false, None), Some(true));
        assert_eq!(fits("checkout", false, Some(false)), Some(false));
        assert_eq!(fits("check|checkout", true, Some(true)), Some(true));
        assert_eq!(fits("check", true, Some(true)), Some(false));
        assert_eq!(fits("pay.*", true, Some(false)), Some(true));
        assert_eq!(fits("((", true, None), None);
        assert_eq!(fits("(a{1000}){1000}", true, None), None);
    }
}
