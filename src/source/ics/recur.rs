//! Expands one recurrence rule on wall-clock time, for a stretch of time only.
//!
//! The `rrule` crate walks from a rule's first day and offers no bound on its work; so it is given rules whose implied
//! parts are spelled out, a start moved forward to just before the stretch, and a budget that every step is charged to.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Tz};

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
}

/// A rule could not be expanded: the reason, as a fragment.
pub type Refused = String;

/// What is said when the budget is used up.
pub const TOO_MUCH_WORK: &str = "expanding it takes more work than is allowed";

/// A search that ends without an instance may have looked at a hundred thousand periods.
const SEARCHED_IN_VAIN: u64 = 20_000;
/// Reading a rule and setting out costs about as much as this many steps.
const SETTING_OUT: u64 = 20;

/// Wall-clock starts of a rule in `from..to` and not after `until`, in order. `first` is where the series begins; it
/// is an instance only where it matches the rule. A COUNT is obeyed by walking from the first.
pub fn starts(
    rule: &Rule,
    first: NaiveDateTime,
    (from, to): (NaiveDateTime, NaiveDateTime),
    until: Option<NaiveDateTime>,
    budget: &mut Budget,
) -> Result<Vec<NaiveDateTime>, Refused> {
    let from = from.max(first);
    if from >= to || until.is_some_and(|until| until < from) || rule.never_happens() {
        return Ok(Vec::new());
    }
    let rule = spelled_out(rule, first);
    let begin = if rule.count.is_some() { first } else { just_before(&rule, first, from) };
    let mut found = Vec::new();
    let walk = walk(&rule, begin)?;
    if !budget.spend(SETTING_OUT) {
        return Err(TOO_MUCH_WORK.into());
    }
    for start in walk {
        if !budget.spend(1) {
            return Err(TOO_MUCH_WORK.into());
        }
        if start >= to || until.is_some_and(|until| start > until) {
            return Ok(found);
        }
        if start >= from {
            found.push(start);
        }
    }
    if rule.count.is_none() && !budget.spend(SEARCHED_IN_VAIN) {
        return Err(TOO_MUCH_WORK.into());
    }
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
    let steps = i64::from(count - 1) * i64::from(rule.interval);
    if let Some(days) = plain_days(rule, first) {
        let last = steps.checked_mul(days).and_then(TimeDelta::try_days).and_then(|far| first.checked_add_signed(far));
        return Ok(last.filter(|last| *last < horizon));
    }
    // The walk starts where the rule does, so what it returns begins there too: one pass finds the last.
    let rule = spelled_out(rule, first);
    if rule.never_happens() {
        return Ok(Some(first - TimeDelta::seconds(1)));
    }
    let mut last = None;
    for start in walk(&rule, first)? {
        if !budget.spend(1) {
            return Err(TOO_MUCH_WORK.into());
        }
        if start >= horizon {
            return Ok(None);
        }
        last = Some(start);
    }
    Ok(last.or(Some(first - TimeDelta::seconds(1))))
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

/// A start some whole intervals later, with at least one whole period left before `from`: BYSETPOS counts in whole
/// periods, and the first one may be cut.
fn just_before(rule: &Rule, first: NaiveDateTime, from: NaiveDateTime) -> NaiveDateTime {
    let interval = i64::from(rule.interval);
    let days = (from.date() - first.date()).num_days();
    let later = |days: i64| u64::try_from(days).ok().and_then(|days| first.checked_add_days(Days::new(days)));
    let jumped = match rule.freq {
        Freq::Hourly => {
            let hours = ((from - first).num_hours() - 48).max(0) / interval * interval;
            TimeDelta::try_hours(hours).and_then(|far| first.checked_add_signed(far))
        }
        Freq::Daily => later((days - 2).max(0) / interval * interval),
        Freq::Weekly => later((days - 14).max(0) / (7 * interval) * (7 * interval)),
        Freq::Monthly => {
            let months = i64::from(from.year() - first.year()) * 12 + i64::from(from.month()) - i64::from(first.month());
            let months = (months - 1).max(0) / interval * interval;
            let month = first.date().with_day(1).and_then(|day| day.checked_add_months(Months::new(months as u32)));
            month.filter(|_| months > 0).map(|day| day.and_time(NaiveTime::MIN))
        }
        Freq::Yearly => {
            let years = (i64::from(from.year() - first.year()) - 1).max(0) / interval * interval;
            let year = NaiveDate::from_ymd_opt(first.year() + years as i32, 1, 1);
            year.filter(|_| years > 0).map(|day| day.and_time(NaiveTime::MIN))
        }
    };
    jumped.unwrap_or(first)
}

/// Walks a spelled-out rule from `begin`. Wall-clock time is walked as if it were UTC: no gaps, no overlaps.
fn walk(rule: &Rule, begin: NaiveDateTime) -> Result<impl Iterator<Item = NaiveDateTime> + use<>, Refused> {
    let months = rule.months.iter().filter_map(|month| chrono::Month::try_from(*month).ok()).collect::<Vec<_>>();
    let days = rule.days.iter().map(|day| match day.nth {
        Some(nth) => NWeekday::Nth(nth, day.weekday),
        None => NWeekday::Every(day.weekday),
    });
    let mut walked = RRule::new(match rule.freq {
        Freq::Yearly => Frequency::Yearly,
        Freq::Monthly => Frequency::Monthly,
        Freq::Weekly => Frequency::Weekly,
        Freq::Daily => Frequency::Daily,
        Freq::Hourly => Frequency::Hourly,
    })
    .interval(rule.interval)
    .week_start(rule.week_start)
    .by_month(&months)
    .by_month_day(rule.month_days.clone())
    .by_year_day(rule.year_days.clone())
    .by_week_no(rule.weeks.clone())
    .by_weekday(days.collect())
    .by_hour(rule.hours.clone())
    .by_minute(rule.minutes.clone())
    .by_second(rule.seconds.clone())
    .by_set_pos(rule.positions.clone());
    if let Some(count) = rule.count {
        walked = walked.count(count);
    }
    let begin = Tz::UTC.from_utc_datetime(&begin);
    let walked = walked.validate(begin).map_err(|_| "its recurrence rule contradicts itself".to_owned())?;
    Ok(RRuleSet::new(begin).rrule(walked).limit().into_iter().map(|start| start.naive_utc()))
}
