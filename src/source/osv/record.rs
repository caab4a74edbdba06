//! An advisory in OSV's format (<https://ossf.github.io/osv-schema/>), as far as it is read.

use std::cmp::Ordering;

use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use super::cvss;

/// More aliases than this are not looked at.
const MOST_ALIASES: usize = 50;

#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    pub id: String,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default, deserialize_with = "some_aliases")]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub withdrawn: Option<String>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    database_specific: Option<Value>,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Clone, Debug, Deserialize)]
struct Score {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    score: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Affected {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    severity: Vec<Score>,
}

#[derive(Clone, Debug, Deserialize)]
struct Package {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Range {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Event {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
}

impl Record {
    /// The summary, or the first line of the details.
    pub fn title(&self) -> &str {
        let first = self.details.as_deref().and_then(|details| details.lines().find(|line| !line.trim().is_empty()));
        self.summary.as_deref().filter(|summary| !summary.trim().is_empty()).or(first).unwrap_or_default()
    }

    /// `critical`, `high`, `medium` or `low`: as the database says it, or by its CVSS score.
    pub fn severity(&self) -> Option<&'static str> {
        let said = self.database_specific.as_ref().and_then(|value| value.get("severity")).and_then(Value::as_str);
        let word = said.and_then(|word| match word.to_ascii_lowercase().as_str() {
            "critical" => Some("critical"),
            "high" => Some("high"),
            "moderate" | "medium" => Some("medium"),
            "low" => Some("low"),
            _ => None,
        });
        let scores = self.severity.iter().chain(self.affected.iter().flat_map(|affected| &affected.severity));
        word.or_else(|| {
            let scores = scores.filter(|score| score.kind == "CVSS_V3");
            scores.filter_map(|score| cvss::base(&score.score)).reduce(f64::max).map(cvss::word)
        })
    }

    /// The names of the packages that it speaks of: ecosystem and name.
    pub fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.affected.iter().filter_map(|affected| {
            let package = affected.package.as_ref()?;
            // `Debian:12` is an ecosystem and its release.
            Some((package.ecosystem.split(':').next().unwrap_or_default(), package.name.as_str()))
        })
    }

    /// Whether a version is affected; None where its versions cannot be compared.
    pub fn affects(&self, ecosystem: &str, name: &str, version: &str) -> Option<bool> {
        let mut doubt = false;
        let about = self.affected.iter().filter(|affected| {
            affected.package.as_ref().is_some_and(|package| {
                package.ecosystem.split(':').next() == Some(ecosystem) && package.name.eq_ignore_ascii_case(name)
            })
        });
        for affected in about {
            if affected.versions.iter().any(|known| known == version || known.strip_prefix('v') == Some(version)) {
                return Some(true);
            }
            for range in affected.ranges.iter().filter(|range| range.kind != "GIT") {
                match range.holds(version) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    // What lists its versions is known by them.
                    None => doubt |= affected.versions.is_empty(),
                }
            }
        }
        if doubt { None } else { Some(false) }
    }
}

impl Range {
    /// Whether a version lies in it. The events come in order; `introduced: "0"` is before every version.
    fn holds(&self, version: &str) -> Option<bool> {
        let compare = |bound: &str| if bound == "0" { Some(Ordering::Greater) } else { order(version, bound) };
        let mut inside = false;
        for event in &self.events {
            if let Some(from) = &event.introduced {
                inside |= compare(from)? != Ordering::Less;
            } else if let Some(until) = &event.fixed {
                inside &= compare(until)? == Ordering::Less;
            } else if let Some(last) = &event.last_affected {
                inside &= compare(last)? != Ordering::Greater;
            }
        }
        Some(inside)
    }
}

/// How two versions compare: by semver, or number by number where they are nothing but numbers.
fn order(a: &str, b: &str) -> Option<Ordering> {
    if let (Ok(a), Ok(b)) = (Version::parse(a), Version::parse(b)) {
        return Some(a.cmp_precedence(&b));
    }
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<u64>>>();
    let (mut a, mut b) = (numbers(a)?, numbers(b)?);
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    Some(a.cmp(&b))
}

/// Whether a text can be the id of an advisory: it becomes part of an address.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte))
}

fn some_aliases<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let all: Option<Vec<String>> = Option::deserialize(deserializer)?;
    Ok(all.unwrap_or_default().into_iter().take(MOST_ALIASES).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_version_is_affected_by_list_or_by_range() {
        let time = record(
            r#"{"id":"RUSTSEC-2020-0071","affected":[{"package":{"ecosystem":"crates.io","name":"time"},
                "ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"0.2.0"},{"introduced":"0.2.1"},{"fixed":"0.2.23"}]}]}]}"#,
        );
        let affects = |version| time.affects("crates.io", "time", version);
        assert_eq!(
            [affects("0.1.44"), affects("0.2.0"), affects("0.2.7"), affects("0.2.23")].map(Option::unwrap),
            [true, false, true, false]
        );
        assert_eq!(time.affects("crates.io", "chrono", "0.1.44"), Some(false));
        let listed = record(
            r#"{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"django"},"versions":["4.2.1","4.2rc1"],
                "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"4.2a1"},{"last_affected":"4.2.1"}]}]}]}"#,
        );
        assert_eq!(listed.affects("PyPI", "Django", "4.2rc1"), Some(true));
        assert_eq!(listed.affects("PyPI", "django", "4.2.2"), Some(false));
        let unlisted = record(
            r#"{"id":"X-1","affected":[{"package":{"ecosystem":"Maven","name":"a:b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0.RELEASE"}]}]}]}"#,
        );
        assert_eq!(unlisted.affects("Maven", "a:b", "1.0"), None);
    }

    #[test]
    fn how_bad_it_is_is_taken_from_the_database_or_the_score() {
        let says = |text: &str| record(text).severity();
        assert_eq!(says(r#"{"id":"A","database_specific":{"severity":"MODERATE"},"severity":[]}"#), Some("medium"));
        let score =
            r#"{"id":"A","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#;
        assert_eq!(says(score), Some("critical"));
        assert_eq!(says(r#"{"id":"A","severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N"}]}"#), None);
        assert_eq!(says(r#"{"id":"A","database_specific":{"severity":7}}"#), None);
    }
}
