//! The score: shown points that add up exactly, the band, the confidence, and beside them the rate of changes like this.

use crate::advice::checks::{self, LEAST};
use crate::advice::facts::{Deployment, Outcome, Rate};
use crate::advice::model::{self, MODEL};
use crate::advice::sight;
use crate::advice::view::View;
use crate::advice::{Band, Confidence, Flag, Part, Points, RateView, Score};
use crate::config::Bands;

/// Adds up the points. Where their sum lies outside 0 to 100 an entry says so, and makes the sum exact.
pub fn score(view: &View<'_>, mut points: Vec<Points>) -> Score {
    let sum: i32 = points.iter().map(|p| p.points).sum();
    let value = sum.clamp(0, 100);
    if value != sum {
        let (code, says) = if sum > 100 {
            ("score.cap", format!("The points come to {sum}; the score ends at 100."))
        } else {
            ("score.floor", format!("The points come to {sum}; the score begins at 0."))
        };
        let points_of_it = value - sum;
        points.push(Points { code: code.to_owned(), part: Part::Likelihood, says, points: points_of_it, of: 0 });
    }
    let gaps = sight::gaps(view);
    let weight: u32 = gaps.iter().map(|(_, weight)| weight).sum();
    let confidence = match weight {
        0 => Confidence::Good,
        1..=3 => Confidence::Fair,
        _ => Confidence::Poor,
    };
    let value = value.unsigned_abs();
    Score {
        value,
        band: band(value, &view.settings.policy.bands),
        confidence,
        missing: gaps.iter().filter(|(_, weight)| *weight > 0).map(|(gap, _)| gap.missing()).collect(),
        rate: rate(view),
        points,
        model: MODEL.to_owned(),
    }
}

pub fn band(value: u32, bands: &Bands) -> Band {
    if value >= bands.high {
        Band::High
    } else if value >= bands.elevated {
        Band::Elevated
    } else if value >= bands.moderate {
        Band::Moderate
    } else {
        Band::Low
    }
}

/// What the plan and its facts add, without the moment: the points of all checks that show.
pub fn base(view: &View<'_>) -> i32 {
    let flags: Vec<(Flag, Part)> = checks::ask(view);
    checks::points(view, &flags).iter().map(|p| p.points).sum()
}

/// The rate of changes like this one, from the narrowest group that holds at least five known outcomes: this service's
/// of the same size and make, else this service's, else everyone's. Its interval is Wilson's, 90 %.
fn rate(view: &View<'_>) -> Option<RateView> {
    let history = view.the_history()?;
    let alike = alike(view, &history.recent);
    let rate = [alike, history.service_rate, history.team_rate].into_iter().find(|rate| rate.n >= LEAST)?;
    let (low, high) = model::wilson(rate);
    Some(RateView { rate, low, high })
}

/// Of this service's deployments here: those with a migration if this has one (and without if not), of about its size.
fn alike(view: &View<'_>, recent: &[Deployment]) -> Rate {
    let Some(change) = view.the_change() else { return Rate::default() };
    let lines: u64 =
        change.files.iter().map(|f| u64::from(f.added.unwrap_or(0)) + u64::from(f.deleted.unwrap_or(0))).sum();
    let migrates = !change.migrations.is_empty();
    let mut rate = Rate::default();
    for deployment in recent {
        let Some(outcome) = deployment.outcome else { continue };
        let size = u64::from(deployment.shape.lines);
        let near = size > 0 && size.saturating_mul(4) >= lines && size <= lines.saturating_mul(4);
        if deployment.shape.migration == migrates && near {
            rate.n += 1;
            rate.bad += u32::from(Outcome::is_bad(outcome));
        }
    }
    rate
}
