//! Every kind of `[[source]]`, in one list: its word in the settings, and what its keys are read into.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error};

use super::{Question, Source};
use crate::clock::Clock;
use crate::config::SourceSettings;
use crate::http::Clients;
use crate::name::{Person, Role};

macro_rules! kinds {
    ($($kind:ident $word:literal $module:ident),* $(,)?) => {
        /// The keys of one kind of source.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(tag = "kind")]
        pub enum SourceKind {
            $(#[serde(rename = $word)] $kind(super::$module::Keys),)*
        }

        impl SourceKind {
            /// The word of each kind.
            pub const WORDS: &[&str] = &[$($word),*];

            pub fn word(&self) -> &'static str {
                match self { $(SourceKind::$kind(_) => $word),* }
            }

            /// The keys that a kind adds to those of every source; None: there is no such kind.
            pub fn keys(word: &str) -> Option<&'static [&'static str]> {
                match word { $($word => Some(names_of::<super::$module::Keys>()),)* _ => None }
            }

            /// Whose own time the source tells of, where it is somebody's calendar.
            pub fn whose(&self) -> Option<&Person> {
                self.kind().whose()
            }

            /// What a ticket may be called there; whether there is one is another matter.
            pub fn some_ticket(&self) -> String {
                self.kind().some_ticket()
            }

            /// The teams whose members have roles by it; None: it tells of no teams.
            pub fn roles(&self) -> Option<&BTreeMap<Role, Vec<String>>> {
                self.kind().roles()
            }

            pub(super) fn kind(&self) -> &dyn Kind {
                match self { $(SourceKind::$kind(keys) => keys),* }
            }
        }
    };
}

kinds! {
    Git "git" git,
    Github "github" github,
    Gitlab "gitlab" gitlab,
    Ics "ics" calendar,
    Caldav "caldav" caldav,
    GoogleCalendar "google-calendar" google_calendar,
    Microsoft365 "microsoft-365" microsoft_365,
    Jira "jira" jira,
    Jsonl "jsonl" jsonl,
    Linear "linear" linear,
    Prometheus "prometheus" prometheus,
    Http "http" http,
    Database "database" database,
    Osv "osv" osv,
    Sarif "sarif" sarif,
    Lcov "lcov" lcov,
    Codecov "codecov" codecov,
    Pagerduty "pagerduty" pagerduty,
    Statuspage "statuspage" statuspage,
    IncidentIo "incident-io" incident_io,
    Jsm "jsm" jsm,
    Alertmanager "alertmanager" alertmanager,
    Sentry "sentry" sentry,
    Datadog "datadog" datadog,
    Argocd "argocd" argocd,
    Zendesk "zendesk" zendesk,
    Circleci "circleci" circleci,
    Jenkins "jenkins" jenkins,
    Launchdarkly "launchdarkly" launchdarkly,
    Unleash "unleash" unleash,
    Flagd "flagd" flagd,
}

/// The keys of a kind, and how a source is made of them.
pub trait Kind {
    /// What a source with these keys can be asked.
    fn can_answer(&self) -> Vec<Question>;

    /// Whose own time it tells of, where it is somebody's calendar.
    fn whose(&self) -> Option<&Person> {
        None
    }

    /// What a ticket may be called there, for who wants to see whether tickets are told.
    fn some_ticket(&self) -> String {
        "#1".to_owned()
    }

    /// The teams whose members have roles by it, for each role; None: it tells of no teams.
    fn roles(&self) -> Option<&BTreeMap<Role, Vec<String>>> {
        None
    }

    /// Whether its answers may be kept for a moment. What is on this machine, or keeps itself fresh, is asked each time.
    fn keeps(&self) -> bool {
        true
    }

    /// Takes the keys; whether the system is there shows when it is asked, so that one that is down stops nothing.
    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>>;
}

/// What a source is opened with, besides the keys of its kind.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub settings: &'a SourceSettings,
    /// The folder of the settings: relative paths are seen from here.
    pub folder: &'a Path,
    pub clock: &'a Clock,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// How long an answer of a server is good for the next who ask the same.
    pub keep: Duration,
    /// Clients of all sources of the same settings.
    pub clients: &'a Clients,
}

impl Opening<'_> {
    /// A client for addresses that the settings name.
    pub fn client(&self) -> anyhow::Result<reqwest::Client> {
        Ok(self.clients.trusted(self.patience)?)
    }
}

/// The names of the fields of a struct, as serde knows them.
fn names_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Look<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Look<'_> {
        type Error = Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            *self.0 = fields;
            Err(serde::de::Error::custom("only the names were asked for"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(serde::de::Error::custom("keys are a struct"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // Always an error: it ends when the names are known.
    let _ = T::deserialize(Look(&mut names));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_names_its_keys() {
        assert_eq!(SourceKind::keys("git"), Some(["path", "link"].as_slice()));
        assert!(SourceKind::WORDS.iter().all(|word| SourceKind::keys(word).is_some_and(|keys| !keys.is_empty())));
        assert_eq!(SourceKind::keys("gti"), None);
    }
}
