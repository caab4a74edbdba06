//! Migrations: what already ran here, what is missing, and what each would do.

use crate::advice::checks::{Answer, server};
use crate::advice::facts::{AppliedMigration, Change, Fact, FileStatus, MigrationState};
use crate::advice::schema::{self, Step, fragment, key, same};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::advice::{FlagLevel, says};
use crate::message::tame;

pub fn state(view: &View<'_>) -> Option<Answer> {
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return unseen(view) };
    let change = &fact.value;
    if change.migrations.is_empty() && view.plan.kind != crate::plan::Kind::Migration {
        return None;
    }
    let Some(state) = newest(view.migrations) else { return Some(Answer::gap(gap(view, Topic::Migrations)?)) };
    let environment = &view.plan.environment;
    let found = compare(view, change, state);
    let evidence = because(
        state,
        format!("{} migrations in {} ({})", state.value.applied.len(), tame(&state.value.table, 60), state.value.tool),
    );
    let level = found.iter().map(|(level, _)| *level).max();
    let pending: Vec<String> = schema::steps(view).iter().filter(|s| s.ran == Some(false)).map(Step::name).collect();
    let pending = match pending.len() {
        0 => "nothing is pending".to_owned(),
        1 => format!("{} is pending", pending[0]),
        _ => format!("{} are pending", says::some(&pending, 4)),
    };
    let whole = gap(view, Topic::Migrations).or_else(|| gap(view, Topic::Change));
    let answer = match level {
        Some(level) if level >= FlagLevel::Caution => {
            let mut worst: Vec<&str> = found.iter().filter(|f| f.0 == level).map(|f| f.1.as_str()).collect();
            worst.extend(found.iter().filter(|f| f.0 < level).map(|f| f.1.as_str()));
            worst.truncate(3);
            Answer::at(level, format!("{}.", worst.join("; ")))
        }
        _ => Answer::pass(format!(
            "Of this change's migrations {pending} in {environment}, and nothing before them is missing."
        )),
    };
    Some(answer.because([evidence]).unless(whole))
}

/// Everything that is amiss between the change's migrations and what ran.
fn compare(view: &View<'_>, change: &Change, state: &Fact<MigrationState>) -> Vec<(FlagLevel, String)> {
    let environment = &view.plan.environment;
    let applied = &state.value.applied;
    let ran = |version: &str| applied.iter().find(|a| a.success && same(&a.version, version));
    let mut found: Vec<(FlagLevel, String)> = Vec::new();
    let mut failed: Vec<&AppliedMigration> = applied.iter().filter(|a| !a.success).collect();
    failed.sort_by_key(|migration| key(&migration.version));
    for migration in failed.iter().take(3) {
        found
            .push((FlagLevel::Critical, format!("{} began in {environment} and failed", tame(&migration.version, 60))));
    }
    for removed in change.migrations.iter().filter(|file| file.status == FileStatus::Removed) {
        let name = tame(&removed.version, 60);
        let says = if ran(&removed.version).is_some() {
            "ran here, and this change removes its file"
        } else {
            "is removed by this change"
        };
        found.push((FlagLevel::Caution, format!("{name} {says}")));
    }
    // Alembic keeps only the newest revision, and its revisions have no order of their own.
    let ordered = state.value.tool != "alembic";
    let newest_run = applied.iter().filter(|a| a.success).map(|a| key(&a.version)).max();
    for step in schema::steps(view) {
        let name = step.name();
        if let Some(before) = ran(&step.file.version) {
            let when = before.at.map(|at| format!(" ({})", view.day(at))).unwrap_or_default();
            match (&before.checksum, &step.file.checksum) {
                (Some(there), Some(here)) if !there.eq_ignore_ascii_case(here) => found.push((
                    FlagLevel::Critical,
                    format!("{name} already ran in {environment}{when}, but with other content than it has now"),
                )),
                _ => found.push((FlagLevel::Caution, format!("{name} already ran in {environment}{when}: skip it"))),
            }
            continue;
        }
        if !ordered {
            continue;
        }
        if let Some(missing) = missing_before(change, &step, &ran) {
            found.push((FlagLevel::Critical, format!("{missing}, which {name} follows, never ran in {environment}")));
        }
        let place = key(&step.file.version);
        if newest_run.as_ref().is_some_and(|newest| place < *newest && place.0 == newest.0 && place.1.is_some()) {
            let newest = applied.iter().filter(|a| a.success).max_by_key(|a| key(&a.version));
            let newest = newest.map(|a| tame(&a.version, 60)).unwrap_or_default();
            found.push((
                FlagLevel::Caution,
                format!("{name} comes before {newest}, which already ran in {environment}"),
            ));
        }
    }
    found
}

/// The nearest predecessor that neither ran nor comes with this change: a file of the tree, or a number that is lacking
/// where the numbering has no other gap.
fn missing_before<'a>(
    change: &Change,
    step: &Step<'_>,
    ran: &impl Fn(&str) -> Option<&'a AppliedMigration>,
) -> Option<String> {
    let place = key(&step.file.version);
    let comes_along = |version: &str| change.migrations.iter().any(|file| same(&file.version, version));
    let before = change.migrations_at_head.iter().filter(|version| {
        let other = key(version);
        other.0 == place.0 && other.1.is_some() && other < place
    });
    let absent = before.filter(|version| ran(version).is_none() && !comes_along(version)).max_by_key(|v| key(v));
    if let Some(version) = absent {
        return Some(tame(version, 60));
    }
    // Times as versions (20261101120000) have gaps by nature; small numbers do not.
    let number = place.1.filter(|number| (2..100_000).contains(number))?;
    let at_head: Vec<u128> =
        change.migrations_at_head.iter().map(|v| key(v)).filter(|k| k.0 == place.0).filter_map(|k| k.1).collect();
    let known = |n: u128| at_head.contains(&n) || ran(&n.to_string()).is_some() || comes_along(&n.to_string());
    let first = at_head.iter().min().copied()?;
    let gapless = at_head.iter().all(|n| *n == first || *n == number || known(n - 1));
    let width = step.file.version.trim_start_matches(['V', 'v']).bytes().take_while(u8::is_ascii_digit).count();
    (first < number && gapless && !known(number - 1)).then(|| format!("{:0width$}", number - 1))
}

fn unseen(view: &View<'_>) -> Option<Answer> {
    let migrates = view.service().is_some_and(|service| service.migrations.is_some());
    let gap = gap(view, Topic::Change).filter(|_| migrates || view.plan.kind == crate::plan::Kind::Migration)?;
    let reason = gap.reason.clone();
    Some(Answer::unknown(format!("Whether the change has migrations is unknown: {reason}.")).because(gap.because))
}

pub fn hazard(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 14;
    /// Unread SQL counts like a hazard of the middling sort.
    const UNREAD: i32 = 4;
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return unseen(view).map(|answer| answer.likelihood(UNREAD, OF)) };
    let steps: Vec<Step<'_>> = schema::steps(view).into_iter().filter(|step| step.ran != Some(true)).collect();
    if steps.is_empty() {
        return None;
    }
    let evidence = because(fact, steps.iter().map(|step| tame(&step.file.path, 100)).collect::<Vec<_>>().join(", "));
    let mut grave: Vec<(FlagLevel, String)> = Vec::new();
    for step in &steps {
        let Some(hazards) = step.hazards else { continue };
        for hazard in hazards.found.iter().filter(|hazard| hazard.level >= FlagLevel::Caution) {
            grave.push((hazard.level, format!("{} {}", step.name(), fragment(&hazard.says))));
        }
    }
    let (concerns, unseen) = (server::concerns(view, &steps), server::unseen(view, &steps));
    let critical = grave.iter().filter(|(level, _)| *level == FlagLevel::Critical).count();
    let caution = grave.len() - critical + concerns.len();
    // The first of a kind weighs most: hazards of one change go wrong together.
    let points =
        (critical.min(1) * 9 + critical.saturating_sub(1).min(2) * 2 + caution.min(3) * 3).min(OF as usize) as i32;
    let unread: Vec<(String, String)> = steps.iter().filter_map(|s| Some((s.name(), s.unread()?))).collect();
    let closed = match schema::way_back(view) {
        schema::WayBack::Closed { name, .. } => Some(name),
        _ => None,
    };
    let rests = concerns.iter().map(|concern| concern.because.clone());
    if let Some(gravest) =
        steps.iter().filter_map(|s| Some((s, s.gravest()?))).min_by_key(|(_, h)| h.level != FlagLevel::Critical)
    {
        let (step, hazard) = gravest;
        let more = match grave.len() {
            1 => String::new(),
            n => format!(" {} more in this change.", says::count(i64::try_from(n - 1).unwrap_or(0), "hazard")),
        };
        let back = if closed.is_some() { " There is no way back from it." } else { "" };
        let now = concerns.first().map(|concern| format!(" {}", concern.says)).unwrap_or_default();
        let says = format!("Migration {}: {}.{back}{now}{more}", step.name(), schema::fragment(&hazard.says));
        let statement = because(fact, format!("{}: {}", hazard.rule, tame(&hazard.statement, 160)));
        let level = concerns.iter().map(|concern| concern.level).fold(hazard.level, FlagLevel::max);
        return Some(Answer::at(level, says).because([evidence, statement]).because(rests).likelihood(points, OF));
    }
    if let Some(first) = concerns.first() {
        let unread = unread.first().map(|(name, reason)| format!(" What {name} would do is unknown: {reason}."));
        let names: Vec<String> = steps.iter().map(Step::name).collect();
        let which = if names.len() == 1 { "Migration" } else { "Migrations" };
        let says =
            format!("{which} {}: {}{}", says::some(&names, 4), fragment_of(&first.says), unread.unwrap_or_default());
        let level = concerns.iter().map(|concern| concern.level).fold(first.level, FlagLevel::max);
        return Some(Answer::at(level, says).because([evidence]).because(rests).likelihood(points.max(UNREAD), OF));
    }
    if let Some((name, reason)) = unread.first() {
        let says = format!("What migration {name} would do is unknown: {reason}.");
        return Some(Answer::unknown(says).because([evidence]).likelihood(UNREAD, OF));
    }
    let names: Vec<String> = steps.iter().map(Step::name).collect();
    let which = if names.len() == 1 { "Migration" } else { "Migrations" };
    let verb = if names.len() == 1 { "holds" } else { "hold" };
    if let Some((reason, unseen)) = unseen {
        let says = format!("Whether {} would be held up here is unknown: {reason}.", says::some(&names, 4));
        return Some(Answer::unknown(says).because([evidence, unseen]).likelihood(1, OF));
    }
    let says = format!("{which} {} {verb} no lock, rewrite or irreversible step that is known.", says::some(&names, 4));
    Some(Answer::pass(says).because([evidence]).unless(gap(view, Topic::Change)).likelihood(1, OF))
}

/// A sentence with a small first letter, its full stop kept.
fn fragment_of(sentence: &str) -> String {
    format!("{}.", schema::fragment(sentence))
}
