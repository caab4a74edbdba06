//! Facts to pictures: the window strip (when to deploy, why, what stands in the way) and the health chart.
//!
//! A picture is SVG, [`strip::svg`] and [`chart::svg`]; [`png()`] turns it into PNG for chats; [`strip::alt`] and
//! [`chart::alt`] say the same in words. Everything is pure and total: whatever comes in, a picture of bounded size
//! comes out.

mod adapt;
mod axis;
pub mod chart;
pub(crate) mod font;
mod ink;
mod lane;
mod png;
pub mod strip;
mod svg;
#[cfg(test)]
mod tests;
mod words;

pub use adapt::{Drawn, health_chart, strip_of};
pub use ink::Theme;
pub use png::png;

use crate::clock::Time;

/// A stretch of time, `start` before `end`; one that runs backwards is read the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub start: Time,
    pub end: Time,
}

/// A stretch of time with words from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    pub start: Time,
    pub end: Time,
    pub label: String,
}

/// A moment with words from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Time,
    pub label: String,
}
