//! Freeze periods: two cron expressions each, when it begins and when it ends, as freezes in the calendar.

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::Deserialize;

use super::Gitlab;
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::Time;
use crate::message::tame;
use crate::name::Service;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many freeze periods are read.
const MOST: usize = 50;
/// So many freezes of one period are told.
const MOST_TIMES: usize = 400;
/// Longer expressions are not read, in bytes.
const LONGEST: usize = 100;

#[derive(Debug, Deserialize)]
struct Period {
    id: u64,
    freeze_start: String,
    freeze_end: String,
    #[serde(default)]
    cron_timezone: Option<String>,
}

impl Gitlab {
    /// Freezes that overlap the time looked at. One that cannot be read is said: it may be in force.
    pub(super) async fn freezes(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let path = self.path(&["freeze_periods"]);
        let (periods, more) = self.api.pages::<Period>(&path, &[], 100).await?;
        let mut incomplete = Vec::new();
        if more || periods.len() > MOST {
            incomplete.push(format!("only the first {MOST} freeze periods were read"));
        }
        // Those of the services whose code lives here; of all, where no service says where its code lives.
        let here = ask.settings.service.iter().filter(|(_, about)| about.repository.as_ref() == Some(&self.name));
        let services: Vec<Service> = here.map(|(name, _)| name.clone()).collect();
        let mut events = Vec::new();
        for period in periods.into_iter().take(MOST) {
            let times = match times(&period, ask.from, ask.to) {
                Ok((times, whole)) => {
                    if !whole {
                        incomplete.push(format!("only {MOST_TIMES} times of freeze period {} were read", period.id));
                    }
                    times
                }
                Err(why) => {
                    incomplete.push(format!("freeze period {} could not be read: {why}", period.id));
                    continue;
                }
            };
            events.extend(times.into_iter().map(|(start, end)| CalendarEvent {
                uid: format!("gitlab-freeze-{}-{}", period.id, start.ms()),
                start,
                end,
                all_day: false,
                summary: format!("Deploy freeze of {}", tame(&self.project, 120)),
                means: Means::Freeze,
                services: services.clone(),
                environments: self.freeze_environments.clone(),
                owner: None,
                person: None,
            }));
        }
        events.sort_by_key(|event| (event.start, event.end));
        Ok(Answer { learned: Learned::Calendar(events), at: ask.now, link: None, incomplete })
    }
}

/// When a period is in force between two moments, and whether that is all of it.
fn times(period: &Period, from: Time, to: Time) -> Result<(Vec<(Time, Time)>, bool), String> {
    let zone = period.cron_timezone.as_deref().unwrap_or("UTC");
    let zone: Tz = zone.parse().map_err(|_| format!("the zone `{}` is not known", tame(zone, 60)))?;
    let (start, end) = (cron(&period.freeze_start, from, to)?, cron(&period.freeze_end, from, to)?);
    let after = |cron: &Cron, at: DateTime<Tz>| cron.find_next_occurrence(&at, false).ok();
    // The one that began before the time looked at may be in force at its beginning.
    let mut next = start.find_previous_occurrence(&from.at(zone), true).ok().or_else(|| after(&start, from.at(zone)));
    let mut found = Vec::new();
    while let Some(begins) = next.filter(|begins| Time::from(*begins) <= to) {
        // GitLab looks for the next end; a period without one does not end in the time looked at.
        let ends = after(&end, begins);
        let until = ends.map_or_else(|| to.plus(crate::clock::DAY), Time::from);
        if until > from {
            if found.len() >= MOST_TIMES {
                return Ok((found, false));
            }
            found.push((Time::from(begins), until));
        }
        // A beginning inside of a freeze does not begin another.
        next = ends.and_then(|ends| start.find_next_occurrence(&ends, true).ok());
    }
    Ok((found, true))
}

/// Reads five fields; the years are limited, so that a day that never comes is not looked for through all of time.
fn cron(text: &str, from: Time, to: Time) -> Result<Cron, String> {
    let unread = || format!("`{}` is no cron expression of five fields", tame(text, 60));
    let fields: Vec<&str> = text.split_whitespace().collect();
    if text.len() > LONGEST || fields.len() != 5 {
        return Err(unread());
    }
    let pattern = format!("0 {} {}-{}", fields.join(" "), from.utc().year() - 2, to.utc().year() + 2);
    let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Required).build();
    parser.parse(&pattern).map_err(|_| unread())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn told(start: &str, end: &str, zone: &str) -> Result<Vec<(String, String)>, String> {
        let (freeze_start, freeze_end) = (start.to_owned(), end.to_owned());
        let period = Period { id: 1, freeze_start, freeze_end, cron_timezone: Some(zone.to_owned()) };
        let (found, whole) = times(&period, at("2026-11-21T12:00:00Z"), at("2026-12-01T00:00:00Z"))?;
        assert!(whole);
        Ok(found.into_iter().map(|(start, end)| (start.rfc3339(), end.rfc3339())).collect())
    }

    fn pair(start: &str, end: &str) -> (String, String) {
        (start.to_owned(), end.to_owned())
    }

    #[test]
    fn a_weekend_is_frozen_from_its_friday_in_its_own_zone() {
        // 21 November 2026 is a Saturday: the freeze that began the evening before is in force.
        let weekend = told("0 23 * * 5", "0 8 * * 1", "Europe/Berlin").unwrap();
        assert_eq!(
            weekend,
            [
                pair("2026-11-20T22:00:00Z", "2026-11-23T07:00:00Z"),
                pair("2026-11-27T22:00:00Z", "2026-11-30T07:00:00Z")
            ]
        );
    }

    #[test]
    fn a_beginning_inside_of_a_freeze_begins_no_other() {
        let daily = told("0 0 * * *", "0 0 24 11 *", "UTC").unwrap();
        assert_eq!(daily[0], pair("2026-11-21T00:00:00Z", "2026-11-24T00:00:00Z"));
        // Its next end is a year away: it lasts until then.
        assert_eq!(daily[1], pair("2026-11-24T00:00:00Z", "2027-11-24T00:00:00Z"));
        assert_eq!(daily.len(), 2);
    }

    #[test]
    fn a_freeze_of_once_a_year_is_found_while_it_lasts() {
        assert_eq!(
            told("0 0 1 7 *", "0 0 2 1 *", "UTC").unwrap(),
            [pair("2026-07-01T00:00:00Z", "2027-01-02T00:00:00Z")]
        );
        assert_eq!(told("0 0 20 12 *", "0 0 2 1 *", "UTC").unwrap(), [], "last winter's is over");
    }

    #[test]
    fn what_never_comes_is_not_looked_for_through_all_of_time() {
        let began = std::time::Instant::now();
        assert_eq!(told("0 0 30 2 *", "0 0 * * *", "UTC").unwrap(), []);
        let open = told("0 0 21 11 *", "0 0 31 2 *", "UTC").unwrap();
        assert_eq!(open.len(), 1, "without an end it does not end");
        assert!(began.elapsed() < std::time::Duration::from_secs(2));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (start, zone) in
            [("every friday", "UTC"), ("* * * * * *", "UTC"), ("99 * * * *", "UTC"), ("0 23 * * 5", "Mars")]
        {
            assert!(told(start, "0 8 * * 1", zone).is_err(), "{start} {zone}");
        }
        assert!(told(&"1,".repeat(200), "0 8 * * 1", "UTC").is_err());
    }
}
