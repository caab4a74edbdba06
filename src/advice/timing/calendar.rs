//! Calendar entries that concern a plan, sorted by what they mean.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::gap::because;
use super::spans::{Spans, Stretch};
use crate::advice::facts::{CalendarEvent, Fact, Means};
use crate::advice::{Because, Context, says};
use crate::clock::{MINUTE, Millis, Time};
use crate::message::tame;
use crate::name::Person;

/// One entry, with the calendar that it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub fact: &'a Fact<Vec<CalendarEvent>>,
    pub event: &'a CalendarEvent,
}

/// Entries of one meaning, by start, and the time that they take.
#[derive(Clone, Debug, Default)]
pub struct Entries<'a> {
    list: Vec<Entry<'a>>,
    pub time: Spans,
}

/// What the calendars hold for a plan.
#[derive(Clone, Debug, Default)]
pub struct Calendar<'a> {
    pub freezes: Entries<'a>,
    pub launches: Entries<'a>,
    pub demos: Entries<'a>,
    pub maintenance: Entries<'a>,
    pub holidays: Entries<'a>,
    pub quarter_ends: Entries<'a>,
    pub people: BTreeMap<&'a Person, Own<'a>>,
}

/// What somebody's own calendar holds.
#[derive(Clone, Debug, Default)]
pub struct Own<'a> {
    pub away: Entries<'a>,
    pub meetings: Entries<'a>,
}

impl<'a> Calendar<'a> {
    pub fn read(ctx: &Context<'a>, (from, until): Stretch) -> Calendar<'a> {
        let mut all = Calendar::default();
        for fact in &ctx.facts.calendar.known {
            for event in &fact.value {
                if event.end.ms() < from || event.start.ms() >= until || !concerns(event, ctx) {
                    continue;
                }
                let entry = Entry { fact, event };
                match (&event.person, event.means) {
                    (None, Means::Freeze) => all.freezes.list.push(entry),
                    (None, Means::Launch | Means::Campaign) => all.launches.list.push(entry),
                    (None, Means::Demo | Means::Training) => all.demos.list.push(entry),
                    (None, Means::Maintenance) => all.maintenance.list.push(entry),
                    (None, Means::Holiday) => all.holidays.list.push(entry),
                    (None, Means::QuarterEnd) => all.quarter_ends.list.push(entry),
                    (None, Means::OutOfOffice | Means::Meeting | Means::Other) => {}
                    // A freeze is a freeze in whosever calendar it stands.
                    (Some(_), Means::Freeze) => all.freezes.list.push(entry),
                    (Some(person), Means::OutOfOffice | Means::Holiday) => {
                        all.people.entry(person).or_default().away.list.push(entry);
                    }
                    // Somebody's calendar that holds nothing of weight is seen all the same.
                    (Some(person), Means::Other) => {
                        all.people.entry(person).or_default();
                    }
                    (Some(person), _) => all.people.entry(person).or_default().meetings.list.push(entry),
                }
            }
        }
        let own = all.people.values_mut().flat_map(|own| [&mut own.away, &mut own.meetings]);
        let shared = [
            &mut all.freezes,
            &mut all.launches,
            &mut all.demos,
            &mut all.maintenance,
            &mut all.holidays,
            &mut all.quarter_ends,
        ];
        shared.into_iter().chain(own).for_each(Entries::settle);
        all
    }
}

impl<'a> Entries<'a> {
    fn settle(&mut self) {
        self.list.sort_by(|a, b| (a.event.start, &a.event.uid).cmp(&(b.event.start, &b.event.uid)));
        self.time = Spans::new(self.list.iter().map(Entry::stretch).collect());
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry<'a>> + '_ {
        self.list.iter().copied()
    }

    /// Those that take any of `from..to`, by start.
    pub fn during(&self, from: Millis, to: Millis) -> impl Iterator<Item = Entry<'a>> + '_ {
        let to = to.max(from + 1);
        let begun = self.list.partition_point(|entry| entry.stretch().0 < to);
        self.list[..begun].iter().copied().filter(move |entry| entry.stretch().1 > from)
    }

    /// The first that begins at or after a moment.
    pub fn next(&self, at: Millis) -> Option<Entry<'a>> {
        let i = self.list.partition_point(|entry| entry.stretch().0 < at);
        self.list.get(i).copied()
    }
}

impl Entry<'_> {
    /// When it is; an entry without length takes a minute, so that it is seen.
    pub fn stretch(&self) -> Stretch {
        (self.event.start.ms(), self.event.end.ms().max(self.event.start.ms() + MINUTE))
    }

    /// Its title, in quotation marks.
    pub fn title(&self) -> String {
        match tame(&self.event.summary, 80) {
            title if title.is_empty() => "(no title)".to_owned(),
            title => format!("“{title}”"),
        }
    }

    /// When it is, for people: days for an all-day entry.
    pub fn when(&self, zone: Tz, now: Time) -> String {
        let (start, end) = self.stretch();
        let (start, end) = (Time::from_ms(start), Time::from_ms(end));
        if self.event.all_day { says::days(start, end, zone, now) } else { says::range(start, end, zone, now) }
    }

    /// Who answers for it and where it stands: "owner: Finance; calendar company".
    pub fn origin(&self) -> String {
        let owner = self.event.owner.as_deref().map(|owner| tame(owner, 60)).filter(|owner| !owner.is_empty());
        let owner = owner.map(|owner| format!("owner: {owner}; ")).unwrap_or_default();
        format!("{owner}calendar {}", self.fact.source)
    }

    pub fn because(&self, zone: Tz, now: Time) -> Because {
        because(self.fact, format!("{}, {}", self.title(), self.when(zone, now)))
    }
}

fn concerns(event: &CalendarEvent, ctx: &Context<'_>) -> bool {
    (event.services.is_empty() || event.services.contains(&ctx.plan.service))
        && (event.environments.is_empty() || event.environments.contains(&ctx.plan.environment))
}
