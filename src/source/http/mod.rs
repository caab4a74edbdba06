//! The probe: asks a URL every few seconds and looks at status and latency, so that the watch works without any metrics
//! system.
//!
//! What it saw is kept in memory for three days. After a restart the earlier minutes are unknown, not zero. It does not
//! know the load: its own requests are not the traffic.

mod seen;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use futures::future::{BoxFuture, join_all};
use serde::Deserialize;
use url::Url;

use self::seen::{Look, Seen};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::Health;
use crate::clock::{Clock, MINUTE, SECOND, Time};
use crate::config::Span;
use crate::name::{Environment, Service, SourceName};

const EVERY: Span = Span::from_ms(10 * SECOND);
/// How long a look may take; longer is an error.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of a page is read before its connection is let go.
const ENOUGH: usize = 64 * 1024;

/// Asks URLs and looks at status and latency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// `service/environment` to what is asked.
    probe: BTreeMap<String, HttpProbe>,
    #[serde(default)]
    every: Option<Span>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpProbe {
    pub url: Url,
    /// Statuses that are well; default 200 to 399.
    #[serde(default)]
    pub expect: Option<Vec<u16>>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Health, Question::Series]
    }

    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let probe = Arc::new(Probe::of(self, opening)?);
        probe.start(opening.clock.clone());
        Ok(probe)
    }
}

/// URLs that are looked at, by service and environment.
struct Probe {
    name: SourceName,
    targets: BTreeMap<(Service, Environment), Target>,
    every: Duration,
    patience: Duration,
    client: reqwest::Client,
}

struct Target {
    url: Url,
    /// None: 200 to 399.
    expect: Option<Vec<u16>>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Probe {
    /// Names alone: an address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", &self.name).field("targets", &self.targets.keys()).finish_non_exhaustive()
    }
}

impl Probe {
    /// It looks on its own once [`Probe::start`] was called.
    fn of(keys: &Keys, opening: &Opening<'_>) -> anyhow::Result<Probe> {
        if keys.probe.is_empty() {
            bail!("it probes nothing: name a URL for `service/environment`");
        }
        let every = keys.every.unwrap_or(EVERY);
        if !(SECOND..=MINUTE).contains(&every.ms()) {
            bail!("it may probe every 1s to 1m, not every {every}");
        }
        let mut targets = BTreeMap::new();
        for (place, probe) in &keys.probe {
            let Some((service, environment)) = place.rsplit_once('/').filter(|(s, e)| !s.is_empty() && !e.is_empty())
            else {
                bail!("`{place}` is not of the form `service/environment`");
            };
            if !matches!(probe.url.scheme(), "http" | "https") || probe.url.host().is_none() {
                bail!("`{place}` needs an address that begins with http:// or https://");
            }
            if probe.expect.as_ref().is_some_and(|expect| expect.is_empty()) {
                bail!("`{place}` expects no status at all");
            }
            let target = Target { url: probe.url.clone(), expect: probe.expect.clone(), seen: Mutex::default() };
            targets.insert((Service::new(service), Environment::new(environment)), target);
        }
        let patience = opening.settings.timeout.map_or(PATIENCE, Span::std).min(PATIENCE);
        let (name, client) = (opening.settings.name.clone(), opening.client()?);
        Ok(Probe { name, targets, every: every.std(), patience, client })
    }

    /// Looks at every URL again and again until the last other holder of the probe lets go of it, or the task is
    /// aborted.
    fn start(self: &Arc<Self>, clock: Clock) -> tokio::task::JoinHandle<()> {
        let probe = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(probe) = probe.upgrade() {
                let began = Instant::now();
                probe.look(clock.now()).await;
                let left = probe.every.saturating_sub(began.elapsed());
                let next = clock.now().plus(i64::try_from(left.as_millis()).unwrap_or(0));
                drop(probe);
                // A clock that is moved on is looked at again at once; one that is moved back delays nothing.
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = clock.sleep_until(next) => {}
                }
            }
        })
    }

    /// Looks at every URL once.
    async fn look(&self, now: Time) {
        join_all(self.targets.values().map(|target| self.look_at(target, now, self.patience))).await;
    }

    async fn look_at(&self, target: &Target, now: Time, patience: Duration) {
        let began = Instant::now();
        let asking = async {
            let mut response = self.client.get(target.url.clone()).send().await?;
            let (status, latency) = (response.status().as_u16(), began.elapsed());
            let mut read = 0;
            while let Some(chunk) = response.chunk().await? {
                read += chunk.len();
                if read >= ENOUGH {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((status, latency))
        };
        let look = match tokio::time::timeout(patience, asking).await {
            Ok(Ok((status, latency))) => {
                let well = match &target.expect {
                    Some(expect) => expect.contains(&status),
                    None => (200..400).contains(&status),
                };
                Look { well, latency_ms: Some(latency.as_secs_f64() * 1000.0) }
            }
            Ok(Err(_)) | Err(_) => Look { well: false, latency_ms: None },
        };
        target.seen.lock().unwrap_or_else(PoisonError::into_inner).add(now, look);
    }

    async fn answer(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let place = (ask.service.clone(), ask.environment.clone());
        let target = self.targets.get(&place).ok_or_else(|| CannotSay::because("has no URL for this service"))?;
        let mut incomplete = Vec::new();
        let learned = match ask.question {
            Question::Health => {
                // Sooner than the caller gives up: a URL that hangs is an error seen, not a source that failed.
                let deadline = ask.settings.policy.source_timeout.std() * 3 / 4;
                self.look_at(target, ask.now, self.patience.min(deadline)).await;
                let summary = target.seen.lock().unwrap_or_else(PoisonError::into_inner).summary(ask.now);
                Learned::Health(Health {
                    errors: summary.errors,
                    latency_ms: summary.latency_ms,
                    requests: Some(f64::from(summary.looks)),
                    usual_errors: summary.usual_errors,
                    usual_latency_ms: summary.usual_latency_ms,
                    counts: None,
                    last_data: Some(ask.now),
                    budget_left: None,
                })
            }
            Question::Series => {
                let seen = target.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let series = seen.series(ask.from, ask.to);
                match seen.since() {
                    Some(since) if !series.minutes.is_empty() => {
                        if since.since(ask.from) >= MINUTE {
                            incomplete.push(format!("it has looked only since {}", since.rfc3339()));
                        }
                    }
                    _ => return Err(CannotSay::because("has not looked at this service in that time")),
                }
                Learned::Series(series)
            }
            _ => return Err(CannotSay::because("was not set up for this question")),
        };
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }
}

impl Source for Probe {
    fn knows(&self, service: &Service, environment: &Environment) -> bool {
        self.targets.contains_key(&(service.clone(), environment.clone()))
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(self.answer(ask))
    }
}
