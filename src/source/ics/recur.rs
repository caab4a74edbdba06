//! Expands one recurrence rule on wall-clock time, for a stretch of time only.
//!
//! Periods (years, months, weeks, days, hours) are visited one by one, beginning just before the stretch, and every day
//! looked at is charged to a budget. That is why the walk is our own: the `rrule` crate walks from a rule's first day
//! and may search a hundred thousand periods before it answers, which no budget around it can bound. It is the
//! reference that the tests compare with.

use std::ops::ControlFlow;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};

use super::rule::{Day, Freq, Rule};

/// How many steps may still be taken: the clock is not read here, so work is counted instead.
#[derive(Clone, Debug)]
pub struct Budget(u64);

impl Budget {
    pub fn new(steps: u64) -> Budget {
        Budget(steps)
    }

    /// Takes `steps` from the budget; false once it is used up, and from then on.
    pub fn spend(&mut self, steps: u64) -> bool {
        let enough = self.0 >= steps;
        self.0 = if enough { self.0 - steps } else { 0 };
        enough
    }

    /// What was taken of a budget that began with `steps`.
    pub fn spent(&self, steps: u64) -> u64 {
        steps - self.0
    }
}

/// A rule could not be expanded: the reason, as a fragment.
pub type Refused = String;

/// What is said when the budget is used up.
pub const TOO_MUCH_WORK: &str = "expanding it takes more work than is allowed";

/// Setting out costs about as much as this many days looked at.
const SETTING_OUT: u64 = 10;

/// Wall-clock starts of a rule in `from..to` and not after `until`, in order. `first` is where the series begins; it
/// is an instance only where it matches the rule. A COUNT is obeyed by walking from the first.
pub fn starts(
    rule: &Rule,
    first: NaiveDateTime,
    (from, to): (NaiveDateTime, NaiveDateTime),
    until: Option<NaiveDateTime>,
    budget: &mut Budget,
) -> Result<Vec<NaiveDateTime>, Refused> {
    let mut found = Vec::new();
    let from = from.max(first);
    if from >= to || until.is_some_and(|until| until < from) || rule.never_happens() {
        return Ok(found);
    }
    let last = until.map_or(to, |until| to.min(until + TimeDelta::seconds(1)));
    let mut left = rule.count;
    let begin = if left.is_some() { first } else { from };
    walk(rule, first, begin, last, budget, |start| {
        if start >= from {
            found.push(start);
        }
        left = left.map(|left| left.saturating_sub(1));
        if left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// The last start of a rule that ends by COUNT, so that later expansions need not count. `None` if it ends beyond
/// `horizon`, which is as good as never.
pub fn last_of_count(
    rule: &Rule,
    first: NaiveDateTime,
    horizon: NaiveDateTime,
    budget: &mut Budget,
) -> Result<Option<NaiveDateTime>, Refused> {
    let Some(count) = rule.count else { return Ok(None) };
    if let Some(days) = plain_days(rule, first) {
        let days = i64::from(count - 1) * i64::from(rule.interval) * days;
        let last = TimeDelta::try_days(days).and_then(|far| first.checked_add_signed(far));
        return Ok(last.filter(|last| *last < horizon));
    }
    let mut left = count;
    let mut last = first - TimeDelta::seconds(1);
    if !rule.never_happens() {
        walk(rule, first, first, horizon, budget, |start| {
            last = start;
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok((left == 0 || rule.never_happens()).then_some(last))
}

/// The length in days of the step of a rule that has exactly one instance each step, on the series' own weekday.
fn plain_days(rule: &Rule, first: NaiveDateTime) -> Option<i64> {
    let filtered = !(rule.months.is_empty()
        && rule.month_days.is_empty()
        && rule.year_days.is_empty()
        && rule.weeks.is_empty()
        && rule.hours.is_empty()
        && rule.minutes.is_empty()
        && rule.seconds.is_empty()
        && rule.positions.is_empty());
    let own_day = rule.days.is_empty() || rule.days == [Day { nth: None, weekday: first.weekday() }];
    match rule.freq {
        Freq::Daily if !filtered && rule.days.is_empty() => Some(1),
        Freq::Weekly if !filtered && own_day => Some(7),
        _ => None,
    }
}

/// The rule with what it takes from its series' start written into it, so that it may start elsewhere.
fn spelled_out(rule: &Rule, first: NaiveDateTime) -> Rule {
    let mut rule = rule.clone();
    let on_its_own_day = Day { nth: None, weekday: first.weekday() };
    let no_day = rule.days.is_empty() && rule.month_days.is_empty() && rule.year_days.is_empty();
    match rule.freq {
        Freq::Yearly if no_day && !rule.weeks.is_empty() => rule.days = vec![on_its_own_day],
        Freq::Yearly if no_day => {
            rule.month_days = vec![first.day() as i8];
            if rule.months.is_empty() {
                rule.months = vec![first.month() as u8];
            }
        }
        Freq::Monthly if no_day => rule.month_days = vec![first.day() as i8],
        Freq::Weekly if no_day => rule.days = vec![on_its_own_day],
        _ => {}
    }
    if rule.hours.is_empty() && rule.freq != Freq::Hourly {
        rule.hours = vec![first.hour() as u8];
    }
    if rule.minutes.is_empty() {
        rule.minutes = vec![first.minute() as u8];
    }
    if rule.seconds.is_empty() {
        rule.seconds = vec![first.second() as u8];
    }
    rule
}

/// Visits the instances of a rule from the period that holds `from` (or the one before) up to `to`, in order.
fn walk(
    rule: &Rule,
    first: NaiveDateTime,
    from: NaiveDateTime,
    to: NaiveDateTime,
    budget: &mut Budget,
    mut visit: impl FnMut(NaiveDateTime) -> ControlFlow<()>,
) -> Result<(), Refused> {
    let rule = spelled_out(rule, first);
    let mut number = first_period(&rule, first, from.max(first));
    let times = times(&rule);
    let mut instances = Vec::new();
    if !budget.spend(SETTING_OUT) {
        return Err(TOO_MUCH_WORK.into());
    }
    while let Some(period) = Period::numbered(&rule, first, number).filter(|period| period.start < to) {
        number += 1;
        instances.clear();
        let looked_at = period.fill(&rule, &times, &mut instances);
        if !budget.spend(looked_at + instances.len() as u64) {
            return Err(TOO_MUCH_WORK.into());
        }
        if !rule.positions.is_empty() {
            instances = picked(&instances, &rule.positions);
        }
        for start in instances.iter().copied().filter(|start| *start >= first) {
            if start >= to || visit(start).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One period of a rule: the days to look at, or one hour of one day.
struct Period {
    start: NaiveDateTime,
    days: u64,
    hour: Option<u32>,
}

impl Period {
    /// The period `number` intervals after the one in which the series begins. `None` beyond the end of time.
    fn numbered(rule: &Rule, first: NaiveDateTime, number: i64) -> Option<Period> {
        let far = number.checked_mul(i64::from(rule.interval))?;
        let day = first.date();
        let (start, days) = match rule.freq {
            Freq::Yearly => {
                let year = i32::try_from(i64::from(day.year()) + far).ok()?;
                let start = NaiveDate::from_ymd_opt(year, 1, 1)?;
                (start, days_of_year(start))
            }
            Freq::Monthly => {
                let start = day.with_day(1)?.checked_add_months(Months::new(u32::try_from(far).ok()?))?;
                (start, u32::from(start.num_days_in_month()))
            }
            Freq::Weekly => (week_of(day, rule.week_start).checked_add_signed(TimeDelta::try_weeks(far)?)?, 7),
            Freq::Daily => (day.checked_add_signed(TimeDelta::try_days(far)?)?, 1),
            Freq::Hourly => {
                let hour = day.and_hms_opt(first.hour(), 0, 0)?.checked_add_signed(TimeDelta::try_hours(far)?)?;
                return Some(Period { start: hour, days: 1, hour: Some(hour.hour()) });
            }
        };
        Some(Period { start: start.and_time(NaiveTime::MIN), days: days.into(), hour: None })
    }

    /// Adds the instances of this period in order, and says how many days were looked at.
    fn fill(&self, rule: &Rule, times: &[NaiveTime], instances: &mut Vec<NaiveDateTime>) -> u64 {
        if self.hour.is_some_and(|hour| !rule.hours.is_empty() && !rule.hours.contains(&(hour as u8))) {
            return 1;
        }
        let mut looked_at = 0;
        let mut day = self.start.date();
        let end = day.checked_add_days(Days::new(self.days)).unwrap_or(NaiveDate::MAX);
        while day < end {
            looked_at += 1;
            if !rule.months.is_empty() && !rule.months.contains(&(day.month() as u8)) {
                // The whole month is out.
                let next = day.with_day(1).and_then(|day| day.checked_add_months(Months::new(1)));
                let Some(next) = next else { break };
                day = next;
                continue;
            }
            if falls_on(rule, day) {
                let of_hour = times.iter().map(|time| match self.hour {
                    Some(hour) => time.with_hour(hour).unwrap_or(*time),
                    None => *time,
                });
                instances.extend(of_hour.map(|time| day.and_time(time)));
            }
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
        looked_at
    }
}

/// The number of the last period that begins a whole interval before `from`, or the first one: BYSETPOS and weeks that
/// reach into another year are then whole when `from` comes.
fn first_period(rule: &Rule, first: NaiveDateTime, from: NaiveDateTime) -> i64 {
    let years = i64::from(from.year() - first.year());
    let passed = match rule.freq {
        Freq::Yearly => years,
        Freq::Monthly => years * 12 + i64::from(from.month()) - i64::from(first.month()),
        Freq::Weekly => (from.date() - first.date()).num_days() / 7,
        Freq::Daily => (from.date() - first.date()).num_days(),
        Freq::Hourly => (from - first).num_hours(),
    };
    (passed / i64::from(rule.interval) - 1).max(0)
}

/// Whether a day of a fitting month is one that the rule asks for.
fn falls_on(rule: &Rule, day: NaiveDate) -> bool {
    // A place counted from the start or, where negative, from the end.
    let is_at = |place: i64, of: u32, at: u32| place == i64::from(at) || place == i64::from(at) - i64::from(of) - 1;
    let month = u32::from(day.num_days_in_month());
    let at_month_day = || rule.month_days.iter().any(|place| is_at(i64::from(*place), month, day.day()));
    let at_year_day = || rule.year_days.iter().any(|place| is_at(i64::from(*place), days_of_year(day), day.ordinal()));
    let in_week = || {
        let (number, of) = week_number(day, rule.week_start);
        rule.weeks.iter().any(|place| is_at(i64::from(*place), of, number))
    };
    let of_month = rule.freq == Freq::Monthly || !rule.months.is_empty();
    let on_weekday = || {
        let weekday = day.weekday();
        rule.days.iter().filter(|wanted| wanted.weekday == weekday).any(|wanted| {
            let Some(nth) = wanted.nth.filter(|_| rule.weeks.is_empty()) else { return true };
            let (at, of) = if of_month { (day.day(), month) } else { (day.ordinal(), days_of_year(day)) };
            let count = if nth > 0 { (at - 1) / 7 + 1 } else { (of - at) / 7 + 1 };
            count == u32::from(nth.unsigned_abs())
        })
    };
    (rule.days.is_empty() || on_weekday())
        && (rule.month_days.is_empty() || at_month_day())
        && (rule.year_days.is_empty() || at_year_day())
        && (rule.weeks.is_empty() || in_week())
}

fn days_of_year(day: NaiveDate) -> u32 {
    if day.leap_year() { 366 } else { 365 }
}

fn week_of(day: NaiveDate, week_start: Weekday) -> NaiveDate {
    day.checked_sub_days(Days::new(day.weekday().days_since(week_start).into())).unwrap_or(day)
}

/// The number of a day's week, and how many weeks that year has. Week 1 is the first with four days in its year.
fn week_number(day: NaiveDate, week_start: Weekday) -> (u32, u32) {
    let week = week_of(day, week_start);
    let year = week.checked_add_days(Days::new(3)).unwrap_or(week).year();
    let first_of = |year| NaiveDate::from_ymd_opt(year, 1, 4).map_or(week, |day| week_of(day, week_start));
    let first = first_of(year);
    let weeks = |from: NaiveDate, to: NaiveDate| u32::try_from((to - from).num_weeks()).unwrap_or(0);
    (weeks(first, week) + 1, weeks(first, first_of(year + 1)))
}

/// The times of day of a spelled-out rule, in order; for hourly rules, those within an hour.
fn times(rule: &Rule) -> Vec<NaiveTime> {
    let hours = if rule.freq == Freq::Hourly { &[0][..] } else { &rule.hours[..] };
    let mut times = Vec::new();
    for hour in hours {
        for minute in &rule.minutes {
            let of_minute = rule.seconds.iter();
            times.extend(
                of_minute
                    .filter_map(|second| NaiveTime::from_hms_opt((*hour).into(), (*minute).into(), (*second).into())),
            );
        }
    }
    times.sort_unstable();
    times
}

/// The instances at the places that BYSETPOS names.
fn picked(instances: &[NaiveDateTime], positions: &[i32]) -> Vec<NaiveDateTime> {
    let count = i64::try_from(instances.len()).unwrap_or(i64::MAX);
    let place = |position: &i32| {
        let position = i64::from(*position);
        usize::try_from(if position > 0 { position - 1 } else { count + position }).ok()
    };
    let mut picked = positions.iter().filter_map(place).filter_map(|at| instances.get(at).copied()).collect::<Vec<_>>();
    picked.sort_unstable();
    picked.dedup();
    picked
}

#[cfg(test)]
mod tests;
