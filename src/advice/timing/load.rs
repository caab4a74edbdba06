//! How busy it would be: the weekly profile, and what is measured now.

use super::gap::{Gap, gap};
use super::spans::Stretch;
use crate::advice::Context;
use crate::advice::facts::{Fact, Load, hour_of_week};
use crate::clock::{HOUR, MINUTE, Millis, Time};

/// A measured value older than this says nothing about now.
const FRESH: Millis = 30 * MINUTE;

/// Shares of the weekly peak, in thousandths.
#[derive(Clone, Debug)]
pub struct Profile<'a> {
    pub fact: Option<&'a Fact<Load>>,
    /// By hour of the week in UTC.
    week: [Option<u32>; 168],
    /// What was measured just now, and until when it stands for the present hour.
    pub measured: Option<(u32, Millis)>,
    pub caution: u32,
    pub critical: u32,
    pub gap: Option<Gap>,
}

impl<'a> Profile<'a> {
    pub fn read(ctx: &Context<'a>) -> Profile<'a> {
        let asked = &ctx.facts.load;
        let would_tell = "a `prometheus` source would tell";
        let gap = gap(asked, would_tell, "has no traffic of earlier weeks", |load| load.peak().is_none());
        let usable = asked.known.iter().filter(|fact| fact.value.peak().is_some());
        let fact = usable.max_by(|a, b| a.at.cmp(&b.at).then_with(|| b.source.cmp(&a.source)));
        let mut week = [None; 168];
        let mut measured = None;
        if let Some((load, peak)) = fact.and_then(|fact| Some((&fact.value, fact.value.peak()?))) {
            for (hour, value) in week.iter_mut().zip(&load.week) {
                *hour = value.and_then(|value| thousandths(value / peak));
            }
            let fresh = load.now.filter(|(at, _)| ctx.now.since(*at).abs() <= FRESH);
            measured = fresh.and_then(|(_, value)| Some((thousandths(value / peak)?, ctx.now.ms() + FRESH)));
        }
        let set = ctx.settings.policy.threshold.get("timing.peak-traffic");
        let limit = |set: Option<f64>, own| set.filter(|l| *l > 0.0).and_then(thousandths).unwrap_or(own);
        let caution = limit(set.and_then(|set| set.caution), 700);
        let critical = limit(set.and_then(|set| set.critical), 900);
        Profile { fact, week, measured, caution, critical, gap }
    }

    /// The share at a moment: measured where that is now, usual otherwise.
    pub fn at(&self, at: Millis) -> Option<u32> {
        let usual = self.usual(at);
        match self.measured {
            Some((measured, until)) if at < until => Some(measured.max(usual.unwrap_or(0))),
            _ => usual,
        }
    }

    fn usual(&self, at: Millis) -> Option<u32> {
        self.week[hour_of_week(Time::from_ms(at))]
    }

    /// The greatest share in a stretch and when it begins there; None where any hour of it is unknown.
    pub fn most(&self, (from, to): Stretch) -> Option<(u32, Millis)> {
        let mut most = (self.at(from)?, from);
        let mut hour = next_hour(from);
        while hour < to {
            let share = self.usual(hour)?;
            if share > most.0 {
                most = (share, hour);
            }
            hour = next_hour(hour);
        }
        Some(most)
    }

    /// The first moment after `from`, within a week, from which the usual share is under a limit for as long as `length`.
    pub fn falls_below(&self, limit: u32, from: Millis, length: Millis) -> Option<Millis> {
        let mut hour = next_hour(from);
        for _ in 0..168 {
            if self.most((hour, hour + length)).is_some_and(|(share, _)| share < limit) {
                return Some(hour);
            }
            hour = next_hour(hour);
        }
        None
    }

    /// The quietest hour that begins in `from..to` (or holds `from`), and its share.
    pub fn quietest(&self, (from, to): Stretch) -> Option<(Millis, u32)> {
        let mut best: Option<(Millis, u32)> = None;
        let mut hour = from - from.rem_euclid(HOUR);
        for _ in 0..168 {
            if hour >= to {
                break;
            }
            if let Some(share) = self.usual(hour).filter(|share| best.is_none_or(|(_, least)| *share < least)) {
                best = Some((hour, share));
            }
            hour += HOUR;
        }
        best
    }
}

/// Points of consequence on a log scale: 5 for each doubling of the share above a sixteenth of the peak, 20 at the peak.
pub fn points(share: u32) -> i32 {
    let doublings = (f64::from(share.max(1)) / 1000.0).log2();
    (20.0 + 5.0 * doublings).round().clamp(0.0, 20.0) as i32
}

fn next_hour(at: Millis) -> Millis {
    at - at.rem_euclid(HOUR) + HOUR
}

fn thousandths(share: f64) -> Option<u32> {
    share.is_finite().then(|| (share * 1000.0).round().clamp(0.0, 10_000.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_of_the_load_weighs_as_much() {
        assert_eq!([1000, 940, 500, 380, 250, 125, 62, 0].map(points), [20, 20, 15, 13, 10, 5, 0, 0]);
        assert_eq!(points(3000), 20);
    }
}
