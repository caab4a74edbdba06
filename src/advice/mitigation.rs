//! What would lower the risk, each with what it does to the score: the brief is scored again with that one thing changed.

use crate::advice::facts::{Asked, Change, FileStatus};
use crate::advice::rollback::Verdict;
use crate::advice::schema;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, newest};
use crate::advice::{Flag, FlagLevel, Mitigation, Windows, says, score};
use crate::name::Person;
use crate::plan::Plan;

/// A mitigation and the flags that it would clear.
#[derive(Clone, Debug)]
pub struct Idea {
    pub mitigation: Mitigation,
    clears: &'static [&'static str],
}

/// Most that are offered.
const MOST: usize = 8;

/// Timing flags, which another moment would clear.
const MOMENT: &[&str] = &[
    "timing.window",
    "timing.freeze",
    "timing.peak-traffic",
    "timing.watchable",
    "timing.on-call",
    "timing.people",
    "timing.soak",
    "coordination.in-flight",
    "coordination.launch",
    "users.midway",
    "users.quiet-hour",
];

/// Everything that would help, the most effective first.
pub fn ideas(
    view: &View<'_>,
    value: u32,
    unclamped: i32,
    windows: &Windows,
    draft: Option<&str>,
    flags: &[Flag],
) -> Vec<Idea> {
    let raised = |code: &str| flags.iter().any(|f| f.code == code && f.level >= FlagLevel::Unknown);
    let base = score::base(view);
    // The moment's points stay as they are; only what the idea changes is scored again.
    let delta = |changed: &View<'_>| {
        let after = unclamped - base + score::base(changed);
        after.clamp(0, 100) - i32::try_from(value).unwrap_or(100)
    };
    let mut ideas: Vec<Idea> = Vec::new();
    let mut offer = |says: String, delta: i32, clears: &'static [&'static str]| {
        ideas.push(Idea { mitigation: Mitigation { says, delta }, clears });
    };
    let stopped = flags.iter().any(|f| f.level == FlagLevel::Critical && MOMENT.contains(&f.code.as_str()));
    let better =
        windows.windows.first().filter(|best| best.good && (best.score < value || stopped && best.score == value));
    if let Some(best) = better {
        let when = says::range(best.start, best.end, view.zone, view.now);
        let fall = i32::try_from(best.score).unwrap_or(100) - i32::try_from(value).unwrap_or(100);
        offer(format!("Wait until {when}"), fall, MOMENT);
    }
    if let Some(draft) =
        draft.filter(|_| view.rollback.verdict > Verdict::Unsure || view.rollback.verdict == Verdict::Vague)
    {
        let plan = Plan { rollback: Some(draft.to_owned()), ..view.plan.clone() };
        let fall = delta(&view.with_plan(&plan));
        offer("Adopt the drafted rollback plan".to_owned(), fall, &["plan.rollback"]);
    }
    if let Some(split) = without_migrations(view) {
        let names: Vec<String> = schema::steps(view).iter().map(schema::Step::name).collect();
        let which = if names.len() == 1 { "migration" } else { "migrations" };
        let says = format!("Deploy {which} {} apart from the code", says::some(&names, 3));
        offer(says, delta(&view.with_change(&split)), &["migration.hazard"]);
    }
    if raised("change.size")
        && let Some(half) = half(view)
    {
        offer(
            "Split it: half of the files at a time".to_owned(),
            delta(&view.with_change(&half)),
            &["change.size", "change.complexity"],
        );
    }
    if raised("incident.open") && gap(view, Topic::Incidents).is_none() {
        let mut incidents = view.incidents.clone();
        for incident in incidents.known.iter_mut().flat_map(|fact| &mut fact.value) {
            incident.resolved.get_or_insert(view.now);
        }
        offer(
            "Wait until the open incident is settled".to_owned(),
            delta(&view.with_incidents(&incidents)),
            &["incident.open"],
        );
    }
    if raised("tests.missing") && view.the_change().is_some() {
        let mut change = view.change.clone();
        for fact in &mut change.known {
            if let Some(file) = fact.value.files.first().cloned() {
                let path = "tests/added.rs".to_owned();
                let status = FileStatus::Added;
                fact.value.files.push(crate::advice::facts::FileChange {
                    path,
                    was: None,
                    status,
                    added: Some(0),
                    deleted: Some(0),
                    ..file
                });
            }
        }
        // The test's own lines do not count against it here.
        let (with, without) =
            (checks_points(&view.with_change(&change), "tests.missing"), checks_points(view, "tests.missing"));
        let fall = (unclamped + with - without).clamp(0, 100) - i32::try_from(value).unwrap_or(100);
        offer("Add a test of what changed".to_owned(), fall, &["tests.missing"]);
    }
    let plan = view.plan;
    if plan.watch.is_empty() || plan.respond.is_empty() {
        let someone = plan.by.clone();
        let named = |list: &Vec<Person>| if list.is_empty() { vec![someone.clone()] } else { list.clone() };
        let plan = Plan { watch: named(&plan.watch), respond: named(&plan.respond), ..plan.clone() };
        offer("Name who watches and who responds".to_owned(), delta(&view.with_plan(&plan)), &["plan.care"]);
    }
    if raised("plan.rollback-conditions") {
        let plan = Plan { rollback_if: Some("errors > 2 % for 5m".to_owned()), ..plan.clone() };
        let says = "Say when it would be taken back, for example `--rollback-if \"errors > 2 % for 5m\"`".to_owned();
        offer(says, delta(&view.with_plan(&plan)), &["plan.rollback-conditions"]);
    }
    // What clears a flag without moving the number.
    if raised("coordination.informed") {
        offer("Name whom the policy wants told, with `--tell`".to_owned(), 0, &["coordination.informed"]);
    }
    if plan.risk.is_none() {
        offer("Declare the risk, with `--risk`".to_owned(), 0, &["risk.declared"]);
    }
    if raised("plan.success") {
        offer("Say what would show success, with `--success`".to_owned(), 0, &["plan.success"]);
    }
    if raised("plan.reason") {
        offer("Name the ticket or requirement, with `--why`".to_owned(), 0, &["plan.reason"]);
    }
    // Nothing is offered that would make it worse.
    ideas.retain(|idea| idea.mitigation.delta <= 0);
    ideas.sort_by_key(|idea| idea.mitigation.delta);
    ideas
}

/// The first few, for the list of what would lower it.
pub fn offered(ideas: &[Idea]) -> Vec<Mitigation> {
    ideas.iter().map(|idea| idea.mitigation.clone()).take(MOST).collect()
}

/// Puts to each raised flag what would clear it.
pub fn help(flags: &mut [Flag], ideas: &[Idea]) {
    for flag in flags.iter_mut().filter(|flag| flag.level >= FlagLevel::Caution && flag.would_help.is_none()) {
        let clears = |idea: &&Idea| idea.clears.contains(&flag.code.as_str());
        flag.would_help = ideas.iter().find(clears).map(|idea| idea.mitigation.clone());
    }
}

fn checks_points(view: &View<'_>, code: &str) -> i32 {
    crate::advice::checks::ask(view).iter().filter(|(flag, _)| flag.code == code).map(|(flag, _)| flag.points).sum()
}

/// The change without its migrations, where something else is left of it.
fn without_migrations(view: &View<'_>) -> Option<Asked<Change>> {
    let fact = newest(view.change)?;
    let paths: Vec<&str> = fact.value.migrations.iter().map(|m| m.path.as_str()).collect();
    let pending = schema::steps(view).iter().any(|step| step.ran != Some(true));
    let rest = fact.value.files.iter().filter(|file| !paths.contains(&file.path.as_str())).count();
    if paths.is_empty() || !pending || rest == 0 {
        return None;
    }
    let mut fact = fact.clone();
    let files = std::mem::take(&mut fact.value.files);
    fact.value.files =
        files.into_iter().filter(|file| !fact.value.migrations.iter().any(|m| m.path == file.path)).collect();
    fact.value.file_count =
        fact.value.file_count.saturating_sub(u32::try_from(fact.value.migrations.len()).unwrap_or(u32::MAX));
    fact.value.migrations.clear();
    Some(Asked { known: vec![fact], unknown: view.change.unknown.clone() })
}

/// Half of the change: every other file by name. One file cannot be halved.
fn half(view: &View<'_>) -> Option<Asked<Change>> {
    let mut fact = newest(view.change).filter(|fact| fact.value.files.len() > 1)?.clone();
    fact.value.files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut keep = false;
    fact.value.files.retain(|_| {
        keep = !keep;
        keep
    });
    fact.value.file_count = fact.value.file_count.div_ceil(2);
    Some(Asked { known: vec![fact], unknown: view.change.unknown.clone() })
}
