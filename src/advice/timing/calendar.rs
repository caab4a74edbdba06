//! Calendar entries that concern a plan, sorted by what they mean.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::spans::{Spans, Stretch};
use crate::advice::facts::{CalendarEvent, Change, Fact, Incident, Means};
use crate::advice::paths::{Meaning, PathBook};
use crate::advice::{Because, Context, says};
use crate::clock::{MINUTE, Millis, Time};
use crate::message::tame;
use crate::name::{Person, SourceName};

/// One entry, with the calendar that it stands in, or Tidegate itself.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub source: &'a SourceName,
    link: &'a Option<String>,
    /// When the source said so.
    told: Time,
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
    /// Freezes that let this plan through.
    pub excepted: Entries<'a>,
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
                let entry = Entry::new(fact, event);
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
        let incidents: Vec<&Incident> = ctx.facts.incidents.known.iter().flat_map(|fact| &fact.value).collect();
        for fact in &ctx.facts.freezes.known {
            for freeze in fact.value.iter().filter(|freeze| concerns(&freeze.entry, ctx)) {
                if freeze.entry.end.ms() < from || freeze.entry.start.ms() >= until {
                    continue;
                }
                let lets = freeze.except.lets(ctx.plan, &incidents, ctx.now, |categories| all_of(ctx, categories));
                let entries = if lets { &mut all.excepted } else { &mut all.freezes };
                entries.list.push(Entry::new(fact, &freeze.entry));
            }
        }
        let own = all.people.values_mut().flat_map(|own| [&mut own.away, &mut own.meetings]);
        let shared = [
            &mut all.freezes,
            &mut all.excepted,
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

impl<'a> Entry<'a> {
    fn new<T>(fact: &'a Fact<T>, event: &'a CalendarEvent) -> Entry<'a> {
        Entry { source: &fact.source, link: &fact.link, told: fact.at, event }
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
        match self.source.as_str() {
            // Nobody needs to look for a calendar: `freeze list` shows it.
            "tidegate" => format!("{owner}{}", tame(&self.event.uid, 40)),
            calendar => format!("{owner}calendar {calendar}"),
        }
    }

    /// What it lends to a flag.
    pub fn rests(&self, says: String) -> Because {
        Because { source: self.source.clone(), says, link: self.link.clone(), at: self.told }
    }

    pub fn because(&self, zone: Tz, now: Time) -> Because {
        self.rests(format!("{}, {}", self.title(), self.when(zone, now)))
    }
}

/// Whether every file of the change is of these categories and of no other. A change that is not seen whole is not.
fn all_of(ctx: &Context<'_>, categories: &[String]) -> bool {
    let paths = PathBook::of(ctx.settings, &ctx.plan.service);
    let fits = |path: &String| {
        let meanings = paths.meanings(path).into_iter();
        let own: Vec<&String> = meanings
            .filter_map(|meaning| match meaning {
                Meaning::Category(name) => Some(name),
                _ => None,
            })
            .collect();
        !own.is_empty() && own.iter().all(|name| categories.contains(name))
    };
    let whole = |change: &Change| {
        usize::try_from(change.file_count).is_ok_and(|count| count > 0 && count == change.files.len())
            && change.files.iter().all(|file| fits(&file.path) && file.was.as_ref().is_none_or(&fits))
    };
    let changes = &ctx.facts.change.known;
    !changes.is_empty() && changes.iter().all(|fact| whole(&fact.value))
}

fn concerns(event: &CalendarEvent, ctx: &Context<'_>) -> bool {
    (event.services.is_empty() || event.services.contains(&ctx.plan.service))
        && (event.environments.is_empty() || event.environments.contains(&ctx.plan.environment))
}
