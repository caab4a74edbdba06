//! How fast we may call: about one post a second in a channel, so many calls of a method in a minute, and whatever pause
//! Slack asked for. <https://docs.slack.dev/apis/web-api/rate-limits>

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is waited for on the spot; longer waits go back to the outbox.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What only urgent messages may use.
const RESERVE: f64 = 1.0;

#[derive(Debug, Default)]
pub struct Budget {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    buckets: HashMap<(u64, String), Bucket>,
    pauses: HashMap<(u64, &'static str), Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// May be negative: taken by those who wait.
    left: f64,
    at: Instant,
}

/// How many at once, and how many a second after that.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: f64,
    second: f64,
}

impl Budget {
    /// Takes one call: how long to wait before making it, or, where that is long, when to come back.
    pub fn take(
        &self,
        token: &str,
        method: &'static str,
        channel: Option<&str>,
        urgent: bool,
        now: Instant,
    ) -> Result<Duration, Duration> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let team = digest(token);
        if let Some(until) = known.pauses.get(&(team, method)).copied() {
            if until > now {
                return Err(until - now);
            }
            known.pauses.remove(&(team, method));
        }
        let posts = matches!(method, "chat.postMessage" | "chat.postEphemeral");
        let in_channel =
            channel.filter(|_| posts).map(|channel| (channel.to_owned(), Rate { burst: 6.0, second: 1.0 }));
        let rates: Vec<(String, Rate)> =
            in_channel.into_iter().chain(std::iter::once((format!("/{method}"), rate(method)))).collect();
        let reserve = if urgent { 0.0 } else { RESERVE };
        let wait = rates
            .iter()
            .map(|(name, rate)| known.wait(&(team, name.clone()), *rate, reserve, now))
            .max()
            .unwrap_or_default();
        if wait > PATIENCE {
            return Err(wait);
        }
        for (name, _) in rates {
            if let Some(bucket) = known.buckets.get_mut(&(team, name)) {
                bucket.left -= 1.0;
            }
        }
        // Channels that nobody speaks in are forgotten.
        if known.buckets.len() > 2_000 {
            known.buckets.retain(|_, bucket| now - bucket.at < Duration::from_secs(60));
        }
        Ok(wait)
    }

    /// Slack asked for a pause.
    pub fn pause(&self, token: &str, method: &'static str, until: Instant) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).pauses.insert((digest(token), method), until);
    }
}

impl Known {
    fn wait(&mut self, name: &(u64, String), rate: Rate, reserve: f64, now: Instant) -> Duration {
        let bucket = self.buckets.entry(name.clone()).or_insert(Bucket { left: rate.burst, at: now });
        let past = now.saturating_duration_since(bucket.at).as_secs_f64();
        *bucket = Bucket { left: (bucket.left + past * rate.second).min(rate.burst), at: now };
        let lacks = (1.0 + reserve - bucket.left).max(0.0);
        Duration::from_secs_f64(lacks / rate.second)
    }
}

/// By the tiers of Slack's method reference, a little below what they allow.
fn rate(method: &str) -> Rate {
    let a_minute = |burst: f64, calls: f64| Rate { burst, second: calls / 60.0 };
    match method {
        "usergroups.users.list" => a_minute(10.0, 18.0),
        "chat.update"
        | "reactions.add"
        | "reactions.get"
        | "conversations.replies"
        | "conversations.history"
        | "conversations.info"
        | "conversations.open" => a_minute(25.0, 48.0),
        "chat.postMessage" | "chat.postEphemeral" => Rate { burst: 30.0, second: 4.0 },
        _ => a_minute(40.0, 95.0),
    }
}

/// Workspaces are told apart without a token being kept here.
fn digest(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(budget: &Budget, channel: &str, urgent: bool, now: Instant) -> Result<Duration, Duration> {
        budget.take("t", "chat.postMessage", Some(channel), urgent, now)
    }

    #[test]
    fn a_plan_goes_out_at_once_and_a_flood_waits() {
        let (budget, now) = (Budget::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(post(&budget, "C1", false, now), Ok(Duration::ZERO));
        }
        assert_eq!(post(&budget, "C1", false, now), Ok(Duration::from_secs(1)));
        assert_eq!(post(&budget, "C1", false, now), Err(Duration::from_secs(2)));
        assert_eq!(post(&budget, "C2", false, now), Ok(Duration::ZERO), "another channel is not concerned");
        assert_eq!(post(&budget, "C1", false, now + Duration::from_secs(10)), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_urgent_goes_first() {
        let (budget, now) = (Budget::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(post(&budget, "C1", false, now), Ok(Duration::ZERO));
        }
        assert_eq!(post(&budget, "C1", true, now), Ok(Duration::ZERO));
    }

    #[test]
    fn a_pause_that_slack_asked_for_is_kept_by_method() {
        let (budget, now) = (Budget::default(), Instant::now());
        budget.pause("t", "chat.update", now + Duration::from_secs(30));
        assert_eq!(budget.take("t", "chat.update", None, true, now), Err(Duration::from_secs(30)));
        assert_eq!(post(&budget, "C1", false, now), Ok(Duration::ZERO));
        assert_eq!(budget.take("other", "chat.update", None, false, now), Ok(Duration::ZERO));
        assert_eq!(budget.take("t", "chat.update", None, false, now + Duration::from_secs(31)), Ok(Duration::ZERO));
    }
}
