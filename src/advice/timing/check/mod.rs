//! The questions about a moment, a file each. Each answers with one flag, or with none where it does not apply.

mod freeze;
mod on_call;
mod peak_traffic;
mod people;
mod quiet_hour;
mod soak;
mod watchable;
mod window;

use super::gap::Gap;
use super::{Code, SlotCost, Timeline};
use crate::advice::{Because, Flag, FlagLevel, Mitigation, says};
use crate::clock::{Millis, Time};

pub use window::{needs, rule};

/// The answer of one check about a plan that begins at `at`.
pub fn flag(line: &Timeline<'_>, code: Code, at: Millis, cost: &SlotCost) -> Option<Flag> {
    let look = Look { line, at, cost, code };
    let told_elsewhere = matches!(code, Code::Launch | Code::InFlight);
    if at > line.last && !told_elsewhere {
        return Some(look.unknown_because("Too far ahead to be judged.".to_owned(), Vec::new()));
    }
    match code {
        Code::Window => window::flag(&look),
        Code::Freeze => Some(freeze::flag(&look)),
        Code::PeakTraffic => Some(peak_traffic::flag(&look)),
        Code::Watchable => Some(watchable::flag(&look)),
        Code::OnCall => Some(on_call::flag(&look)),
        Code::People => Some(people::flag(&look)),
        Code::Soak => Some(soak::flag(&look)),
        // The brief's own checks tell who else moves; the moment gives the points.
        Code::Launch | Code::InFlight => None,
        Code::QuietHour => Some(quiet_hour::flag(&look)),
    }
}

/// One check's look at one moment.
pub struct Look<'t, 'a> {
    pub line: &'t Timeline<'a>,
    pub at: Millis,
    pub cost: &'t SlotCost,
    pub code: Code,
}

impl Look<'_, '_> {
    pub fn flag(&self, level: FlagLevel, says: String, because: Vec<Because>) -> Flag {
        Flag {
            code: self.code.as_str().to_owned(),
            level,
            says,
            because,
            points: self.cost.part(self.code),
            of: self.code.of(),
            would_help: None,
        }
    }

    /// What cannot be answered: "Freezes unknown: company-calendar did not answer in 2 s."
    pub fn unknown(&self, subject: &str, gap: &Gap) -> Flag {
        self.unknown_because(format!("{subject} unknown: {}.", gap.reason), gap.because.clone())
    }

    pub fn unknown_because(&self, says: String, because: Vec<Because>) -> Flag {
        self.flag(FlagLevel::Unknown, says, because)
    }

    /// What waiting would change, where it makes the moment better (or, for a rule, where it keeps it).
    pub fn wait_until(&self, until: Option<Millis>) -> Option<Mitigation> {
        let until = until.filter(|until| *until > self.at && *until <= self.line.last)?;
        let delta = self.line.cost(Time::from_ms(until)).points - self.cost.points;
        let worth = delta < 0 || self.code.of() == 0;
        worth.then(|| Mitigation { says: format!("Wait until {}", self.time(until)), delta })
    }

    pub fn time(&self, at: Millis) -> String {
        says::time(Time::from_ms(at), self.line.zone, self.line.ctx.now)
    }

    pub fn range(&self, start: Millis, end: Millis) -> String {
        says::range(Time::from_ms(start), Time::from_ms(end), self.line.zone, self.line.ctx.now)
    }

    pub fn is_now(&self) -> bool {
        self.at == self.line.ctx.now.ms()
    }

    /// When the deployment would be done.
    pub fn done(&self) -> Millis {
        self.at + self.line.length
    }

    /// When the watch would end.
    pub fn watched(&self) -> Millis {
        self.line.watched_until(self.at)
    }

    /// The end of the deployment and the first hours of its watch.
    pub fn looked(&self) -> Millis {
        self.at + self.line.look
    }
}
