//! What takes place in a stretch of time: rules, extra dates, exceptions and changed instances put together.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::event::{Counted, Event, Length, Moment, Series};
use super::parse::{Calendar, Problem, horizon};
use super::recur::{self, Budget};
use super::rule::Until;
use super::zone::Zone;
use super::{Expansion, Occurrence};
use crate::clock::Time;

/// How many problems are named before the rest are counted.
const NAMED_PROBLEMS: usize = 20;

impl Calendar {
    /// Everything that overlaps `range`: starts before its end and ends after its start, or has no length and starts
    /// within. Times without a zone, and dates, are read in the calendar's own zone, or else in `default_zone`.
    pub fn expand(&self, range: Range<Time>, default_zone: Tz) -> Expansion {
        let mut view = View {
            from: naive(range.start),
            to: naive(range.end),
            zone: default_zone,
            budget: Budget::new(self.limits.steps),
            room: self.limits.occurrences,
            full: false,
            occurrences: Vec::new(),
            problems: Vec::new(),
        };
        let concerned = |problem: &&Problem| problem.not_before.is_none_or(|from| from < view.to);
        let mut problems =
            self.problems.iter().filter(concerned).map(|problem| problem.says.clone()).collect::<Vec<_>>();
        if view.from < view.to {
            for series in &self.series {
                if view.full {
                    break;
                }
                view.series(series);
            }
        }
        problems.append(&mut view.problems);
        if view.to > horizon() {
            problems.push("It is not followed beyond the year 2200.".into());
        }
        let mut occurrences = view.occurrences;
        occurrences.sort_by(|a, b| (a.start, a.end, &a.entry.uid).cmp(&(b.start, b.end, &b.entry.uid)));
        Expansion { busy: busy(&occurrences), occurrences, incomplete: summed_up(problems) }
    }
}

fn naive(time: Time) -> NaiveDateTime {
    time.utc().naive_utc()
}

fn time(utc: NaiveDateTime) -> Time {
    Time::from_ms(utc.and_utc().timestamp_millis())
}

/// Merged intervals of what takes time.
fn busy(occurrences: &[Occurrence]) -> Vec<(Time, Time)> {
    let mut busy: Vec<(Time, Time)> = Vec::new();
    for occurrence in occurrences {
        if occurrence.entry.is_cancelled() || occurrence.entry.transparent || occurrence.end <= occurrence.start {
            continue;
        }
        match busy.last_mut() {
            Some(last) if occurrence.start <= last.1 => last.1 = last.1.max(occurrence.end),
            _ => busy.push((occurrence.start, occurrence.end)),
        }
    }
    busy
}

fn summed_up(problems: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut named = problems.into_iter().filter(|problem| seen.insert(problem.clone())).collect::<Vec<_>>();
    let more = named.len().saturating_sub(NAMED_PROBLEMS);
    if more > 0 {
        named.truncate(NAMED_PROBLEMS);
        named.push(format!("There are {more} more problems like these."));
    }
    named
}

/// The stretch of time looked at, and what was found in it.
struct View {
    from: NaiveDateTime,
    to: NaiveDateTime,
    zone: Tz,
    budget: Budget,
    /// How many more occurrences are returned, and whether one found no room.
    room: usize,
    full: bool,
    occurrences: Vec<Occurrence>,
    problems: Vec<String>,
}

/// One instance of a series before changes are applied.
struct Instance {
    wall: NaiveDateTime,
    zone: Zone,
    length: Length,
}

impl View {
    fn series(&mut self, series: &Series) {
        let first = self.occurrences.len();
        // Of several changes to one instance the latest edition counts.
        let mut changed: HashMap<NaiveDateTime, &Event> = HashMap::new();
        for change in &series.changes {
            let Some(replaces) = &change.replaces else { continue };
            let known = changed.entry(replaces.utc(self.zone)).or_insert(change);
            if change.sequence >= known.sequence {
                *known = change;
            }
        }
        let onwards = changed.iter().filter(|(_, change)| change.and_future);
        let onwards = onwards.map(|(at, change)| (*at, *change)).collect::<BTreeMap<_, _>>();
        // Of several editions of one series the latest counts; without any order between them, all do.
        let latest = series.masters.iter().map(|master| master.sequence).max().unwrap_or(0);
        for master in series.masters.iter().filter(|master| master.sequence == latest) {
            self.master(master, &changed, &onwards);
        }
        for change in changed.values() {
            self.show(change, change.start.wall, &change.start.zone, change.length, change.start.date_only);
        }
        if series.masters.len() > 1 {
            let mut seen = HashSet::new();
            let own = self.occurrences.split_off(first);
            self.occurrences
                .extend(own.into_iter().filter(|occurrence| seen.insert((occurrence.start, occurrence.end))));
        }
    }

    fn master(
        &mut self,
        master: &Event,
        changed: &HashMap<NaiveDateTime, &Event>,
        onwards: &BTreeMap<NaiveDateTime, &Event>,
    ) {
        let farthest = onwards.values().map(|change| self.moved(change).num_seconds().abs()).max().unwrap_or(0);
        let instances = match self.instances(master, farthest) {
            Ok(instances) => instances,
            Err(reason) => return self.left_out(master, &reason),
        };
        for instance in instances {
            let at = instance.zone.to_utc(instance.wall, self.zone);
            if changed.contains_key(&at) {
                continue;
            }
            match onwards.range(..at).next_back() {
                Some((_, change)) => {
                    let wall = instance.wall.checked_add_signed(self.moved(change)).unwrap_or(instance.wall);
                    self.show(change, wall, &instance.zone, change.length, change.start.date_only);
                }
                None => {
                    self.show(master, instance.wall, &instance.zone, instance.length, master.start.date_only);
                }
            }
        }
    }

    /// How far a change moves what it changes.
    fn moved(&self, change: &Event) -> TimeDelta {
        let replaced = change.replaces.as_ref().map_or(change.start.utc(self.zone), |replaces| replaces.utc(self.zone));
        let start = change.start.utc(self.zone);
        change.start.zone.to_wall(start, self.zone) - change.start.zone.to_wall(replaced, self.zone)
    }

    /// The instances of a series that can overlap the view, `slack` seconds more on either side.
    fn instances(&mut self, master: &Event, slack: i64) -> Result<Vec<Instance>, recur::Refused> {
        let zone = &master.start.zone;
        // Two days bridge any two offsets there are.
        let slack = TimeDelta::days(2) + TimeDelta::seconds(slack.min(400 * 86_400));
        let length = TimeDelta::seconds(master.length.seconds());
        let (from, to) = (self.from - slack - length, (self.to + slack).min(horizon()));
        // The first start counts although it may not match the rule. A rule that ends before it begins is what is left
        // of a series that was called off from its first occurrence on.
        let over = |rule: &Counted| self.until(rule, &master.start).is_some_and(|until| until < master.start.wall);
        let called_off = !master.rules.is_empty() && master.rules.iter().all(over);
        let mut walls = Vec::new();
        if !called_off && from <= master.start.wall && master.start.wall < to {
            walls.push(master.start.wall);
        }
        for rule in &master.rules {
            walls.extend(self.starts(rule, &master.start, (from, to))?);
        }
        let mut excepted: HashSet<NaiveDateTime> = HashSet::new();
        for rule in &master.except_rules {
            excepted.extend(self.starts(rule, &master.start, (from, to))?);
        }
        walls.retain(|wall| !excepted.contains(wall));
        walls.sort_unstable();
        walls.dedup();
        let plain = |wall| Instance { wall, zone: zone.clone(), length: master.length };
        let mut instances = walls.into_iter().map(plain).collect::<Vec<_>>();
        let mut places: HashMap<NaiveDateTime, usize> = HashMap::new();
        if !master.extra.is_empty() {
            let at = |instance: &Instance| instance.zone.to_utc(instance.wall, self.zone);
            places.extend(instances.iter().enumerate().map(|(place, instance)| (at(instance), place)));
        }
        for extra in &master.extra {
            let length = extra.length.unwrap_or(master.length);
            let longest = TimeDelta::seconds(length.seconds());
            if extra.start.wall >= to || extra.start.wall + longest < self.from - slack {
                continue;
            }
            let instance = Instance { wall: extra.start.wall, zone: extra.start.zone.clone(), length };
            match places.entry(extra.start.utc(self.zone)) {
                Entry::Occupied(known) => instances[*known.get()].length = length,
                Entry::Vacant(free) => {
                    free.insert(instances.len());
                    instances.push(instance);
                }
            }
        }
        self.drop_exceptions(master, &mut instances);
        Ok(instances)
    }

    fn starts(
        &mut self,
        rule: &Counted,
        first: &Moment,
        window: (NaiveDateTime, NaiveDateTime),
    ) -> Result<Vec<NaiveDateTime>, recur::Refused> {
        let until = self.until(rule, first);
        recur::starts(&rule.rule, first.wall, window, until, &mut self.budget)
    }

    /// The last wall-clock time at which a rule of a series may still have an instance.
    fn until(&self, rule: &Counted, first: &Moment) -> Option<NaiveDateTime> {
        let until = rule.rule.until.map(|until| match until {
            Until::Date(date) => end_of(date),
            Until::Wall(wall) => wall,
            Until::Utc(utc) if first.date_only => end_of(first.zone.to_wall(utc, self.zone).date()),
            Until::Utc(utc) => first.zone.to_wall(utc, self.zone),
        });
        match (until, rule.last) {
            (Some(until), Some(last)) => Some(until.min(last)),
            (until, last) => until.or(last),
        }
    }

    fn drop_exceptions(&self, master: &Event, instances: &mut Vec<Instance>) {
        if master.except.is_empty() {
            return;
        }
        let mut moments: HashSet<NaiveDateTime> = HashSet::new();
        let mut days: HashSet<NaiveDate> = HashSet::new();
        for except in &master.except {
            if except.date_only || master.start.date_only {
                days.insert(except.wall.date());
            } else {
                moments.insert(except.utc(self.zone));
            }
        }
        instances.retain(|instance| {
            !days.contains(&instance.wall.date()) && !moments.contains(&instance.zone.to_utc(instance.wall, self.zone))
        });
    }

    fn show(&mut self, event: &Event, wall: NaiveDateTime, zone: &Zone, length: Length, all_day: bool) {
        let start = zone.to_utc(wall, self.zone);
        let end = length.end(wall, zone, self.zone);
        let overlaps =
            if end > start { start < self.to && end > self.from } else { self.from <= start && start < self.to };
        if !overlaps {
            return;
        }
        if self.room == 0 {
            if !self.full {
                self.problems.push("It has more occurrences than are read; the rest is left out.".into());
            }
            self.full = true;
            return;
        }
        self.room -= 1;
        self.occurrences.push(Occurrence { start: time(start), end: time(end), all_day, entry: event.entry.clone() });
    }

    fn left_out(&mut self, event: &Event, reason: &str) {
        let name = event.entry.summary.as_deref().unwrap_or(&event.entry.uid);
        let name = name.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
        self.problems.push(format!("“{name}” is left out: {reason}."));
        self.show(event, event.start.wall, &event.start.zone, event.length, event.start.date_only);
    }
}

fn end_of(date: NaiveDate) -> NaiveDateTime {
    date.and_hms_opt(23, 59, 59).unwrap_or_default()
}
