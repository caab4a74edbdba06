//! Who would be there: working hours, absences and meetings of the planner and of those who would notice.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::calendar::Calendar;
use super::local::{Wall, offset};
use super::spans::{Spans, Stretch};
use crate::advice::Context;
use crate::clock::{DAY, HOUR, Millis};
use crate::config::{Settings, WeekHours};
use crate::message::tame;
use crate::name::{Person, SourceName};

/// Somebody's time.
#[derive(Clone, Debug)]
pub struct Desk<'a> {
    pub person: &'a Person,
    /// As people call them.
    pub name: String,
    pub zone: Tz,
    /// Working hours without public holidays and absences.
    pub work: Arc<Spans>,
    /// Whether any calendar tells of this person's time.
    pub seen: bool,
}

/// Everybody's time, worked out once for each kind of working hours.
#[derive(Debug)]
pub struct Desks<'a> {
    settings: &'a Settings,
    range: Stretch,
    holidays: Spans,
    /// Whether a calendar that is nobody's own tells of absences: whoever is not in it is there.
    absences_told: bool,
    /// Walls by zone, hours by zone and rules: most people share them.
    walls: BTreeMap<&'static str, Wall>,
    hours: Vec<(Tz, Vec<WeekHours>, Arc<Spans>)>,
    list: Vec<Desk<'a>>,
    index: BTreeMap<&'a Person, usize>,
}

impl<'a> Desks<'a> {
    pub fn new(ctx: &Context<'a>, calendar: &Calendar<'a>, range: Stretch) -> Desks<'a> {
        Desks {
            settings: ctx.settings,
            range,
            holidays: calendar.holidays.time.clone(),
            absences_told: absences_told(ctx, calendar),
            walls: BTreeMap::new(),
            hours: Vec::new(),
            list: Vec::new(),
            index: BTreeMap::new(),
        }
    }

    /// A zone's clocks over the whole range.
    pub fn wall(&mut self, zone: Tz) -> &Wall {
        let range = self.range;
        self.walls.entry(zone.name()).or_insert_with(|| Wall::new(zone, range))
    }

    /// The team's working hours without public holidays.
    pub fn team(&mut self) -> Arc<Spans> {
        let settings = self.settings;
        self.hours(settings.team.zone, &settings.team.hours)
    }

    /// The place in the list of a person's time.
    pub fn seat(&mut self, person: &'a Person, calendar: &Calendar<'a>) -> usize {
        if let Some(seat) = self.index.get(person) {
            return *seat;
        }
        let set = self.settings.people.get(person);
        let zone = set.and_then(|set| set.zone).unwrap_or(self.settings.team.zone);
        let rules = set.and_then(|set| set.hours.as_ref()).unwrap_or(&self.settings.team.hours);
        let hours = self.hours(zone, rules);
        let own = calendar.people.get(person);
        let away = own.map(|own| &own.away.time).filter(|away| !away.is_empty());
        let work = away.map_or(hours.clone(), |away| Arc::new(hours.minus(away)));
        let name = name(person, self.settings);
        let seen = own.is_some() || self.absences_told || has_calendar(person, self.settings);
        self.list.push(Desk { person, name, zone, work, seen });
        self.index.insert(person, self.list.len() - 1);
        self.list.len() - 1
    }

    pub fn into_list(self) -> Vec<Desk<'a>> {
        self.list
    }

    fn hours(&mut self, zone: Tz, rules: &[WeekHours]) -> Arc<Spans> {
        if let Some((.., hours)) = self.hours.iter().find(|(z, r, _)| *z == zone && r == rules) {
            return hours.clone();
        }
        let hours = Arc::new(self.wall(zone).hours(rules).minus(&self.holidays));
        self.hours.push((zone, rules.to_vec(), hours.clone()));
        hours
    }
}

/// A person as people call them: the first name where it is nobody else's, else the whole name, else the handle with a
/// capital, as it may begin a sentence.
pub fn name(person: &Person, settings: &Settings) -> String {
    let full = |person: &Person| settings.people.get(person).and_then(|set| set.name.as_deref());
    let Some(own) = full(person).map(|name| tame(name, 60)).filter(|name| !name.is_empty()) else {
        let handle = tame(person.as_str(), 60);
        let mut letters = handle.chars();
        return letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    };
    let first = own.split(' ').next().unwrap_or_default().to_owned();
    let namesakes = settings.people.keys().filter(|p| *p != person).filter_map(full);
    let shared = namesakes.filter_map(|name| name.split_whitespace().next()).any(|other| other == first);
    if shared { own } else { first }
}

/// What part of a life a moment outside work belongs to: "evening", "night", "weekend".
pub fn free_time(at: Millis, zone: Tz) -> &'static str {
    part_of_week(at + offset(zone, at))
}

/// The same, from what the clocks show.
pub fn part_of_week(shown: Millis) -> &'static str {
    // 1970-01-01 was a Thursday: 0 is Monday.
    let weekday = (shown.div_euclid(DAY) + 3).rem_euclid(7);
    match (weekday, shown.rem_euclid(DAY) / HOUR) {
        (_, 22.. | ..6) => "night",
        (5 | 6, _) => "weekend",
        (_, 16..22) => "evening",
        (_, 6..10) => "early morning",
        _ => "free time",
    }
}

fn absences_told(ctx: &Context<'_>, calendar: &Calendar<'_>) -> bool {
    let own = |name: &SourceName| {
        let set = ctx.settings.source.iter().find(|source| source.name == *name);
        set.is_some_and(|set| set.kind.whose().is_some())
    };
    calendar.people.values().flat_map(|own| own.away.iter()).any(|entry| !own(entry.source))
}

fn has_calendar(person: &Person, settings: &Settings) -> bool {
    settings.source.iter().any(|source| source.kind.whose() == Some(person))
}
