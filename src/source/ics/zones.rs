//! The time zones that one calendar speaks of: by names that the world knows, names that Windows gives, or definitions
//! that it brings along.

use std::collections::HashMap;
use std::sync::Arc;

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue};

use super::Limits;
use super::parse::{first, plain};
use super::recur::Budget;
use super::rule::Rule;
use super::zone::{CustomZone, Observance, Zone};

/// The time zones of one calendar, worked out when first needed.
pub(super) struct Zones<'a> {
    calendar: &'a ICalendar,
    /// For times without a zone.
    pub own: Zone,
    /// Where each zone that the calendar brings along is defined.
    defined: HashMap<&'a str, &'a ICalendarComponent>,
    /// Names looked up before; what was wrong with them, where something was.
    known: HashMap<String, Result<Zone, String>>,
    budget: &'a mut Budget,
}

impl<'a> Zones<'a> {
    pub fn of(calendar: &'a ICalendar, budget: &'a mut Budget) -> Zones<'a> {
        let own = calendar.components.first().and_then(|calendar| {
            let stated =
                calendar.entries.iter().find(|entry| entry.name.as_str().eq_ignore_ascii_case("X-WR-TIMEZONE"));
            stated?.values.first()?.as_text()?.trim().parse().ok()
        });
        let zones = calendar.components.iter().filter(|part| part.component_type == ICalendarComponentType::VTimezone);
        let defined = zones.filter_map(|zone| Some((first(zone, &ICalendarProperty::Tzid)?.as_text()?, zone)));
        Zones {
            own: own.map_or(Zone::Floating, Zone::Named),
            defined: defined.collect(),
            calendar,
            known: HashMap::new(),
            budget,
        }
    }

    /// The zone that a TZID names. One that nothing is known about is noted, and the calendar's own taken for it.
    pub fn named(&mut self, name: &str, problems: &mut Vec<String>) -> Zone {
        if !self.known.contains_key(name) {
            let found = self.find(name);
            self.known.insert(name.to_owned(), found);
        }
        match &self.known[name] {
            Ok(zone) => zone.clone(),
            Err(reason) => {
                if !problems.contains(reason) {
                    problems.push(reason.clone());
                }
                self.own.clone()
            }
        }
    }

    fn find(&mut self, name: &str) -> Result<Zone, String> {
        if let Ok(zone) = name.trim().parse() {
            return Ok(Zone::Named(zone));
        }
        if let Some(definition) = self.defined.get(name) {
            let parts = definition.component_ids.iter().filter_map(|id| self.calendar.components.get(*id as usize));
            let observances = parts.take(64).filter_map(observance).collect::<Vec<_>>();
            let zone = CustomZone::new(&observances, self.budget);
            let zone = zone.map_err(|reason| format!("its times may be off: {reason}"))?;
            if let Some(zone) = zone {
                return Ok(Zone::Custom(Arc::new(zone)));
            }
        }
        if let Some(zone) = ending_in_a_known_name(name) {
            return Ok(Zone::Named(zone));
        }
        match name.parse::<calcard::common::timezone::Tz>() {
            Ok(calcard::common::timezone::Tz::Tz(zone)) => Ok(Zone::Named(zone)),
            Ok(calcard::common::timezone::Tz::Fixed(offset)) => Ok(Zone::Fixed(offset.local_minus_utc())),
            _ => Err(format!("its time zone `{}` is unknown, so its times may be off", plain(name, 60, false))),
        }
    }
}

/// Some programs put a path before the name: `/example.org/Tzfile/Europe/Berlin`.
fn ending_in_a_known_name(name: &str) -> Option<chrono_tz::Tz> {
    let path = name.trim().strip_prefix('/')?;
    let cuts = path.match_indices('/').take(8).map(|(at, _)| &path[at + 1..]);
    std::iter::once(path).chain(cuts).find_map(|name| name.parse().ok())
}

fn observance(component: &ICalendarComponent) -> Option<Observance> {
    if !matches!(component.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight) {
        return None;
    }
    let wall = |value: &ICalendarValue| value.as_partial_date_time()?.to_date_time().map(|at| at.date_time);
    let offset = |name: &ICalendarProperty| {
        let at = first(component, name)?.as_partial_date_time()?;
        let seconds = i32::from(at.tz_hour?) * 3_600 + i32::from(at.tz_minute.unwrap_or(0)) * 60;
        (seconds < 86_400).then_some(if at.tz_minus { -seconds } else { seconds })
    };
    let limits = Limits::default();
    let rules = component.properties(&ICalendarProperty::Rrule).filter_map(|property| match property.values.first() {
        Some(ICalendarValue::RecurrenceRule(rule)) => Rule::parse(&rule.to_string(), &limits).ok(),
        _ => None,
    });
    Some(Observance {
        start: first(component, &ICalendarProperty::Dtstart).and_then(wall)?,
        from: offset(&ICalendarProperty::Tzoffsetfrom)?,
        to: offset(&ICalendarProperty::Tzoffsetto)?,
        rules: rules.collect(),
        dates: component
            .properties(&ICalendarProperty::Rdate)
            .flat_map(|rdate| &rdate.values)
            .filter_map(wall)
            .collect(),
    })
}
