//! Which part of the ledger is asked for.

use chrono_tz::Tz;

use crate::clock::{DAY, Time};
use crate::command::time::{Lean, parse_time};
use crate::name::PlanId;

/// From a moment on, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Period {
    pub from: Time,
    /// Not part of it.
    pub to: Time,
}

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Everything,
    Plan(PlanId),
    Period(Period),
}

impl Period {
    /// All time.
    pub const EVER: Period = Period { from: Time::from_ms(0), to: Time::from_ms(i64::MAX) };

    /// Reads what people type: a day (as `to` it is part of the period), or any moment. The error is one sentence.
    pub fn read(from: Option<&str>, to: Option<&str>, now: Time, zone: Tz) -> Result<Period, String> {
        let read = |text: &str, after: i64| -> Result<Time, String> {
            match chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
                Ok(day) => {
                    let day = if after > 0 { day.succ_opt().unwrap_or(day) } else { day };
                    parse_time(&format!("{day} 00:00"), now, zone, Lean::Future)
                }
                Err(_) => parse_time(text, now, zone, Lean::Past),
            }
        };
        let period = Period {
            from: from.map_or(Ok(Period::EVER.from), |text| read(text, 0))?,
            to: to.map_or(Ok(Period::EVER.to), |text| read(text, DAY))?,
        };
        if period.from >= period.to {
            return Err("The period ends before it begins.".to_owned());
        }
        Ok(period)
    }
}

impl Wanted {
    /// A plan, a period, or everything.
    pub fn of(plan: Option<&str>, period: Option<Period>) -> Result<Wanted, String> {
        match (plan.map(str::trim).filter(|plan| !plan.is_empty()), period) {
            (Some(_), Some(_)) => Err("A plan or a period is exported, not both at once.".to_owned()),
            (Some(plan), None) => Ok(Wanted::Plan(PlanId::new(plan.trim_matches('`').to_lowercase()))),
            (None, Some(period)) => Ok(Wanted::Period(period)),
            (None, None) => Ok(Wanted::Everything),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_part_of_the_period_that_ends_with_it() {
        let (now, zone) = (Time::parse_rfc3339("2026-11-21T12:00:00Z").unwrap(), chrono_tz::Tz::America__Los_Angeles);
        let period = Period::read(Some("2026-11-01"), Some("2026-11-20"), now, zone).unwrap();
        // Summer time ended on the first of November.
        assert_eq!(period.from.rfc3339(), "2026-11-01T07:00:00Z");
        assert_eq!(period.to.rfc3339(), "2026-11-21T08:00:00Z");
        assert!(Period::read(Some("2026-11-20"), Some("2026-11-01"), now, zone).is_err());
        assert!(Period::read(Some("soonish"), None, now, zone).is_err());
        assert_eq!(Period::read(None, None, now, zone), Ok(Period::EVER));
    }
}
