//! The story of Harbor's repository: what was released in the last two months, and what waits to be.

use std::collections::{BTreeMap, BTreeSet};

use super::coming::{BRANCH, COMING, Coming, Edit, Step};
use super::day::{date_of, is_working_day, on};
use super::release::{NEWEST_MIGRATION, Release, migration_path};
use super::repository::{CommitStory, RepositoryStory};
use super::source_text::{beginning, grown, migration};
use super::theme::{CAPTURE, LEDGER_UPGRADE, TRADES};
use crate::advice::facts::Outcome;
use crate::clock::{DAY, HOUR, MINUTE, Time};

/// Older releases lie in repositories that were joined into this one.
const DAYS_BACK: i64 = 62;

/// The story, in the order of time.
pub fn story(releases: &[Release], now: Time) -> RepositoryStory {
    let begin = now.plus(-DAYS_BACK * DAY);
    let recent: Vec<&Release> = releases.iter().filter(|r| written(r) > begin.plus(HOUR)).collect();
    let first_migration = recent.iter().filter_map(|r| r.migration).min().unwrap_or(NEWEST_MIGRATION + 1);
    let mut tree = Tree::beginning(first_migration);
    let mut commits = vec![join(&tree, releases, begin)];

    for (n, release) in (1u32..).zip(&recent) {
        commits.push(released(release, n, &mut tree));
    }
    for coming in COMING {
        let last = coming.commits.len().saturating_sub(1);
        for (place, step) in coming.commits.iter().enumerate() {
            let mut commit = of_step(step, now, &mut tree);
            if place == last {
                commit = commit.tag(&tag(coming.prefix, coming.version));
            }
            commits.push(commit);
        }
    }
    // Files were grown service by service, and no two services share one: sorting by time changes none of them.
    commits.sort_by_key(|commit| commit.at);
    let (name, step) = &BRANCH;
    commits.push(of_step(step, now, &mut tree).on(name));
    RepositoryStory::new(commits)
}

/// The name of a version's tag; checkout signs its versions with annotated ones.
fn tag(prefix: &str, version: &str) -> String {
    let annotated = if prefix == "checkout/" { "+" } else { "" };
    format!("{annotated}{prefix}{version}")
}

/// When a release was written: in the hours before it reached staging.
fn written(release: &Release) -> Time {
    release.staging.plus(-3 * HOUR)
}

/// The moment so many working days before the start, at an hour and minute.
pub fn working_days_before(now: Time, days: u32, hour: u32, minute: u32) -> Time {
    let (mut day, mut left) = (date_of(now), days);
    while left > 0 {
        day = day - chrono::Days::new(1);
        if is_working_day(day) {
            left -= 1;
        }
    }
    on(day, hour, minute)
}

/// When a coming version reached staging.
pub fn in_staging(coming: &Coming, now: Time) -> Option<Time> {
    coming.staging.map(|(days, hour, minute)| working_days_before(now, days, hour, minute))
}

fn join(tree: &Tree, releases: &[Release], at: Time) -> CommitStory {
    let mut commit = CommitStory::new("Noor Haddad", "noor@harbor.example", at, "Join our repositories into one\n");
    for (path, text) in &tree.files {
        commit = commit.file(path.as_str(), text.as_str());
    }
    // What ran on that day is tagged, so that the first change of each service has a beginning.
    for trade in TRADES {
        let before = releases.iter().rev().find(|r| r.service == trade.service && written(r) <= at.plus(HOUR));
        if let Some(release) = before {
            commit = commit.tag(&tag(trade.prefix, &release.version));
        }
    }
    commit
}

fn released(release: &Release, n: u32, tree: &mut Tree) -> CommitStory {
    let who = if release.dependencies { "deploybot" } else { author(release.service, n) };
    let (name, email) = person(who);
    let mut message = format!("{} (#{})\n", release.title, 2_300 + n);
    if release.ai {
        let tool = [
            "Co-authored-by: Claude <noreply@anthropic.com>",
            "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
            "Co-authored-by: Cursor <cursoragent@cursor.com>",
        ];
        message.push_str(&format!("\n{}\n", tool[n as usize % tool.len()]));
    }
    let mut commit = CommitStory::new(name, email, written(release), message);
    let share = release.lines / (release.files.len() as u32).max(1);
    for path in &release.files {
        let text = match release.migration {
            Some(number) if *path == migration_path(number) => {
                migration(number, release.theme == CAPTURE && release.outcome == Outcome::Incident)
            }
            _ => grown(path, &release.title, share, n),
        };
        commit = commit.file(path.as_str(), tree.add(path, &text));
    }
    commit.tag(&tag(release.prefix, &release.version))
}

fn of_step(step: &Step, now: Time, tree: &mut Tree) -> CommitStory {
    let (name, email) = person(step.by);
    let message =
        if step.body.is_empty() { format!("{}\n", step.title) } else { format!("{}\n\n{}\n", step.title, step.body) };
    let at = working_days_before(now, step.at.0, step.at.1, 0).plus(17 * MINUTE);
    let mut commit = CommitStory::new(name, email, at, message);
    for edit in step.edits {
        let (path, text) = match edit {
            Edit::Grow(path, lines) => (*path, grown(path, step.title, *lines, 90)),
            Edit::Add(path, text) => (*path, (*text).to_owned()),
        };
        commit = commit.file(path, tree.add(path, &text));
    }
    commit
}

fn author(service: &str, n: u32) -> &'static str {
    let among: &[&str] = match service {
        "checkout" => &["ada", "max", "lin", "ada"],
        "ledger" => &["noor", "lin", "ada"],
        "search" => &["max", "noor"],
        "storefront" => &["max", "ada"],
        "notifications" => &["rae", "max"],
        _ => &["kim", "ada"],
    };
    among[n as usize % among.len()]
}

fn person(name: &str) -> (&'static str, &'static str) {
    match name {
        "ada" => ("Ada Brandt", "ada@harbor.example"),
        "grace" => ("Grace Kimani", "grace@harbor.example"),
        "lin" => ("Lin Okafor", "lin@harbor.example"),
        "noor" => ("Noor Haddad", "noor@harbor.example"),
        // Max commits from home as well.
        "max" => ("Max Lindqvist", "max@lindqvist.example"),
        "kim" => ("Kim Vogel", "kim@harbor.example"),
        "rae" => ("Rae Santos", "rae@harbor.example"),
        _ => ("deploybot[bot]", "deploybot@harbor.example"),
    }
}

/// Every file as it stands.
#[derive(Clone, Debug)]
struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    fn beginning(first_migration: u32) -> Tree {
        let upgrade = std::iter::once(&LEDGER_UPGRADE);
        let themes = TRADES.iter().flat_map(|trade| trade.themes).chain(upgrade);
        let paths: BTreeSet<&str> = themes.flat_map(|theme| theme.files.iter().copied()).collect();
        let mut files: BTreeMap<String, String> =
            paths.into_iter().map(|path| (path.to_owned(), beginning(path))).collect();
        for number in 1..first_migration {
            files.insert(migration_path(number), migration(number, false));
        }
        files.insert(
            "README.md".to_owned(),
            "# Harbor\n\nThe shop, in one repository: a folder for each service.\n".to_owned(),
        );
        files.insert("checkout/README.md".to_owned(), "# Checkout\n\nTakes carts to paid orders.\n".to_owned());
        let owners = "/checkout/ @ada @lin\n/payments/ @lin\n/ledger/ @noor @lin\n/search/ @max\n/storefront/ @max @ada\n\
                      /notifications/ @rae\n/docs/ @kim\n";
        files.insert("CODEOWNERS".to_owned(), owners.to_owned());
        Tree { files }
    }

    /// Adds to a file and gives its whole text.
    fn add(&mut self, path: &str, text: &str) -> String {
        let whole = self.files.entry(path.to_owned()).or_default();
        whole.push_str(text);
        whole.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample::release::releases;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn what_runs_and_what_comes_is_tagged_and_the_coming_follows_the_running() {
        for now in ["2026-11-21T00:30:00Z", "2026-11-30T18:00:00Z", "2026-01-02T18:00:00Z"] {
            let now = at(now);
            let story = story(&releases(now), now);
            let when = |name: &str| {
                let commit = story.commits.iter().find(|c| c.tags.iter().any(|t| t.trim_start_matches('+') == name));
                commit.unwrap_or_else(|| panic!("no tag {name}")).at
            };
            assert!(when("checkout/v2.13.2") < when("checkout/v2.13.3"));
            assert!(when("checkout/v2.13.3") < when("checkout/v2.14.0"));
            assert!(when("ledger/v1.7.4") < when("ledger/v1.8.0"));
            assert!(when("search/v3.1.5") < when("search/v3.2.0"));
            assert!(when("storefront/v5.0.3") < when("storefront/v5.1.0"));
            assert!(when("docs-site/v2.3.6") < when("docs-site/v2.3.7"));
            assert!(story.commits.iter().all(|commit| commit.at < now), "nobody commits tomorrow");
            let n = story.commits.len();
            assert!((45..=110).contains(&n), "{n} commits");
        }
    }

    #[test]
    fn the_next_checkout_takes_two_migrations_and_no_test_along() {
        let now = at("2026-11-21T00:30:00Z");
        let story = story(&releases(now), now);
        let place = |tag: &str| story.commits.iter().position(|c| c.tags.iter().any(|t| t == tag)).unwrap();
        let between = &story.commits[place("+checkout/v2.13.2") + 1..=place("+checkout/v2.14.0")];
        let mut paths: Vec<String> = between
            .iter()
            .flat_map(|commit| &commit.files)
            .map(|(path, _)| String::from_utf8(path.clone()).unwrap())
            .filter(|path| ["checkout/", "payments/", "migrations/"].iter().any(|own| path.starts_with(own)))
            .collect();
        paths.sort();
        paths.dedup();
        assert_eq!(
            paths,
            [
                "checkout/README.md",
                "migrations/0047_orders_captured_at.sql",
                "migrations/0048_orders_amount_bigint.sql",
                "payments/capture.rs",
                "payments/gateway.rs",
                "payments/retry.rs",
            ]
        );
    }
}
