//! A recurrence rule (RFC 5545, 3.3.10), read strictly: what is out of range is refused with a reason, never bent into
//! something else.

use chrono::{NaiveDate, NaiveDateTime, Weekday};

use super::Limits;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freq {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
}

/// A rule that is safe to expand: every value in range, and no period with more instances than bearable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub freq: Freq,
    /// At least 1.
    pub interval: u16,
    pub count: Option<u32>,
    pub until: Option<Until>,
    pub week_start: Weekday,
    /// Weekdays, with the ordinal where one is given.
    pub days: Vec<Day>,
    pub months: Vec<u8>,
    pub month_days: Vec<i8>,
    pub year_days: Vec<i16>,
    pub weeks: Vec<i8>,
    pub hours: Vec<u8>,
    pub minutes: Vec<u8>,
    pub seconds: Vec<u8>,
    pub positions: Vec<i32>,
}

/// A weekday, or the nth of it in its month or year (from the end where negative).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub nth: Option<i16>,
    pub weekday: Weekday,
}

/// The last moment a rule may reach, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    Date(NaiveDate),
    Wall(NaiveDateTime),
    Utc(NaiveDateTime),
}

impl Rule {
    /// Reads the value of an RRULE line. The error is a fragment that says what is wrong with it.
    pub fn parse(text: &str, limits: &Limits) -> Result<Rule, String> {
        let text = text.trim();
        if text.len() > 2_000 {
            return Err("its recurrence rule is longer than 2,000 characters".into());
        }
        let mut rule = Rule::every(Freq::Daily);
        let mut freq = None;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong(part, ""))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim());
            match name.as_str() {
                "FREQ" => freq = Some(read_freq(value)?),
                "INTERVAL" => rule.interval = number(&name, value, 1, 65_535)? as u16,
                "COUNT" => rule.count = Some(number(&name, value, 1, i64::from(u32::MAX))? as u32),
                "UNTIL" => rule.until = Some(read_until(value).ok_or_else(|| wrong(&name, value))?),
                "WKST" => rule.week_start = weekday(value).ok_or_else(|| wrong(&name, value))?,
                "BYDAY" => rule.days = list(&name, value, day)?,
                "BYMONTH" => rule.months = numbers(&name, value, 1, 12)?,
                "BYMONTHDAY" => rule.month_days = signed(&name, value, 31)?,
                "BYYEARDAY" => rule.year_days = signed(&name, value, 366)?,
                "BYWEEKNO" => rule.weeks = signed(&name, value, 53)?,
                "BYHOUR" => rule.hours = numbers(&name, value, 0, 23)?,
                "BYMINUTE" => rule.minutes = numbers(&name, value, 0, 59)?,
                "BYSECOND" => rule.seconds = numbers(&name, value, 0, 59)?,
                "BYSETPOS" => rule.positions = signed(&name, value, 366)?,
                "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
                "SKIP" if value.eq_ignore_ascii_case("OMIT") => {}
                "RSCALE" | "SKIP" => return Err(wrong(&name, value)),
                _ if name.starts_with("X-") => {}
                _ => return Err(wrong(&name, value)),
            }
        }
        rule.freq = freq.ok_or("its recurrence rule has no FREQ")?;
        rule.check(limits)?;
        Ok(rule)
    }

    /// A rule with nothing but a frequency.
    pub fn every(freq: Freq) -> Rule {
        Rule {
            freq,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Mon,
            days: Vec::new(),
            months: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Whether no day of any year can match, such as 30 February.
    pub fn never_happens(&self) -> bool {
        let possible = |month: u8| {
            let longest: i8 = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][usize::from(month) - 1];
            self.month_days.iter().any(|day| day.unsigned_abs() <= longest.unsigned_abs())
        };
        !self.months.is_empty() && !self.month_days.is_empty() && !self.months.iter().copied().any(possible)
    }

    fn check(&mut self, limits: &Limits) -> Result<(), String> {
        let period_days = match self.freq {
            Freq::Yearly => 366,
            Freq::Monthly => 31,
            Freq::Weekly => 7,
            Freq::Daily | Freq::Hourly => 1,
        };
        let times = self.hours.len().max(1) * self.minutes.len().max(1) * self.seconds.len().max(1);
        if times > limits.times_per_day || period_days * times > limits.instances_per_period {
            return Err(format!("its recurrence rule makes {times} occurrences a day, which is too many to expand"));
        }
        if self.freq != Freq::Yearly && !self.weeks.is_empty() {
            return Err("its recurrence rule has BYWEEKNO without FREQ=YEARLY".into());
        }
        if self.freq == Freq::Weekly && !self.month_days.is_empty() {
            return Err("its recurrence rule has BYMONTHDAY with FREQ=WEEKLY".into());
        }
        if matches!(self.freq, Freq::Monthly | Freq::Weekly | Freq::Daily) && !self.year_days.is_empty() {
            return Err("its recurrence rule has BYYEARDAY without FREQ=YEARLY".into());
        }
        if !matches!(self.freq, Freq::Yearly | Freq::Monthly) {
            // An ordinal has no meaning here; without it the rule only says more, never less.
            self.days.iter_mut().for_each(|day| day.nth = None);
        }
        if self.freq == Freq::Monthly && self.days.iter().any(|day| day.nth.is_some_and(|nth| nth.abs() > 5)) {
            return Err("its recurrence rule asks for more than five of a weekday in a month".into());
        }
        Ok(())
    }
}

fn read_freq(value: &str) -> Result<Freq, String> {
    match value.to_ascii_uppercase().as_str() {
        "YEARLY" => Ok(Freq::Yearly),
        "MONTHLY" => Ok(Freq::Monthly),
        "WEEKLY" => Ok(Freq::Weekly),
        "DAILY" => Ok(Freq::Daily),
        "HOURLY" => Ok(Freq::Hourly),
        "MINUTELY" | "SECONDLY" => {
            Err(format!("its recurrence rule repeats {}, which is not expanded", value.to_ascii_lowercase()))
        }
        _ => Err(wrong("FREQ", value)),
    }
}

/// `20261120`, `20261120T090000` or `20261120T090000Z`.
pub fn read_until(value: &str) -> Option<Until> {
    let date = |text: &str| {
        let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok()).flatten()
    };
    let Some((day, clock)) = value.split_once(['T', 't']) else {
        return date(value).map(Until::Date);
    };
    let (clock, utc) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, true),
        None => (clock, false),
    };
    if clock.len() != 6 || !clock.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| clock[at..at + 2].parse::<u32>().ok();
    let wall = date(day)?.and_hms_opt(part(0)?, part(2)?, part(4)?.min(59))?;
    Some(if utc { Until::Utc(wall) } else { Until::Wall(wall) })
}

fn number(name: &str, value: &str, least: i64, most: i64) -> Result<i64, String> {
    value.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| wrong(name, value))
}

fn list<T: PartialEq>(name: &str, value: &str, one: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let mut items = Vec::new();
    for item in value.split(',') {
        let item = one(item.trim()).ok_or_else(|| wrong(name, item))?;
        if !items.contains(&item) {
            items.push(item);
        }
    }
    Ok(items)
}

fn numbers(name: &str, value: &str, least: i64, most: i64) -> Result<Vec<u8>, String> {
    list(name, value, |item| number(name, item, least, most).ok().and_then(|number| u8::try_from(number).ok()))
}

/// Numbers from `-most` to `most` without 0.
fn signed<T: TryFrom<i64> + PartialEq>(name: &str, value: &str, most: i64) -> Result<Vec<T>, String> {
    list(name, value, |item| {
        let number = number(name, item.trim_start_matches('+'), -most, most).ok().filter(|number| *number != 0)?;
        T::try_from(number).ok()
    })
}

/// `MO`, `+2TU`, `-1FR`.
fn day(item: &str) -> Option<Day> {
    let at = item.len().checked_sub(2).filter(|at| item.is_char_boundary(*at))?;
    let (ordinal, name) = item.split_at(at);
    let nth = match ordinal.trim_start_matches('+') {
        "" => None,
        digits => Some(digits.parse::<i16>().ok().filter(|nth| *nth != 0 && nth.abs() <= 53)?),
    };
    weekday(name).map(|weekday| Day { nth, weekday })
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

fn wrong(name: &str, value: &str) -> String {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(40).collect::<String>();
    format!("its recurrence rule has an invalid part, `{}={}`", clean(name), clean(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Rule, String> {
        Rule::parse(text, &Limits::default())
    }

    #[test]
    fn values_out_of_range_are_refused_not_wrapped() {
        for text in [
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=65537",
            "FREQ=DAILY;COUNT=99999999999999999999",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;UNTIL=20261399",
            "FREQ=DAILY;BYHOUR=265",
            "FREQ=MONTHLY;BYMONTHDAY=300",
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
            "FREQ=MONTHLY;BYDAY=9MO",
            "FREQ=DAILY;BYDAY=ÄÖ",
            "FREQ=FORTNIGHTLY",
            "INTERVAL=2",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rules_that_ring_every_second_are_refused() {
        assert!(parse("FREQ=SECONDLY").unwrap_err().contains("secondly"));
        let every = |most: u32| (0..most).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let text = format!("FREQ=YEARLY;BYHOUR={};BYMINUTE={};BYSECOND={}", every(24), every(60), every(60));
        assert!(parse(&text).unwrap_err().contains("too many"));
        assert!(parse("FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9,12,17").is_ok());
    }

    #[test]
    fn a_thirtieth_of_february_never_happens() {
        assert!(parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30").unwrap().never_happens());
        assert!(!parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29").unwrap().never_happens());
        assert!(!parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-29").unwrap().never_happens());
    }
}
