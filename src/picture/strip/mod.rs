//! The window strip: when is good, why, and what stands in the way, over the next days.
//!
//! Above, the suggested windows in words; below, on one axis of time, traffic, allowed windows, freezes, who is on call,
//! events and other deployments, with the suggested windows running through all of it.

mod alt;
mod draw;
mod lanes;
mod load;
mod table;

pub use alt::alt;
pub use draw::svg;

use chrono_tz::Tz;

use super::{Labelled, Moment, Stretch};
use crate::clock::Time;

/// What the strip shows. A list that is None could not be seen, and is drawn as unknown; an empty one is known to be
/// empty. Lists may be long, unordered and reach beyond the strip.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// "checkout → production".
    pub title: String,
    pub start: Time,
    pub end: Time,
    pub now: Time,
    /// The team's zone: all times are shown on its clocks.
    pub zone: Tz,
    /// Of 100; None where it is not known.
    pub score_now: Option<u32>,
    /// The usual load; each point holds until the next.
    pub load: Vec<LoadPoint>,
    /// When policy allows deployments.
    pub allowed: Option<Vec<Stretch>>,
    pub freezes: Option<Vec<Labelled>>,
    pub events: Option<Vec<Event>>,
    /// Who is on call: the labels are names.
    pub on_call: Option<Vec<Labelled>>,
    pub deployments: Option<Vec<Moment>>,
    /// The team's working hours; what lies outside them is shaded, 22:00 to 06:00 deeper.
    pub working: Vec<Stretch>,
    /// The best first.
    pub windows: Vec<Window>,
    /// Said above the windows, where none is good: "Nothing good before Mon 30 Nov 10:20".
    pub none_good: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadPoint {
    pub at: Time,
    /// Of the weekly peak, 0 to 1 and a little more; None: no data.
    pub share: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub start: Time,
    pub end: Time,
    pub label: String,
    pub kind: EventKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Busy,
    /// A launch, a campaign: marked, and shown before others where there is no room for all.
    Launch,
}

/// A suggested window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: Time,
    pub end: Time,
    /// Of 100.
    pub score: u32,
    /// Inside allowed hours, no freeze, costs nobody their evening.
    pub good: bool,
    /// What speaks for it, or what it costs: "traffic 38 % of peak, Lin on call".
    pub why: String,
}

/// How many windows are told in words and numbered.
const TOLD: usize = 3;

/// The width of the picture; at 360 pixels its smallest words are 8 pixels high.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
/// Where the plots begin: what they are stands to the left.
const PLOT_X: f64 = 84.0;
const PLOT_W: f64 = WIDTH - PLOT_X - MARGIN;
