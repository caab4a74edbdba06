//! Holds the aims of commands against what the settings say an environment is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::aim::{Aim, By, Effect, Named, Trouble, Value};
use super::axis::{Axis, Target};
use super::paste;
use super::tools::{self, Tool};
use crate::advice::FlagLevel;
use crate::name::Environment;

/// What is to be said about one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The line that the command begins on; the first is 1.
    pub line: usize,
    /// The command for showing, secrets masked; empty where the text as a whole is meant.
    pub command: String,
    pub verdict: Verdict,
    pub level: FlagLevel,
    /// One sentence, with the words that would mend it.
    pub says: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It names its target, and the target is this environment.
    Here,
    /// It names a target that is another environment's, or none that the settings know for this one.
    Elsewhere(Vec<Environment>),
    /// Where it goes is left to the shell that it will be run in.
    NotNamed,
    /// It names its target, but not all that the settings list: a namespace, a region.
    PartlyNamed,
    CannotTell,
}

/// What one named value means.
enum Means<'a> {
    /// This environment, and also these.
    Here(BTreeSet<&'a Environment>),
    Other(Vec<&'a Environment>),
    /// No environment, although the settings list this axis for this one.
    Unlisted,
    /// The settings do not list this axis.
    NotJudged,
    Hidden(&'a str),
}

/// One finding for each command, in the order of the commands. Pure; `targets` holds every environment of the
/// settings, those without targets too.
pub fn judge(aims: &[Aim], environment: &Environment, targets: &BTreeMap<Environment, Target>) -> Vec<Finding> {
    let nothing = Target::default();
    let view = View { environment, own: targets.get(environment).unwrap_or(&nothing), targets };
    aims.iter().map(|aim| weigh(aim, &view)).collect()
}

struct View<'a> {
    environment: &'a Environment,
    own: &'a Target,
    targets: &'a BTreeMap<Environment, Target>,
}

impl<'a> View<'a> {
    fn means(&self, named: &'a Named) -> Means<'a> {
        let value = match &named.value {
            Value::Known(value) => value,
            Value::Unknowable(why) => return Means::Hidden(why),
        };
        let others: Vec<&Environment> = self
            .targets
            .iter()
            .filter(|(name, target)| *name != self.environment && target.list(named.axis).has(named.axis, value))
            .map(|(name, _)| name)
            .collect();
        if self.own.list(named.axis).has(named.axis, value) {
            Means::Here(others.into_iter().collect())
        } else if !others.is_empty() {
            Means::Other(others)
        } else if !self.own.list(named.axis).is_empty() {
            Means::Unlisted
        } else {
            Means::NotJudged
        }
    }

    fn lists(&self, axis: Axis) -> bool {
        self.targets.values().any(|target| !target.list(axis).is_empty())
    }

    /// Whether a command that leaves its place open could go to more than one.
    fn several(&self, place: &[Axis]) -> bool {
        let values: BTreeSet<(Axis, &str)> = self
            .targets
            .values()
            .flat_map(|target| place.iter().flat_map(|axis| target.list(*axis).texts().map(|text| (*axis, text))))
            .collect();
        self.targets.len() > 1 || values.len() > 1
    }
}

fn weigh(aim: &Aim, view: &View) -> Finding {
    let finding = |verdict, level, says| Finding { line: aim.line, command: aim.text.clone(), verdict, level, says };
    if let Some(trouble) = &aim.trouble {
        return finding(Verdict::CannotTell, FlagLevel::Unknown, troubled(aim, trouble));
    }
    let Some(tool) = tools::find(&aim.tool) else {
        return finding(Verdict::CannotTell, FlagLevel::Unknown, troubled(aim, &Trouble::Unfamiliar));
    };
    let command = &aim.text;
    let here = view.environment;
    let changes = aim.effect != Effect::Reads;
    let (grave, unknown) =
        if changes { (FlagLevel::Critical, FlagLevel::Unknown) } else { (FlagLevel::Caution, FlagLevel::Info) };
    let fine = if changes { FlagLevel::Pass } else { FlagLevel::Info };
    let is_place = |axis: Axis| tool.place.contains(&axis) || axis == Axis::Host;
    let meanings: Vec<(&Named, Means)> = aim.named.iter().map(|named| (named, view.means(named))).collect();

    for (named, means) in &meanings {
        if let Means::Other(others) = means {
            let verdict = Verdict::Elsewhere(others.iter().map(|name| (*name).clone()).collect());
            let fix = fix(tool, &[named.axis], view.own).map(|fix| format!("; {fix}")).unwrap_or_default();
            let says = format!("`{command}` aims at {}: {}, not {here}{fix}.", listed(others), called(named));
            return finding(verdict, grave, says);
        }
    }
    let place: Vec<&(&Named, Means)> = meanings.iter().filter(|(named, _)| is_place(named.axis)).collect();
    let placed = place.iter().any(|(_, means)| matches!(means, Means::Here(_)));
    if !placed {
        for (named, means) in &place {
            if let Means::Unlisted = means {
                let says = format!(
                    "`{command}` does not aim at {here}: {}, and {here}'s are {}.",
                    called(named),
                    values(view.own, named.axis)
                );
                return finding(Verdict::Elsewhere(Vec::new()), grave, says);
            }
        }
    }
    for (named, means) in &meanings {
        if let Means::Hidden(why) = means
            && (is_place(named.axis) && !placed || tool.within.contains(&named.axis) && view.lists(named.axis))
        {
            let fix = fix(tool, &[named.axis], view.own).map(|fix| format!("; {fix}")).unwrap_or_default();
            let says = format!(
                "`{command}` takes its {} from {why}, which cannot be known before it runs{fix}.",
                named.axis.noun()
            );
            return finding(Verdict::CannotTell, unknown, says);
        }
    }
    let decided = meanings.iter().any(|(_, means)| matches!(means, Means::Here(others) if others.is_empty()));
    let no_place_listed = !tool.place.iter().any(|axis| view.lists(*axis));
    let settled = placed || (no_place_listed && decided);
    if !settled {
        return match place.iter().find(|(_, means)| matches!(means, Means::NotJudged)) {
            Some((named, _)) => {
                let says = format!(
                    "`{command}` {}, and the settings do not say which environment that is ({} under `[environment.{here}.target]`).",
                    names(named),
                    named.axis.key()
                );
                finding(Verdict::CannotTell, unknown, says)
            }
            None => not_named(aim, tool, view, changes),
        };
    }

    // Values that several environments share tell them apart only together.
    let mut shared: Option<BTreeSet<&Environment>> = None;
    for (_, means) in &meanings {
        if let Means::Here(others) = means {
            shared = Some(match shared {
                Some(before) => before.intersection(others).copied().collect(),
                None => others.clone(),
            });
        }
    }
    if let Some(shared) = shared.filter(|shared| !shared.is_empty()) {
        let also: Vec<&Environment> = shared.into_iter().collect();
        let open: Vec<Axis> =
            tool.place.iter().chain(tool.within).copied().filter(|axis| aim.names(*axis).is_none()).collect();
        let telling: Vec<Axis> = open.into_iter().filter(|axis| !view.own.list(*axis).is_empty()).collect();
        let told = meanings
            .iter()
            .find(|(_, means)| matches!(means, Means::Here(_)))
            .map(|(named, _)| called(named))
            .unwrap_or_default();
        return match fix(tool, &telling, view.own) {
            Some(fix) => {
                let says =
                    format!("`{command}` could mean {here} or {}: both share it ({told}); {fix}.", listed(&also));
                finding(Verdict::NotNamed, if changes { FlagLevel::Critical } else { FlagLevel::Info }, says)
            }
            None => {
                let says = format!(
                    "`{command}` could mean {here} or {}: the settings list the same for both ({told}).",
                    listed(&also)
                );
                finding(Verdict::CannotTell, unknown, says)
            }
        };
    }
    for (named, means) in &meanings {
        // Another name of a place that is known by one name already may well be in no list.
        let by_itself = !is_place(named.axis) || !matches!(named.by, By::Earlier { .. });
        if let Means::Unlisted = means
            && by_itself
        {
            let says = format!(
                "`{command}` aims at {here}, but {} is not one of {here}'s: {}.",
                said(named),
                values(view.own, named.axis)
            );
            return finding(Verdict::PartlyNamed, if changes { FlagLevel::Caution } else { FlagLevel::Info }, says);
        }
    }
    let open: Vec<Axis> = tool
        .within
        .iter()
        .copied()
        .filter(|axis| aim.names(*axis).is_none() && !view.own.list(*axis).is_empty())
        .collect();
    if let Some(axis) = open.first()
        && aim.effect != Effect::Moves
    {
        let fix = fix(tool, &[*axis], view.own).map(|fix| format!(": {fix}")).unwrap_or_default();
        let says = format!("`{command}` aims at {here} but names no {}{fix}.", axis.noun());
        return finding(Verdict::PartlyNamed, if changes { FlagLevel::Caution } else { FlagLevel::Info }, says);
    }
    let told = meanings
        .iter()
        .find(|(named, means)| matches!(means, Means::Here(_)) && (is_place(named.axis) || no_place_listed));
    let told = told.map(|(named, _)| called(named)).unwrap_or_default();
    let does = match aim.effect {
        Effect::Reads => "only reads from",
        Effect::Moves => "points the shell at",
        _ => "aims at",
    };
    finding(Verdict::Here, fine, format!("`{command}` {does} {here}: {told}."))
}

/// The command leaves its place to the shell that it will be run in.
fn not_named(aim: &Aim, tool: &Tool, view: &View, changes: bool) -> Finding {
    let finding = |verdict, level, says| Finding { line: aim.line, command: aim.text.clone(), verdict, level, says };
    let command = &aim.text;
    let here = view.environment;
    if let Some(clouded) = &aim.clouded {
        let says =
            format!("`{command}` names no {}; {clouded} may set it, which cannot be seen from here.", tool.place_word);
        return finding(Verdict::CannotTell, if changes { FlagLevel::Unknown } else { FlagLevel::Info }, says);
    }
    if aim.effect == Effect::Moves {
        return finding(
            Verdict::CannotTell,
            FlagLevel::Info,
            format!("`{command}` changes where the shell points, within a {} that it does not name.", tool.place_word),
        );
    }
    let unlisted = !tool.place.iter().chain(tool.within).any(|axis| view.lists(*axis));
    if tool.soft && unlisted {
        let says = format!("`{command}` may change something; the settings do not say what it would aim at.");
        return finding(Verdict::CannotTell, if changes { FlagLevel::Unknown } else { FlagLevel::Info }, says);
    }
    // Where the settings tell environments apart by namespaces alone, the namespace is what is missing.
    let by_within = !unlisted && !tool.place.iter().any(|axis| view.lists(*axis));
    let deciding = if by_within { tool.within } else { tool.place };
    let missing =
        if by_within { deciding.first().map_or(tool.place_word, |axis| axis.noun()) } else { tool.place_word };
    let open: Vec<Axis> = deciding.iter().copied().filter(|axis| aim.names(*axis).is_none()).collect();
    let fix = fix(tool, &open, view.own);
    let level = match (changes, view.several(deciding)) {
        (false, _) => FlagLevel::Info,
        (true, true) => FlagLevel::Critical,
        (true, false) => FlagLevel::Caution,
    };
    let says = match fix {
        Some(fix) => format!("`{command}` names no {missing}: {fix}."),
        None => {
            let how = option_of(tool)
                .map(|option| format!(": add `{option}` with {here}'s"))
                .unwrap_or_else(|| format!(": say which one is {here}'s"));
            format!("`{command}` names no {missing}{how}.")
        }
    };
    finding(Verdict::NotNamed, level, says)
}

fn option_of(tool: &Tool) -> Option<&'static str> {
    let place = |(_, axis): &&(&str, Axis)| tool.place.contains(axis);
    tool.flags.iter().find(place).map(|(flag, _)| *flag)
}

/// The words that would name this environment on the first of these axes that the settings list names for.
fn fix(tool: &Tool, axes: &[Axis], own: &Target) -> Option<String> {
    axes.iter().find_map(|axis| {
        let mut names = own.list(*axis).names();
        let first = tool.spell(*axis, names.next()?)?;
        let others: Vec<String> = names.take(2).map(|name| format!("`{name}`")).collect();
        Some(match others.as_slice() {
            [] => first,
            others => format!("{first} (or {})", others.join(", ")),
        })
    })
}

/// "context `prod-us`", with how it came to be named.
fn called(named: &Named) -> String {
    let by = match &named.by {
        By::Argument => String::new(),
        By::Variable(name) => format!(" from `{name}`"),
        By::Earlier { line, text } if text == "cd" => format!(" by the `cd` on line {line}"),
        By::Earlier { line, .. } => format!(" from line {line}"),
    };
    format!("{}{by}", said(named))
}

fn said(named: &Named) -> String {
    match &named.value {
        Value::Known(value) => format!("{} `{}`", named.axis.noun(), shown(value)),
        Value::Unknowable(why) => format!("{} from {why}", named.axis.noun()),
    }
}

fn names(named: &Named) -> String {
    format!("names {}", called(named))
}

/// At most 80 characters, none of which could pose as ours, without passwords.
pub(super) fn shown(value: &str) -> String {
    let value = if value.contains("://") { paste::masked(value) } else { value.to_owned() };
    value.chars().filter(|c| !c.is_control() && *c != '`').take(80).collect()
}

/// "`prod-us`, `prod-eu` and 3 more".
pub(super) fn values(target: &Target, axis: Axis) -> String {
    let texts: Vec<&str> = target.list(axis).texts().collect();
    let first: Vec<String> = texts.iter().take(3).map(|text| format!("`{text}`")).collect();
    match texts.len().saturating_sub(3) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

pub(super) fn listed(environments: &[&Environment]) -> String {
    let names: Vec<&str> = environments.iter().take(5).map(|name| name.as_str()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn troubled(aim: &Aim, trouble: &Trouble) -> String {
    let command = &aim.text;
    let line = aim.line;
    match trouble {
        Trouble::Script => format!("`{command}` runs a script: what it aims at cannot be told from here."),
        Trouble::Unfamiliar => {
            format!("`{command}` is no command that Tidegate can read: what it aims at cannot be told.")
        }
        Trouble::Nameless => {
            format!("`{command}` runs a program that is decided only then: what it aims at cannot be told.")
        }
        Trouble::Unclosed(what) => format!("Line {line} has {what}: what its command aims at cannot be told."),
        Trouble::Characters(what) => {
            format!("Line {line} has a character that deceives ({what}): type it again before anybody runs it.")
        }
        Trouble::TooLong(bytes) => format!("The commands are {bytes} bytes long; only the first 65,536 were read."),
        Trouble::TooMany => {
            format!("From line {line} on there are more commands, longer or more deeply nested ones than are read.")
        }
    }
}
