//! Is this a good time, and when would be a better one? Everything that varies with time is laid out once in a
//! [`Timeline`]; then any moment can be judged in words ([`Timeline::moment`]) or in numbers ([`Timeline::cost`]), and
//! [`windows`] searches the days ahead.

mod calendar;
mod check;
mod cost;
mod gap;
mod load;
mod local;
mod obstacle;
mod on_call;
mod people;
mod reason;
mod search;
mod spans;
mod timeline;
mod windows;

#[cfg(test)]
mod tests;

use super::{Context, Flag, Part, Points};
use crate::clock::Time;
use crate::name::SourceName;

pub use cost::{Fit, SlotCost};
pub use timeline::Timeline;
pub use windows::windows;

/// What is asked about a moment. Points of the score that come from these vary with time: a base score for [`windows`]
/// must leave all of them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Window,
    Freeze,
    PeakTraffic,
    Watchable,
    OnCall,
    People,
    Soak,
    Launch,
    InFlight,
    QuietHour,
}

/// One moment, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// In the order of [`Code::ALL`]; checks that are off are absent, those in shadow are here. Launches and other
    /// deployments are not among them: the brief's own checks tell of those.
    pub flags: Vec<Flag>,
    /// What counts for the score: the points of checks that are on, launches and other deployments included.
    pub points: Vec<Points>,
}

impl Moment {
    /// What beginning at this moment adds to the score.
    pub fn total(&self) -> i32 {
        self.points.iter().map(|points| points.points).sum()
    }
}

impl Code {
    pub const ALL: [Code; 10] = [
        Code::Window,
        Code::Freeze,
        Code::PeakTraffic,
        Code::Watchable,
        Code::OnCall,
        Code::People,
        Code::Soak,
        Code::Launch,
        Code::InFlight,
        Code::QuietHour,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Window => "timing.window",
            Code::Freeze => "timing.freeze",
            Code::PeakTraffic => "timing.peak-traffic",
            Code::Watchable => "timing.watchable",
            Code::OnCall => "timing.on-call",
            Code::People => "timing.people",
            Code::Soak => "timing.soak",
            Code::Launch => "coordination.launch",
            Code::InFlight => "coordination.in-flight",
            Code::QuietHour => "users.quiet-hour",
        }
    }

    /// The most points that it can give. Windows and freezes are matters of policy, not of degree.
    pub const fn of(self) -> i32 {
        match self {
            Code::Window | Code::Freeze | Code::QuietHour => 0,
            Code::PeakTraffic => 20,
            Code::Watchable => 12,
            Code::OnCall => 8,
            Code::People | Code::Soak | Code::Launch | Code::InFlight => 6,
        }
    }

    /// What it gives while the answer is unknown: about half where it is load, a third elsewhere. Nothing at all would
    /// read as the best case.
    pub const fn of_unknown(self) -> i32 {
        match self {
            Code::PeakTraffic => 10,
            other => other.of() / 3,
        }
    }

    /// Two changes at once make a fault likelier; everything else here makes one matter more.
    pub const fn part(self) -> Part {
        match self {
            Code::Soak | Code::InFlight => Part::Likelihood,
            _ => Part::Consequence,
        }
    }
}

/// The share of the weekly peak at a moment, in thousandths, and which source says so: what was measured just now for the
/// present, the usual week for what is to come. None: nobody knows,
/// or only in part.
pub fn traffic<'a>(ctx: &Context<'a>, at: Time) -> Option<(u32, &'a SourceName)> {
    let profile = load::Profile::read(ctx);
    let source = &profile.fact.filter(|fact| fact.incomplete.is_empty())?.source;
    // Of the present the usual week is no measurement.
    if at <= ctx.now && profile.measured.is_none() {
        return None;
    }
    Some((profile.at(at.ms())?, source))
}
