//! Harbor's releases of the last eighteen months: what was in each, when it reached staging and production, and what
//! became of it. Causes are planted here; the rest is the ordinary bad luck of one release in sixteen.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday};

use super::day::{ZONE, date_of, is_working_day, on};
use super::dice::Dice;
use super::theme::{CAPTURE, LEDGER_UPGRADE, TRADES, Theme, Trade};
use super::traffic;
use crate::advice::facts::{Cause, Outcome};
use crate::clock::{DAY, HOUR, MINUTE, Time};

/// So far back the history goes.
pub const DAYS_BACK: u64 = 546;
/// So long nothing has gone to production: what comes next is ready and waits for a plan.
pub const QUIET_DAYS: i64 = 9;
/// The migration of what runs in production.
pub const NEWEST_MIGRATION: u32 = 46;

/// A version and its way to production.
#[derive(Clone, Debug)]
pub struct Release {
    pub service: &'static str,
    pub prefix: &'static str,
    pub version: String,
    pub title: String,
    pub theme: &'static str,
    pub category: Option<&'static str>,
    pub files: Vec<String>,
    pub lines: u32,
    /// The number of the migration that it brings.
    pub migration: Option<u32>,
    pub dependencies: bool,
    pub ai: bool,
    pub staging: Time,
    pub production: Time,
    pub outcome: Outcome,
    pub cause: Option<Cause>,
}

/// Every release that reached production before `now`, in that order.
pub fn releases(now: Time) -> Vec<Release> {
    let mut all: Vec<Release> = TRADES.iter().flat_map(|trade| of(trade, now)).collect();
    all.sort_by_key(|release| (release.production, release.service));
    declare_assistance(&mut all);
    all
}

fn of(trade: &Trade, now: Time) -> Vec<Release> {
    let today = date_of(now);
    let mut dice = Dice::new(0x4a_52_b0 + trade.service.bytes().map(u64::from).sum::<u64>() * 7919);
    let mut found = by_chance(trade, today, &mut dice);
    found.extend(planted(trade, today, &mut dice));
    found.sort_by_key(|release| release.production);
    // Two releases of one service do not overlap; the planted one stays.
    let planted: Vec<Time> = found.iter().filter(|r| r.version == PLANTED).map(|r| r.production).collect();
    found.retain(|r| r.version == PLANTED || planted.iter().all(|at| r.production.since(*at).abs() > 20 * HOUR));
    found.retain(|release| release.production < now.plus(-QUIET_DAYS * DAY));
    apart(&mut found);
    end_well(&mut found);
    number(trade, &mut found);
    found
}

/// Marks a planted release until it gets its version.
const PLANTED: &str = "planted";

fn by_chance(trade: &Trade, today: NaiveDate, dice: &mut Dice) -> Vec<Release> {
    let mut found = Vec::new();
    let total = u64::from(trade.per_ten_weeks) * DAYS_BACK / 70;
    for n in 0..total {
        let days_ago = DAYS_BACK - 2 - n * (DAYS_BACK - 3) / total.max(1);
        let mut day = today - Days::new(days_ago.saturating_sub(dice.below(3) as u64).max(1));
        while !is_working_day(day) {
            day = day - Days::new(1);
        }
        let hour = *dice.pick(&[10, 10, 10, 11, 11, 11, 12, 13, 13, 14, 14, 15, 15, 16]).unwrap_or(&11);
        let production = on(day, hour, dice.between(0, 11) * 5);
        let weights: usize = trade.themes.iter().map(|theme| theme.weight).sum();
        let mut drawn = dice.below(weights);
        let Some(theme) = trade.themes.iter().find(|theme| match drawn.checked_sub(theme.weight) {
            Some(left) => {
                drawn = left;
                false
            }
            None => true,
        }) else {
            continue;
        };
        // Of checkout's changes some bring a migration, but never together with a capture: those are planted.
        let migration = trade.service == "checkout" && theme.name != CAPTURE && dice.hits(110);
        let (outcome, cause) = if dice.hits(55) { trouble(dice) } else { (Outcome::Clean, None) };
        found.push(release(trade, theme, production, migration, (outcome, cause), dice));
    }
    if trade.service == "search" {
        on_friday_afternoons(&mut found);
    }
    if trade.service == "notifications" {
        into_the_newsletter(&mut found);
    }
    found
}

fn trouble(dice: &mut Dice) -> (Outcome, Option<Cause>) {
    let outcomes = [
        Outcome::Degraded,
        Outcome::Degraded,
        Outcome::Hotfix,
        Outcome::Hotfix,
        Outcome::RolledBack,
        Outcome::Incident,
    ];
    let causes = [Cause::Technical, Cause::Technical, Cause::Experience, Cause::Coordination, Cause::Timing];
    (*dice.pick(&outcomes).unwrap_or(&Outcome::Hotfix), dice.pick(&causes).copied())
}

/// Planted: whatever search releases on a Friday after 13:00 meets the weekend's index build; two of three degrade.
fn on_friday_afternoons(found: &mut [Release]) {
    let mut count = 0;
    for release in found {
        let local = release.production.at(ZONE);
        if local.weekday() == Weekday::Fri && local.hour() >= 13 {
            count += 1;
            (release.outcome, release.cause) =
                if count % 3 == 0 { (Outcome::Clean, None) } else { (Outcome::Degraded, Some(Cause::Timing)) };
        }
    }
}

/// Planted: notifications released on the day of the monthly newsletter sent things twice, three times out of four.
fn into_the_newsletter(found: &mut [Release]) {
    let mut count = 0;
    for release in found {
        let local = release.production.at(ZONE);
        if local.weekday() == Weekday::Tue && local.day() <= 7 {
            count += 1;
            (release.outcome, release.cause) =
                if count % 4 == 0 { (Outcome::Clean, None) } else { (Outcome::Degraded, Some(Cause::Coordination)) };
        }
    }
}

/// What is planned by hand: the causes that there are to find.
fn planted(trade: &Trade, today: NaiveDate, dice: &mut Dice) -> Vec<Release> {
    let mut found = Vec::new();
    let mut add =
        |theme: &Theme, day: NaiveDate, at: (u32, u32), migration: bool, outcome: Outcome, dice: &mut Dice| {
            let cause = outcome.is_bad().then_some(Cause::Technical);
            let mut release = release(trade, theme, on(day, at.0, at.1), migration, (outcome, cause), dice);
            release.version = PLANTED.to_owned();
            found.push(release);
        };
    if let Some(capture) = trade.themes.iter().find(|theme| theme.name == CAPTURE) {
        // Capture and a migration in the afternoon's rush: seven of eight went wrong.
        for (days_ago, outcome) in [
            (518, Outcome::Incident),
            (427, Outcome::Degraded),
            (343, Outcome::RolledBack),
            (266, Outcome::Clean),
            (189, Outcome::Incident),
            (112, Outcome::Hotfix),
            (60, Outcome::Degraded),
            (DAYS_SINCE_482, Outcome::Incident),
        ] {
            add(capture, midweek(today, days_ago), (14, 40), true, outcome, dice);
        }
        // The same in the quiet of the morning: one of seven.
        for (days_ago, outcome) in [
            (490, Outcome::Clean),
            (406, Outcome::Clean),
            (315, Outcome::Clean),
            (231, Outcome::Degraded),
            (154, Outcome::Clean),
            (84, Outcome::Clean),
            (46, Outcome::Clean),
        ] {
            add(capture, midweek(today, days_ago), (10, 20), true, outcome, dice);
        }
    }
    if trade.service == "ledger" {
        for (days_ago, outcome) in [
            (470, Outcome::Clean),
            (350, Outcome::RolledBack),
            (240, Outcome::Clean),
            (140, Outcome::Clean),
            (53, Outcome::RolledBack),
        ] {
            add(&LEDGER_UPGRADE, midweek(today, days_ago), (11, 15), false, outcome, dice);
        }
    }
    found
}

/// Incident #482 was about a month ago.
pub const DAYS_SINCE_482: u64 = 31;

/// The working Tuesday, Wednesday or Thursday at or before so many days ago.
fn midweek(today: NaiveDate, days_ago: u64) -> NaiveDate {
    let mut day = today - Days::new(days_ago);
    while !matches!(day.weekday(), Weekday::Tue | Weekday::Wed | Weekday::Thu) || !is_working_day(day) {
        day = day - Days::new(1);
    }
    day
}

fn release(
    trade: &Trade,
    theme: &Theme,
    production: Time,
    migration: bool,
    (outcome, cause): (Outcome, Option<Cause>),
    dice: &mut Dice,
) -> Release {
    let mut files: Vec<String> = Vec::new();
    for (place, file) in (0..).zip(theme.files) {
        if place == 0 || theme.dependencies || dice.hits(600) {
            files.push((*file).to_owned());
        }
    }
    let rolls = dice.between(6, 60) * files.len() as u32;
    Release {
        service: trade.service,
        prefix: trade.prefix,
        version: String::new(),
        title: dice.pick(theme.titles).map_or_else(String::new, |title| (*title).to_owned()),
        theme: theme.name,
        category: theme.category,
        lines: if theme.dependencies { rolls * 4 } else { rolls },
        files,
        // The number comes when the order is known.
        migration: migration.then_some(0),
        dependencies: theme.dependencies,
        ai: false,
        staging: production.plus(-(DAY - HOUR) - i64::from(dice.between(0, 200)) * MINUTE),
        production,
        outcome,
        cause,
    }
}

/// Keeps hours between two releases of a service, so that one is watched before the next comes.
fn apart(found: &mut Vec<Release>) {
    let mut last: Option<Time> = None;
    found.retain(|release| {
        let free = release.version == PLANTED || last.is_none_or(|last| release.production.since(last) > 5 * HOUR);
        if free {
            last = Some(release.production);
        }
        free
    });
}

/// What runs now went well: it is what a rollback goes back to.
fn end_well(found: &mut [Release]) {
    if let Some(last) = found.last_mut() {
        (last.outcome, last.cause) = (Outcome::Clean, None);
    }
}

/// Versions and migrations are numbered backwards from what runs now.
fn number(trade: &Trade, found: &mut [Release]) {
    let (mut major, mut minor, mut patch) = trade.running;
    let mut migration = NEWEST_MIGRATION;
    for (n, release) in (0u32..).zip(found.iter_mut().rev()) {
        release.version = format!("v{major}.{minor}.{patch}");
        (major, minor, patch) = match (major, minor, patch) {
            (_, _, 1..) => (major, minor, patch - 1),
            (_, 1.., 0) => (major, minor - 1, 2 + (n * 7 + minor * 3) % 5),
            (1.., 0, 0) => (major - 1, 14, 3),
            (0, 0, 0) => (0, 0, 0),
        };
        if release.migration.is_some() {
            release.migration = Some(migration);
            release.files.push(migration_path(migration));
            migration = migration.saturating_sub(1).max(1);
        }
    }
}

/// Migration files by number; the newest three have tales of their own.
pub fn migration_path(number: u32) -> String {
    const ABOUT: [&str; 8] = [
        "carts_expire",
        "coupon_limits",
        "index_orders_by_day",
        "refund_reasons",
        "payment_state",
        "tax_lines",
        "order_notes",
        "address_parts",
    ];
    let name = match number {
        47 => "orders_captured_at",
        48 => "orders_amount_bigint",
        _ => ABOUT[number as usize % ABOUT.len()],
    };
    format!("migrations/{number:04}_{name}.sql")
}

/// Planted: that a change was made with assistance says nothing. Of the good and of the bad the same share declares it.
fn declare_assistance(all: &mut [Release]) {
    let mut seen: BTreeMap<bool, usize> = BTreeMap::new();
    for release in all {
        let count = seen.entry(release.outcome.is_bad()).or_default();
        *count += 1;
        release.ai = *count % 10 < 3 && !release.dependencies;
    }
}

/// The share of the weekly peak at which a release reached production, in per cent.
pub fn load_pct(release: &Release) -> u32 {
    (traffic::share(release.service, release.production) * 100.0).round().clamp(0.0, 100.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn bad(releases: &[&Release]) -> (usize, usize) {
        (releases.iter().filter(|r| r.outcome.is_bad()).count(), releases.len())
    }

    #[test]
    fn the_history_is_the_same_each_time_and_long() {
        let now = at("2026-11-21T00:30:00Z");
        let (one, two) = (releases(now), releases(now));
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
        assert!((540..=680).contains(&one.len()), "{}", one.len());
        assert!(one[0].production < now.plus(-530 * DAY));
    }

    #[test]
    fn the_planted_causes_can_be_found_on_any_day() {
        for month in 1..=12 {
            let now = at(&format!("2026-{month:02}-14T20:00:00Z"));
            let all = releases(now);
            let pick = |f: &dyn Fn(&Release) -> bool| all.iter().filter(|r| f(r)).collect::<Vec<_>>();
            let capture = |r: &Release| r.theme == CAPTURE && r.migration.is_some();
            let rush = pick(&|r| capture(r) && load_pct(r) > 80);
            let quiet = pick(&|r| capture(r) && load_pct(r) < 50);
            assert_eq!((bad(&rush), bad(&quiet)), ((7, 8), (1, 7)), "{month}");
            let friday = pick(&|r| {
                let local = r.production.at(ZONE);
                r.service == "search" && local.weekday() == Weekday::Fri && local.hour() >= 13
            });
            let (wrong, n) = bad(&friday);
            assert!(n >= 4 && wrong * 2 > n, "{month}: {wrong} of {n} on Friday afternoons");
            let upgrades = pick(&|r| r.service == "ledger" && r.dependencies);
            assert_eq!(bad(&upgrades), (2, 5));
            let rate = |releases: Vec<&Release>| {
                let (wrong, n) = bad(&releases);
                wrong as f64 / n as f64
            };
            let (with, without) = (rate(pick(&|r| r.ai)), rate(pick(&|r| !r.ai)));
            assert!((with - without).abs() < 0.03, "{month}: {with} with assistance, {without} without");
            let rest = rate(pick(&|r| !capture(r)));
            assert!(rest < 0.12, "{month}: {rest}");
        }
    }

    #[test]
    fn what_runs_is_the_last_that_was_released_and_went_well() {
        for now in ["2026-11-21T00:30:00Z", "2026-03-09T16:00:00Z", "2025-12-27T18:00:00Z"] {
            let all = releases(at(now));
            for trade in TRADES {
                let last = all.iter().rev().find(|r| r.service == trade.service).unwrap();
                let (major, minor, patch) = trade.running;
                assert_eq!(last.version, format!("v{major}.{minor}.{patch}"));
                assert_eq!(last.outcome, Outcome::Clean);
                assert!(at(now).since(last.production) > QUIET_DAYS * DAY && at(now).since(last.production) < 40 * DAY);
            }
        }
    }

    #[test]
    fn versions_are_never_given_twice() {
        let all = releases(at("2026-11-21T00:30:00Z"));
        for trade in TRADES {
            let mut versions: Vec<&str> =
                all.iter().filter(|r| r.service == trade.service).map(|r| r.version.as_str()).collect();
            let n = versions.len();
            versions.sort_unstable();
            versions.dedup();
            assert_eq!(versions.len(), n, "{}", trade.service);
        }
    }
}
