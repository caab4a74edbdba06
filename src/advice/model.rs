//! The prior `prior-1`: how likely a change is to need a fix, before anything was learned.
//!
//! Likelihood is counted in log-odds, consequence in the logarithm of the harm; seven points are one unit of either, so
//! that five points double the odds, or the harm, and the sum is the logarithm of the expected harm.
//!
//! The weights of size and spread are a logistic prior over ln(1+x) with fixed means and deviations, set by hand after
//! Kamei's measures (IEEE TSE 39(6), 2013) and after what single measures say on four open projects (defect-inducing
//! changes: lines added AUC 0.72, files 0.67, lines deleted 0.65, entropy 0.64, directories 0.61, earlier changes 0.59,
//! being itself a fix 0.59). Only what the change is counts: the author's experience is left out on purpose, and costs
//! nothing (mean AUC on the last fifth of the four projects 0.718 without it, 0.713 with it, 0.708 for lines alone).

use std::collections::{BTreeMap, BTreeSet};

use crate::advice::facts::{Change, FileChange, Rate};

/// The name of these weights.
pub const MODEL: &str = "prior-1";

/// Points for one unit of log-odds, or of the logarithm of harm.
pub const UNIT: f64 = 7.0;

/// Of deployments nothing else is known of, this share needs a fix: the middle of what public series show (12–49 % of
/// changes) is too high for deployments that passed review and tests; DORA's reports put most teams at 5–20 %.
pub const USUAL: f64 = 0.15;

/// How many deployments the prior counts for when a rate of one's own is mixed with it.
const PRIOR_N: f64 = 20.0;

/// z of a two-sided interval of 90 %.
const Z90: f64 = 1.644_853_626_951_472_6;

/// What the prior looks at; counts, not logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    pub added: f64,
    pub deleted: f64,
    pub files: f64,
    pub folders: f64,
    pub subsystems: f64,
    /// Spread of the changed lines over the files, in bits; 0 for one file.
    pub entropy: f64,
    /// Earlier changes to the touched files.
    pub churn: f64,
    /// Mean days since the touched files last changed.
    pub age_days: f64,
    /// Whether it says of itself that it mends a fault.
    pub fix: bool,
}

/// Weight, deviation: the log-odds of one ln(1+x) is their quotient.
const ADDED: f64 = 0.70 / 1.6;
const DELETED: f64 = 0.05 / 1.6;
const FILES: f64 = 0.15 / 0.7;
const FOLDERS: f64 = 0.05 / 0.5;
const SUBSYSTEMS: f64 = 0.05 / 0.3;
const ENTROPY: f64 = 0.10 / 0.35;
const CHURN: f64 = 0.10 / 1.4;
const AGE: f64 = -0.05 / 1.8;
const FIX: f64 = 0.05 / 0.22 * std::f64::consts::LN_2;

impl Measures {
    /// Measures a change.
    pub fn of(change: &Change) -> Measures {
        let lines = |file: &FileChange| f64::from(file.added.unwrap_or(0)) + f64::from(file.deleted.unwrap_or(0));
        let total: f64 = change.files.iter().map(lines).sum();
        let mut entropy = 0.0;
        let mut shares: BTreeMap<u64, u32> = BTreeMap::new();
        for file in &change.files {
            *shares.entry(lines(file) as u64).or_default() += 1;
        }
        // Summed by size, not by file, so that the order of files cannot move the last digit.
        for (size, times) in shares {
            let share = size as f64 / total;
            if size > 0 && total > 0.0 {
                entropy -= f64::from(times) * share * share.log2();
            }
        }
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let subsystem = |path: &str| path.split_once('/').map_or(String::new(), |(first, _)| first.to_owned());
        let folders: BTreeSet<String> = change.files.iter().map(|file| folder(&file.path)).collect();
        let subsystems: BTreeSet<String> = change.files.iter().map(|file| subsystem(&file.path)).collect();
        let ages: Vec<u32> = change.files.iter().filter_map(|file| file.age_days).collect();
        let age: u64 = ages.iter().map(|age| u64::from(*age)).sum();
        Measures {
            added: change.files.iter().map(|file| f64::from(file.added.unwrap_or(0))).sum(),
            deleted: change.files.iter().map(|file| f64::from(file.deleted.unwrap_or(0))).sum(),
            files: f64::from(change.file_count.max(u32::try_from(change.files.len()).unwrap_or(u32::MAX))),
            folders: folders.len() as f64,
            subsystems: subsystems.len() as f64,
            entropy,
            churn: change.files.iter().filter_map(|file| file.churn).map(f64::from).sum(),
            age_days: if ages.is_empty() { 0.0 } else { age as f64 / ages.len() as f64 },
            fix: !change.commits.is_empty()
                && change.commits.iter().filter(|c| c.fix).count() * 2 > change.commits.len(),
        }
    }

    /// A usual deployment, for where the change could not be seen.
    pub fn usual() -> Measures {
        Measures {
            added: 200.0,
            deleted: 60.0,
            files: 8.0,
            folders: 4.0,
            subsystems: 2.0,
            entropy: 2.0,
            churn: 40.0,
            age_days: 20.0,
            fix: false,
        }
    }

    /// Log-odds of lines and files, above an empty change.
    pub fn size(&self) -> f64 {
        ADDED * self.added.ln_1p() + DELETED * self.deleted.ln_1p() + FILES * self.files.ln_1p()
    }

    /// Log-odds of spread and of the past of the touched files, above an empty change.
    pub fn tangle(&self) -> f64 {
        let spread =
            ENTROPY * self.entropy.ln_1p() + FOLDERS * self.folders.ln_1p() + SUBSYSTEMS * self.subsystems.ln_1p();
        let past = CHURN * self.churn.ln_1p() + AGE * self.age_days.ln_1p();
        spread + past + if self.fix { FIX } else { 0.0 }
    }
}

/// Points of some log-odds (or logarithm of harm), between `least` and `most`.
pub fn points(units: f64, least: i32, most: i32) -> i32 {
    let points = units * UNIT;
    if points.is_finite() { (points.round() as i32).clamp(least, most) } else { most }
}

pub fn log_odds(share: f64) -> f64 {
    let share = share.clamp(0.001, 0.999);
    (share / (1.0 - share)).ln()
}

/// A rate mixed with what is expected anyway: `expected` counts like 20 deployments.
pub fn shrunk(rate: Rate, expected: f64) -> f64 {
    (f64::from(rate.bad) + PRIOR_N * expected) / (f64::from(rate.n) + PRIOR_N)
}

/// Wilson's interval of 90 % for a share (Wilson 1927); the whole range where nothing was counted.
pub fn wilson(rate: Rate) -> (f64, f64) {
    if rate.n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (f64::from(rate.n), f64::from(rate.bad.min(rate.n)) / f64::from(rate.n));
    let middle = p + Z90 * Z90 / (2.0 * n);
    let reach = Z90 * (p * (1.0 - p) / n + Z90 * Z90 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z90 * Z90 / n;
    (((middle - reach) / scale).max(0.0), ((middle + reach) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_holds_the_known_values() {
        // 6 of 41 at 90 %: computed by hand from Wilson's formula.
        let (low, high) = wilson(Rate { bad: 6, n: 41 });
        assert!((low - 0.0774).abs() < 0.001 && (high - 0.2589).abs() < 0.001, "{low} {high}");
        assert_eq!(wilson(Rate { bad: 0, n: 0 }), (0.0, 1.0));
        assert!(wilson(Rate { bad: 0, n: 10 }).0 < 1e-9);
    }

    #[test]
    fn a_rate_of_few_stays_near_what_is_expected() {
        assert!((shrunk(Rate { bad: 1, n: 1 }, 0.15) - 4.0 / 21.0).abs() < 1e-9);
        assert!(shrunk(Rate { bad: 50, n: 100 }, 0.15) > 0.4);
    }

    #[test]
    fn more_lines_never_mean_fewer_points() {
        let mut last = i32::MIN;
        for added in [0, 1, 10, 100, 1_000, 100_000] {
            let measures = Measures { added: f64::from(added), ..Measures::default() };
            let points = points(measures.size(), 0, 40);
            assert!(points >= last);
            last = points;
        }
    }
}
