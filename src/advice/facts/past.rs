//! What happened before, and what happens beside it: deployments, their outcomes, rates, other plans.

use serde::{Deserialize, Serialize};

use crate::clock::{MINUTE, Millis, Time};
use crate::name::{Environment, Person, Service};

/// What the past says about changes like this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What runs in this environment now.
    #[serde(default)]
    pub running: Option<Deployment>,
    /// The newest deployment of this service here that ended clean.
    #[serde(default)]
    pub last_good: Option<Deployment>,
    /// The last deployments of this service here, newest first, at most 50.
    pub recent: Vec<Deployment>,
    /// Of this service's deployments here with a known outcome.
    pub service_rate: Rate,
    /// Of all services' deployments with a known outcome.
    pub team_rate: Rate,
    /// The most alike deployments with a known outcome, most alike first, at most 5.
    pub similar: Vec<Similar>,
    /// How many deployments were compared.
    pub compared: u32,
    /// Of changes that declare AI assistance, and of the others.
    pub ai_rate: Rate,
    pub not_ai_rate: Rate,
    /// Of the deployments in the same band of the score as this one would be: filled when the score is known.
    #[serde(default)]
    pub sizes: Vec<u32>,
    /// When the wanted version was deployed in the environment that comes before, and what became of it.
    #[serde(default)]
    pub before: Option<Deployment>,
    /// What runs here of the services that this one needs: service and version.
    #[serde(default)]
    pub dependencies: Vec<(Service, Option<String>)>,
}

/// `bad` of `n` needed a fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub bad: u32,
    pub n: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    pub deployment: Deployment,
    /// 0 to 1.
    pub likeness: f64,
    /// What they share, as fragments: "both touch `payments/capture.rs`".
    pub shares: Vec<String>,
}

/// A deployment that happened, as the history keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: String,
    pub service: Service,
    pub environment: Environment,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub commit: Option<String>,
    pub at: Time,
    #[serde(default)]
    pub finished: Option<Time>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The incident that it led to: `#482`.
    #[serde(default)]
    pub incident: Option<String>,
    #[serde(default)]
    pub link: Option<String>,
    #[serde(default)]
    pub shape: Shape,
}

/// The same version of a service at nearly the same time is the same deployment, whoever told of it.
const SAME: Millis = 15 * MINUTE;

/// Fewer characters than this name no commit.
const SHORTEST: usize = 7;

impl Deployment {
    /// Whether another telling is of this same deployment.
    pub fn is_also(&self, told: &Deployment) -> bool {
        let ends = |of: &Deployment| [Some(of.at), of.finished];
        let near = || {
            let pairs = ends(self)
                .into_iter()
                .flatten()
                .flat_map(|own| ends(told).into_iter().flatten().map(move |at| (own, at)));
            pairs.into_iter().any(|(own, at)| own.since(at).abs() <= SAME)
        };
        let target = self.service == told.service && self.environment == told.environment;
        self.id == told.id || (target && self.is_of_the_same(told) && near())
    }

    /// The commit decides where both tell one; what one tells by its commit and the other by its version alone is not known to
    /// be the same.
    fn is_of_the_same(&self, told: &Deployment) -> bool {
        match (&self.commit, &told.commit) {
            (Some(own), Some(told)) if own.len().min(told.len()) >= SHORTEST => {
                own.starts_with(told.as_str()) || told.starts_with(own.as_str())
            }
            _ => self.version == told.version,
        }
    }
}

/// The shape of a change: what likeness and rates are counted by. Nothing here is about a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub category: Option<String>,
    /// Paths touched, at most 50.
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub lines: u32,
    #[serde(default)]
    pub migration: bool,
    #[serde(default)]
    pub dependencies: bool,
    #[serde(default)]
    pub config: bool,
    #[serde(default)]
    pub ai: Option<bool>,
    /// Telling words of the commit titles, lower case, at most 20.
    #[serde(default)]
    pub words: Vec<String>,
    /// Share of the weekly peak when it was deployed, in per cent.
    #[serde(default)]
    pub load_pct: Option<u32>,
    /// Hour of the week in the team's zone, 0 = Monday 00:00.
    #[serde(default)]
    pub hour: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Clean,
    Degraded,
    Hotfix,
    RolledBack,
    Incident,
}

impl Outcome {
    pub const ALL: [Outcome; 5] =
        [Outcome::Clean, Outcome::Degraded, Outcome::Hotfix, Outcome::RolledBack, Outcome::Incident];

    /// The word of JSON and the store; chat writes `rolledback`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Clean => "clean",
            Outcome::Degraded => "degraded",
            Outcome::Hotfix => "hotfix",
            Outcome::RolledBack => "rolled_back",
            Outcome::Incident => "incident",
        }
    }

    /// Reads the word of JSON or of chat.
    pub fn parse(text: &str) -> Option<Outcome> {
        let text = text.to_ascii_lowercase().replace(['-', ' '], "_");
        match text.as_str() {
            "rolledback" => Some(Outcome::RolledBack),
            other => Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == other),
        }
    }

    /// Whether it needed a fix: what the rates count.
    pub fn is_bad(self) -> bool {
        self != Outcome::Clean
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    Technical,
    Timing,
    Compliance,
    Experience,
    Coordination,
}

impl Cause {
    pub const ALL: [Cause; 5] =
        [Cause::Technical, Cause::Timing, Cause::Compliance, Cause::Experience, Cause::Coordination];

    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Technical => "technical",
            Cause::Timing => "timing",
            Cause::Compliance => "compliance",
            Cause::Experience => "experience",
            Cause::Coordination => "coordination",
        }
    }

    pub fn parse(text: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.as_str() == text.to_ascii_lowercase())
    }
}

/// Another plan or deployment that is near this one in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// The plan's handle, or the deployment's id where it had no plan.
    pub id: String,
    pub service: Service,
    pub environment: Environment,
    #[serde(default)]
    pub version: Option<String>,
    pub by: Option<Person>,
    pub doing: Doing,
    pub start: Time,
    /// When its watch ends, or is expected to.
    pub end: Time,
    /// Paths touched, at most 50.
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    Planned,
    UnderWay,
    Watched,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(id: &str, version: &str, commit: Option<&str>, minutes: i64) -> Deployment {
        let at = Time::from_ms(1_800_000_000_000).plus(minutes * MINUTE);
        let told = serde_json::json!({ "id": id, "service": "shop", "environment": "production", "version": version,
            "commit": commit, "at": at });
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn one_deployment_told_twice_is_one() {
        let own = deployment("d-1", "v2", None, 0);
        assert!(own.is_also(&deployment("ci-9", "v2", None, 10)));
        assert!(own.is_also(&deployment("d-1", "v3", None, 600)));
        assert!(!own.is_also(&deployment("ci-9", "v2", None, 16)), "deployed again");
        assert!(!own.is_also(&deployment("ci-9", "v3", None, 1)));
        let main = deployment("d-1", "main", Some("279484c09fbe69ededfced8c1bb6e6d24616b468"), 0);
        assert!(main.is_also(&deployment("ci-9", "v2", Some("279484c0"), 1)), "a branch, a tag, one commit");
        assert!(!main.is_also(&deployment("ci-9", "main", Some("00000000"), 1)), "the branch went on");
        let long = Deployment { finished: Some(own.at.plus(50 * MINUTE)), ..own };
        assert!(long.is_also(&deployment("ci-9", "v2", None, 51)), "by its end");
    }
}
