//! A freeze that lives in Tidegate, beside those in calendars: from, until, why, and whom it lets through.

use serde::{Deserialize, Serialize};

use super::Scope;
use crate::advice::facts::{CalendarEvent, Incident};
use crate::advice::says;
use crate::clock::Time;
use crate::config::Settings;
use crate::message::tame;
use crate::name::Service;
use crate::plan::Plan;

/// A freeze as briefs keep it: an entry like a calendar's, and its exceptions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Freeze {
    pub entry: CalendarEvent,
    #[serde(default)]
    pub except: Except,
}

/// Whom a freeze lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Except {
    /// Hotfixes for an incident that is open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hotfix: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Changes of which every file is of these categories and of no other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

impl Freeze {
    pub fn scope(&self) -> Scope {
        Scope { service: self.entry.services.first().cloned(), environment: self.entry.environments.first().cloned() }
    }

    /// Whether it is in force at a moment.
    pub fn holds(&self, at: Time) -> bool {
        self.entry.start <= at && at < self.entry.end
    }
}

impl Except {
    /// Whether a plan goes through; what is not seen lets nobody through. `all_of`: whether every file of the change is of
    /// these categories.
    pub fn lets(
        &self,
        plan: &Plan,
        incidents: &[&Incident],
        now: Time,
        all_of: impl FnOnce(&[String]) -> bool,
    ) -> bool {
        let bare = |text: &str| text.trim().trim_start_matches('#').to_lowercase();
        let mends = |hotfix: &str| {
            incidents.iter().any(|i| bare(&i.id) == bare(hotfix) && i.resolved.is_none_or(|resolved| resolved > now))
        };
        if self.services.contains(&plan.service) || self.hotfix && plan.hotfix.as_deref().is_some_and(mends) {
            return true;
        }
        !self.categories.is_empty() && all_of(&self.categories)
    }

    pub fn is_empty(&self) -> bool {
        *self == Except::default()
    }

    /// "hotfixes for open incidents, docs-site and changes of docs only"; empty where there are none.
    pub fn says(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.hotfix {
            parts.push("hotfixes for open incidents".to_owned());
        }
        parts.extend(self.services.iter().map(ToString::to_string));
        if !self.categories.is_empty() {
            parts.push(format!("changes of {} only", says::list(&self.categories)));
        }
        says::list(&parts)
    }

    /// Reads what was typed: `hotfix`, services, categories; `service:` and `category:` tell apart what has one name. The
    /// error is the word that means nothing.
    pub fn read(words: &[String], settings: &Settings) -> Result<Except, String> {
        let mut except = Except::default();
        for word in words {
            let (only, name) = match word.split_once(':') {
                Some((only @ ("service" | "category"), name)) => (only, name.trim()),
                _ => ("", word.as_str()),
            };
            if only.is_empty() && matches!(name.to_lowercase().as_str(), "hotfix" | "hotfixes") {
                except.hotfix = true;
            } else if only != "category" && settings.service.contains_key(name) {
                except.services.push(Service::new(name));
            } else if only != "service" && settings.policy.category.contains_key(name) {
                except.categories.push(name.to_owned());
            } else {
                return Err(tame(word, 60));
            }
        }
        except.services.sort();
        except.services.dedup();
        except.categories.sort();
        except.categories.dedup();
        Ok(except)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let text = "[service.shop]\n[service.docs]\n[environment.production]\n";
        Settings::read(text, "tidegate.toml", std::path::PathBuf::new()).unwrap()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn exceptions_read_as_they_are_typed() {
        let except = Except::read(&words(&["hotfix", "docs", "category:docs", "copy"]), &settings()).unwrap();
        assert!(except.hotfix);
        assert_eq!(except.services, [Service::new("docs")]);
        assert_eq!(except.categories, ["copy", "docs"]);
        assert_eq!(except.says(), "hotfixes for open incidents, docs and changes of copy and docs only");
        assert_eq!(Except::read(&words(&["nope"]), &settings()), Err("nope".to_owned()));
        assert_eq!(Except::read(&words(&["service:copy"]), &settings()), Err("service:copy".to_owned()));
    }
}
