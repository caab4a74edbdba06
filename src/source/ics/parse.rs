//! From text to events: calcard reads the lines, this makes sense of them and notes what makes none.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use calcard::Entry as Parsed;
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry, ICalendarParameterName,
    ICalendarPeriod, ICalendarProperty, ICalendarValue,
};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use super::event::{Counted, Event, Extra, Length, Moment, Series};
use super::guard::{self, Unreadable};
use super::recur::{self, Budget};
use super::rule::Rule;
use super::zone::Zone;
use super::zones::Zones;
use super::{Entry, Limits, Presence};

/// A calendar that was read: expand it as often as wanted.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(super) series: Vec<Series>,
    pub(super) problems: Vec<Problem>,
    pub(super) limits: Limits,
    /// Steps of work that reading took.
    effort: u64,
}

/// Something that could not be read.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub says: String,
    /// What it concerns cannot take place before this moment, where that is known.
    pub not_before: Option<NaiveDateTime>,
}

/// The farthest future that rules are followed into.
pub(super) fn horizon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2201, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default()
}

impl Calendar {
    /// Reads a text, several calendars in one file included. Entries that make no sense are named by the expansion;
    /// only a text that is no calendar at all, or too large a one, is refused.
    pub fn parse(text: &str, limits: &Limits) -> Result<Calendar, Unreadable> {
        let found = guard::inspect(text, limits)?;
        let calendars = catch_unwind(AssertUnwindSafe(|| read(text))).map_err(|_| Unreadable::ParserFailed)?;
        let mut reading = Reading {
            limits,
            budget: Budget::new(limits.steps),
            series: BTreeMap::new(),
            problems: found.problems.into_iter().map(|says| Problem { says, not_before: None }).collect(),
        };
        let count = |calendar: &ICalendar| calendar.components.iter().filter(|part| is_event(part)).count();
        if calendars.iter().map(count).sum::<usize>() != found.rule_problems.len() {
            reading.note("Some of its entries could not be told apart, so entries may be missing.".into(), None);
        }
        let mut zone_budget = Budget::new(limits.steps);
        let mut rule_problems = found.rule_problems.into_iter();
        for calendar in &calendars {
            let mut zones = Zones::of(calendar, &mut zone_budget);
            for component in &calendar.components {
                if is_event(component) {
                    let rule_problem = rule_problems.next().flatten();
                    reading.event(component, &mut zones, rule_problem);
                } else if component.component_type == ICalendarComponentType::VFreebusy {
                    reading.note("It has free/busy entries, which are not read.".into(), None);
                }
            }
        }
        let Reading { series, problems, budget, .. } = reading;
        let effort = budget.spent(limits.steps) + zone_budget.spent(limits.steps);
        Ok(Calendar { series: series.into_values().collect(), problems, limits: limits.clone(), effort })
    }

    /// A calendar without entries, to which others are added.
    pub fn none(limits: &Limits) -> Calendar {
        Calendar { series: Vec::new(), problems: Vec::new(), limits: limits.clone(), effort: 0 }
    }

    /// Adds everything of another calendar, what could not be read included. What has the same UID stays apart.
    pub fn add(&mut self, other: &Calendar) {
        self.series.extend(other.series.iter().cloned());
        self.problems.extend(other.problems.iter().cloned());
        self.effort += other.effort;
    }

    /// Adds something that is missing: a sentence.
    pub fn note(&mut self, says: String) {
        self.problems.push(Problem { says, not_before: None });
    }

    /// Steps of work that reading it took, of those that [`Limits`] allow.
    pub fn effort(&self) -> u64 {
        self.effort
    }
}

fn read(text: &str) -> Vec<ICalendar> {
    let mut parser = calcard::Parser::new(text);
    let mut calendars = Vec::new();
    loop {
        match parser.entry() {
            Parsed::ICalendar(calendar) => calendars.push(calendar),
            Parsed::Eof => return calendars,
            _ => {}
        }
    }
}

fn is_event(component: &ICalendarComponent) -> bool {
    component.component_type == ICalendarComponentType::VEvent
}

/// What has been read so far.
struct Reading<'a> {
    limits: &'a Limits,
    budget: Budget,
    series: BTreeMap<String, Series>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn note(&mut self, says: String, not_before: Option<NaiveDateTime>) {
        // Beyond a handful the reader only needs to know that there are more; see `expand`.
        if self.problems.len() < 1_000 {
            self.problems.push(Problem { says, not_before });
        }
    }

    fn event(&mut self, component: &ICalendarComponent, zones: &mut Zones<'_>, rule_problem: Option<String>) {
        let entry = Arc::new(entry(component));
        let title = title(&entry);
        let mut problems = Vec::new();
        let Some(mut start) = self.start(component, zones, &mut problems) else {
            self.note(format!("{title} is left out: its start could not be read."), None);
            return;
        };
        let recurring = component.is_recurrent();
        let length = self.length(component, &mut start, zones, recurring, &mut problems);
        let mut event = Event {
            entry,
            sequence: first(component, &ICalendarProperty::Sequence).and_then(ICalendarValue::as_integer).unwrap_or(0),
            length,
            rules: Vec::new(),
            except_rules: Vec::new(),
            extra: Vec::new(),
            except: Vec::new(),
            replaces: None,
            and_future: false,
            start,
        };
        match rule_problem {
            Some(reason) => problems.push(format!("only its first occurrence is shown: {reason}")),
            None => self.rules(component, &mut event, &mut problems),
        }
        self.dates(component, &mut event, zones, &mut problems);
        if let Some(property) = component.property(&ICalendarProperty::RecurrenceId) {
            event.and_future = property.has_parameter(&ICalendarParameterName::Range);
            event.replaces = moment(property, property.values.first(), zones, &mut problems);
            if event.replaces.is_none() {
                problems.push("which occurrence it changes could not be read".into());
            }
        }
        // A day's slack, as floating times are only placed when the reader's zone is known.
        let earliest = event.start.wall.checked_sub_signed(TimeDelta::days(1));
        for problem in problems {
            self.note(format!("{title}: {problem}."), earliest);
        }
        let nameless = event.entry.uid.is_empty();
        let key = if nameless { format!("\u{0}{}", self.series.len()) } else { event.entry.uid.clone() };
        let series = self.series.entry(key).or_default();
        if event.replaces.is_some() { series.changes.push(event) } else { series.masters.push(event) }
    }

    fn start(
        &mut self,
        component: &ICalendarComponent,
        zones: &mut Zones<'_>,
        problems: &mut Vec<String>,
    ) -> Option<Moment> {
        // A changed instance without a start of its own keeps the one that it replaces.
        let property = component
            .property(&ICalendarProperty::Dtstart)
            .or_else(|| component.property(&ICalendarProperty::RecurrenceId))?;
        moment(property, property.values.first(), zones, problems)
    }

    fn length(
        &mut self,
        component: &ICalendarComponent,
        start: &mut Moment,
        zones: &mut Zones<'_>,
        recurring: bool,
        problems: &mut Vec<String>,
    ) -> Length {
        let unsaid = if start.date_only { Length::Days(1) } else { Length::Exact(0) };
        let length = if let Some(property) = component.property(&ICalendarProperty::Dtend) {
            match moment(property, property.values.first(), zones, problems) {
                Some(end) => between(start, end),
                None => {
                    problems.push("its end could not be read".into());
                    unsaid
                }
            }
        } else if let Some(property) = component.property(&ICalendarProperty::Duration) {
            match property.values.first() {
                Some(ICalendarValue::Duration(duration)) => lasting(start, duration),
                _ => {
                    problems.push("its duration could not be read".into());
                    unsaid
                }
            }
        } else {
            unsaid
        };
        let most = self.limits.days_long / if recurring { 10 } else { 1 } * 86_400;
        if length.seconds() > most {
            problems.push(format!("it is cut to {} days, the most that is read", most / 86_400));
            return if start.date_only { Length::Days((most / 86_400) as u64) } else { Length::Wall(most) };
        }
        length
    }

    fn rules(&mut self, component: &ICalendarComponent, event: &mut Event, problems: &mut Vec<String>) {
        let too_many = component.properties(&ICalendarProperty::Rrule).count() > self.limits.rules_per_event
            || component.properties(&ICalendarProperty::Exrule).count() > self.limits.rules_per_event;
        if too_many {
            problems.push("only its first occurrence is shown: it has too many recurrence rules".into());
            return;
        }
        for property in &component.entries {
            let rules = match property.name {
                ICalendarProperty::Rrule => &mut event.rules,
                ICalendarProperty::Exrule => &mut event.except_rules,
                _ => continue,
            };
            let Some(ICalendarValue::RecurrenceRule(rule)) = property.values.first() else {
                problems.push("only its first occurrence is shown: its recurrence rule could not be read".into());
                continue;
            };
            let mut rule = match Rule::parse(&rule.to_string(), self.limits) {
                Ok(rule) => rule,
                Err(reason) => {
                    problems.push(format!("only its first occurrence is shown: {reason}"));
                    continue;
                }
            };
            let last = match recur::last_of_count(&rule, event.start.wall, horizon(), &mut self.budget) {
                Ok(last) => last,
                Err(reason) => {
                    problems.push(format!("it may be shown too often: {reason}"));
                    None
                }
            };
            rule.count = None;
            rules.push(Counted { rule, last });
        }
    }

    fn dates(
        &mut self,
        component: &ICalendarComponent,
        event: &mut Event,
        zones: &mut Zones<'_>,
        problems: &mut Vec<String>,
    ) {
        let mut unread = false;
        for property in &component.entries {
            let extra = match property.name {
                ICalendarProperty::Rdate => true,
                ICalendarProperty::Exdate => false,
                _ => continue,
            };
            for value in &property.values {
                if !self.budget.spend(1) {
                    problems.push(format!("dates of it are left out: {}", recur::TOO_MUCH_WORK));
                    return;
                }
                let read = if let (true, ICalendarValue::Period(period)) = (extra, value) {
                    period_start(period, property, zones, problems)
                } else {
                    moment(property, Some(value), zones, problems).map(|start| Extra { start, length: None })
                };
                match read {
                    Some(read) if extra => event.extra.push(read),
                    Some(read) => event.except.push(read.start),
                    None if extra && !unread => {
                        unread = true;
                        problems.push("a date that it also takes place on could not be read".into());
                    }
                    // Shown although it may be called off: the safe side, so not worth a word.
                    None => {}
                }
            }
        }
    }
}

fn period_start(
    period: &ICalendarPeriod,
    property: &ICalendarEntry,
    zones: &mut Zones<'_>,
    problems: &mut Vec<String>,
) -> Option<Extra> {
    match period {
        ICalendarPeriod::Range { start, end } => {
            let mut start = placed(start, property, zones, problems)?;
            let end = placed(end, property, zones, problems)?;
            Some(Extra { length: Some(between(&mut start, end)), start })
        }
        ICalendarPeriod::Duration { start, duration } => {
            let start = placed(start, property, zones, problems)?;
            Some(Extra { length: Some(lasting(&start, duration)), start })
        }
    }
}

/// From a start to an end. Where they are the wrong way round, they are swapped. An end on the date of the start means
/// that day: read as no time at all, a freeze of one day would vanish.
fn between(start: &mut Moment, mut end: Moment) -> Length {
    // Where one is floating the difference depends on the reader's zone; taking UTC for it is as good as any.
    let elapsed = |start: &Moment, end: &Moment| {
        let utc = chrono_tz::UTC;
        end.utc(utc).signed_duration_since(start.utc(utc)).num_seconds()
    };
    if elapsed(start, &end) < 0 {
        std::mem::swap(start, &mut end);
    }
    if start.date_only && end.date_only {
        Length::Days(end.wall.signed_duration_since(start.wall).num_days().unsigned_abs().max(1))
    } else if start.zone == end.zone {
        Length::Wall(end.wall.signed_duration_since(start.wall).num_seconds().abs())
    } else {
        Length::Exact(elapsed(start, &end).abs())
    }
}

fn lasting(start: &Moment, duration: &ICalendarDuration) -> Length {
    let seconds = duration.as_seconds().saturating_abs();
    if start.date_only && seconds % 86_400 == 0 {
        Length::Days((seconds / 86_400).unsigned_abs())
    } else {
        Length::Wall(seconds)
    }
}

fn moment(
    property: &ICalendarEntry,
    value: Option<&ICalendarValue>,
    zones: &mut Zones<'_>,
    problems: &mut Vec<String>,
) -> Option<Moment> {
    match value? {
        ICalendarValue::PartialDateTime(at) => placed(at, property, zones, problems),
        _ => None,
    }
}

fn placed(
    at: &PartialDateTime,
    property: &ICalendarEntry,
    zones: &mut Zones<'_>,
    problems: &mut Vec<String>,
) -> Option<Moment> {
    let at = PartialDateTime { second: at.second.map(|second| if second == 60 { 59 } else { second }), ..at.clone() };
    let read = at.to_date_time()?;
    if !(1601..=2200).contains(&read.date_time.year()) {
        return None;
    }
    let date_only = !at.has_time();
    let name = property.parameter(&ICalendarParameterName::Tzid).and_then(|name| name.as_text());
    let zone = match (read.offset, name) {
        (Some(offset), _) if offset.local_minus_utc() == 0 => Zone::Utc,
        (Some(offset), _) => Zone::Fixed(offset.local_minus_utc()),
        (None, Some(name)) => zones.named(name, problems),
        (None, None) => zones.own.clone(),
    };
    Some(Moment { wall: read.date_time.with_nanosecond(0)?, date_only, zone })
}

pub(super) fn first<'a>(component: &'a ICalendarComponent, name: &ICalendarProperty) -> Option<&'a ICalendarValue> {
    component.property(name).and_then(|property| property.values.first())
}

fn entry(component: &ICalendarComponent) -> Entry {
    let text = |name: ICalendarProperty, most: usize| {
        let text = first(component, &name)?.as_text()?;
        Some(plain(text, most, true)).filter(|text| !text.is_empty())
    };
    let upper = |name| text(name, 40).map(|text| text.to_ascii_uppercase());
    let organizer = component.property(&ICalendarProperty::Organizer).and_then(|property| {
        let name = property.parameter(&ICalendarParameterName::Cn).and_then(|name| name.as_text());
        name.filter(|name| !name.is_empty()).or_else(|| property.calendar_address()).map(|name| plain(name, 200, false))
    });
    let categories = component.properties(&ICalendarProperty::Categories).flat_map(|property| &property.values);
    Entry {
        uid: text(ICalendarProperty::Uid, 500).unwrap_or_default(),
        summary: text(ICalendarProperty::Summary, 500),
        description: text(ICalendarProperty::Description, 8_000),
        location: text(ICalendarProperty::Location, 500),
        url: text(ICalendarProperty::Url, 2_000),
        categories: categories
            .filter_map(ICalendarValue::as_text)
            .map(|text| plain(text, 100, false))
            .take(50)
            .collect(),
        status: upper(ICalendarProperty::Status),
        transparent: upper(ICalendarProperty::Transp).as_deref() == Some("TRANSPARENT"),
        organizer,
        presence: presence(component),
    }
}

/// What Outlook and Exchange write into the calendars that they publish.
fn presence(component: &ICalendarComponent) -> Option<Presence> {
    let told = component.entries.iter().find(|entry| {
        matches!(&entry.name, ICalendarProperty::Other(name) if name.eq_ignore_ascii_case("X-MICROSOFT-CDO-BUSYSTATUS"))
    })?;
    match told.values.first()?.as_text()?.to_ascii_uppercase().as_str() {
        "OOF" => Some(Presence::OutOfOffice),
        "WORKINGELSEWHERE" => Some(Presence::Elsewhere),
        _ => None,
    }
}

/// Without control characters (line ends aside, where they are wanted) and cut to a length.
pub fn plain(text: &str, most: usize, lines: bool) -> String {
    text.chars().filter(|c| !c.is_control() || (lines && *c == '\n')).take(most).collect()
}

fn title(entry: &Entry) -> String {
    let name = entry.summary.as_deref().filter(|summary| !summary.trim().is_empty()).unwrap_or(&entry.uid);
    match plain(name, 80, false) {
        name if name.is_empty() => "An entry without a name".into(),
        name => format!("“{name}”"),
    }
}
